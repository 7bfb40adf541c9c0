"""Signals and decisions: written once, never changed."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select

from nightlight.adapters.sql.rows import among, from_us, put_new, to_json, to_us
from nightlight.adapters.sql.schema import decision, signal
from nightlight.audit.clock import Clock
from nightlight.model.decision import Decision, Reason
from nightlight.model.ids import AccountId, EventKey, derive_id
from nightlight.model.signal import Fact, Signal, Subject, SubjectKind

_asks = msgspec.json.Decoder(tuple[str, ...])
_reasons = msgspec.json.Decoder(tuple[Reason, ...])
_facts = msgspec.json.Decoder(dict[str, Fact])
_evidence = msgspec.json.Decoder(dict[str, str | int | float | list[str]])


class SqlSignalStore:
    """Every signal that fired."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, signals: Iterable[Signal], *, at: datetime) -> None:
        """Store signals; one that is already there stays as it is."""
        recorded_us = to_us(at)
        rows = [
            {
                "id": derive_id(
                    "sig", one.event_key, one.detector, one.subject.kind, one.subject.id
                ),
                "event_key": one.event_key,
                "detector": one.detector,
                "account_id": one.account_id,
                "subject_kind": one.subject.kind.value,
                "subject_id": one.subject.id,
                "confidence": one.confidence,
                "facts": to_json(one.facts),
                "evidence": to_json(one.evidence),
                "recorded_us": recorded_us,
            }
            for one in signals
        ]
        put_new(self._connection, signal, rows)

    def of_events(self, event_keys: Collection[str]) -> list[Signal]:
        """Return the signals that these events gave."""
        rows = self._connection.execute(
            select(signal)
            .where(among(self._connection, signal.c.event_key, event_keys))
            .order_by(signal.c.event_key, signal.c.detector)
        )
        return [_signal(row) for row in rows]

    def about(self, subject_ids: Collection[str]) -> list[Signal]:
        """Return the signals about these posts, files or accounts."""
        rows = self._connection.execute(
            select(signal)
            .where(among(self._connection, signal.c.subject_id, subject_ids))
            .order_by(signal.c.event_key, signal.c.detector)
        )
        return [_signal(row) for row in rows]

    def recorded(self, event_keys: Collection[str]) -> dict[EventKey, datetime]:
        """Return when the newest signal of each of these events was stored, if it gave any."""
        rows = self._connection.execute(
            select(signal.c.event_key, func.max(signal.c.recorded_us))
            .where(among(self._connection, signal.c.event_key, event_keys))
            .group_by(signal.c.event_key)
        )
        return {EventKey(key): from_us(at_us) for key, at_us in rows}

    def of_account(self, account_id: AccountId, limit: int) -> list[Signal]:
        """Return the newest signals about an account, newest first."""
        rows = self._connection.execute(
            select(signal)
            .where(signal.c.account_id == account_id)
            .order_by(signal.c.recorded_us.desc(), signal.c.id)
            .limit(limit)
        )
        return [_signal(row) for row in rows]


class SqlDecisionStore:
    """Every decision, by policy and by people."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    def add(self, decisions: Iterable[Decision]) -> None:
        """Store decisions; one that is already there stays as it is."""
        recorded_us = to_us(self._clock.now())
        rows = [
            {
                "id": one.id,
                "event_key": one.event_key,
                "account_id": one.account_id,
                "subject_kind": one.subject.kind.value,
                "subject_id": one.subject.id,
                "decided_by": one.decided_by,
                "policy_version": one.policy_version,
                "category": one.category,
                "severity": one.severity,
                "asks": to_json(one.asks),
                "reasons": to_json(one.reasons),
                "time_us": to_us(one.time),
                "recorded_us": recorded_us,
            }
            for one in decisions
        ]
        put_new(self._connection, decision, rows)

    def get(self, ids: Sequence[str]) -> list[Decision]:
        """Return the decisions with these ids, oldest first."""
        rows = self._connection.execute(
            select(decision)
            .where(among(self._connection, decision.c.id, ids))
            .order_by(decision.c.time_us, decision.c.id)
        )
        return [_decision(row) for row in rows]

    def newest(self, limit: int) -> list[Decision]:
        """Return the newest decisions, newest first."""
        rows = self._connection.execute(
            select(decision)
            .order_by(decision.c.recorded_us.desc(), decision.c.time_us.desc(), decision.c.id)
            .limit(limit)
        )
        return [_decision(row) for row in rows]

    def of_account(self, account_id: AccountId, limit: int) -> list[Decision]:
        """Return the newest decisions about an account, newest first."""
        rows = self._connection.execute(
            select(decision)
            .where(decision.c.account_id == account_id)
            .order_by(decision.c.time_us.desc(), decision.c.id)
            .limit(limit)
        )
        return [_decision(row) for row in rows]

    def about(self, subject_ids: Collection[str]) -> list[Decision]:
        """Return every decision about these posts and files, oldest first."""
        rows = self._connection.execute(
            select(decision)
            .where(among(self._connection, decision.c.subject_id, subject_ids))
            .order_by(decision.c.time_us, decision.c.id)
        )
        return [_decision(row) for row in rows]


def _signal(row: Row[Any]) -> Signal:
    return Signal(
        detector=row.detector,
        event_key=row.event_key,
        account_id=row.account_id,
        subject=Subject(kind=SubjectKind(row.subject_kind), id=row.subject_id),
        confidence=row.confidence,
        facts=_facts.decode(row.facts),
        evidence=_evidence.decode(row.evidence),
    )


def _decision(row: Row[Any]) -> Decision:
    return Decision(
        id=row.id,
        event_key=row.event_key,
        account_id=row.account_id,
        subject=Subject(kind=SubjectKind(row.subject_kind), id=row.subject_id),
        decided_by=row.decided_by,
        policy_version=row.policy_version,
        category=row.category,
        severity=row.severity,
        asks=_asks.decode(row.asks),
        reasons=_reasons.decode(row.reasons),
        time=from_us(row.time_us),
    )
