"""NCMEC Hash Sharing v2 over HTTPS: ranges of time, walked page by page.

Entries are not ordered by time, so a range counts as fetched only when its last page is in. Big
ranges are asked for in parts, and the end of the last range is read again: entries appear late.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from nightlight.adapters.exchange_checkpoint import read_point, written
from nightlight.adapters.exchange_http import ExchangeHttp, read_or_fault, seconds_since
from nightlight.audit.clock import Clock
from nightlight.errors import InvalidInput, Unavailable
from nightlight.exchange.client import EntryNames, Page
from nightlight.exchange.gathered import Gathered
from nightlight.exchange.ncmec_format import (
    FINGERPRINT_OF,
    NcmecPage,
    Reading,
    feedback_document,
    feedback_path,
    read_member,
    read_page,
    read_reasons,
    rows_left,
    salvaged_next,
)
from nightlight.model.bank import BankEntry, Opinion

_XML = {"Content-Type": "application/xml; charset=utf-8"}
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
#: What is happening right now is left for the next fetch.
_MARGIN = timedelta(seconds=5)
#: NCMEC asks not to keep its links for long.
_LINK_HOLDS_S = 12 * 3600.0
_GAP_AGAIN_S = 6 * 3600.0
_SHRINK, _GROW = 4, 4
_EXPIRED = frozenset({400, 404, 410})
_MOST_RESTARTS = 2
#: So many pages in a row that cannot be read are no damage but another service.
_MOST_LOST = 30
_T = TypeVar("_T")


class NcmecOptions(Struct, frozen=True, kw_only=True):
    """What the operator may say about this exchange.

    Attributes:
        most_rows: a range that has more is asked for in parts.
    """

    overlap_s: int = 3600
    most_rows: int = 100_000
    only_members: frozenset[str] = frozenset()
    negative_reason: str = ""


class _Range(Struct, frozen=True, kw_only=True):
    """A range of time on its way; ``link`` leads on in it, ``again`` says that it fills a gap."""

    begin: datetime
    end: datetime
    link: str = ""
    link_at: datetime | None = None
    again: bool = False
    damaged: bool = False


class _Point(Struct, kw_only=True):
    """The checkpoint.

    Attributes:
        done: everything up to here is there, but for the gaps.
        goal: how far the pass under way goes, None between passes.
        at: how far it came; a pass begins before ``done``, for what appeared late.
        range: the range that is being walked.
    """

    done: datetime | None = None
    goal: datetime | None = None
    at: datetime = _BEGIN
    range: _Range | None = None
    gaps: list[_Range] = []
    gaps_at: datetime | None = None


class _TooBig(Exception):  # noqa: N818  says what the range is
    """The range has more rows than are walked at once."""


class NcmecExchange:
    """An ``ExchangeClient`` for NCMEC."""

    def __init__(
        self,
        *,
        http: ExchangeHttp,
        names: EntryNames,
        clock: Clock,
        options: NcmecOptions,
    ) -> None:
        self._http = http
        self._clock = clock
        self._options = options
        self._reading = Reading(names=names, only_members=options.only_members)
        self._own = ""
        self._lost = 0

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def fetch(self, checkpoint: str) -> Iterator[Page]:
        """Yield what came after ``checkpoint``, page by page.

        Raises:
            Unavailable: NCMEC does not answer, or not usably; what was yielded stands.
            NotPermitted: it does not take the credentials.
        """
        self._reading = self._reading._replace(own=self._member())
        point = read_point(checkpoint, _Point, of="NCMEC")
        newest = self._clock.now().replace(microsecond=0) - _MARGIN
        if point.range is not None:
            with suppress(_TooBig):
                yield from self._walk(point, point.range, newest)
            point.range = None
        if point.gaps and seconds_since(self._clock, point.gaps_at) > _GAP_AGAIN_S:
            point.gaps_at = self._clock.now()
            for gap in tuple(point.gaps):
                yield from self._walk(point, replace(gap, again=True), newest)
        # A pass that was cut off goes to its own goal: what appeared late meanwhile is then found
        # by the next one, which begins before that goal.
        yield from self._walk_on(point, newest)
        if point.done is None or point.done < newest:
            overlap = timedelta(seconds=self._options.overlap_s)
            point.at = _BEGIN if point.done is None else max(_BEGIN, point.done - overlap)
            point.goal = newest
            yield from self._walk_on(point, newest)

    def _walk_on(self, point: _Point, newest: datetime) -> Iterator[Page]:
        """Yield the pages of the rest of a pass, in ranges that are not too big."""
        span = newest - point.at
        while point.goal is not None:
            begin, end = max(_BEGIN, point.at - _SECOND), min(point.goal, point.at + span)
            pages = 0
            try:
                for page in self._walk(point, _Range(begin=begin, end=end), newest):
                    pages += 1
                    yield page
            except _TooBig:
                point.range = None
                span = max(_SECOND, (end - point.at) // _SHRINK)
                continue
            if pages == 1:
                span = min(span * _GROW, newest - _BEGIN)

    def _walk(self, point: _Point, ranged: _Range, newest: datetime) -> Iterator[Page]:
        """Yield the pages of one range and leave ``point`` after it.

        Raises:
            _TooBig: a smaller range is to be asked for.
            Unavailable: the answers lead nowhere.
        """
        fresh = seconds_since(self._clock, ranged.link_at) <= _LINK_HOLDS_S
        link = ranged.link if fresh else ""
        walked: set[str] = set()
        restarts = 0
        while True:
            try:
                document, read = self._page(ranged, link)
            except _Expired:
                restarts += 1
                if restarts > _MOST_RESTARTS:
                    raise Unavailable("NCMEC's links expire before they are followed") from None
                link, walked = "", set()
                continue
            following = self._following(document, read, ranged, link)
            gathered = _set_aside(document, read) if isinstance(read, InvalidInput) else read[0]
            if following is None:
                self._check_lost(ranged)
                if not ranged.again and _splits(ranged):
                    yield gathered.page(checkpoint=written(point), missing=_missing(point))
                    raise _TooBig  # smaller ranges leave less behind what cannot be read
            if following and following in walked:
                raise Unavailable("NCMEC's pages lead in a circle")
            walked.add(link := following or "")
            damaged = ranged.damaged or isinstance(read, InvalidInput)
            ranged = replace(ranged, damaged=damaged, link=link)
            self._advance(point, ranged)
            yield gathered.page(
                checkpoint=written(point),
                checkpoint_at=_reached(point),
                up_to_date=point.goal is None and point.done is not None and point.done >= newest,
                missing=_missing(point),
            )
            if not link:
                return

    def _page(self, ranged: _Range, link: str) -> tuple[bytes, NcmecPage | InvalidInput]:
        params = {} if link else {"from": _time(ranged.begin), "to": _time(ranged.end)}

        def ask() -> bytes:
            answer = self._http.get(link or "/v2/entries", params=params)
            if link and answer.status in _EXPIRED:
                raise _Expired
            return _body(answer.status, answer.body, "/v2/entries")

        return read_or_fault(ask, partial(read_page, reading=self._reading))

    def _following(
        self, document: bytes, read: NcmecPage | InvalidInput, ranged: _Range, link: str
    ) -> str | None:
        if isinstance(read, InvalidInput):
            return salvaged_next(document, urlsplit(link).query)
        self._lost = 0
        first = not link and not ranged.again
        if first and _splits(ranged) and rows_left(read.next) > self._options.most_rows:
            raise _TooBig
        return read.next

    def _check_lost(self, ranged: _Range) -> None:
        self._lost += 1
        if self._lost > _MOST_LOST:
            since = _time(ranged.begin)
            raise Unavailable(f"NCMEC's pages cannot be read, and nothing leads past {since}")

    def _advance(self, point: _Point, ranged: _Range) -> None:
        if ranged.link:
            point.range = replace(ranged, link_at=self._clock.now())
            return
        point.range = None
        if not ranged.again:
            point.at = ranged.end
            if point.goal is not None and point.at >= point.goal:
                point.done, point.goal = point.goal, None
        gap = _Range(begin=ranged.begin, end=ranged.end)
        point.gaps = [one for one in point.gaps if one != gap]
        if ranged.damaged:
            point.gaps.append(gap)
            point.gaps_at = self._clock.now()

    def vote(self, entry: BankEntry, opinion: Opinion) -> None:
        """Return once NCMEC took this member's feedback; sending it again changes nothing.

        Raises:
            InvalidInput: NCMEC cannot be told this about this entry.
            Unavailable: it does not answer.
            NotPermitted: it does not take the credentials.
        """
        if opinion is Opinion.DISPUTED:
            raise InvalidInput("NCMEC cannot be told disputed", hint="say positive or negative")
        path = feedback_path(entry.source_ref, entry.kind)
        guid = self._reason(entry) if opinion is Opinion.NEGATIVE else ""
        document = feedback_document(reason_guid=guid)
        answer = self._http.send("PUT", path, document, headers=_XML)
        if answer.status in _EXPIRED | {405, 409, 422}:
            raise InvalidInput(f"NCMEC refused the feedback with {answer.status}")
        _body(answer.status, answer.body, "feedback")

    def _reason(self, entry: BankEntry) -> str:
        path = f"/v2/feedback/{FINGERPRINT_OF[entry.kind]}/reasons"
        answer = self._http.get(path)
        reasons = _usable(lambda: read_reasons(_body(answer.status, answer.body, path)))
        wanted = self._options.negative_reason.casefold()
        for guid, name in reasons.items():
            if wanted in (guid.casefold(), name.casefold()) or (not wanted and len(reasons) == 1):
                return guid
        hint = f"the option negative_reason names one of: {', '.join(sorted(reasons.values()))}"
        raise InvalidInput("NCMEC wants a reason for negative feedback", hint=hint)

    def _member(self) -> str:
        if not self._own:
            answer = self._http.get("/v2/status")
            self._own = _usable(lambda: read_member(_body(answer.status, answer.body, "status")))
        return self._own


class _Expired(Exception):  # noqa: N818  says what the link is
    """A link to a page no longer leads anywhere."""


def _usable(read: Callable[[], _T]) -> _T:
    try:
        return read()
    except InvalidInput as fault:
        raise Unavailable(f"NCMEC's answer is not usable: {fault}") from fault


def _reached(point: _Point) -> datetime | None:
    """Return the time up to which everything is there."""
    if point.goal is None or point.done is None:
        return point.done if point.goal is None else point.at
    return max(point.done, point.at)


def _splits(ranged: _Range) -> bool:
    return ranged.end - ranged.begin > 2 * _SECOND


def _body(status: int, body: bytes, path: str) -> bytes:
    if not 200 <= status < 300:  # noqa: PLR2004  HTTP's own numbers
        raise Unavailable(f"NCMEC answered {status} to {path}")
    return body


def _set_aside(document: bytes, fault: InvalidInput) -> Gathered:
    gathered = Gathered()
    gathered.reject(document, str(fault), place=0)
    return gathered


def _missing(point: _Point) -> str:
    if not point.gaps:
        return ""
    spans = ", ".join(f"{_time(gap.begin)} to {_time(gap.end)}" for gap in point.gaps[:3])
    return f"a page could not be read and is asked for again every 6 hours: {spans}"


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
