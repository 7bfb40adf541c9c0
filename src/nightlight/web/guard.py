"""What holds for every answer: which names this server answers to, and what browsers may do.

The check of the Host header defends the console against DNS rebinding, by which a foreign page
could make a browser read from a server that listens on loopback only. Programs show the token on
every request, which a foreign page cannot, so the API answers to any name.
"""

from collections.abc import Iterable
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
#: Given as a host name, it lets any name pass: for servers behind a proxy that checks names.
ANY_NAME = "*"
#: Our own interface, and HMA's.
_FOR_PROGRAMS = ("/v1/", "/healthz", "/m/", "/h/", "/c/", "/dev/", "/status", "/livez", "/readyz")
#: What every answer tells browsers.
ANSWER_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
        " object-src 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guard:
    """Refuses foreign host names and sets the headers of every answer."""

    def __init__(self, app: ASGIApp, *, host_names: Iterable[str]) -> None:
        """Wrap ``app``; ``host_names`` are expected besides those of loopback."""
        self._app = app
        self._names = LOOPBACK_NAMES | {name.lower() for name in host_names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ANSWER_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault(
                    "cache-control", "no-cache" if path.startswith("/static/") else "no-store"
                )
            await send(message)

        if not is_for_programs(path) and not self._expects(Headers(scope=scope)):
            refusal = PlainTextResponse(
                "This server does not answer to that name. Open it as http://127.0.0.1:PORT,"
                " or start it with the name it is to answer to.\n",
                status_code=HTTPStatus.MISDIRECTED_REQUEST,
            )
            await refusal(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)

    def _expects(self, headers: Headers) -> bool:
        return ANY_NAME in self._names or _host_name(headers.get("host", "")) in self._names


def is_for_programs(path: str) -> bool:
    """Return whether programs ask there, which show a token, and not browsers."""
    return path.startswith(_FOR_PROGRAMS)


def is_loopback_name(host: str) -> bool:
    """Return whether a Host header names this machine as only itself can."""
    return _host_name(host) in LOOPBACK_NAMES


def _host_name(host: str) -> str:
    """Return the name of a Host header without its port; IPv6 addresses keep their brackets."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()
