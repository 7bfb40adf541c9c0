"""The command line: one module a command. Results on stdout, narration on stderr."""
