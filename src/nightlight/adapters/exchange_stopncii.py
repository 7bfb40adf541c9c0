"""StopNCII over HTTPS: records since a moment, page by page."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial

from msgspec import Struct

from nightlight.adapters.exchange_checkpoint import read_point, written
from nightlight.adapters.exchange_http import ExchangeHttp, read_or_fault, seconds_since
from nightlight.audit.clock import Clock
from nightlight.errors import InvalidInput, Unavailable
from nightlight.exchange.client import EntryNames, Page
from nightlight.exchange.gathered import Gathered
from nightlight.exchange.stopncii_format import (
    StopNciiPage,
    feedback_document,
    read_page,
    salvaged_token,
)
from nightlight.model.bank import BankEntry, Opinion

#: StopNCII's own beginning of time.
_BEGIN = 10
_PAGE_SIZE = "800"
_TOKEN_HOLDS_S = 3600.0
_GAP_AGAIN_S = 6 * 3600.0
_EXPIRED = frozenset({400, 404, 410})


class StopNciiKeys(Struct, frozen=True, kw_only=True):
    """What opens StopNCII; never shown."""

    subscription: str
    fetch: str
    feedback: str = ""

    def __repr__(self) -> str:
        return "<StopNciiKeys: masked>"

    __str__ = __repr__


class _Point(Struct, kw_only=True):
    """The checkpoint: everything up to ``since`` is there, and the cursor of pages after it."""

    since: int = _BEGIN
    token: str = ""
    token_at: datetime | None = None
    asked_since: int = _BEGIN
    gap_since: int | None = None
    gap_at: datetime | None = None
    damaged: bool = False


class StopNciiExchange:
    """An ``ExchangeClient`` for StopNCII."""

    def __init__(
        self,
        *,
        http: ExchangeHttp,
        names: EntryNames,
        clock: Clock,
        keys: StopNciiKeys,
        overlap_s: int = 300,
        own_name: str = "",
    ) -> None:
        self._http = http
        self._clock = clock
        self._keys = keys
        self._overlap_s = overlap_s
        self._read = partial(read_page, names=names, own=own_name)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def fetch(self, checkpoint: str) -> Iterator[Page]:
        """Yield what came after ``checkpoint``, page by page.

        Raises:
            Unavailable: StopNCII does not answer, or not usably; what was yielded stands.
            NotPermitted: it does not take the credentials.
        """
        point = self._begin(checkpoint)
        walked = {point.token}
        restarted = False
        while True:
            try:
                document, read = self._page(point)
            except _Expired:
                if restarted:
                    raise Unavailable("StopNCII's cursors expire before they are used") from None
                restarted, point.token, walked = True, "", {""}
                continue
            if isinstance(read, InvalidInput):
                gathered = Gathered()
                gathered.reject(document, str(read), place=0)
                token, next_timestamp = salvaged_token(document), point.since
                if not token:
                    yield gathered.page(checkpoint=written(point), missing=_missing(point))
                    raise Unavailable(f"StopNCII: {read}, and nothing leads past it")
                self._note_gap(point)
            else:
                gathered, token, next_timestamp = read
            if token in walked and token:
                raise Unavailable("StopNCII's pages lead in a circle")
            walked.add(token)
            point.token, point.token_at = token, self._clock.now()
            if not token:
                point.since = max(point.asked_since, next_timestamp)
                _close_gap(point)
            yield gathered.page(
                checkpoint=written(point),
                checkpoint_at=_moment(point.since),
                up_to_date=not token,
                missing=_missing(point),
            )
            if not token:
                return

    def _begin(self, checkpoint: str) -> _Point:
        point = read_point(checkpoint, _Point, of="StopNCII")
        if point.token and seconds_since(self._clock, point.token_at) <= _TOKEN_HOLDS_S:
            return point
        point.token = ""
        point.damaged = False
        point.asked_since = max(_BEGIN, point.since - self._overlap_s)
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

    def _page(self, point: _Point) -> tuple[bytes, StopNciiPage | InvalidInput]:
        params = {"startTimestamp": str(point.asked_since), "pageSize": _PAGE_SIZE}
        if point.token:
            params["nextPageToken"] = point.token

        def ask() -> bytes:
            answer = self._http.get(
                "/FetchHashes", params=params, headers=self._headers(self._keys.fetch)
            )
            if point.token and answer.status in _EXPIRED:
                raise _Expired
            return _body(answer.status, answer.body)

        return read_or_fault(ask, self._read)

    def vote(self, entry: BankEntry, opinion: Opinion) -> None:
        """Return once StopNCII took this platform's feedback; sending it again changes nothing.

        Raises:
            InvalidInput: StopNCII cannot be told this.
            Unavailable: it does not answer.
            NotPermitted: it does not take the credentials.
        """
        if not self._keys.feedback:
            raise InvalidInput("there is no key to send feedback", field="feedback_function_key")
        document = feedback_document(entry, opinion)
        headers = {**self._headers(self._keys.feedback), "Content-Type": "application/json"}
        answer = self._http.send("POST", "/SubmitFeedback", document, headers=headers)
        if answer.status in _EXPIRED | {409, 422}:
            raise InvalidInput(f"StopNCII refused the feedback with {answer.status}")
        _body(answer.status, answer.body)

    def _headers(self, function_key: str) -> Mapping[str, str]:
        return {
            "x-functions-key": function_key,
            "Ocp-Apim-Subscription-Key": self._keys.subscription,
        }


class _Expired(Exception):  # noqa: N818  says what the cursor is
    """A cursor no longer leads anywhere."""


def _body(status: int, body: bytes) -> bytes:
    if not 200 <= status < 300:  # noqa: PLR2004  HTTP's own numbers
        raise Unavailable(f"StopNCII answered {status}")
    return body


def _close_gap(point: _Point) -> None:
    filled = point.gap_since is not None and point.asked_since <= point.gap_since
    if filled and not point.damaged:
        point.gap_since = point.gap_at = None


def _missing(point: _Point) -> str:
    if point.gap_since is None:
        return ""
    return "a page could not be read; everything after it is asked for again every 6 hours"


def _moment(timestamp: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(timestamp, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None
