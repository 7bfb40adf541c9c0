"""The event log: accepted events in order, once per key."""

import hmac
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, func, select, update

from nightlight.adapters.sql.account_machines import (
    OF_ACCOUNT,
    machine_account,
    newest,
    older_sign_ins,
    signed_in,
)
from nightlight.adapters.sql.rows import add_all, among, from_us, put_new, to_us
from nightlight.adapters.sql.schema import counter, event_log, quarantine
from nightlight.errors import IntegrityFailure
from nightlight.ingest.keyed_machine import machine_of, with_keyed_machine
from nightlight.ingest.ports import LoggedEvent, Quarantined, Sifted
from nightlight.model.event import DATA_TYPES, Event, EventType, Machine
from nightlight.model.ids import AccountId, EventKey
from nightlight.preserve.ports import KeyRing

_HEAD = "event_log"
_OFFSET = "pipeline"
#: A statement takes only so many parameters.
_AT_ONCE = 500
_encode = msgspec.json.Encoder().encode
_machine = msgspec.json.Decoder(Machine)
_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    kind.value: msgspec.json.Decoder(data_type) for kind, data_type in DATA_TYPES.items()
}


class SqlEventLog:
    """Accepted events, the place up to which they are processed, and the quarantine."""

    def __init__(self, connection: Connection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys
        self._machine_key = hmac.new(keys.naming_key(), b"nightlight/machine", "sha256").digest()
        self._holds_offset = False

    def append(self, events: Sequence[Event], *, at: datetime) -> list[LoggedEvent]:
        """Append the events whose key is new and return them with their places, as stored.

        Device and network are keyed first; what the platform told of them is sealed beside, and
        of an account's sign-ins forgotten but for the newest.
        """
        # The head is locked first: places are given in the order of commits, so a reader that
        # has seen place n has seen everything before it.
        seq = self._locked(_HEAD)
        known = self._known_keys([event.key for event in events])
        logged: list[LoggedEvent] = []
        machines: dict[int, bytes] = {}
        for event in events:
            if event.key in known:
                continue
            known.add(event.key)
            seq += 1
            machine = machine_of(event)
            if machine is not None:
                machines[seq] = self._keys.wrap(_encode(machine))
            logged.append(LoggedEvent(seq=seq, event=with_keyed_machine(event, self._machine_key)))
        if logged:
            accepted_us = to_us(at)
            add_all(
                self._connection,
                event_log,
                [
                    {
                        "seq": one.seq,
                        "key": one.event.key,
                        "source": one.event.source,
                        "event_id": one.event.id,
                        "type": one.event.type.value,
                        "time_us": to_us(one.event.time),
                        "data": _encode(one.event.data),
                        "accepted_us": accepted_us,
                        "sealed_machine": machines.get(one.seq),
                        "machine_account": machine_account(one) if one.seq in machines else None,
                    }
                    for one in logged
                ],
            )
            self._set(_HEAD, seq)
            self._forget_older_sign_ins([one for one in logged if one.seq in machines])
        return logged

    def _forget_older_sign_ins(self, logged: Sequence[LoggedEvent]) -> None:
        accounts = signed_in(logged)
        if accounts:
            self._forget(older_sign_ins(self._connection, accounts))

    def _known_keys(self, keys: Sequence[EventKey]) -> set[EventKey]:
        found = self._connection.execute(
            select(event_log.c.key).where(among(self._connection, event_log.c.key, keys))
        )
        return set(found.scalars())

    def read_after(self, seq: int, limit: int) -> list[LoggedEvent]:
        """Return up to ``limit`` events after ``seq``, oldest first."""
        rows = self._connection.execute(
            select(event_log).where(event_log.c.seq > seq).order_by(event_log.c.seq).limit(limit)
        )
        return [LoggedEvent(seq=row.seq, event=_event(row)) for row in rows]

    def sift(
        self,
        types: Collection[EventType],
        passes: Callable[[EventType, bytes], bool],
        *,
        after: int,
        to: int,
        limit: int,
    ) -> Sifted:
        """Return which of up to ``limit`` events of these types, after one place, pass."""
        kinds = {one.value: one for one in types}
        rows = self._connection.execute(
            select(event_log.c.seq, event_log.c.type, event_log.c.data)
            .where(event_log.c.seq > after, event_log.c.seq <= to, event_log.c.type.in_([*kinds]))
            .order_by(event_log.c.seq)
            .limit(limit)
        )
        seqs: list[int] = []
        looked_at, last = 0, to
        # Taken apart by place: hunts look at millions, and a row's attributes cost far more.
        for last, kind, data in rows:
            looked_at += 1
            if passes(kinds[kind], data):
                seqs.append(last)
        return Sifted(
            events=self._at(seqs), looked_at=looked_at, to=last if looked_at == limit else to
        )

    def _at(self, seqs: Sequence[int]) -> list[LoggedEvent]:
        found: list[LoggedEvent] = []
        for start in range(0, len(seqs), _AT_ONCE):
            rows = self._connection.execute(
                select(event_log)
                .where(event_log.c.seq.in_(seqs[start : start + _AT_ONCE]))
                .order_by(event_log.c.seq)
            )
            found += [LoggedEvent(seq=row.seq, event=_event(row)) for row in rows]
        return found

    def machines(self, keys: Collection[EventKey]) -> dict[EventKey, Machine]:
        """Return from which machines these events were sent, where that is told and still kept."""
        rows = self._connection.execute(
            select(event_log.c.key, event_log.c.sealed_machine).where(
                among(self._connection, event_log.c.key, keys),
                event_log.c.sealed_machine.is_not(None),
            )
        )
        return {EventKey(key): _machine.decode(self._keys.unwrap(one)) for key, one in rows}

    def account_machines(self, account_id: AccountId, limit: int) -> list[tuple[Event, Machine]]:
        """Return registration, profile changes and sign-ins of an account that told a machine.

        The newest of each, up to ``limit``; only what is still kept of machines.
        """
        rows = [
            row
            for kind in OF_ACCOUNT
            for row in self._connection.execute(newest(account_id, kind, limit))
        ]
        return [
            (_event(row), _machine.decode(self._keys.unwrap(row.sealed_machine))) for row in rows
        ]

    def forget_machines(self, before: datetime, limit: int) -> int:
        """Forget the machines of up to so many events accepted before; return of how many.

        The keyed hashes in the events stay.
        """
        old = (
            select(event_log.c.seq)
            .where(event_log.c.sealed_machine.is_not(None), event_log.c.accepted_us < to_us(before))
            .limit(limit)
            # Those that a further sign-in makes forget just now are not waited for.
            .with_for_update(skip_locked=True)
        )
        return self._forget(old)

    def _forget(self, old: Select[Any]) -> int:
        return self._connection.execute(
            update(event_log).where(event_log.c.seq.in_(old)).values(sealed_machine=None)
        ).rowcount

    def find(self, keys: Sequence[EventKey]) -> dict[EventKey, Event]:
        """Return the logged events with these keys."""
        rows = self._connection.execute(
            select(event_log).where(among(self._connection, event_log.c.key, keys))
        )
        return {row.key: _event(row) for row in rows}

    def offset(self) -> int:
        """Return the place up to which events are processed, held until the transaction ends."""
        place = self._locked(_OFFSET)
        self._holds_offset = True
        return place

    def check_nothing_is_destroyed(self) -> None:
        """Return only if this transaction holds the place: under it alone evidence is destroyed.

        Raises:
            IntegrityFailure: it does not, and what it stores could come after the destruction.
        """
        if not self._holds_offset:
            raise IntegrityFailure("evidence is made needed while it may be destroyed")

    def offset_now(self) -> int:
        """Return the place up to which events are processed, without holding it."""
        return self._value(_OFFSET)

    def advance(self, seq: int) -> None:
        """Remember that every event up to ``seq`` is processed."""
        self._set(_OFFSET, seq)

    def head(self) -> int:
        """Return the place of the newest event, 0 when there is none."""
        return self._value(_HEAD)

    def backlog(self) -> int:
        """Return how many accepted events are not processed yet."""
        return self._value(_HEAD) - self._value(_OFFSET)

    def quarantine(self, rejected: Sequence[Quarantined]) -> None:
        """Keep what could not be read, with its reason; its bytes are sealed."""
        put_new(
            self._connection,
            quarantine,
            [
                {
                    "id": one.id,
                    "origin": one.origin,
                    "line_number": one.line_number,
                    "reason": one.reason,
                    "received_us": to_us(one.received_at),
                    "sealed": self._keys.wrap(one.raw),
                }
                for one in rejected
            ],
        )

    def quarantined(self, limit: int) -> list[Quarantined]:
        """Return the newest quarantined input, without its raw bytes."""
        rows = self._connection.execute(
            select(quarantine)
            .order_by(quarantine.c.received_us.desc(), quarantine.c.line_number.desc())
            .limit(limit)
        )
        return [
            Quarantined(
                id=row.id,
                origin=row.origin,
                line_number=row.line_number,
                reason=row.reason,
                received_at=from_us(row.received_us),
            )
            for row in rows
        ]

    def quarantine_size(self) -> int:
        """Return how many inputs are quarantined."""
        return self._connection.execute(select(func.count()).select_from(quarantine)).scalar_one()

    def _value(self, name: str) -> int:
        statement = select(counter.c.value).where(counter.c.name == name)
        return self._connection.execute(statement).scalar_one_or_none() or 0

    def _locked(self, name: str) -> int:
        statement = select(counter.c.value).where(counter.c.name == name).with_for_update()
        value: int | None = self._connection.execute(statement).scalar_one_or_none()
        if value is None:
            put_new(self._connection, counter, [{"name": name, "value": 0}])
            value = self._connection.execute(statement).scalar_one()
        return value

    def _set(self, name: str, value: int) -> None:
        self._connection.execute(update(counter).where(counter.c.name == name).values(value=value))


def _event(row: Row[Any]) -> Event:
    return Event(
        key=EventKey(row.key),
        source=row.source,
        id=row.event_id,
        type=EventType(row.type),
        time=from_us(row.time_us),
        data=_decoders[row.type].decode(row.data),
    )
