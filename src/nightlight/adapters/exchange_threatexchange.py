"""Meta ThreatExchange over HTTPS: updates of one privacy group, in the order of their time."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlencode

import httpx
import msgspec
from msgspec import Struct

from nightlight.adapters.exchange_checkpoint import read_point, written
from nightlight.adapters.exchange_http import Answer, ExchangeHttp, read_or_fault, seconds_since
from nightlight.audit.clock import Clock
from nightlight.errors import InvalidInput, NotPermitted, Unavailable
from nightlight.exchange.client import EntryNames, Page
from nightlight.exchange.gathered import Gathered
from nightlight.exchange.threatexchange_format import (
    FIELDS,
    REACTIONS,
    UpdatesPage,
    read_descriptors,
    read_page,
    salvaged_next,
)
from nightlight.model.bank import BankEntry, Opinion

_TOKEN = "access_token"  # noqa: S105  a parameter's name
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_PAGE_SIZE = "500"
_LINK_HOLDS_S = 3600.0
_GAP_AGAIN_S = 6 * 3600.0
#: Deletions are told for 90 days.
_DELETIONS_HOLD_S = 85 * 86_400.0
#: Graph's codes: the token is not taken; the application may not; too many calls, or trouble.
_CREDENTIALS = frozenset({102, 190, 458, 459, 460, 463, 464, 467})
_PERMISSION = frozenset({3, 10, *range(200, 300)})
_TROUBLE = frozenset({1, 2, 4, 17, 32, 341, 368, 613})


class _GraphError(Struct, frozen=True):
    code: int = 0


class _GraphAnswer(Struct, frozen=True):
    error: _GraphError = _GraphError()


class _Point(Struct, kw_only=True):
    """The checkpoint: everything up to ``since`` is there, and the link to pages after it.

    The link is kept without the access token.
    """

    since: int = 0
    link: str = ""
    link_at: datetime | None = None
    asked_since: int = 0
    newest: int = 0
    fetched_at: datetime | None = None
    gap_since: int | None = None
    gap_at: datetime | None = None
    damaged: bool = False
    stale: bool = False


class ThreatExchange:
    """An ``ExchangeClient`` for one privacy group."""

    def __init__(
        self,
        *,
        http: ExchangeHttp,
        names: EntryNames,
        clock: Clock,
        privacy_group: str,
        api_token: str,
        overlap_s: int = 300,
    ) -> None:
        if not privacy_group.isdecimal():
            raise InvalidInput("not the id of a privacy group", field="privacy_group")
        self._http = http
        self._clock = clock
        self._group = privacy_group
        self._token = api_token
        self._own = api_token.partition("|")[0]
        self._overlap_s = overlap_s
        self._read = partial(read_page, names=names, own=self._own)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def fetch(self, checkpoint: str) -> Iterator[Page]:
        """Yield what came after ``checkpoint``, page by page.

        Raises:
            Unavailable: ThreatExchange does not answer, or not usably; what was yielded stands.
            NotPermitted: it does not take the credentials.
        """
        point = self._begin(checkpoint)
        walked = {point.link}
        restarted = False
        while True:
            try:
                document, read = self._page(point)
            except _Expired:
                if restarted:
                    raise Unavailable("ThreatExchange's links expire too soon") from None
                restarted, point.link, walked = True, "", {""}
                continue
            if isinstance(read, InvalidInput):
                gathered, newest = Gathered(), 0
                gathered.reject(document, str(read), place=0)
                following = salvaged_next(document)
                if not following:
                    yield gathered.page(checkpoint=written(point), missing=_missing(point))
                    raise Unavailable(f"ThreatExchange: {read}, and nothing leads past it")
                self._note_gap(point)
            else:
                gathered, following, newest = read
            link = self._without_token(following)
            if link in walked and link:
                raise Unavailable("ThreatExchange's pages lead in a circle")
            walked.add(link)
            self._advance(point, link, newest)
            yield gathered.page(
                checkpoint=written(point),
                checkpoint_at=datetime.fromtimestamp(point.since, tz=UTC),
                up_to_date=not link,
                missing=_missing(point),
            )
            if not link:
                return

    def _begin(self, checkpoint: str) -> _Point:
        point = read_point(checkpoint, _Point, of="ThreatExchange")
        if point.link and seconds_since(self._clock, point.link_at) <= _LINK_HOLDS_S:
            return point
        if point.fetched_at and seconds_since(self._clock, point.fetched_at) > _DELETIONS_HOLD_S:
            point.stale = True
        point.link = ""
        point.damaged = False
        point.asked_since = max(0, point.since - self._overlap_s)
        gap_due = seconds_since(self._clock, point.gap_at) > _GAP_AGAIN_S
        if point.gap_since is not None and gap_due:
            point.asked_since = min(point.asked_since, point.gap_since)
            point.gap_at = self._clock.now()
        return point

    def _note_gap(self, point: _Point) -> None:
        """Remember from when on to ask again for what a page that cannot be read held."""
        known = point.asked_since if point.gap_since is None else point.gap_since
        point.gap_since = min(known, point.asked_since)
        point.gap_at = self._clock.now()
        point.damaged = True

    def _advance(self, point: _Point, link: str, newest: int) -> None:
        now = self._clock.now()
        point.link, point.link_at, point.fetched_at = link, now, now
        # A time in the future, by a clock that runs fast, must not make us skip what follows.
        point.newest = max(point.newest, min(newest, int(now.timestamp())))
        if not link:
            point.since = max(point.since, point.newest)
            _close_gap(point)

    def _page(self, point: _Point) -> tuple[bytes, UpdatesPage | InvalidInput]:
        params = {_TOKEN: self._token}
        if not point.link:
            params |= {"limit": _PAGE_SIZE, "fields": FIELDS}
            if point.asked_since:
                params["start_time"] = str(point.asked_since)

        def ask() -> bytes:
            answer = self._http.get(point.link or f"/{self._group}/threat_updates/", params=params)
            return _body(answer, expirable=bool(point.link))

        return read_or_fault(ask, self._read)

    def _without_token(self, following: str) -> str:
        """Return a link as it may be stored.

        Raises:
            Unavailable: it leads to another host.
        """
        if not following:
            return ""
        url = self._http.url(following)
        return str(url.copy_remove_param(_TOKEN))

    def vote(self, entry: BankEntry, opinion: Opinion) -> None:
        """Return once the reaction stands on every descriptor that others gave of the indicator.

        Raises:
            InvalidInput: there is nothing to react to.
            Unavailable: ThreatExchange does not answer.
            NotPermitted: it does not take the credentials.
        """
        if not entry.source_ref.isdecimal():
            raise InvalidInput("ThreatExchange takes no opinion on this entry")
        params = {_TOKEN: self._token, "fields": "descriptors{id,owner{id}}"}
        told = self._http.get(f"/{entry.source_ref}", params=params)
        try:
            others = read_descriptors(_body(told), own=self._own)
        except InvalidInput as fault:
            raise Unavailable(f"ThreatExchange: {fault}") from fault
        if not others:
            raise InvalidInput("no other member has a descriptor to react to")
        for descriptor in others:
            self._react(descriptor, {"reactions": REACTIONS[opinion]})
            for reaction in REACTIONS.values():
                if reaction != REACTIONS[opinion]:
                    self._react(descriptor, {"reactions_to_remove": reaction})

    def _react(self, descriptor: str, said: dict[str, str]) -> None:
        body = urlencode({_TOKEN: self._token, **said}).encode()
        answer = self._http.send("POST", f"/{descriptor}/", body, headers=_FORM)
        if answer.status == httpx.codes.BAD_REQUEST and not _code(answer):
            raise InvalidInput("ThreatExchange refused the reaction")
        _body(answer)


class _Expired(Exception):  # noqa: N818  says what the link is
    """A link to a page no longer leads anywhere."""


def _code(answer: Answer) -> int:
    """Return the code of an error that is not about the request itself, 0 for none."""
    try:
        code = msgspec.json.decode(answer.body, type=_GraphAnswer).error.code
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0
    return code if code in _CREDENTIALS | _PERMISSION | _TROUBLE else 0


def _body(answer: Answer, *, expirable: bool = False) -> bytes:
    if answer.status < httpx.codes.BAD_REQUEST:
        return answer.body
    code = _code(answer)
    if code in _CREDENTIALS | _PERMISSION:
        raise NotPermitted(
            f"credentials refused: ThreatExchange answered with code {code}",
            hint="`nightlight exchange set` takes new ones",
        )
    if expirable and not code:
        raise _Expired
    raise Unavailable(f"ThreatExchange answered {answer.status} with code {code}")


def _close_gap(point: _Point) -> None:
    filled = point.gap_since is not None and point.asked_since <= point.gap_since
    if filled and not point.damaged:
        point.gap_since = point.gap_at = None


def _missing(point: _Point) -> str:
    if point.stale:
        return (
            "not fetched for 85 days, and deletions are told for 90:"
            " `nightlight exchange fetch NAME --from-start` finds what was withdrawn"
        )
    if point.gap_since is None:
        return ""
    return "a page could not be read; everything after it is asked for again every 6 hours"
