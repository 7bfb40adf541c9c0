"""``POST /v1/screen``: what a file is, before the platform shows it.

The answer is 200 with a decision; 503 with the decision ``hold`` where matching is out as a whole.
A platform holds the upload on that, and on every other answer that is not 200.
"""

from collections.abc import Callable
from contextlib import nullcontext
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nightlight.errors import InvalidInput, NightlightError, Unavailable
from nightlight.ingest.ports import MediaFile
from nightlight.model.bank import HASH_DIGITS, BankMatch, HashKind
from nightlight.model.media import MediaHashes
from nightlight.pipeline import Rules
from nightlight.services.screening import About, Screened, Screening, failed
from nightlight.services.tokens import Scope
from nightlight.web.auth import Gate
from nightlight.web.bodies import check_encoding, read_file, read_small
from nightlight.web.forms import Form, boundary_of, read_form
from nightlight.web.fresh import Fresh
from nightlight.web.problems import json_answer
from nightlight.web.work import Lane, Work

_LONGEST_JSON = 64 << 10
_LONGEST_ID = 512
_ABOUT = ("media_id", "account_id", "post_id")
_FILE_FIELDS = ("file", "photo", "video")
_RETRY = {"Retry-After": "1"}
_ABOUT_NOTHING = About()


class AskedHashes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hashes in hex, of either case; the quality is PDQ's own."""

    md5: str = ""
    sha1: str = ""
    sha256: str = ""
    pdq: str = ""
    quality: int = 100

    def __repr__(self) -> str:
        return "<AskedHashes: masked>"

    __str__ = __repr__


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON body: an address or hashes, and what the file belongs to."""

    url: str = ""
    hashes: AskedHashes | None = None
    media_id: str = ""
    account_id: str = ""
    post_id: str = ""
    content_type: str = ""


class ShownMatch(Struct, frozen=True, kw_only=True):
    """A match, as it may be told to whoever may screen: entries by id, never by hash."""

    bank: str
    entry: str
    content: int
    kind: str
    view: str
    bank_view: str
    distance_bits: int
    classification: str
    opinion: str
    query_share: float | None
    bank_share: float | None


class ShownScan(Struct, frozen=True, kw_only=True):
    """How far scanning came, and how much PDQ says about the picture."""

    state: str
    reason: str
    quality: int


class ShownAnswer(Struct, frozen=True, kw_only=True):
    """The body of the answer."""

    decision: str
    matches: list[ShownMatch]
    taken_back: int
    version: int
    policy: str
    asks: tuple[str, ...]
    reasons: tuple[str, ...]
    scan: ShownScan
    recorded: bool


_asked = msgspec.json.Decoder(Asked)


def screen_routes(screening: Screening, gate: Gate, rules: Fresh[Rules]) -> list[Route]:
    """Return the route."""
    work = Work()

    async def screen(request: Request) -> Response:
        await gate.admit(request, Scope.SCREEN)
        check_encoding(request)
        try:
            return _shown(await _screen(request, screening, await rules.get(), work))
        except Unavailable as error:
            return _shown(failed(error), HTTPStatus.SERVICE_UNAVAILABLE)

    return [Route("/v1/screen", screen, methods=["POST"])]


async def _screen(request: Request, screening: Screening, rules: Rules, work: Work) -> Screened:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "application/json":
        asked = _parsed(await read_small(request, most=_LONGEST_JSON))
        about = _about({name: getattr(asked, name) for name in _ABOUT}, asked.content_type)
        answer, lane = _about_asked(screening, asked, about, rules)
        if asked.hashes is not None and about == _ABOUT_NOTHING:
            # Nothing is fetched, decoded or stored: sooner done than handed to another thread.
            return answer(0)
        return await work.do(answer, using=nullcontext(), lane=lane)
    if content_type == "multipart/form-data":
        return await _screen_form(request, screening, rules, work)
    if content_type.startswith(("image/", "video/")) or content_type == "application/octet-stream":
        about = _about(request.query_params, content_type)
        file = await read_file(request.stream(), screening.receive)
        return await _screen_file(file, about, screening, rules, work)
    raise HTTPException(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        detail="send a picture or video as it is, a form with a file, or JSON",
    )


def _about_asked(
    screening: Screening, asked: Asked, about: About, rules: Rules
) -> tuple[Callable[[float], Screened], Lane]:
    if bool(asked.url) == (asked.hashes is not None):
        raise InvalidInput("give either an address or hashes", field="url")
    if asked.hashes is None:
        url = asked.url
        return (
            lambda until_s: screening.screen_url(url, about, rules, until_s=until_s),
            Lane.ADDRESSES,
        )
    hashes = _hashes(asked.hashes)
    return lambda _: screening.screen_hashes(hashes, about, rules), Lane.SHORT


async def _screen_form(
    request: Request, screening: Screening, rules: Rules, work: Work
) -> Screened:
    boundary = boundary_of(request.headers.get("content-type", ""))
    if boundary is None:
        raise InvalidInput("not a form", field="content-type")
    form = await read_form(request.stream(), boundary, screening.receive)
    try:
        file = _one_file(form)
        about = _about({**request.query_params, **form.fields}, form.files[0].content_type)
    except NightlightError:
        form.close()
        raise
    return await _screen_file(file, about, screening, rules, work)


async def _screen_file(
    file: MediaFile, about: About, screening: Screening, rules: Rules, work: Work
) -> Screened:
    if not file.size:
        file.close()
        raise InvalidInput("the file is empty", field="file")
    return await work.do_file(
        lambda until_s, *, briefly: screening.screen_file(
            file, about, rules, until_s=until_s, briefly=briefly
        ),
        using=file,
        is_long=screening.takes_long(file),
    )


def _one_file(form: Form) -> MediaFile:
    if len(form.files) != 1 or form.files[0].name not in _FILE_FIELDS:
        raise InvalidInput("send one file, in the field file", field="file")
    return form.files[0].file


def _parsed(body: bytes) -> Asked:
    try:
        return _asked.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput("not the JSON that is read here", hint=_told(error)) from error


def _told(error: Exception) -> str:
    """Return what is wrong with the shape; a hash or address is never part of that."""
    return str(error) if isinstance(error, msgspec.ValidationError) else "it is no JSON"


def _about(told: Any, content_type: str) -> About:
    ids = {name: str(told.get(name, "")) for name in _ABOUT}
    for name, value in ids.items():
        if len(value) > _LONGEST_ID or not (value.isprintable() or not value):
            hint = f"up to {_LONGEST_ID} printable characters"
            raise InvalidInput("not an id", field=name, hint=hint)
    return About(**ids, content_type=content_type)


def _hashes(asked: AskedHashes) -> MediaHashes:
    told = {kind.value: getattr(asked, kind.value).lower() for kind in HASH_DIGITS}
    if not any(told.values()):
        raise InvalidInput("no hash is given", field="hashes")
    for kind in HashKind:
        value = told.get(kind.value, "")
        if value and not _is_hex(value, HASH_DIGITS[kind]):
            raise InvalidInput(f"not {HASH_DIGITS[kind]} hex digits", field=f"hashes.{kind.value}")
    return MediaHashes(**told, pdq_quality=asked.quality if told["pdq"] else 0)


def _is_hex(value: str, digits: int) -> bool:
    return len(value) == digits and not value.strip("0123456789abcdef")


def _shown(screened: Screened, status: HTTPStatus = HTTPStatus.OK) -> Response:
    answer = ShownAnswer(
        decision=screened.decision,
        matches=[_match(one) for one in screened.matches],
        taken_back=screened.taken_back,
        version=screened.version,
        policy=screened.policy,
        asks=screened.asks,
        reasons=screened.reasons,
        scan=ShownScan(
            state=screened.scan.state.value,
            reason=screened.scan.reason,
            quality=screened.scan.hashes.pdq_quality,
        ),
        recorded=screened.is_recorded,
    )
    return json_answer(answer, status, headers=_RETRY if status is not HTTPStatus.OK else None)


def _match(one: BankMatch) -> ShownMatch:
    return ShownMatch(
        bank=one.bank,
        entry=one.entry_id,
        content=one.content,
        kind=one.kind.value,
        view=one.view,
        bank_view=one.bank_view,
        distance_bits=one.distance_bits,
        classification=one.classification,
        opinion=one.opinion.value,
        query_share=one.query_share,
        bank_share=one.bank_share,
    )
