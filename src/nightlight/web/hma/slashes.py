"""Paths of clients whose base address ends in a slash, as Coop's does unless it is told another."""

from starlette.types import ASGIApp, Receive, Scope, Send


class OneSlash:
    """Lets a path that begins with several slashes begin with one; HMA sends such clients on."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and scope["path"].startswith("//"):
            path = "/" + scope["path"].lstrip("/")
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)
