"""``/m``: what a hash or file matches. These routes are asked for every upload: they stay short."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nightlight.detect.bank_index import MATCHABLE_QUALITY, BankIndex
from nightlight.model.bank import BankMatch, HashKind
from nightlight.model.media import MediaHashes
from nightlight.services.tokens import Scope
from nightlight.web.auth import Gate
from nightlight.web.hma.answers import answered, bad, body_of, flag, names_of, parameter, query
from nightlight.web.hma.current import Current
from nightlight.web.hma.files import Files, Hashed
from nightlight.web.hma.signals import SIGNAL_TYPES, hashes_of, kind_of, value_of
from nightlight.web.problems import json_answer

_PDQ_MATCHES = 31
_encode = msgspec.json.Encoder().encode


def matching_routes(gate: Gate, current: Current, files: Files) -> list[Route]:
    """Return the routes, those asked most first."""

    async def lookup(request: Request) -> Response:
        await gate.admit(request, Scope.MATCH)
        params = query(request)
        banks = names_of(params.get("banks"))
        everything = flag(params.get("bypass_coinflip"))
        if params.get("url"):
            hashed = await files.at_address(request)
            found = _by_type(await current.index(), hashed, banks, everything=everything)
            selected = params.get("signal_type")
            return json_answer(found.get(selected, {}) if selected is not None else found)
        signal, signal_type = params.get("signal"), params.get("signal_type")
        if not signal or not signal_type:
            raise bad("Either url or both signal and signal_type are required")
        kind = kind_of(signal_type)
        hashes = hashes_of(kind, value_of(kind, signal))
        matches = _matches(await current.index(), hashes, banks, everything=everything)
        return Response(_encode(_by_bank(matches)), media_type="application/json")

    async def lookup_sent(request: Request) -> Response:
        await gate.admit(request, Scope.MATCH)
        hashed = await files.sent(request)
        params = query(request)
        everything = flag(params.get("bypass_coinflip"))
        banks = names_of(params.get("banks"))
        return json_answer(_by_type(await current.index(), hashed, banks, everything=everything))

    async def raw_lookup(request: Request) -> Response:
        await gate.admit(request, Scope.MATCH)
        params = query(request)
        signal = parameter(params, "signal")
        kind = kind_of(parameter(params, "signal_type"))
        hashes = hashes_of(kind, value_of(kind, signal))
        with_distance = flag(params.get("include_distance"))
        banks = names_of(params.get("banks"))
        matches = _matches(await current.index(), hashes, banks, everything=True)
        shown: Sequence[object] = (
            [_match(one) for one in matches] if with_distance else [one.content for one in matches]
        )
        return Response(_encode({"matches": shown}), media_type="application/json")

    async def compare(request: Request) -> Response:
        await gate.admit(request, Scope.MATCH, Scope.HASH)
        return json_answer(
            {name: _compared(name, pair) for name, pair in (await body_of(request)).items()}
        )

    async def index_status(request: Request) -> Response:
        await gate.admit(request, Scope.READ, Scope.MATCH, Scope.BANKS)
        return json_answer(await _index_status(request, current))

    return [
        Route("/m/lookup", answered(lookup), methods=["GET"]),
        Route("/m/raw_lookup", answered(raw_lookup), methods=["GET"]),
        Route("/m/lookup", answered(lookup_sent), methods=["POST"]),
        Route("/m/compare", answered(compare), methods=["POST"]),
        Route("/m/index/status", answered(index_status), methods=["GET"]),
    ]


def _by_type(
    index: BankIndex, hashed: Hashed, banks: Collection[str] | None, *, everything: bool
) -> dict[str, object]:
    """Return the matches of a file by signal type and bank.

    For a picture all its views are asked, and each entry is told at its least distance.
    """
    found: dict[str, object] = {}
    for name in hashed.types:
        kind = kind_of(name)
        whole = hashed.hashes
        hashes = (
            hashes_of(kind, str(getattr(whole, kind.value)))
            if kind is not HashKind.PDQ
            else _picture(whole)
        )
        found[name] = _by_bank(_matches(index, hashes, banks, everything=everything))
    return found


def _picture(whole: MediaHashes) -> MediaHashes:
    """Return the hashes that a picture is asked for by; flat ones are in banks by their bytes."""
    flat = whole.pdq_quality < MATCHABLE_QUALITY
    return replace(whole, md5="", sha1="", sha256=whole.sha256 if flat else "", video=None)


def _matches(
    index: BankIndex, hashes: MediaHashes, banks: Collection[str] | None, *, everything: bool
) -> Sequence[BankMatch]:
    """Return what hashes match; with ``everything``, in banks asked of only some files too."""
    return index.look(hashes, banks=banks, everything=everything).matches


def _by_bank(matches: Sequence[BankMatch]) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for one in matches:
        found.setdefault(one.bank, []).append(_match(one))
    return found


def _match(one: BankMatch) -> dict[str, object]:
    return {"bank_content_id": one.content, "distance": str(one.distance_bits)}


def _compared(name: str, pair: Any) -> list[object]:
    if not isinstance(pair, list):
        raise bad(f"Comparison hashes for {name[:40]} was not a list")
    if len(pair) != 2:  # noqa: PLR2004  a pair
        raise bad("Comparison hash list length must be exactly 2")
    kind = kind_of(name)
    left, right = (value_of(kind, one, message=f"Invalid {name} hash") for one in pair)
    if kind is not HashKind.PDQ:
        return [left == right, {"distance": 0} if left == right else {}]
    distance = (int(left, 16) ^ int(right, 16)).bit_count()
    return [distance <= _PDQ_MATCHES, {"distance": distance}]


async def _index_status(request: Request, current: Current) -> dict[str, object]:
    wanted = request.query_params.get("signal_type")
    if wanted is not None and wanted not in SIGNAL_TYPES:
        raise bad(f"No such signal type '{wanted[:40]}'")
    names = [wanted] if wanted is not None else list(SIGNAL_TYPES)
    index = await current.index()
    counts = index.status()
    built_to = await current.built_to()
    return {
        name: {
            "present": counts[SIGNAL_TYPES[name]].entries > 0,
            "built_to": built_to if counts[SIGNAL_TYPES[name]].entries else -1,
            "size": counts[SIGNAL_TYPES[name]].entries,
        }
        for name in names
    }
