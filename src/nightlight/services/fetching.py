"""Fetches exchanges: a page, where it leads, and the record of both are stored at once.

So a fetch that is killed goes on after the last page that is stored, and no page is half there.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.errors import Conflict, NightlightError, Unavailable
from nightlight.exchange.client import EntryNames, ExchangeClient, Page, Rejected
from nightlight.exchange.registry import Credentials, Exchange, FetchState
from nightlight.ingest.ports import Quarantined
from nightlight.model.audit import AuditEntry
from nightlight.model.bank import BankEntry, EntryState
from nightlight.services.updates import REJECTED, Updates
from nightlight.transaction import Transaction, UnitOfWork

#: How a failure begins that only new credentials end; such an exchange is left alone.
REFUSED = "credentials refused"
#: The failure of a fetch that was asked to end; it goes on as soon as somebody can.
INTERRUPTED = "interrupted"
_TAKEN_OVER = "another fetch took over"
_ACTOR = "nightlight"
_SWEPT = 5_000
_STANDING = frozenset({EntryState.ACTIVE, EntryState.HELD, EntryState.DISABLED})

Connect = Callable[[Exchange, Credentials, EntryNames], ExchangeClient]


class Fetched(Struct, frozen=True, kw_only=True):
    """What a fetch came to so far.

    Attributes:
        held: of those added, how many wait for a person.
        rejected: pages and entries that could not be read and are quarantined.
        ignored: hashes of kinds that are not matched here, by the exchange's name for them.
        missing: what could not be had and is asked for again, "" for nothing.
        failure: why it ended early, "" if it did not.
    """

    name: str
    pages: int = 0
    added: int = 0
    changed: int = 0
    withdrawn: int = 0
    held: int = 0
    rejected: int = 0
    ignored: Mapping[str, int] = {}
    up_to_date: bool = False
    missing: str = ""
    failure: str = ""


class Fetcher:
    """Brings what exchanges have into their banks."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        clock: Clock,
        updates: Updates,
        connect: Connect,
        id_key: bytes,
        lease_s: float = 180.0,
    ) -> None:
        """Keep the parts.

        Args:
            unit_of_work: begins transactions.
            clock: the time.
            updates: takes entries into a bank, and holds a flood.
            connect: makes the client of an exchange.
            id_key: keys the ids that are made here.
            lease_s: how long a fetch that is not heard of is left alone; longer than the client
                may be patient over one page.
        """
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._updates = updates
        self._connect = connect
        self._id_key = id_key
        self._lease_s = lease_s

    def fetch(
        self,
        name: str,
        *,
        progress: Callable[[Fetched], None] = lambda _: None,
        from_start: bool = False,
        take_over: bool = False,
        stop: Callable[[], bool] = lambda: False,
    ) -> Fetched:
        """Return what came in; every page that was read is stored, also where this raises.

        Args:
            name: of the exchange.
            progress: told after each page.
            from_start: fetch everything anew, then withdraw what the exchange no longer has.
            take_over: go on in the place of a fetch that was killed, without waiting it out.
            stop: asked after each page whether to end early.

        Raises:
            NotFound: there is no exchange of this name.
            Conflict: another fetch of it is under way, or took over.
            Unavailable: the exchange does not answer, or not usably.
            NotPermitted: it does not take the credentials.
            InvalidInput: its settings cannot be used.
        """
        exchange, credentials, state = self._start(name, from_start, take_over)
        run = _Run(exchange=exchange, state=state)
        failure = "an error that nobody foresaw"
        try:
            client = self._connect(exchange, credentials, self.names(exchange.bank))
            try:
                for page in client.fetch(state.checkpoint):
                    self._store(run, page)
                    progress(run.fetched)
                    if stop():
                        failure = INTERRUPTED
                        return replace(run.fetched, failure=failure)
            finally:
                client.close()
            if from_start:
                self._sweep(run)
            failure = ""
        except KeyboardInterrupt:
            failure = INTERRUPTED
            raise
        except Conflict:
            failure = _TAKEN_OVER
            raise
        except NightlightError as error:
            failure = str(error)
            raise
        finally:
            run.fetched = replace(run.fetched, failure=failure)
            if failure != _TAKEN_OVER:
                self._finish(run, failure)
        return run.fetched

    def fetch_due(self, *, stop: Callable[[], bool] = lambda: False) -> list[Fetched]:
        """Return what came of every exchange that is enabled and due; failures are told in it."""
        with self._unit_of_work.read() as tx:
            known = tx.exchanges.all()
        done: list[Fetched] = []
        for exchange, state in known:
            if stop() or not self._is_due(exchange, state):
                continue
            try:
                done.append(self.fetch(exchange.name, stop=stop))
            except Conflict:
                continue  # another worker fetches it
            except NightlightError as error:
                done.append(Fetched(name=exchange.name, failure=str(error)))
        return done

    def names(self, bank: str) -> EntryNames:
        """Return what makes the ids of a bank's entries."""
        return EntryNames(key=self._id_key, bank=bank)

    def _is_due(self, exchange: Exchange, state: FetchState) -> bool:
        if not exchange.enabled or state.failure.startswith(REFUSED):
            return False
        wait = timedelta(seconds=exchange.every_s)
        if state.failure == INTERRUPTED:
            return True
        return state.completed_at is None or self._clock.now() >= state.completed_at + wait

    def _start(
        self,
        name: str,
        from_start: bool,  # noqa: FBT001  passed on
        take_over: bool,  # noqa: FBT001  passed on
    ) -> tuple[Exchange, Credentials, FetchState]:
        with self._unit_of_work.begin() as tx:
            exchange, _ = tx.exchanges.get(name)
            credentials = tx.exchanges.credentials(name)
            lease_s = 0.0 if take_over else self._lease_s
            state = tx.exchanges.start(name, now=self._clock.now(), lease_s=lease_s)
            if from_start:
                state = replace(state, checkpoint="", checkpoint_at=None, up_to_date=False)
                tx.exchanges.progress(name, state, at=self._clock.now())
            tx.commit_unrecorded()
        return exchange, credentials, state

    def _store(self, run: "_Run", page: Page) -> None:
        now = self._clock.now()
        self._updates.prepare(run.exchange.bank)
        with self._unit_of_work.begin() as tx:
            came = self._take(tx, run, page)
            quarantined = self._quarantine(tx, run.exchange.name, page.rejected)
            state, fetched = run.after(page, came)
            tx.exchanges.progress(run.exchange.name, state, at=now)
            if came.entries_of_record or quarantined:
                tx.commit(*came.entries_of_record, _entry(run.exchange, page, came, quarantined))
            else:
                tx.commit_unrecorded()
        run.state, run.fetched = state, fetched
        run.seen |= {entry.source_ref for entry in page.entries} | page.incomplete

    def _take(self, tx: Transaction, run: "_Run", page: Page) -> "_Came":
        """Bring the bank to what the page says of the references that it names."""
        bank = run.exchange.bank
        refs = {entry.source_ref for entry in page.entries} | set(page.withdrawn)
        known = {
            entry.id: entry
            for entry in tx.banks.entries(bank=bank, source_refs=refs, states=_STANDING)
        }
        contents = {entry.source_ref: entry.content for entry in known.values()}
        own = tx.exchanges.own_opinions(run.exchange.name, [one.id for one in page.entries])
        given = [
            replace(
                entry,
                opinion=own.get(entry.id, entry.opinion),
                content=contents.get(entry.source_ref, entry.content),
            )
            for entry in page.entries
        ]
        rejected = _rejected(tx, bank, [one.id for one in given if one.id not in known])
        news = [
            entry
            for entry in given
            if entry.id not in rejected and not _says_the_same(entry, known.get(entry.id))
        ]
        named = {entry.id for entry in given}
        stale = [
            entry
            for entry in known.values()
            if entry.id not in named and entry.source_ref not in page.incomplete
        ]
        return self._apply(tx, run.exchange, news, stale)

    def _apply(
        self,
        tx: Transaction,
        exchange: Exchange,
        news: list[BankEntry],
        stale: Iterable[BankEntry],
    ) -> "_Came":
        stale_numbers = [entry.number for entry in stale]
        if not news and not stale_numbers:
            return _Came()
        withdrawn = tx.banks.change(stale_numbers, state=EntryState.WITHDRAWN)
        taken, record = self._updates.take(
            tx, exchange.bank, news, actor=_ACTOR, reason=f"exchange {exchange.name}"
        )
        return _Came(
            added=taken.added,
            changed=taken.changed,
            withdrawn=withdrawn + taken.withdrawn,
            held=taken.held,
            entries_of_record=record,
        )

    def _quarantine(self, tx: Transaction, name: str, rejected: tuple[Rejected, ...]) -> int:
        """Return how many of these were not quarantined before."""
        if not rejected:
            return 0
        before = tx.events.quarantine_size()
        tx.events.quarantine(
            [
                Quarantined(
                    id=self._quarantine_id(name, one),
                    origin=f"exchange:{name}",
                    line_number=one.place,
                    reason=one.reason,
                    received_at=self._clock.now(),
                    raw=one.raw,
                )
                for one in rejected
            ]
        )
        return tx.events.quarantine_size() - before

    def _quarantine_id(self, name: str, rejected: Rejected) -> str:
        digest = hmac.new(self._id_key, name.encode() + b"\x1f" + rejected.raw, hashlib.sha256)
        return f"qu_{digest.hexdigest()[:24]}"

    def _sweep(self, run: "_Run") -> None:
        """Withdraw what came through this exchange and did not come again.

        Raises:
            Unavailable: not everything could be read, so that nothing can be told to be gone.
        """
        if run.fetched.rejected or run.fetched.missing:
            raise Unavailable("not everything could be read: what is gone cannot be told")
        with self._unit_of_work.begin() as tx:
            gone = [
                entry
                for entry in tx.banks.entries(bank=run.exchange.bank, states=_STANDING)
                if entry.source_ref and entry.source_ref not in run.seen
            ]
        for first in range(0, len(gone), _SWEPT):
            self._updates.prepare(run.exchange.bank)
            with self._unit_of_work.begin() as tx:
                came = self._apply(tx, run.exchange, [], gone[first : first + _SWEPT])
                page = Page(up_to_date=True)
                run.fetched = replace(run.fetched, withdrawn=run.fetched.withdrawn + came.withdrawn)
                tx.commit(*came.entries_of_record, _entry(run.exchange, page, came, 0))

    def _finish(self, run: "_Run", failure: str) -> None:
        state = replace(
            run.state,
            succeeded=not failure,
            up_to_date=run.state.up_to_date and not failure,
            failure=failure or run.fetched.missing,
        )
        # A fetch that was taken over, or a database that is gone, has nothing to be told.
        with suppress(Conflict, Unavailable), self._unit_of_work.begin() as tx:
            tx.exchanges.finish(run.exchange.name, state, at=self._clock.now())
            tx.commit_unrecorded()


class _Came(Struct, frozen=True, kw_only=True):
    """What one page changed."""

    added: int = 0
    changed: int = 0
    withdrawn: int = 0
    held: int = 0
    entries_of_record: tuple[AuditEntry, ...] = ()


class _Run:
    """One fetch under way."""

    def __init__(self, *, exchange: Exchange, state: FetchState) -> None:
        self.exchange = exchange
        self.state = state
        self.fetched = Fetched(name=exchange.name)
        self.seen: set[str] = set()

    def after(self, page: Page, came: _Came) -> tuple[FetchState, Fetched]:
        """Return how things stand once this page is committed."""
        done = self.fetched
        ignored = dict(done.ignored)
        for kind, count in page.ignored.items():
            ignored[kind] = ignored.get(kind, 0) + count
        fetched = Fetched(
            name=done.name,
            pages=done.pages + 1,
            added=done.added + came.added,
            changed=done.changed + came.changed,
            withdrawn=done.withdrawn + came.withdrawn,
            held=done.held + came.held,
            rejected=done.rejected + len(page.rejected),
            ignored=ignored,
            up_to_date=page.up_to_date,
            missing=page.missing,
        )
        state = replace(
            self.state,
            checkpoint=page.checkpoint,
            checkpoint_at=page.checkpoint_at or self.state.checkpoint_at,
            up_to_date=page.up_to_date,
            fetched=max(0, self.state.fetched + came.added - came.withdrawn),
        )
        return state, fetched


def _rejected(tx: Transaction, bank: str, entry_ids: list[str]) -> set[str]:
    """Return which of these a person rejected when they came before."""
    if not entry_ids:
        return set()
    gone = tx.banks.entries(bank=bank, ids=entry_ids, states=[EntryState.WITHDRAWN])
    return {entry.id for entry in gone if entry.note == REJECTED}


def _says_the_same(entry: BankEntry, known: BankEntry | None) -> bool:
    """Return whether a known entry is what the exchange says; its state is ours."""
    if known is None:
        return False
    alike = replace(
        entry,
        number=known.number,
        content=known.content,
        state=known.state,
        disabled_until=known.disabled_until,
        note=known.note,
    )
    return alike == known


def _entry(exchange: Exchange, page: Page, came: _Came, quarantined: int) -> AuditEntry:
    return AuditEntry(
        actor=_ACTOR,
        action="exchange.fetched",
        subject=exchange.name,
        reason=page.missing,
        detail={
            "bank": exchange.bank,
            "added": came.added,
            "changed": came.changed,
            "withdrawn": came.withdrawn,
            "held": came.held,
            "quarantined": quarantined,
            "up_to_date": page.up_to_date,
        },
    )
