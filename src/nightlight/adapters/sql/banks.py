"""Hash banks: settings, entries sealed one by one, and a version for each change.

``bank_rows`` reads entries, ``bank_changes`` writes them, ``bank_history`` keeps what was.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from secrets import randbits

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, and_, delete, func, select, text, update

from nightlight.adapters.sql.bank_changes import (
    Arrivals,
    Change,
    change_entries,
    retired_numbers,
    vacate_name,
    withdraw_bank,
)
from nightlight.adapters.sql.bank_contents import SqlBankContents
from nightlight.adapters.sql.bank_history import SqlBankHistory
from nightlight.adapters.sql.bank_rows import Wanted, read_entries
from nightlight.adapters.sql.rows import put_new, put_over, to_json, to_us
from nightlight.adapters.sql.schema import (
    bank,
    bank_entry,
    bank_mark,
    counter,
    exchange,
)
from nightlight.errors import Conflict
from nightlight.exchange.ports import BankSummary, Changed, Held, Put
from nightlight.model.bank import Bank, BankEntry, BankVersion, EntryState, HashKind, Opinion
from nightlight.preserve.ports import KeyRing

_VERSIONS = "banks"
_MADE = "banks_made"
_MARK_BITS = 62
#: The counter that holds the version at which a test hook deleted everything.
EMPTIED = "banks_emptied"
_ACTIVE = frozenset({EntryState.ACTIVE})
#: In words, so that SQLite sees that the index over held entries is meant.
_IS_HELD = text("state = 'held'")
_settings = msgspec.json.Decoder(Bank)


class SqlBankStore:
    """Hash banks, encrypted at rest, as one transaction sees and changes them."""

    def __init__(self, connection: Connection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys
        self._history = SqlBankHistory(connection)
        self._contents = SqlBankContents(connection, keys)
        self._own_version: int | None = None

    def version(self) -> int:
        """Return the newest version."""
        return self._counter(_VERSIONS)

    def emptied(self) -> int:
        """Return the version at which a test hook deleted everything, 0 for never."""
        return self._counter(EMPTIED)

    def _counter(self, name: str) -> int:
        statement = select(counter.c.value).where(counter.c.name == name)
        return self._connection.execute(statement).scalar_one_or_none() or 0

    def next_version(self) -> int:
        """Return the version of this transaction's changes; the first call makes it."""
        if self._own_version is None:
            # The row stays locked until the transaction ends: versions are given in the order of
            # commits, so a reader that has seen one has seen every change before it.
            self._own_version = self._counted(_VERSIONS)
            mark = {"version": self._own_version, "mark": 1 + randbits(_MARK_BITS)}
            put_over(self._connection, bank_mark, [mark])
        return self._own_version

    def _counted(self, name: str) -> int:
        put_new(self._connection, counter, [{"name": name, "value": 0}])
        value: int = self._connection.execute(
            update(counter)
            .where(counter.c.name == name)
            .values(value=counter.c.value + 1)
            .returning(counter.c.value)
        ).scalar_one()
        return value

    def mark(self, version: int) -> int:
        """Return the random number that was drawn with a version, 0 where there is none."""
        statement = select(bank_mark.c.mark).where(bank_mark.c.version == version)
        return self._connection.execute(statement).scalar_one_or_none() or 0

    def save_bank(self, settings: Bank, *, at: datetime) -> None:
        """Store a new bank or the changed settings of one."""
        self.next_version()
        self._make([settings.name], at)
        self._connection.execute(
            update(bank).where(bank.c.name == settings.name).values(settings=to_json(settings))
        )

    def _make(self, names: Collection[str], at: datetime) -> None:
        """Make those banks, with the usual settings, that there are not."""
        known = set(self.numbers()) if names else set()
        made = [
            {
                "name": name,
                "number": self._counted(_MADE),
                "settings": to_json(Bank(name=name)),
                "created_us": to_us(at),
            }
            for name in sorted({*names} - known)
        ]
        put_new(self._connection, bank, made)

    def bank(self, name: str) -> Bank | None:
        """Return a bank's settings, None where there is no such bank."""
        statement = select(bank.c.settings).where(bank.c.name == name)
        body = self._connection.execute(statement).scalar_one_or_none()
        return None if body is None else _settings.decode(body)

    def banks(self) -> list[Bank]:
        """Return every bank, by name."""
        bodies = self._connection.execute(select(bank.c.settings).order_by(bank.c.name))
        return [_settings.decode(body) for body in bodies.scalars()]

    def numbers(self) -> Mapping[str, int]:
        """Return the number of each bank, which stays with it whatever it is called."""
        rows = self._connection.execute(select(bank.c.name, bank.c.number))
        return {row.name: row.number for row in rows}

    def rename_bank(self, name: str, new_name: str) -> None:
        """Let a bank and its entries have another name.

        Raises:
            Conflict: there is a bank of the new name.
        """
        version = self.next_version()
        settings = self.bank(name)
        if self.bank(new_name) is not None:
            raise Conflict(f"there is a bank {new_name!r}", field="new_name")
        if settings is None:
            return
        vacate_name(self._connection, new_name, version=version)
        renamed = to_json(replace(settings, name=new_name))
        self._connection.execute(
            update(bank).where(bank.c.name == name).values(name=new_name, settings=renamed)
        )
        self._connection.execute(
            update(bank_entry)
            .where(bank_entry.c.bank == name)
            .values(bank=new_name, changed_version=version)
        )
        # An exchange that fills the bank goes on filling it.
        self._connection.execute(
            update(exchange).where(exchange.c.bank == name).values(bank=new_name)
        )

    def remove_bank(self, name: str) -> int:
        """Withdraw every entry and take the bank away; return how many entries it held."""
        version = self.next_version()
        self._contents.forget(bank_entry.c.bank == name)
        withdrawn = withdraw_bank(self._connection, name, version=version)
        self._connection.execute(delete(bank).where(bank.c.name == name))
        return withdrawn

    def put(
        self,
        entries: Sequence[BankEntry],
        *,
        at: datetime,
        keeping: Collection[str] = (),
        staged: int | None = None,
    ) -> Put:
        """Add new entries and bring known ones (same id and bank) up to date."""
        version = self.next_version()
        self._make({entry.bank for entry in entries}, at)
        arrivals = Arrivals(
            connection=self._connection,
            keys=self._keys,
            version=version,
            at=at,
            keeping=frozenset(keeping),
            staged=staged,
        )
        done = arrivals.take(entries)
        gone = [entry.id for entry in entries if entry.state is EntryState.WITHDRAWN]
        self._contents.forget_gone(bank_entry.c.id, gone)
        return done

    def publish(self, staged: int) -> int:
        """Let what was held under a version act, as if it came now; return how many entries."""
        version = self.next_version()
        active = EntryState.ACTIVE.value
        published = self._connection.execute(
            update(bank_entry)
            .where(_IS_HELD, bank_entry.c.added_version == staged)
            .values(state=active, added_version=version, changed_version=version)
        )
        return published.rowcount

    def discard(self, staged: int) -> int:
        """Delete what was held under a version, and return how many entries it was."""
        is_it = and_(_IS_HELD, bank_entry.c.added_version == staged)
        self._contents.forget(is_it)
        gone = delete(bank_entry).where(is_it)
        return self._connection.execute(gone).rowcount

    def change(
        self,
        numbers: Collection[int],
        *,
        state: EntryState | None = None,
        opinion: Opinion | None = None,
        disabled_until: datetime | None = None,
        note: str | None = None,
    ) -> int:
        """Change entries and return how many differ now; withdrawing one erases its hash."""
        change = Change(state=state, opinion=opinion, disabled_until=disabled_until, note=note)
        version = self.next_version()
        count = change_entries(self._connection, self._keys, numbers, change, version=version)
        if state is EntryState.WITHDRAWN:
            self._contents.forget_gone(bank_entry.c.number, list(numbers))
        return count

    def describe(self, content: int, metadata: bytes) -> None:
        """Keep what is said of a picture or video; nothing takes it away."""
        self._contents.describe(content, metadata)

    def described(self, content: int) -> bytes:
        """Return what is said of a picture or video, b"" where nothing is."""
        return self._contents.described(content)

    def entries(
        self,
        *,
        bank: str | None = None,
        ids: Collection[str] | None = None,
        numbers: Collection[int] | None = None,
        content: int | None = None,
        source_refs: Collection[str] | None = None,
        changed_after: int | None = None,
        changed_in: int | None = None,
        states: Collection[EntryState] | None = None,
        after_number: int = 0,
        limit: int | None = None,
    ) -> Iterator[BankEntry]:
        """Return the entries that fulfil every condition given, by number."""
        wanted = Wanted(
            bank=bank,
            ids=ids,
            numbers=numbers,
            content=content,
            source_refs=source_refs,
            changed_after=changed_after,
            changed_in=changed_in,
            states=states,
            after_number=after_number,
        )
        return read_entries(self._connection, self._keys, wanted, limit)

    def changed(self, *, after: int, limit: int) -> list[Changed]:
        """Return the first entries that changed after a version, by version and number."""
        rows = self._connection.execute(
            select(bank_entry.c.changed_version, bank_entry.c.number)
            .where(bank_entry.c.changed_version > after)
            .order_by(bank_entry.c.changed_version, bank_entry.c.number)
            .limit(limit)
        )
        return [Changed(version=version, number=number) for version, number in rows]

    def all(self) -> Iterator[BankEntry]:
        """Return every active entry of every bank, by number."""
        return self.entries(states=_ACTIVE)

    def entry_at(self, number: int, version: int) -> BankEntry | None:
        """Return an entry as it was at a version (hash left out), None where it was not there.

        It is of the bank's name then.
        """
        came = select(bank_entry.c.added_version).where(bank_entry.c.number == number)
        added_in = self._connection.execute(came).scalar_one_or_none()
        if added_in is None or added_in > version:
            return None
        (now,) = self.entries(numbers=[number])
        now = replace(now, bank=self._history.name_at(now.bank, version))
        past = self._history.entry_at(number, version)
        if past is None:
            return replace(now, value="")
        return replace(
            now,
            value="",
            classification=past.classification,
            opinion=past.opinion,
            state=past.state,
            disabled_until=None,
        )

    def retired(self, entry_id: str) -> list[int]:
        """Return the numbers of withdrawn entries that had this id before a newer one took it."""
        return retired_numbers(self._connection, entry_id)

    def waking(self, at: datetime, limit: int) -> list[BankEntry]:
        """Return disabled entries that count again from a time up to then, by bank and number."""
        rows = self._connection.execute(
            select(bank_entry.c.number)
            .where(
                bank_entry.c.disabled_until_us <= to_us(at),
                bank_entry.c.state == EntryState.DISABLED.value,
            )
            .order_by(bank_entry.c.disabled_until_us)
            .limit(limit)
        )
        numbers = list(rows.scalars())
        found = self.entries(numbers=numbers) if numbers else ()
        return sorted(found, key=lambda one: (one.bank, one.number))

    def changed_banks(self, after: int) -> list[str]:
        """Return the names of banks, also of those that are no more, changed since a version."""
        return self._history.changed_after(after)

    def held(self) -> list[Held]:
        """Return how many entries wait for a person, by the version that brought them."""
        rows = self._connection.execute(
            select(bank_entry.c.changed_version, bank_entry.c.bank, func.count())
            .where(_IS_HELD)
            .group_by(bank_entry.c.changed_version, bank_entry.c.bank)
            .order_by(bank_entry.c.changed_version, bank_entry.c.bank)
        )
        return [Held(version=version, bank=name, entries=count) for version, name, count in rows]

    def note_version(self, version: BankVersion) -> None:
        """Keep what a change of a bank came to."""
        self._history.note(version)

    def noted(self, number: int, bank: str) -> BankVersion | None:
        """Return what one version was to one bank, None where it was not about it."""
        return self._history.one(number, bank)

    def versions(self, bank: str, *, limit: int) -> list[BankVersion]:
        """Return a bank's newest versions, newest first."""
        return self._history.newest(bank, limit)

    def bank_at(self, name: str, version: int) -> Bank | None:
        """Return a bank's settings as they were at a version, None where it was not there."""
        return self._history.bank_at(name, version)

    def summaries(self) -> list[BankSummary]:
        """Return what may be shown of each bank."""
        tallies = {settings.name: _Tally(settings) for settings in self.banks()}
        group = (bank_entry.c.bank, bank_entry.c.state, bank_entry.c.kind, bank_entry.c.opinion)
        rows = self._connection.execute(select(*group, func.count()).group_by(*group))
        for name, state, kind, opinion, count in rows:
            if name in tallies:
                tallies[name].add(EntryState(state), HashKind(kind), Opinion(opinion), count)
        changes = self._history.changes()
        return [tally.summary(*changes.get(name, (None, 0))) for name, tally in tallies.items()]


class _Tally:
    """Adds up what may be shown of one bank."""

    def __init__(self, settings: Bank) -> None:
        self._settings = settings
        self._states: Counter[EntryState] = Counter()
        self._kinds: Counter[HashKind] = Counter()
        self._opinions: Counter[Opinion] = Counter()

    def add(self, state: EntryState, kind: HashKind, opinion: Opinion, count: int) -> None:
        """Count entries that are alike."""
        self._states[state] += count
        if state is EntryState.ACTIVE:
            self._kinds[kind] += count
            self._opinions[opinion] += count

    def summary(self, updated_at: datetime | None, version: int) -> BankSummary:
        """Return the sums, with when and in which version the bank was last changed."""
        return BankSummary(
            bank=self._settings,
            entries=dict(self._states),
            kinds=dict(self._kinds),
            opinions=dict(self._opinions),
            updated_at=updated_at,
            version=version,
        )
