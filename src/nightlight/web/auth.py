"""Who may ask: one token, given as a bearer token by programs and once by a person's browser.

The browser does not keep the token itself but a value derived from it, so that what a browser
stores opens the console and nothing else.
"""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from nightlight.errors import IntegrityFailure, Unavailable
from nightlight.settings import Settings

COOKIE = "nightlight_console"
_TOKEN_BYTES = 32
_SHORTEST_TOKEN = 16
_CONSOLE_PURPOSE = b"nightlight console session 1"


def ensure_token(settings: Settings) -> str:
    """Return the API token: the configured one, or the one kept under ``home``, made if missing.

    Raises:
        Unavailable: the file can be neither read nor made.
        IntegrityFailure: the file does not hold a token.
    """
    if settings.api_token is not None:
        return str(settings.api_token)
    path = settings.token_file
    try:
        if not path.exists():
            _keep_new_token(path)
        token = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Unavailable(f"the API token cannot be kept: {error.strerror}") from error
    if len(token) < _SHORTEST_TOKEN:
        raise IntegrityFailure(
            "the file holds no token", field=str(path), hint="delete it; a new one is made"
        )
    return token


def _keep_new_token(path: Path) -> None:
    """Put a new token there, whole and for its owner only; one that is there already stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(_TOKEN_BYTES) + "\n")
    try:
        # A link appears at once and never replaces: of two processes that start, both get one.
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


class Gate:
    """Knows the token, and lets in who shows it."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._session = hmac.new(self._token, _CONSOLE_PURPOSE, hashlib.sha256).hexdigest()

    def is_token(self, given: str) -> bool:
        """Return whether this is the token."""
        return hmac.compare_digest(given.encode(), self._token)

    def is_signed_in(self, request: Request) -> bool:
        """Return whether the browser that asks was let in before."""
        given = request.cookies.get(COOKIE, "")
        return hmac.compare_digest(given.encode(), self._session.encode())

    def check_bearer(self, request: Request) -> None:
        """Return only if the request carries the token.

        Raises:
            HTTPException: it does not (401).
        """
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self.is_token(given.strip()):
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                detail="this needs the API token: Authorization: Bearer TOKEN",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def sign_in(self, response: Response, *, https: bool) -> None:
        """Let this browser in until it is closed or the token changes."""
        response.set_cookie(
            COOKIE, self._session, httponly=True, samesite="strict", secure=https, path="/"
        )

    def sign_out(self, response: Response) -> None:
        """Forget this browser."""
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", path="/")
