"""Counts what is stored."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Table, func, select

from nightlight.adapters.sql import schema
from nightlight.adapters.sql.events import SqlEventLog
from nightlight.measure.ports import Figures, RecentEvent

_PAGE = 10_000


class SqlFigures:
    """Figures over the tables."""

    def __init__(self, connection: Connection, log: SqlEventLog) -> None:
        self._connection = connection
        self._log = log

    def figures(self) -> Figures:
        """Return how much of everything there is."""
        return Figures(
            events=self._by(schema.event_log.c.type),
            backlog=self._log.backlog(),
            quarantined=self._log.quarantine_size(),
            accounts=self._count(schema.account),
            signals=self._by(schema.signal.c.detector),
            decisions=self._by(schema.decision.c.category),
            effects=self._by(schema.effect.c.state),
            cases=self._by(schema.review_case.c.state),
            tips=self._by(schema.cybertip.c.state),
            audit_entries=self._count(schema.audit_entry),
        )

    def recent_events(self, limit: int) -> list[RecentEvent]:
        """Return the newest events, newest first."""
        head = self._log.head()
        logged = self._log.read_after(max(0, head - limit), limit)
        return [
            RecentEvent(
                seq=one.seq,
                type=one.event.type,
                account_id=one.event.account_id,
                about=one.event.post_id or one.event.media_id,
                time=one.event.time,
            )
            for one in reversed(logged)
        ]

    def signalled(self) -> Iterator[tuple[str, str, str]]:
        """Return (detector, subject kind, subject id) of every signal."""
        table = schema.signal
        rows = self._connection.execute(
            select(table.c.detector, table.c.subject_kind, table.c.subject_id).distinct(),
            execution_options={"yield_per": _PAGE},
        )
        for row in rows:
            yield (row.detector, row.subject_kind, row.subject_id)

    def acted_on(self) -> Iterator[tuple[str, str]]:
        """Return (subject kind, subject id) of every subject of an effect that policy asked for."""
        table, decisions = schema.effect, schema.decision
        rows = self._connection.execute(
            select(table.c.subject_kind, table.c.subject_id)
            .join(decisions, decisions.c.id == table.c.decision_id)
            .where(decisions.c.decided_by == "policy")
            .distinct(),
            execution_options={"yield_per": _PAGE},
        )
        for row in rows:
            yield (row.subject_kind, row.subject_id)

    def decided_posts(self) -> Iterator[tuple[str, bool]]:
        """Return (event key, whether it was confirmed) of every post that a person decided."""
        table = schema.post
        rows = self._connection.execute(
            select(table.c.event_key, table.c.human_decision)
            .where(table.c.human_decision != "", table.c.event_key != "")
            .order_by(table.c.text_us, table.c.post_id),
            execution_options={"yield_per": _PAGE},
        )
        for row in rows:
            yield (row.event_key, row.human_decision == "confirmed")

    def _by(self, column: Any) -> dict[str, int]:
        rows = self._connection.execute(
            select(column.label("name"), func.count().label("n")).group_by(column).order_by(column)
        )
        return {row.name: row.n for row in rows}

    def _count(self, table: Table) -> int:
        return self._connection.execute(select(func.count()).select_from(table)).scalar_one()
