"""Answers and errors as HMA gives them, and how its parameters are read."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from nightlight.errors import Conflict, InvalidInput, NightlightError, NotFound, Unavailable
from nightlight.web.bodies import check_encoding, read_small
from nightlight.web.problems import Handler, json_answer, status_of

_LONGEST_JSON = 1 << 20
_TRUE, _FALSE = ("true", "1"), ("false", "0")


class Refused(Exception):  # noqa: N818  the name is the answer
    """What HMA answers with a status and a message."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


def bad(message: str) -> Refused:
    """Return the answer to a request that is wrong."""
    return Refused(HTTPStatus.BAD_REQUEST, message)


def answered(handler: Handler) -> Handler:
    """Return the handler with every error told as ``{"message": ...}``."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except Refused as error:
            return told(error.message, error.status, error.headers)
        except HTTPException as error:
            return told(error.detail, error.status_code, error.headers)
        except NightlightError as error:
            retry = {"Retry-After": "1"} if isinstance(error, Unavailable) else None
            return told(str(error), _status(error), retry)

    return answer


def told(message: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return a message."""
    return json_answer({"message": message}, status, headers=headers)


def plain(text: str, status: int = HTTPStatus.OK) -> Response:
    """Return text."""
    return PlainTextResponse(text, status)


def bank_not_found(name: str) -> Refused:
    """Return the answer where there is no such bank."""
    return Refused(HTTPStatus.NOT_FOUND, f"bank '{name}' not found")


def query(request: Request) -> dict[str, str]:
    """Return the query parameters, the first of a name."""
    raw: bytes = request.scope["query_string"]
    text = raw.decode("latin-1")
    pairs: list[tuple[str, str]]
    if "%" in text or "+" in text:
        pairs = parse_qsl(text, keep_blank_values=True)
    else:
        pairs = [
            (name, value) for name, _, value in (one.partition("=") for one in text.split("&"))
        ]
    return dict(reversed(pairs))


def parameter(params: Mapping[str, str], name: str) -> str:
    """Return a query parameter.

    Raises:
        Refused: it is missing.
    """
    value = params.get(name)
    if value is None:
        raise bad(f"{name} is required")
    return value


def flag(value: object, *, otherwise: bool = False) -> bool:
    """Return what HMA takes for yes and no.

    Raises:
        Refused: it is neither.
    """
    if value is None:
        return otherwise
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text not in (*_TRUE, *_FALSE):
        raise bad("invalid boolean parameter - prefer true/false")
    return text in _TRUE


def share(value: object) -> float:
    """Return a ratio.

    Raises:
        Refused: it is no number from 0 to 1.
    """
    try:
        ratio = float(value)  # type: ignore[arg-type]  # anything that JSON holds
    except (TypeError, ValueError):
        raise bad(f"Invalid float: '{str(value)[:40]}'") from None
    if isinstance(value, bool) or not 0.0 <= ratio <= 1.0:
        raise bad("enabled_ratio must be from 0.0 to 1.0")
    return ratio


def names_of(value: str | None) -> frozenset[str] | None:
    """Return comma-separated names, None where there are none."""
    return frozenset(value.split(",")) if value else None


async def body_of(request: Request) -> dict[str, Any]:
    """Return a JSON body.

    Raises:
        Refused: it is no JSON object.
    """
    check_encoding(request)
    try:
        value = msgspec.json.decode(await read_small(request, most=_LONGEST_JSON))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise bad("the body is no JSON") from None
    if not isinstance(value, dict):
        raise bad("this endpoint expects a json object payload")
    return value


def required(body: Mapping[str, Any], name: str) -> Any:
    """Return a field of a body.

    Raises:
        Refused: it is missing.
    """
    if body.get(name) is None:
        raise bad(f"{name} is required")
    return body[name]


def _status(error: NightlightError) -> int:
    match error:
        case InvalidInput():
            return HTTPStatus.BAD_REQUEST
        case NotFound():
            return HTTPStatus.NOT_FOUND
        case Conflict():
            return HTTPStatus.FORBIDDEN
        case _:
            return status_of(error)
