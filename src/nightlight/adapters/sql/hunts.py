"""Hunts: how far each is, and what it found."""

from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select

from nightlight.adapters.sql.rows import (
    among,
    from_us,
    from_us_or_none,
    put_new,
    put_over,
    to_json,
    to_us,
    to_us_or_none,
)
from nightlight.adapters.sql.schema import counter, hunt, hunt_finding
from nightlight.detect.hunting import Hunt, HuntFinding, HuntState
from nightlight.errors import NotFound
from nightlight.model.ids import EventKey
from nightlight.model.signal import Subject, SubjectKind

_hunt = msgspec.json.Decoder(Hunt)
_HUNTED = "hunted_banks"


class SqlHuntStore:
    """Hunts, how far they are, and what they found."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, hunt: Hunt) -> None:
        """Store a hunt over its former state."""
        row = {
            "id": hunt.id,
            "state": hunt.state.value,
            "asked_us": to_us(hunt.asked_at),
            "body": to_json(hunt),
        }
        put_over(self._connection, _table, [row])

    def get(self, hunt_id: str) -> Hunt:
        """Return a hunt, held until the transaction ends.

        Raises:
            NotFound: there is none with this id.
        """
        body = self._connection.execute(
            select(hunt.c.body).where(hunt.c.id == hunt_id).with_for_update()
        ).scalar_one_or_none()
        if body is None:
            raise NotFound(f"no hunt {hunt_id}", hint="`nightlight hunt list` shows the hunts")
        return _hunt.decode(body)

    def newest(self, limit: int) -> list[Hunt]:
        """Return the newest hunts, newest first."""
        wanted = select(hunt.c.body).order_by(hunt.c.asked_us.desc(), hunt.c.id).limit(limit)
        return [_hunt.decode(body) for body in self._connection.execute(wanted).scalars()]

    def unfinished(self) -> list[Hunt]:
        """Return hunts that wait or run, oldest first."""
        wanted = (
            select(hunt.c.body)
            .where(hunt.c.state.in_([HuntState.WAITING.value, HuntState.RUNNING.value]))
            .order_by(hunt.c.asked_us, hunt.c.id)
        )
        return [_hunt.decode(body) for body in self._connection.execute(wanted).scalars()]

    def add_findings(self, findings: Iterable[HuntFinding]) -> None:
        """Store findings; one that is already there stays as it is."""
        rows = [
            {
                "hunt_id": one.hunt_id,
                "event_key": one.event_key,
                "subject_kind": one.subject.kind.value,
                "subject_id": one.subject.id,
                "account_id": one.account_id,
                "from_us": to_us(one.up_from),
                "until_us": to_us_or_none(one.up_until),
                "found_us": to_us(one.found_at),
                "views": one.views,
                "decision_id": one.decision_id,
            }
            for one in findings
        ]
        put_new(self._connection, hunt_finding, rows)

    def findings(self, hunt_id: str, limit: int) -> list[HuntFinding]:
        """Return what a hunt found, what was up longest first."""
        table = hunt_finding
        up_for = func.coalesce(table.c.until_us, table.c.found_us) - table.c.from_us
        rows = self._connection.execute(
            select(table)
            .where(table.c.hunt_id == hunt_id)
            .order_by(up_for.desc(), table.c.event_key)
            .limit(limit)
        )
        return [
            HuntFinding(
                hunt_id=row.hunt_id,
                event_key=row.event_key,
                subject=Subject(kind=SubjectKind(row.subject_kind), id=row.subject_id),
                account_id=row.account_id,
                up_from=from_us(row.from_us),
                up_until=from_us_or_none(row.until_us),
                found_at=from_us(row.found_us),
                views=row.views,
                decision_id=row.decision_id,
            )
            for row in rows
        ]

    def found(self, event_keys: Collection[str]) -> dict[EventKey, datetime]:
        """Return when a hunt found something in each of these events last, if any did."""
        table = hunt_finding
        rows = self._connection.execute(
            select(table.c.event_key, func.max(table.c.found_us))
            .where(among(self._connection, table.c.event_key, event_keys))
            .group_by(table.c.event_key)
        )
        return {EventKey(key): from_us(at_us) for key, at_us in rows}

    def hunted_version(self) -> int:
        """Return the version of the banks up to which entries were hunted or need not be."""
        wanted = select(counter.c.value).where(counter.c.name == _HUNTED)
        return self._connection.execute(wanted).scalar_one_or_none() or 0

    def set_hunted_version(self, version: int) -> None:
        """Remember the version of the banks up to which entries were hunted."""
        put_over(self._connection, counter, [{"name": _HUNTED, "value": version}])


_table = hunt
