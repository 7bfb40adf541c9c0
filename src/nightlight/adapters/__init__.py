"""One implementation of a port per file, named by its technology."""
