"""The HTTP API: events in, schemas out."""
