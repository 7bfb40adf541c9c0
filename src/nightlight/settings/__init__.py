"""Settings from the environment: the only reader of it."""

from nightlight.settings.reading import environment_with, read_settings
from nightlight.settings.reference import REFERENCE
from nightlight.settings.values import Settings

__all__ = ["REFERENCE", "Settings", "environment_with", "read_settings"]
