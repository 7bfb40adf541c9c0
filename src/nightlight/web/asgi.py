"""Where an ASGI server starts: ``granian --factory --interface asgi nightlight.web.asgi:app``."""

from collections.abc import Iterable

from fastapi import FastAPI

from nightlight.bootstrap import build_services
from nightlight.settings import read_settings
from nightlight.web.app import create_app
from nightlight.web.auth import ensure_token


def app(host_names: Iterable[str] = ()) -> FastAPI:
    """Return the application for the settings in the environment.

    Args:
        host_names: names that the console answers to besides those of loopback; "*" for any.

    Raises:
        InvalidInput: a setting is wrong.
        Unavailable: the database does not answer.
    """
    settings = read_settings()
    services = build_services(settings)
    services.prepare()  # somebody waits for the answer about the first upload
    return create_app(services, ensure_token(settings), host_names=host_names)
