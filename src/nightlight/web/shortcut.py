"""The shortest way to the routes that are asked for every upload.

The framework's own way costs more than looking up a hash. What it does besides finding the route,
which is telling errors and setting headers, is done here.
"""

from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from nightlight.errors import NightlightError
from nightlight.web.guard import ANSWER_HEADERS
from nightlight.web.problems import Answers, Handler

_HEADERS = [
    *((name.encode(), value.encode()) for name, value in ANSWER_HEADERS.items()),
    (b"cache-control", b"no-store"),
]


class Shortcut:
    """Answers the routes it was given, and passes everything else on."""

    def __init__(self, app: ASGIApp, *, routes: Iterable[Route], answers: Answers) -> None:
        """Wrap ``app``; of ``routes``, those whose path is fixed are taken."""
        self._app = app
        self._answers = answers
        self._handlers: dict[tuple[str, str], Handler] = {
            (method, route.path): route.endpoint
            for route in routes
            for method in route.methods or ()
            if "{" not in route.path
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        handler = None
        if scope["type"] == "http":
            handler = self._handlers.get((scope["method"], scope["path"]))
        if handler is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        answer = await self._answered(handler, request)
        answer.raw_headers.extend(_HEADERS)
        await answer(scope, receive, send)

    async def _answered(self, handler: Handler, request: Request) -> Response:
        try:
            return await handler(request)
        except HTTPException as error:
            return await self._answers.http_error(request, error)
        except NightlightError as error:
            return await self._answers.nightlight_error(request, error)
