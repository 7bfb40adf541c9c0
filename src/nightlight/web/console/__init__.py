"""The read-only console: what Nightlight found, decided and reported, as pages."""
