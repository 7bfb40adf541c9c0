"""Simulated NCMEC Hash Sharing v2 over HTTP: the wire format, invented hashes, and faults."""

import base64
import hmac
from collections.abc import Iterable
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode

import msgspec
from fastapi import FastAPI, Request, Response
from lxml import etree
from msgspec import Struct
from msgspec.structs import replace

from nightlight.simulate.exchange_faults import (
    ExchangeFaults,
    FaultyExchange,
    add_exchange_control,
    damaged,
    fault_of,
)
from nightlight.simulate.exchange_list import from_zulu, invented, moment, shuffled, zulu
from nightlight.simulate.faults import App

TITLE = "SIMULATED NCMEC hash sharing"
ROOT = "/hashsharing"
OWN_MEMBER = "7"
REASONS = {
    "11111111-aaaa-4aaa-8aaa-000000000001": "Not what it is said to be",
    "11111111-aaaa-4aaa-8aaa-000000000002": "Fingerprint of something else",
}
_NS = "https://hashsharing.ncmec.org/hashsharing/v2"
_CLASSES = ("A1", "A2", "B1", "B2", "")
_XML = "application/xml; charset=utf-8"


class Item(Struct, frozen=True, kw_only=True):
    """One picture or video with its fingerprints; deleted ones keep their place as tombstones."""

    id: str
    member: str
    kind: Literal["image", "video"]
    updated_s: int
    classification: str = ""
    fingerprints: dict[str, str] = {}
    feedback: dict[str, dict[str, str]] = {}
    deleted: bool = False
    #: A late item is shown only to those who ask after this many calls for entries.
    shown_after: int = 0


class NcmecLists:
    """What the exchange holds, and the feedback that it was told."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.reset()

    def reset(self) -> None:
        """Hold what was held in the beginning."""
        self.items = {item.id: item for item in map(_invented_item, range(self._count))}
        self.feedback: list[dict[str, str]] = []
        self.calls = 0

    def between(self, begin_s: int, end_s: int) -> list[Item]:
        """Return the items of a range of time, in no order of time."""
        self.calls += 1
        found = [
            item
            for item in self.items.values()
            if begin_s <= item.updated_s <= end_s and item.shown_after < self.calls
        ]
        return [found[place] for place in shuffled(len(found), "ncmec")]

    def put(self, item: Item) -> None:
        """Hold an item in place of the one with its id."""
        self.items[item.id] = item

    def delete(self, item_id: str, at_s: int) -> None:
        """Leave a tombstone."""
        gone = replace(self.items[item_id], deleted=True, updated_s=at_s, fingerprints={})
        self.items[item_id] = gone


def ncmec_app(*, username: str, password: str, items: int = 50, page_size: int = 10) -> App:
    """Return the simulator as an ASGI app; it serves below ``/hashsharing``."""
    lists, faults = NcmecLists(items), ExchangeFaults()
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)
    expected = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()

    def refused(request: Request) -> Response | None:
        given = request.headers.get("Authorization", "")
        if hmac.compare_digest(given.encode(), expected.encode()):
            return None
        return Response(status_code=401, headers={"WWW-Authenticate": "Basic"})

    @app.get(ROOT + "/v2/status")
    async def status(request: Request) -> Response:
        return refused(request) or _answer(_status(username))

    @app.get(ROOT + "/v2/entries")
    async def entries(request: Request) -> Response:
        return refused(request) or _entries(request, lists, page_size)

    @app.get(ROOT + "/v2/feedback/{kind}/reasons")
    async def reasons(request: Request, kind: str) -> Response:
        return refused(request) or _answer(_reasons(kind))

    @app.put(ROOT + "/v2/entries/{member}/{item_id}/{kind}/feedback")
    async def feedback(request: Request, member: str, item_id: str, kind: str) -> Response:
        turned_away = refused(request)
        if turned_away is not None:
            return turned_away
        return _take_feedback(lists, (member, item_id, kind), await request.body())

    _add_control(app, lists)
    add_exchange_control(app, faults, lists.reset)
    return FaultyExchange(app, faults)


def _entries(request: Request, lists: NcmecLists, page_size: int) -> Response:
    query = request.query_params
    if "start" in query and fault_of(request, "expired_cursor"):
        return Response(status_code=404)
    try:
        begin_s, end_s = from_zulu(query["from"]), from_zulu(query["to"])
        start, size = int(query.get("start", "1")), int(query.get("size", str(page_size)))
    except (KeyError, ValueError):
        return Response(status_code=400)
    found = lists.between(begin_s, end_s)
    shown = found[start - 1 : start - 1 + size]
    following = ""
    if start + size <= len(found):
        where = start if fault_of(request, "repeated_page") and start > 1 else start + size
        fields = {"from": query["from"], "to": query["to"], "start": where, "size": size}
        following = "/v2/entries?" + urlencode(fields | {"max": len(found)})
    if fault_of(request, "foreign_next"):
        following = "https://elsewhere.example.test" + ROOT + "/v2/entries?start=1&size=1&max=2"
    document = _page(shown, following, corrupt=fault_of(request, "corrupt_entry"))
    return _answer(damaged(document) if fault_of(request, "corrupt_page") else document)


def _page(items: Iterable[Item], following: str, *, corrupt: bool) -> bytes:
    root = etree.Element(f"{{{_NS}}}queryResult", nsmap={None: _NS})  # type: ignore[dict-item]  # lxml takes None, its stubs do not
    shown = list(items)
    for kind in ("image", "video"):
        some = [item for item in shown if item.kind == kind]
        if not some:
            continue
        newest = max(item.updated_s for item in some)
        group = _sub(root, f"{kind}s", count=str(len(some)), maxTimestamp=zulu(newest))
        for item in some:
            _add_item(group, item, corrupt=corrupt)
            corrupt = False
    if following:
        _sub(_sub(root, "paging"), "next").text = following
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _add_item(group: etree._Element, item: Item, *, corrupt: bool) -> None:
    name = item.kind if not item.deleted else f"deleted{item.kind.capitalize()}"
    element = _sub(group, name)
    _sub(element, "member", id=item.member).text = f"Example member {item.member}"
    _sub(element, "timestamp").text = zulu(item.updated_s)
    _sub(element, "id").text = item.id
    if item.deleted:
        return
    if item.classification:
        _sub(element, "classification").text = item.classification
    fingerprints = _sub(element, "fingerprints")
    for kind, value in item.fingerprints.items():
        _sub(fingerprints, kind).text = "zorbleflux" if corrupt and kind == "md5" else value
    if item.kind == "video":
        href = f"/v2/entries/{item.id}/fingerprints/TMK_PDQF"
        _sub(fingerprints, "tmk-pdqf", rel="self", href=href)
    _add_feedback(element, item)


def _add_feedback(element: etree._Element, item: Item) -> None:
    feedback = _sub(element, "feedback", lastUpdateTimestamp=zulu(item.updated_s))
    for kind, voices in item.feedback.items():
        for said, tag in (("upvote", "affirmativeFeedback"), ("downvote", "negativeFeedback")):
            members = [member for member, vote in voices.items() if vote == said]
            if not members:
                continue
            voice = _sub(feedback, tag, type=kind.capitalize())
            if said == "downvote":
                voice = _sub(voice, "reasons")
                guid, name = next(iter(REASONS.items()))
                _sub(voice, "reason", guid=guid, name=name, type=kind.capitalize())
            group = _sub(voice, "members", timestamp=zulu(item.updated_s))
            for member in members:
                _sub(group, "member", id=member).text = f"Example member {member}"


def _take_feedback(lists: NcmecLists, where: tuple[str, str, str], body: bytes) -> Response:
    member, item_id, kind = where
    item = lists.items.get(item_id)
    if item is None or item.member != member or kind.lower() not in item.fingerprints:
        return Response(status_code=404)
    try:
        said = etree.fromstring(body)[0]
    except (etree.XMLSyntaxError, IndexError):
        return Response(status_code=400)
    guid = said.findtext(f".//{{{_NS}}}guid") or ""
    negative = str(said.tag).endswith("}negative")
    if negative and guid not in REASONS:
        return Response(status_code=400)
    opinion = "downvote" if negative else "upvote"
    lists.feedback.append({"item": item_id, "type": kind, "said": opinion, "guid": guid})
    voices = {**item.feedback.get(kind.lower(), {}), OWN_MEMBER: opinion}
    lists.put(replace(item, feedback={**item.feedback, kind.lower(): voices}))
    return _answer(etree.tostring(etree.Element(f"{{{_NS}}}submissionResult")))


def _status(username: str) -> bytes:
    root = etree.Element(f"{{{_NS}}}status")
    _sub(root, "ipAddress").text = "127.0.0.1"
    _sub(root, "username").text = username
    _sub(root, "member", id=OWN_MEMBER).text = "Example member 7"
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _reasons(kind: str) -> bytes:
    root = etree.Element(f"{{{_NS}}}availableFeedbackReasons")
    for guid, name in REASONS.items():
        _sub(root, "reason", guid=guid, name=name, type=kind.capitalize())
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _add_control(app: FastAPI, lists: NcmecLists) -> None:
    @app.get("/_state")
    async def state() -> Response:
        told: dict[str, Any] = {
            "items": [msgspec.to_builtins(item) for item in lists.items.values()],
            "feedback": lists.feedback,
            "calls": lists.calls,
        }
        return Response(msgspec.json.encode(told), media_type="application/json")

    @app.post("/_put")
    async def put(request: Request) -> Response:
        for item in msgspec.json.decode(await request.body(), type=list[Item]):
            lists.put(item)
        return Response(status_code=204)

    @app.post("/_delete")
    async def delete(request: Request) -> Response:
        query = parse_qs(request.url.query)
        for item_id in query["id"]:
            lists.delete(item_id, int(query["at"][0]))
        return Response(status_code=204)


def _invented_item(number: int) -> Item:
    video = number % 5 == 0
    fingerprints = {
        "md5": invented("md5", number, 32),
        "sha1": invented("sha1", number, 40),
    }
    if not video:
        fingerprints["pdq"] = invented("pdq", number, 64)
        fingerprints["pdna"] = invented("pdna", number, 64)
    feedback: dict[str, dict[str, str]] = {}
    if number % 7 == 0:
        feedback = {"md5": {"61": "downvote"}}
    if number % 7 == 1:
        feedback = {"md5": {"61": "upvote"}}
    return Item(
        id=f"{'video' if video else 'image'}{number}",
        member=str(42 + number % 3),
        kind="video" if video else "image",
        updated_s=moment(number),
        classification=_CLASSES[number % len(_CLASSES)],
        fingerprints=fingerprints,
        feedback=feedback,
    )


def _sub(parent: etree._Element, tag: str, /, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{_NS}}}{tag}", attributes)


def _answer(document: bytes) -> Response:
    return Response(document, media_type=_XML)
