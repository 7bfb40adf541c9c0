"""Hash banks and lexicons from partners come in; nothing secret goes out unasked."""
