"""Simulated StopNCII over HTTP: the wire format, invented hashes, and faults."""

import base64
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from msgspec import Struct
from msgspec.structs import replace

from nightlight.simulate.exchange_faults import (
    ExchangeFaults,
    FaultyExchange,
    add_exchange_control,
    damaged,
    fault_of,
)
from nightlight.simulate.exchange_list import invented, moment
from nightlight.simulate.faults import App

TITLE = "SIMULATED StopNCII"
ROOT = "/v1"
#: The last digit of the records that were taken back.
_WITHDRAWN = 7


class Record(Struct, frozen=True, kw_only=True):
    """One hash record, in StopNCII's own names."""

    lastModtimestamp: int  # noqa: N815  StopNCII's own names
    signalType: str  # noqa: N815
    hashValue: str  # noqa: N815
    hashStatus: str = "Active"  # noqa: N815
    caseNumbers: dict[str, str] | list[str] = {}  # noqa: N815
    CSPFeedbacks: list[dict[str, Any]] = []


class StopNciiList:
    """What the exchange holds, and the feedback that it was told."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.reset()

    def reset(self) -> None:
        """Hold what was held in the beginning."""
        found = map(_invented_record, range(self._count))
        self.records = {one.hashValue: one for one in found}
        self.feedback: list[dict[str, Any]] = []

    def since(self, start_s: int) -> list[Record]:
        """Return the records that changed since a moment, in the order of their time."""
        found = (one for one in self.records.values() if one.lastModtimestamp >= start_s)
        return sorted(found, key=lambda one: (one.lastModtimestamp, one.hashValue))


def stopncii_app(
    *, function_key: str, subscription_key: str, records: int = 50, page_size: int = 10
) -> App:
    """Return the simulator as an ASGI app; it serves below ``/v1``."""
    held, faults = StopNciiList(records), ExchangeFaults()
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)

    def is_known(request: Request) -> bool:
        given = (
            request.headers.get("x-functions-key"),
            request.headers.get("Ocp-Apim-Subscription-Key"),
        )
        return given == (function_key, subscription_key)

    @app.get(ROOT + "/FetchHashes")
    async def fetch(request: Request) -> Response:
        if not is_known(request):
            return Response(status_code=401)
        return _page(request, held, page_size)

    @app.post(ROOT + "/SubmitFeedback")
    async def feedback(request: Request) -> Response:
        if not is_known(request):
            return Response(status_code=401)
        return _take_feedback(held, await request.body())

    _add_control(app, held)
    add_exchange_control(app, faults, held.reset)
    return FaultyExchange(app, faults)


def _page(request: Request, held: StopNciiList, page_size: int) -> Response:
    query = request.query_params
    try:
        start_s = int(query["startTimestamp"])
        size = min(page_size, int(query.get("pageSize", "800")))
        token = query.get("nextPageToken", "")
        first = int(base64.b64decode(token)) if token else 0
    except (KeyError, ValueError):
        return Response(status_code=400)
    if token and fault_of(request, "expired_cursor"):
        return Response(status_code=400)
    found = held.since(start_s)
    shown: list[Any] = msgspec.to_builtins(found[first : first + size])
    more = first + size < len(found)
    if shown and fault_of(request, "corrupt_entry"):
        shown[0]["hashValue"] = "zorbleflux"
    where = first if fault_of(request, "repeated_page") and first else first + size
    newest = max([start_s, *(one.lastModtimestamp for one in found)])
    document = msgspec.json.encode(
        {
            "count": len(shown),
            "hashRecords": shown,
            "nextSetTimestamp": newest,
            "nextPageToken": base64.b64encode(str(where).encode()).decode() if more else None,
            "hasMoreRecords": more,
        }
    )
    body = damaged(document) if fault_of(request, "corrupt_page") else document
    return Response(body, media_type="application/json")


def _take_feedback(held: StopNciiList, body: bytes) -> Response:
    try:
        told = msgspec.json.decode(body, type=dict[str, Any])
        feedbacks = [(one["hashValue"], one["feedbackValue"]) for one in told["hashFeedbacks"]]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        return Response(status_code=400)
    for value, said in feedbacks:
        record = held.records.get(value)
        if record is None:
            return Response(status_code=404)
        held.feedback.append({"hash": value, "said": said})
        others = [one for one in record.CSPFeedbacks if one["source"] != "Ourselves"]
        voices = [*others, {"source": "Ourselves", "feedbackValue": said, "tags": []}]
        held.records[value] = replace(record, CSPFeedbacks=voices)
    return Response(b"{}", media_type="application/json")


def _add_control(app: FastAPI, held: StopNciiList) -> None:
    @app.get("/_state")
    async def state() -> Response:
        records = [msgspec.to_builtins(one) for one in held.records.values()]
        told = {"records": records, "feedback": held.feedback}
        return Response(msgspec.json.encode(told), media_type="application/json")

    @app.post("/_put")
    async def put(request: Request) -> Response:
        for one in msgspec.json.decode(await request.body(), type=list[Record]):
            held.records[one.hashValue] = one
        return Response(status_code=204)


def _invented_record(number: int) -> Record:
    kind, digits = (("ImagePDQ", 64), ("VideoMD5", 32), ("VideoTMK", 48))[number % 3]
    voices: list[dict[str, Any]] = []
    if number % 6 == 0:
        voices = [{"source": "Exampleton", "feedbackValue": "Blocked", "tags": ["Example"]}]
    if number % 6 == 1:
        voices = [{"source": "Exampleton", "feedbackValue": "NotBlocked", "tags": []}]
    return Record(
        lastModtimestamp=moment(number),
        signalType=kind,
        hashValue=invented(f"stopncii-{kind}", number, digits),
        hashStatus="Withdrawn" if number % 10 == _WITHDRAWN else ("Active", "Received")[number % 2],
        caseNumbers={f"case-{number}": "Active"},
        CSPFeedbacks=voices,
    )
