"""The HTTP API and the read-only console, over ``Services`` and nothing else."""
