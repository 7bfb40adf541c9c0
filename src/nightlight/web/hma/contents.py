"""``/c/bank/N/content`` and ``/signal``: what is in a bank, one picture or video at a time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nightlight.audit.clock import Clock
from nightlight.detect.bank_index import MATCHABLE_QUALITY
from nightlight.errors import NotFound
from nightlight.model.bank import Bank, EntryState, HashKind
from nightlight.model.masked import Masked
from nightlight.services.banks import Banks
from nightlight.services.contents import Content, Hash, hashes_of
from nightlight.services.tokens import Scope
from nightlight.transaction import UnitOfWork
from nightlight.web.auth import Gate
from nightlight.web.hma.answers import Refused, answered, bad, body_of, flag
from nightlight.web.hma.banks import REASON, found, or_missing, shown
from nightlight.web.hma.current import Current
from nightlight.web.hma.files import Files, Hashed
from nightlight.web.hma.remarks import metadata_beside, metadata_of, note_of, stored_metadata
from nightlight.web.hma.signals import SIGNAL_TYPES, VIDEO, kind_of, signals_of, value_of
from nightlight.web.problems import json_answer

#: What ``disable_until_ts`` says besides a time.
_ENABLED, _DISABLED = 0, 1
_LONGEST_DISABLED = timedelta(days=5 * 365)


def content_routes(
    gate: Gate,
    banks: Banks,
    current: Current,
    files: Files,
    *,
    unit_of_work: UnitOfWork,
    clock: Clock,
) -> list[Route]:
    """Return the routes."""
    contents = _Contents(gate, banks, current, files, unit_of_work=unit_of_work, clock=clock)
    content = "/c/bank/{bank_name}/content/{content_id}"
    return [
        Route("/c/bank/{bank_name}/content", answered(contents.add), methods=["POST"]),
        Route("/c/bank/{bank_name}/signal", answered(contents.add_signals), methods=["POST"]),
        Route(content, answered(contents.show), methods=["GET"]),
        Route(content, answered(contents.change), methods=["PUT"]),
        Route(content, answered(contents.remove), methods=["DELETE"]),
    ]


class _Contents:
    """Answers for the contents of banks."""

    def __init__(
        self,
        gate: Gate,
        banks: Banks,
        current: Current,
        files: Files,
        *,
        unit_of_work: UnitOfWork,
        clock: Clock,
    ) -> None:
        self._gate = gate
        self._banks = banks
        self._current = current
        self._files = files
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def add(self, request: Request) -> Response:
        caller = await self._gate.admit(request, Scope.BANKS)
        bank = await found(self._banks, request)
        is_json = request.headers.get("content-type", "").startswith("application/json")
        body = await body_of(request) if is_json else {}
        metadata = metadata_of(body.get("metadata"))
        if request.query_params.get("url"):
            hashed = await self._files.at_address(request, all_hashes=True)
        elif is_json:
            raise bad("Neither `url` nor multipart file upload was received")
        else:
            hashed = await self._files.sent(request, all_hashes=True)
        fields = {**request.query_params, **hashed.fields}
        content = _New(
            hashes=_hashes(hashed),
            note=body.get("note") or fields.get("note"),
            metadata=metadata or metadata_beside(fields),
        )
        number = await _put(self._banks, bank, content, caller.name)
        await self._current.changed()
        return json_answer({"id": number, "signals": signals_of(hashed.hashes, hashed.types)})

    async def add_signals(self, request: Request) -> Response:
        caller = await self._gate.admit(request, Scope.BANKS)
        bank = await found(self._banks, request)
        body = await body_of(request)
        note = body.pop("note", None)
        metadata = metadata_of(body.pop("metadata", None))
        if not body:
            raise bad("No signals given")
        signals = {name: _signal(name, value) for name, value in body.items()}
        hashes = [(kind_of(name), value, "", 100) for name, value in signals.items()]
        content = _New(hashes=hashes, note=note, metadata=metadata)
        number = await _put(self._banks, bank, content, caller.name)
        await self._current.changed()
        return json_answer({"id": number, "signals": signals})

    async def show(self, request: Request) -> Response:
        await self._gate.admit(request, Scope.BANKS)
        bank = await found(self._banks, request)
        signal_type = request.query_params.get("signal_type")
        if signal_type is not None and signal_type not in SIGNAL_TYPES:
            raise bad(f"No such signal type '{signal_type[:40]}'")
        content = await _content(self._banks, bank, request)
        answer = _shown(bank, content)
        wants_all = flag(request.query_params.get("include_signals"))
        if wants_all or signal_type is not None:
            names = SIGNAL_TYPES if signal_type is None else [signal_type]
            answer["signals"] = _signals(content, names)
        if not flag(request.query_params.get("include_metadata"), otherwise=True):
            answer.pop("metadata", None)
        return json_answer(answer)

    async def change(self, request: Request) -> Response:
        caller = await self._gate.admit(request, Scope.BANKS)
        bank = await found(self._banks, request)
        content = await _content(self._banks, bank, request)
        body = await body_of(request)
        at = _disabled_ts(content)
        if "disable_until_ts" in body:
            at = _when(body["disable_until_ts"], self._clock.now())
        note = note_of(body["note"]) if "note" in body else None
        who = {"actor": caller.name, "reason": REASON}

        def changed() -> Content:
            if "disable_until_ts" in body and at == _ENABLED:
                self._banks.enable_content(bank.name, content.number, **who)
            elif "disable_until_ts" in body:
                until = None if at == _DISABLED else datetime.fromtimestamp(at, UTC)
                self._banks.disable_content(bank.name, content.number, until, **who)
            if note is not None:
                self._banks.note_content(bank.name, content.number, note, **who)
            return self._banks.content(bank.name, content.number)

        after = await run_in_threadpool(changed)
        await self._current.changed()
        return json_answer({**_shown(bank, after), "disable_until_ts": at})

    async def remove(self, request: Request) -> Response:
        caller = await self._gate.admit(request, Scope.BANKS)
        bank = await found(self._banks, request)
        number = _number(request)

        def removed() -> int:
            try:
                self._banks.withdraw_content(bank.name, number, actor=caller.name, reason=REASON)
            except NotFound:
                return 0
            return 1

        count = await run_in_threadpool(removed)
        if not count and await run_in_threadpool(_is_elsewhere, self._unit_of_work, number):
            raise _missing(number)
        await self._current.changed()
        return json_answer({"deleted": count})


class _New(Masked, frozen=True, kw_only=True):
    """A picture or video that is to be added, and what is said of it."""

    hashes: Sequence[Hash]
    note: Any
    metadata: Mapping[str, Any] | None


async def _put(banks: Banks, bank: Bank, content: _New, actor: str) -> int:
    note, metadata = note_of(content.note), stored_metadata(content.metadata)

    def put() -> int:
        return banks.add_content(
            bank.name, content.hashes, actor=actor, reason=REASON, note=note, metadata=metadata
        )

    return await run_in_threadpool(put)


def _hashes(hashed: Hashed) -> list[Hash]:
    """Return the hashes by which a file is known from now on."""
    known = hashes_of(hashed.hashes)
    if hashed.content_type == VIDEO:
        return [one for one in known if one[0] in (HashKind.MD5, HashKind.VPDQ)]
    # PDQ says nothing of a flat picture: it is known by its bytes at least.
    flat = hashed.hashes.pdq_quality < MATCHABLE_QUALITY
    return [one for one in known if one[0] is HashKind.PDQ or (flat and one[0] is HashKind.SHA256)]


def _signal(name: str, value: Any) -> str:
    try:
        kind = kind_of(name)
    except Refused:
        raise bad(f"No such signal type {name[:40]}") from None
    return value_of(kind, value, message=f"Invalid {name} signal")


async def _content(banks: Banks, bank: Bank, request: Request) -> Content:
    number = _number(request)
    return await or_missing(lambda: banks.content(bank.name, number), _missing(number))


def _number(request: Request) -> int:
    text: str = request.path_params["content_id"]
    if not text.isascii() or not text.isdigit() or len(text) > 18:  # noqa: PLR2004  64 bits
        raise Refused(HTTPStatus.NOT_FOUND, f"content '{text[:40]}' not found")
    return int(text)


def _missing(number: int) -> Refused:
    return Refused(HTTPStatus.NOT_FOUND, f"content '{number}' not found")


def _is_elsewhere(unit_of_work: UnitOfWork, number: int) -> bool:
    states = [one for one in EntryState if one is not EntryState.WITHDRAWN]
    with unit_of_work.read() as tx:
        return any(True for _ in tx.banks.entries(content=number, states=states, limit=1))


def _when(value: Any, now: datetime) -> int:
    try:
        at = int(value)
    except (TypeError, ValueError):
        raise bad(f"Invalid int: '{str(value)[:40]}'") from None
    if at < 0:
        raise bad("disable_until_ts must be a non-negative integer")
    if at > (now + _LONGEST_DISABLED).timestamp():
        raise bad("disable_until_ts must be less than 5 years in the future")
    return at if at in (_ENABLED, _DISABLED) or at > now.timestamp() else _ENABLED


def _shown(bank: Bank, content: Content) -> dict[str, object]:
    answer = {
        "id": content.number,
        "disable_until_ts": _disabled_ts(content),
        "collab_metadata": {},
        "original_media_uri": None,
        "bank": shown(bank),
    }
    if content.note:
        answer["note"] = content.note
    if content.metadata:
        answer["metadata"] = msgspec.json.decode(content.metadata)
    return answer


def _disabled_ts(content: Content) -> int:
    if not content.is_disabled:
        return _ENABLED
    until = content.disabled_until
    return _DISABLED if until is None else int(until.timestamp())


def _signals(content: Content, names: Mapping[str, HashKind] | Sequence[str]) -> dict[str, str]:
    wanted = {kind_of(name): name for name in names}
    return {
        wanted[one.kind]: one.value
        for one in content.entries
        if one.kind in wanted and not one.view and one.value
    }
