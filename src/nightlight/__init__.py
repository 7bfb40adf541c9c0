"""Nightlight: event -> signals -> decision -> effects -> case -> CyberTip -> measure."""

__version__ = "0.1.0"
