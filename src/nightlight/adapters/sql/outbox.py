"""Effects on their way to the platform."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection, Row, func, select, tuple_, update

from nightlight.adapters.sql.rows import (
    among,
    from_us,
    from_us_or_none,
    put_new,
    to_us,
    to_us_or_none,
)
from nightlight.adapters.sql.schema import decision, effect
from nightlight.enforce.ports import Delivery
from nightlight.model.effect import DeliveryState, Effect, EffectKind
from nightlight.model.ids import AccountId
from nightlight.model.signal import Subject, SubjectKind


class SqlOutbox:
    """The effects table: what is asked of the platform, and what became of it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._places = count()

    def put(self, effects: Iterable[Effect], *, at: datetime) -> None:
        """Queue effects for delivery; one that is already there stays as it is."""
        requested_us = to_us(at)
        rows = [
            {
                "id": one.id,
                "decision_id": one.decision_id,
                "kind": one.kind.value,
                "subject_kind": one.subject.kind.value,
                "subject_id": one.subject.id,
                "case_id": one.case_id,
                "state": DeliveryState.PENDING.value,
                "attempts": 0,
                "requested_us": requested_us,
                "place": next(self._places),
                "next_us": requested_us,
                "delivered_us": None,
                "failure": "",
            }
            for one in effects
        ]
        put_new(self._connection, effect, rows)

    def claim(self, *, now: datetime, lease_s: float, limit: int) -> list[Delivery]:
        """Return due effects, hidden from other workers for ``lease_s`` seconds.

        An effect waits for the earlier ones on the same subject: a late retry of "hide" must not
        undo a "restore" that came after it.
        """
        earlier = effect.alias("earlier")
        waits = (
            select(earlier.c.id)
            .where(
                earlier.c.state == DeliveryState.PENDING.value,
                earlier.c.subject_id == effect.c.subject_id,
                earlier.c.subject_kind == effect.c.subject_kind,
                tuple_(earlier.c.requested_us, earlier.c.place)
                < tuple_(effect.c.requested_us, effect.c.place),
            )
            .exists()
        )
        due = (
            select(effect)
            .where(
                effect.c.state == DeliveryState.PENDING.value,
                effect.c.next_us <= to_us(now),
                ~waits,
            )
            .order_by(effect.c.next_us, effect.c.place, effect.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = [_delivery(row) for row in self._connection.execute(due)]
        ids = [one.effect.id for one in claimed]
        if ids:
            hidden_us = to_us(now + timedelta(seconds=lease_s))
            self._connection.execute(
                update(effect)
                .where(among(self._connection, effect.c.id, ids))
                .values(next_us=hidden_us)
            )
        return claimed

    def settle(self, deliveries: Iterable[Delivery]) -> None:
        """Store what became of claimed effects; one already delivered stays delivered."""
        for one in deliveries:
            self._connection.execute(
                update(effect)
                .where(effect.c.id == one.effect.id, effect.c.state == DeliveryState.PENDING.value)
                .values(
                    state=one.state.value,
                    attempts=one.attempts,
                    next_us=to_us(one.next_attempt_at),
                    delivered_us=to_us_or_none(one.delivered_at),
                    failure=one.failure,
                )
            )

    def pending(self) -> int:
        """Return how many effects still wait."""
        return self._count(effect.c.state == DeliveryState.PENDING.value)

    def newest(self, limit: int) -> list[Delivery]:
        """Return the newest effects, newest first."""
        rows = self._connection.execute(
            select(effect).order_by(effect.c.requested_us.desc(), effect.c.id).limit(limit)
        )
        return [_delivery(row) for row in rows]

    def last_delivered(
        self, account_id: AccountId, kinds: Collection[EffectKind]
    ) -> Delivery | None:
        """Return what the platform last confirmed of these kinds about an account, if anything."""
        rows = self._connection.execute(
            select(effect)
            .join(decision, decision.c.id == effect.c.decision_id)
            .where(
                decision.c.account_id == account_id,
                effect.c.subject_kind == SubjectKind.ACCOUNT.value,
                effect.c.subject_id == account_id,
                effect.c.kind.in_([one.value for one in kinds]),
                effect.c.state == DeliveryState.DELIVERED.value,
            )
            .order_by(effect.c.requested_us.desc(), effect.c.place.desc())
            .limit(1)
        )
        return next(map(_delivery, rows), None)

    def count_since(self, kind: str, since: datetime) -> int:
        """Return how many effects of a kind were asked for since then."""
        return self._count(effect.c.kind == kind, effect.c.requested_us >= to_us(since))

    def _count(self, *conditions: Any) -> int:
        statement = select(func.count()).select_from(effect).where(*conditions)
        return self._connection.execute(statement).scalar_one()


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        effect=Effect(
            id=row.id,
            decision_id=row.decision_id,
            kind=EffectKind(row.kind),
            subject=Subject(kind=SubjectKind(row.subject_kind), id=row.subject_id),
            case_id=row.case_id,
        ),
        state=DeliveryState(row.state),
        attempts=row.attempts,
        requested_at=from_us(row.requested_us),
        next_attempt_at=from_us(row.next_us),
        delivered_at=from_us_or_none(row.delivered_us),
        failure=row.failure,
    )
