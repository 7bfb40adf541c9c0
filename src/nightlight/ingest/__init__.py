"""Platform JSON becomes one ``Event``, once; what cannot be read is quarantined with its reason."""
