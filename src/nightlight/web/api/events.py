"""``POST /v1/events``: events come in and are durable before the answer."""

from http import HTTPStatus

from fastapi import APIRouter
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from nightlight.errors import InvalidInput
from nightlight.ingest.lines import Rejected
from nightlight.ingest.reader import parse_batch
from nightlight.model.event import Event
from nightlight.services import Services
from nightlight.services.intake import quarantine
from nightlight.services.tokens import Scope
from nightlight.web.auth import Gate
from nightlight.web.problems import PROBLEM_TYPE, json_answer, problem_of

MAX_BODY_BYTES = 16 << 20
_ORIGIN = "http:/v1/events"


class NotRead(Struct, frozen=True, kw_only=True):
    """An element that is no event: its place among what was read, from 0, its line, and why."""

    index: int
    line: int
    reason: str


class Received(Struct, frozen=True, kw_only=True):
    """What became of a body: everything in it is durable by now."""

    accepted: int
    duplicates: int
    quarantined: list[NotRead]


def events_api(services: Services, gate: Gate) -> APIRouter:
    """Return the route."""
    router = APIRouter()

    async def post_events(request: Request) -> Response:
        await gate.admit(request, Scope.EVENTS)
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise HTTPException(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail="send the body without content encoding"
            )
        body = await _read_body(request)
        content_type = request.headers.get("content-type", "")
        try:
            received = await run_in_threadpool(_receive, services, body, content_type)
        except InvalidInput as error:
            if error.field != "content-type":
                raise
            status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
            return json_answer(problem_of(error, status), status, media_type=PROBLEM_TYPE)
        return json_answer(received, HTTPStatus.ACCEPTED)

    router.add_api_route("/v1/events", post_events, methods=["POST"], response_model=None)
    return router


async def _read_body(request: Request) -> bytes:
    """Return the body, never holding more of it than allowed.

    Raises:
        HTTPException: it is too large (413) or empty (400).
    """
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > MAX_BODY_BYTES:
        raise _too_large()
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise _too_large()
        parts.append(part)
    body = b"".join(parts)
    if not body.strip():
        raise HTTPException(HTTPStatus.BAD_REQUEST, detail="the body is empty: send events")
    return body


def _too_large() -> HTTPException:
    return HTTPException(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        detail=f"a body may have {MAX_BODY_BYTES} bytes: send the events in smaller batches",
    )


def _receive(services: Services, body: bytes, content_type: str) -> Received:
    """Return what became of the body; unreadable elements are kept before events are accepted.

    Should accepting fail, the sender sends the body again: events enter once, and an unreadable
    element is rather kept twice than lost.
    """
    read = parse_batch(body, content_type)
    rejected = [(index, one) for index, one in enumerate(read) if isinstance(one, Rejected)]
    quarantine(
        [one for _, one in rejected],
        origin=_ORIGIN,
        unit_of_work=services.unit_of_work,
        clock=services.clock,
    )
    events = [one for one in read if isinstance(one, Event)]
    accepted = services.pipeline.accept(events) if events else 0
    return Received(
        accepted=accepted,
        duplicates=len(events) - accepted,
        quarantined=[
            NotRead(index=index, line=one.line_number, reason=one.reason) for index, one in rejected
        ],
    )
