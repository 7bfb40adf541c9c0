"""The real application over a real SQLite file; only the socket is missing."""

import asyncio
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from nightlight.bootstrap import build_services
from nightlight.services import Services
from nightlight.settings import read_settings
from nightlight.web.app import create_app

TOKEN = "a token of the tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class InProcess(httpx.BaseTransport):
    """Hands requests to an application without a socket."""

    def __init__(self, app: Any) -> None:
        self._transport = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the application's answer."""
        request.read()
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        body = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)


def client_of(services: Services, *, token: str = TOKEN) -> httpx.Client:
    """Return a client of an application over these services."""
    app = create_app(services, token)
    return httpx.Client(transport=InProcess(app), base_url="http://127.0.0.1:8420")


def fresh_services(folder: Path, **settings: str) -> Services:
    """Return services of a new home; its schema is copied, as migrating takes too long."""
    home = folder / "home"
    shutil.copytree(_template(), home)
    environment = {f"NIGHTLIGHT_{name.upper()}": value for name, value in settings.items()}
    return build_services(read_settings({"NIGHTLIGHT_HOME": str(home), **environment}))


@cache
def _template() -> Path:
    home = Path(tempfile.mkdtemp(prefix="nightlight-tests-")) / "home"
    build_services(read_settings({"NIGHTLIGHT_HOME": str(home)}))
    return home
