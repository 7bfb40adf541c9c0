"""Errors as HTTP answers: problem details (RFC 9457) for programs, a page for people."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TypeAlias

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from nightlight.errors import (
    Conflict,
    IntegrityFailure,
    InvalidInput,
    NightlightError,
    NotFound,
    NotPermitted,
    Unavailable,
)
from nightlight.web.guard import is_for_programs

PROBLEM_TYPE = "application/problem+json"
_RETRY_AFTER_S = "5"
_STATUSES: Mapping[type[NightlightError], HTTPStatus] = {
    InvalidInput: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    NotPermitted: HTTPStatus.FORBIDDEN,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    IntegrityFailure: HTTPStatus.INTERNAL_SERVER_ERROR,
}

#: What answers a request.
Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
#: Draws a page that says what went wrong: (status, what happened, what to do).
ErrorPage = Callable[[HTTPStatus, str, str], str]


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The members of a problem details object."""

    type: str
    title: str
    status: int
    detail: str
    code: str = ""
    field: str = ""
    hint: str = ""


def status_of(error: NightlightError) -> HTTPStatus:
    """Return the HTTP status that says the same as this error."""
    return _STATUSES.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)


def problem_of(error: NightlightError, status: HTTPStatus | None = None) -> Problem:
    """Return the error as problem details."""
    status = status or status_of(error)
    return Problem(
        type=f"urn:nightlight:problem:{error.code}",
        title=status.phrase,
        status=status,
        detail=str(error),
        code=error.code,
        field=error.field,
        hint=error.hint,
    )


def json_answer(
    value: object,
    status: int = HTTPStatus.OK,
    *,
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a JSON answer."""
    return Response(
        msgspec.json.encode(value), status_code=status, media_type=media_type, headers=headers
    )


class Answers:
    """Turns errors into answers: JSON for programs, a page for people."""

    def __init__(self, page: ErrorPage) -> None:
        self._page = page

    async def nightlight_error(self, request: Request, error: Exception) -> Response:
        """Answer one of Nightlight's own errors."""
        if not isinstance(error, NightlightError):
            raise error
        status = status_of(error)
        retry = status is HTTPStatus.SERVICE_UNAVAILABLE
        headers = {"Retry-After": _RETRY_AFTER_S} if retry else {}
        if _is_for_programs(request):
            return json_answer(problem_of(error), status, media_type=PROBLEM_TYPE, headers=headers)
        said = error.args[0] if error.args else error.code
        return self._paged(status, str(said), error.hint, headers)

    async def http_error(self, request: Request, error: Exception) -> Response:
        """Answer what the framework or a route refused."""
        if not isinstance(error, HTTPException):
            raise error
        status = HTTPStatus(error.status_code)
        headers = dict(error.headers or {})
        if _is_for_programs(request):
            problem = Problem(
                type="about:blank", title=status.phrase, status=status, detail=error.detail
            )
            return json_answer(problem, status, media_type=PROBLEM_TYPE, headers=headers)
        return self._paged(status, error.detail, "", headers)

    def _paged(
        self, status: HTTPStatus, said: str, hint: str, headers: Mapping[str, str]
    ) -> Response:
        return Response(
            self._page(status, said, hint),
            status_code=status,
            media_type="text/html",
            headers=headers,
        )


def _is_for_programs(request: Request) -> bool:
    return is_for_programs(request.url.path)
