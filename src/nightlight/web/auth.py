"""Who may ask: programs show a token on every request, a person's browser shows it once.

The token of ``serve`` may do everything and opens the console; tokens that were made have scopes.
A browser does not keep the token itself but a value derived from it, so that what a browser stores
opens the console and nothing else. A token in an address is for the console's sign-in alone:
addresses are kept by proxies and logs.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections import OrderedDict
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_address
from math import ceil
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from nightlight.errors import IntegrityFailure, Unavailable
from nightlight.services.tokens import Bucket, Scope, Tokens, digest_of
from nightlight.settings import Settings
from nightlight.web.attempts import Attempts
from nightlight.web.fresh import Fresh
from nightlight.web.guard import is_loopback_name

COOKIE = "nightlight_console"
_TOKEN_BYTES = 32
_SHORTEST_TOKEN = 16
_CONSOLE_PURPOSE = b"nightlight console session 1"
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
#: Of tokens and of addresses that showed them, the latest are remembered.
_REMEMBERED = 10_000


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


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks, as the record names them."""

    name: str
    scopes: frozenset[str]

    def may(self, scope: Scope) -> bool:
        """Return whether this is among what they may do."""
        return scope in self.scopes


_EVERYTHING = frozenset(scope.value for scope in Scope)
_OWNER = Caller(name="the API token", scopes=_EVERYTHING)
_TESTER = Caller(name="a test", scopes=_EVERYTHING)


class Gate:
    """Knows the tokens, and lets in who shows one that is good for what they ask."""

    def __init__(
        self, token: str, *, tokens: Tokens | None = None, opens_to_tests: bool = False
    ) -> None:
        """Keep the parts.

        Args:
            token: may do everything, and opens the console.
            tokens: those that were made.
            opens_to_tests: whether programs on this machine need no token.
        """
        self._token = token.encode()
        self._session = hmac.new(self._token, _CONSOLE_PURPOSE, hashlib.sha256).hexdigest()
        self._good = Fresh(tokens.good, what="the API tokens") if tokens else None
        self._opens_to_tests = opens_to_tests
        self._attempts = Attempts()
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()

    def is_token(self, given: str) -> bool:
        """Return whether this is the token that opens the console."""
        return hmac.compare_digest(given.encode(), self._token)

    def check_sign_in(self, request: Request, given: str) -> bool:
        """Return whether this is the token that opens the console, and count it where it is not.

        Raises:
            HTTPException: too many that were wrong came from this address (429).
        """
        address = _address(request)
        _check_wait(self._attempts.wait_s(address), "too many wrong tokens from this address")
        good = self.is_token(given)
        if not good:
            self._attempts.note_failure(address)
        return good

    def is_signed_in(self, request: Request) -> bool:
        """Return whether the browser that asks was let in before."""
        given = request.cookies.get(COOKIE, "")
        return hmac.compare_digest(given.encode(), self._session.encode())

    async def admit(self, request: Request, *scopes: Scope) -> Caller:
        """Return who asks, if they may do one of these.

        Raises:
            HTTPException: no good token (401), not one for this (403), or too many requests (429).
            Unavailable: the tokens cannot be read.
        """
        authorization = request.headers.get("authorization", "")
        if not authorization and self._opens_to_tests and _is_test(request):
            return _TESTER
        given = _credentials(authorization)
        if given and hmac.compare_digest(given.encode(), self._token):
            return _OWNER
        address, digest = _address(request), digest_of(given)
        if (address, digest) not in self._seen:
            # Past the limit, only what this address has shown before is looked at: a guess is not.
            _check_wait(self._attempts.wait_s(address), "too many wrong tokens from this address")
        good = await self._good.get() if self._good and given else {}
        token = good.get(digest)
        if token is None or not hmac.compare_digest(token.digest, digest):
            self._attempts.note_failure(address)
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                detail="this needs an API token: Authorization: Bearer TOKEN",
                headers={"WWW-Authenticate": "Bearer"},
            )
        _remember(self._seen, (address, digest), None)
        bucket = self._buckets.get(digest)
        if bucket is None:
            bucket = Bucket(token.per_second)
            _remember(self._buckets, digest, bucket)
        _check_wait(bucket.take(), "more requests than this token may make")
        if scopes and not any(scope in token.scopes for scope in scopes):
            raise HTTPException(
                HTTPStatus.FORBIDDEN,
                detail=f"this token is not made for this: it needs the scope {scopes[0]}",
            )
        return Caller(name=f"token {token.id} ({token.name})", scopes=frozenset(token.scopes))

    def sign_in(self, response: Response, *, https: bool) -> None:
        """Let this browser in until it is closed or the token changes."""
        response.set_cookie(
            COOKIE, self._session, httponly=True, samesite="strict", secure=https, path="/"
        )

    def sign_out(self, response: Response) -> None:
        """Forget this browser."""
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", path="/")


def _credentials(authorization: str) -> str:
    """Return the token of a header: a bearer token, or the password of basic authentication.

    Clients that know no bearer tokens know ``http://anything:TOKEN@host``.
    """
    scheme, _, given = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return given.strip()
        case "basic":
            try:
                decoded = base64.b64decode(given.strip(), validate=True).decode()
            except (binascii.Error, ValueError):
                return ""
            return decoded.partition(":")[2]
        case _:
            return ""


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _is_test(request: Request) -> bool:
    """Return whether a program on this machine asks, and not a page in a browser on it."""
    server = request.scope.get("server")
    return (
        _is_loopback(_address(request))
        and server is not None
        and _is_loopback(server[0])
        and is_loopback_name(request.headers.get("host", ""))
        and "origin" not in request.headers
        and "sec-fetch-site" not in request.headers
    )


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _check_wait(wait_s: float, why: str) -> None:
    if wait_s > 0:
        raise HTTPException(
            HTTPStatus.TOO_MANY_REQUESTS,
            detail=why,
            headers={"Retry-After": str(max(1, ceil(wait_s)))},
        )


def _remember(known: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > _REMEMBERED:
        known.popitem(last=False)
