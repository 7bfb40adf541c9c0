"""Simulated Meta ThreatExchange over HTTP: the wire format, invented hashes, and faults."""

from typing import Any
from urllib.parse import parse_qs, urlencode

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

TITLE = "SIMULATED ThreatExchange"
ROOT = "/v26.0"
#: The last digit of the indicators that were deleted.
_DELETED = 7
_FIRST_ID = 9_000_000_000


class Descriptor(Struct, frozen=True, kw_only=True):
    """What one member says of an indicator; ``reactions`` are the members' by their names."""

    id: str
    owner: str
    status: str = "MALICIOUS"
    reactions: dict[str, list[str]] = {}


class Indicator(Struct, frozen=True, kw_only=True):
    """One hash."""

    id: str
    type: str
    indicator: str
    last_updated: int
    should_delete: bool = False
    descriptors: list[Descriptor] = []


class Group:
    """What the privacy group holds, and the reactions that it was told."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.reset()

    def reset(self) -> None:
        """Hold what was held in the beginning."""
        self.indicators = {one.id: one for one in map(_invented_indicator, range(self._count))}
        self.reactions: list[dict[str, str]] = []

    def since(self, start_s: int) -> list[Indicator]:
        """Return the indicators that changed since a moment, in the order of their time."""
        found = (one for one in self.indicators.values() if one.last_updated >= start_s)
        return sorted(found, key=lambda one: (one.last_updated, one.id))

    def react(self, descriptor_id: str, owner: str, said: dict[str, str]) -> bool:
        """Add a member's reaction, or take it back; return whether there is such a descriptor."""
        for one in self.indicators.values():
            for place, descriptor in enumerate(one.descriptors):
                if descriptor.id == descriptor_id:
                    changed = _reacted(descriptor, owner, said)
                    others = [*one.descriptors[:place], changed, *one.descriptors[place + 1 :]]
                    self.indicators[one.id] = replace(one, descriptors=others)
                    self.reactions.append({"descriptor": descriptor_id, **said})
                    return True
        return False


def _reacted(descriptor: Descriptor, owner: str, said: dict[str, str]) -> Descriptor:
    reactions = {name: list(owners) for name, owners in descriptor.reactions.items()}
    if name := said.get("reactions"):
        reactions[name] = sorted({*reactions.get(name, []), owner})
    if name := said.get("reactions_to_remove"):
        reactions[name] = [one for one in reactions.get(name, []) if one != owner]
    kept = {name: owners for name, owners in reactions.items() if owners}
    return replace(descriptor, reactions=kept)


def threatexchange_app(
    *, api_token: str, privacy_group: str, indicators: int = 50, page_size: int = 10
) -> App:
    """Return the simulator as an ASGI app; it serves below ``/v26.0``."""
    group, faults = Group(indicators), ExchangeFaults()
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)
    own = api_token.partition("|")[0]

    @app.get(f"{ROOT}/{privacy_group}/threat_updates/")
    async def updates(request: Request) -> Response:
        if request.query_params.get("access_token") != api_token:
            return _error(190)
        return _page(request, group, page_size)

    @app.get(ROOT + "/{object_id}")
    async def read(request: Request, object_id: str) -> Response:
        if request.query_params.get("access_token") != api_token:
            return _error(190)
        found = group.indicators.get(object_id)
        if found is None:
            return _error(100)
        listed = [{"id": one.id, "owner": {"id": one.owner}} for one in found.descriptors]
        return _json({"descriptors": {"data": listed}, "id": object_id})

    @app.post(ROOT + "/{object_id}/")
    async def react(request: Request, object_id: str) -> Response:
        form = parse_qs((await request.body()).decode(errors="replace"))
        said = {name: values[0] for name, values in form.items()} | dict(request.query_params)
        if said.pop("access_token", "") != api_token:
            return _error(190)
        if not group.react(object_id, own, said):
            return _error(100)
        return _json({"success": True})

    _add_control(app, group)
    add_exchange_control(app, faults, group.reset)
    return FaultyExchange(app, faults)


def _page(request: Request, group: Group, page_size: int) -> Response:
    query = request.query_params
    if "after" in query and fault_of(request, "expired_cursor"):
        return _error(100)
    try:
        start_s = int(query.get("start_time", "0"))
        first = int(query.get("after", "0"))
        size = min(page_size, int(query.get("limit", "100")))
    except ValueError:
        return _error(100)
    found = group.since(start_s)
    shown = [_told(one) for one in found[first : first + size]]
    if shown and fault_of(request, "corrupt_entry"):
        shown[0]["indicator"] = "zorbleflux"
    answer: dict[str, Any] = {"data": shown}
    if first + size < len(found):
        where = first if fault_of(request, "repeated_page") and first else first + size
        fields = {**query, "limit": size, "start_time": start_s, "after": where}
        base = str(request.url).partition("?")[0]
        if fault_of(request, "foreign_next"):
            base = "https://elsewhere.example.test/v26.0/1/threat_updates/"
        following = f"{base}?{urlencode(fields)}"
        answer["paging"] = {"cursors": {"after": str(where)}, "next": following}
    document = msgspec.json.encode(answer)
    body = damaged(document) if fault_of(request, "corrupt_page") else document
    return Response(body, media_type="application/json")


def _told(one: Indicator) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": one.id,
        "indicator": one.indicator,
        "type": one.type,
        "last_updated": one.last_updated,
        "should_delete": one.should_delete,
    }
    if not one.should_delete:
        told["descriptors"] = {"data": [_said(descriptor) for descriptor in one.descriptors]}
    return told


def _said(descriptor: Descriptor) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": descriptor.id,
        "owner": {"id": descriptor.owner},
        "status": descriptor.status,
    }
    if descriptor.reactions:
        told["reactions"] = [
            {"key": name, "value": ",".join(owners)}
            for name, owners in descriptor.reactions.items()
        ]
    return told


def _add_control(app: FastAPI, group: Group) -> None:
    @app.get("/_state")
    async def state() -> Response:
        held = [msgspec.to_builtins(one) for one in group.indicators.values()]
        return _json({"indicators": held, "reactions": group.reactions})

    @app.post("/_put")
    async def put(request: Request) -> Response:
        for one in msgspec.json.decode(await request.body(), type=list[Indicator]):
            group.indicators[one.id] = one
        return Response(status_code=204)


def _invented_indicator(number: int) -> Indicator:
    kinds = (("HASH_PDQ", 64), ("HASH_MD5", 32), ("HASH_SHA256", 64), ("HASH_TMK", 48))
    kind, digits = kinds[number % len(kinds)]
    reactions = {"NON_MALICIOUS": ["666"]} if number % 6 == 1 else {}
    descriptor = Descriptor(
        id=str(_FIRST_ID + 10 * number + 1),
        owner=("555", "666")[number % 2],
        status=("MALICIOUS", "UNKNOWN")[number % 9 == 0],
        reactions=reactions if number % 2 == 0 else {},
    )
    others = [replace(descriptor, id=str(_FIRST_ID + 10 * number + 2), owner="777")]
    if number % 6 == 1:
        others = [replace(others[0], status="NON_MALICIOUS")]
    return Indicator(
        id=str(_FIRST_ID + 10 * number),
        type=kind,
        indicator=invented(f"threatexchange-{kind}", number, digits),
        last_updated=moment(number),
        should_delete=number % 10 == _DELETED,
        descriptors=[descriptor, *others],
    )


def _error(code: int) -> Response:
    told = {"error": {"message": "simulated", "type": "OAuthException", "code": code}}
    return Response(msgspec.json.encode(told), status_code=400, media_type="application/json")


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
