"""How commands get their services."""

from pathlib import Path

from msgspec.structs import replace

from nightlight.bootstrap import build_services
from nightlight.services import Services
from nightlight.settings import read_settings


def open_services(*, media_root: Path | None = None) -> Services:
    """Return the services for the settings in the environment.

    Raises:
        InvalidInput: a setting is wrong.
        Unavailable: the database does not answer.
    """
    settings = read_settings()
    if media_root is not None:
        settings = replace(settings, media_root=media_root)
    return build_services(settings)
