"""Statements of reasons on their way to the public database."""

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, Row, func, select, update

from nightlight.adapters.sql.rows import (
    among,
    from_us,
    from_us_or_none,
    put_new,
    to_json,
    to_us,
    to_us_or_none,
)
from nightlight.adapters.sql.schema import statement
from nightlight.model.effect import EffectKind
from nightlight.model.ids import EffectId, keyed_id
from nightlight.model.statement import Statement, StatementDelivery, StatementState
from nightlight.preserve.ports import KeyRing

_decoder = msgspec.json.Decoder(Statement)


class SqlStatementStore:
    """The statements table."""

    def __init__(self, connection: Connection, keys: KeyRing) -> None:
        self._connection = connection
        self._name_key = hmac.digest(keys.naming_key(), b"nightlight/puids", "sha256")

    def put(self, statements: Iterable[Statement], *, at: datetime) -> None:
        """Queue statements; one that is already there stays as it is."""
        made_us = to_us(at)
        rows = [
            {
                "id": one.id,
                "state": StatementState.WAITING.value,
                "attempts": 0,
                "made_us": made_us,
                "next_us": made_us,
                "sent_us": None,
                "receipt": "",
                "failure": "",
                "body": to_json(replace(one, puid=keyed_id("sor", self._name_key, one.id))),
            }
            for one in statements
        ]
        put_new(self._connection, statement, rows)

    def claim(self, *, now: datetime, lease_s: float, limit: int) -> list[StatementDelivery]:
        """Return due statements, hidden from other workers for ``lease_s`` seconds.

        One that cannot be read is among them, as refused.
        """
        due = (
            select(statement)
            .where(
                statement.c.state == StatementState.WAITING.value,
                statement.c.next_us <= to_us(now),
            )
            .order_by(statement.c.next_us, statement.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = [_delivery(row) for row in self._connection.execute(due)]
        ids = [one.statement.id for one in claimed]
        if ids:
            self._connection.execute(
                update(statement)
                .where(among(self._connection, statement.c.id, ids))
                .values(next_us=to_us(now + timedelta(seconds=lease_s)))
            )
        return claimed

    def settle(self, deliveries: Iterable[StatementDelivery]) -> None:
        """Store what became of claimed statements; what is no longer waiting stays as it is."""
        for one in deliveries:
            self._connection.execute(
                update(statement)
                .where(
                    statement.c.id == one.statement.id,
                    statement.c.state == StatementState.WAITING.value,
                )
                .values(
                    state=one.state.value,
                    attempts=one.attempts,
                    next_us=to_us(one.next_attempt_at),
                    sent_us=to_us_or_none(one.sent_at),
                    receipt=one.receipt,
                    failure=one.failure,
                )
            )

    def newest(self, limit: int, state: StatementState | None = None) -> list[StatementDelivery]:
        """Return the newest statements, newest first; with ``state``, only those in it."""
        wanted = select(statement).order_by(statement.c.made_us.desc(), statement.c.id)
        if state is not None:
            wanted = wanted.where(statement.c.state == state.value)
        return [_delivery(row) for row in self._connection.execute(wanted.limit(limit))]

    def counts(self) -> dict[StatementState, int]:
        """Return how many statements are in each state."""
        counted = select(statement.c.state, func.count()).group_by(statement.c.state)
        return {StatementState(state): count for state, count in self._connection.execute(counted)}

    def retry(self, statement_id: str, *, at: datetime) -> bool:
        """Let a refused statement wait again; return whether there was one."""
        done = self._connection.execute(
            update(statement)
            .where(
                statement.c.id == statement_id,
                statement.c.state == StatementState.REFUSED.value,
            )
            .values(state=StatementState.WAITING.value, next_us=to_us(at), failure="")
        )
        return done.rowcount == 1


def _delivery(row: Row[Any]) -> StatementDelivery:
    state, failure = StatementState(row.state), row.failure
    try:
        made = _decoder.decode(row.body)
    except msgspec.DecodeError:
        made = _unreadable(row)
        state = StatementState.REFUSED if state is StatementState.WAITING else state
        failure = "what is stored of it cannot be read: restore it from a backup"
    return StatementDelivery(
        statement=made,
        state=state,
        attempts=row.attempts,
        made_at=from_us(row.made_us),
        next_attempt_at=from_us(row.next_us),
        sent_at=from_us_or_none(row.sent_us),
        receipt=row.receipt,
        failure=failure,
    )


def _unreadable(row: Row[Any]) -> Statement:
    """Return what a statement is listed as that cannot be read: its name, and nothing else."""
    day = from_us(row.made_us).date()
    return Statement(
        id=row.id,
        effect_id=EffectId(""),
        restriction=EffectKind.REVIEW,
        facts="",
        illegal=False,
        suspected=False,
        child_abuse_material=False,
        content=(),
        content_date=day,
        applied_on=day,
        notified=False,
        found_by_machine=False,
        decided_by_machine=False,
    )
