"""Report decisions: every account that was acted on has one, and the database sees to it.

Account actions of the past are made of the locks and suspensions in the outbox, undecided with a
deadline from now on, or reported where the tip of their case was filed. The record says so.
"""

import os
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from nightlight.audit.chain import SALT_BYTES, link
from nightlight.model.audit import AuditEntry
from nightlight.model.ids import derive_id

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_DAYS_TO_DECIDE = 7
_UNTIL_NOW = "before-thresholds@0"
_CLOSING = "kind IN ('lock', 'suspend')"


def upgrade() -> None:
    _make_tables()
    connection = op.get_bind()
    rows = list(_past(connection))
    if rows:
        _fill(connection, rows)
    rules = _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE
    for statement in rules:
        connection.exec_driver_sql(statement)


def _make_tables() -> None:
    op.create_table(
        "report_threshold",
        sa.Column("name", sa.String(length=128), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "report_decision",
        sa.Column("action_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("says", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tip_id", sa.String(length=64), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("threshold", sa.String(length=128), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("decided_us", sa.BigInteger(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("action_id", "version"),
        sa.ForeignKeyConstraint(["threshold"], ["report_threshold.name"]),
        sa.CheckConstraint("state IN ('undecided', 'reported', 'explained')", "report_state"),
        sa.CheckConstraint("(state = 'undecided') = (due_us IS NOT NULL)", "undecided_has_a_clock"),
        sa.CheckConstraint("(state = 'explained') = (reason <> '')", "explained_has_a_reason"),
        sa.CheckConstraint("(state = 'reported') = (tip_id <> '')", "reported_has_a_tip"),
        sa.CheckConstraint("decided_by <> ''", "somebody_decided"),
        sqlite_with_rowid=False,
    )
    _partial_index("report_undecided", "report_decision", "due_us", "state = 'undecided'")
    _partial_index("report_tip", "report_decision", "tip_id", "tip_id <> ''")
    op.create_table(
        "account_action",
        sa.Column("id", sa.String(length=64), primary_key=True),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("effect", sa.String(length=16), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column("report_version", sa.Integer(), nullable=False),
        sa.Column("escalated_version", sa.Integer(), nullable=False),
        sa.Column("record_name", sa.String(64), nullable=False, server_default=sa.text("''")),
        sa.ForeignKeyConstraint(
            ["id", "report_version"],
            ["report_decision.action_id", "report_decision.version"],
            name="account_action_has_a_report_decision",
        ),
        sa.CheckConstraint("effect IN ('lock', 'suspend')", "account_action_effect"),
        sa.CheckConstraint("account_id <> ''", "account_action_account"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_account_action_account_id", "account_action", ["account_id"])
    _partial_index(
        "account_action_standing", "account_action", "account_id", "ended_us IS NULL", unique=True
    )
    op.create_table(
        "account_action_effect",
        sa.Column("effect_id", sa.String(length=64), primary_key=True),
        sa.Column("action_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["account_action.id"]),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_account_action_effect_action_id", "account_action_effect", ["action_id"])
    _partial_index("effect_closing", "effect", "id", _CLOSING)


def _partial_index(
    name: str, table: str, column: str, condition: str, *, unique: bool = False
) -> None:
    where = sa.text(condition)
    op.create_index(
        name, table, [column], unique=unique, sqlite_where=where, postgresql_where=where
    )


class _Past(msgspec.Struct, kw_only=True):
    """An account action of the past: from its first lock or suspension to the reinstatement."""

    account_id: str
    effect: str
    category: str
    severity: int
    asked_by: str
    at_us: int
    effects: list[str]
    ended_us: int | None = None
    tip_id: str = ""
    #: No key is at hand here. A random name tells nobody whose account action it is either.
    record_name: str = msgspec.field(default_factory=lambda: f"rec_{secrets.token_hex(12)}")

    @property
    def id(self) -> str:
        return derive_id("act", self.account_id, self.effects[0])


def _past(connection: sa.Connection) -> Iterator[_Past]:
    """Yield the account actions that the outbox tells of."""
    told = connection.exec_driver_sql(
        "SELECT e.id, e.kind, e.subject_id, e.requested_us, d.category, d.severity, d.decided_by,"
        " (SELECT min(t.id) FROM cybertip t WHERE t.case_id = e.case_id AND t.state = 'filed')"
        " AS tip_id FROM effect e LEFT JOIN decision d ON d.id = e.decision_id"
        " WHERE e.kind IN ('lock', 'suspend', 'reinstate') AND e.subject_id <> ''"
        " ORDER BY e.subject_id, e.requested_us, e.place"
    )
    standing: _Past | None = None
    for row in told:
        if standing is not None and standing.account_id != row.subject_id:
            yield standing
            standing = None
        if row.kind == "reinstate":
            if standing is not None:
                standing.ended_us = row.requested_us
                yield standing
            standing = None
        elif standing is None:
            standing = _Past(
                account_id=row.subject_id,
                effect=row.kind,
                category=row.category or "unknown",
                severity=row.severity or 0,
                asked_by=row.decided_by or "unknown",
                at_us=row.requested_us,
                effects=[row.id],
                tip_id=row.tip_id or "",
            )
        else:
            _join(standing, row)
    if standing is not None:
        yield standing


def _join(standing: _Past, row: Any) -> None:
    standing.effects.append(row.id)
    standing.tip_id = standing.tip_id or row.tip_id or ""
    if row.kind == "suspend":
        standing.effect = row.kind
    if (row.severity or 0) > standing.severity:
        standing.category, standing.severity = row.category, row.severity


def _fill(connection: sa.Connection, rows: list[_Past]) -> None:
    now_us = (
        connection.exec_driver_sql(
            "SELECT CAST(extract(epoch FROM now()) AS BIGINT)"
            if connection.dialect.name == "postgresql"
            else "SELECT CAST(strftime('%s', 'now') AS INTEGER)"
        ).scalar_one()
        * 1_000_000
    )
    due_us = now_us + _DAYS_TO_DECIDE * 24 * 3600 * 1_000_000
    _insert(
        connection,
        "report_threshold",
        [{"name": _UNTIL_NOW, "body": "", "first_us": now_us}],
    )
    _insert(
        connection,
        "report_decision",
        (decision for row in rows for decision in _decisions(row, now_us, due_us)),
    )
    _insert(
        connection,
        "account_action",
        (
            {
                "id": row.id,
                "account_id": row.account_id,
                "effect": row.effect,
                "category": row.category,
                "severity": row.severity,
                "asked_by": row.asked_by,
                "at_us": row.at_us,
                "ended_us": row.ended_us,
                "report_version": 2 if row.tip_id else 1,
                "escalated_version": 0,
                "record_name": row.record_name,
            }
            for row in rows
        ),
    )
    _insert(
        connection,
        "account_action_effect",
        ({"effect_id": one, "action_id": row.id} for row in rows for one in row.effects),
    )
    _record(connection, (entry for row in rows for entry in _entries(row)), now_us)


def _decisions(row: _Past, now_us: int, due_us: int) -> Iterator[dict[str, Any]]:
    undecided = {
        "action_id": row.id,
        "version": 1,
        "state": "undecided",
        "says": "person",
        "rule": "",
        "reason": "",
        "tip_id": "",
        "part": "{}",
        "threshold": _UNTIL_NOW,
        "decided_by": "nightlight",
        "note": "",
        "decided_us": now_us,
        "due_us": due_us,
    }
    yield undecided
    if row.tip_id:
        reported = {"version": 2, "state": "reported", "tip_id": row.tip_id, "due_us": None}
        yield {**undecided, **reported}


def _entries(row: _Past) -> Iterator[AuditEntry]:
    at = _time(row.at_us)
    about = {"account_action": row.record_name, "month": f"{at:%Y-%m}"}
    yield AuditEntry(
        actor="nightlight",
        action="account.actioned",
        subject=row.id,
        detail={**about, "at": at.isoformat(), "effect": row.effect, "category": row.category},
    )
    for state in ("undecided", "reported") if row.tip_id else ("undecided",):
        yield AuditEntry(
            actor="nightlight",
            action="report.decided",
            subject=row.id,
            detail={**about, "state": state, "reason": "", "role": "", "threshold": _UNTIL_NOW},
        )


def _record(connection: sa.Connection, entries: Iterable[AuditEntry], now_us: int) -> None:
    """Append to the record as committing a transaction does."""
    head = connection.exec_driver_sql("SELECT seq, hash FROM audit_head WHERE id = 1").one()
    seq, previous = head.seq, head.hash
    rows = []
    for entry in entries:
        seq += 1
        salt = os.urandom(SALT_BYTES)
        stored = link(entry, seq=seq, at_us=now_us, previous=previous, salt=salt)
        rows.append(stored._asdict())
        previous = stored.hash
    _insert(connection, "audit_entry", rows)
    statement = sa.text("UPDATE audit_head SET seq = :seq, hash = :hash WHERE id = 1")
    connection.execute(statement, {"seq": seq, "hash": previous})


def _time(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)


def _insert(connection: sa.Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows a few thousand at a time."""
    statement, batch = None, []
    for row in rows:
        if statement is None:
            names = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            statement = sa.text(f"INSERT INTO {table} ({names}) VALUES ({values})")
        batch.append(row)
        if len(batch) == _BATCH:
            connection.execute(statement, batch)
            batch = []
    if statement is not None and batch:
        connection.execute(statement, batch)


_BATCH = 5_000

#: What no program may do, however it speaks to the database: (message, when).
_NO_DECISION = "an account action needs a report decision"
_KEPT = "account actions and report decisions are kept"
_FOLLOWS = "a report decision follows the version before it"
_STAYS = "what was reported stays reported"
_NO_RECEIPT = "reported is said only of a filed tip"
_NO_ACTION = "an account is locked or suspended only with an account action"
_FILED_STAYS = "a filed tip that a report decision names stays filed"
_HOLDS = "the newest report decision holds, and an account action keeps its account and time"

_NEWEST = "(SELECT max(version) FROM report_decision WHERE action_id = NEW.{column})"
_BEFORE = (
    "(SELECT state FROM report_decision WHERE action_id = NEW.action_id"
    " ORDER BY version DESC LIMIT 1)"
)
_IS_FILED = "EXISTS (SELECT 1 FROM cybertip WHERE id = NEW.tip_id AND state = 'filed')"
_IS_NAMED = "EXISTS (SELECT 1 FROM report_decision WHERE tip_id = OLD.id)"
_HAS_ACTION = "EXISTS (SELECT 1 FROM account_action_effect WHERE effect_id = NEW.id)"

#: (trigger, table, event, condition under which it is refused, message)
_REFUSED = (
    ("account_action_kept", "account_action", "BEFORE DELETE", "TRUE", _KEPT),
    ("report_decision_kept", "report_decision", "BEFORE DELETE", "TRUE", _KEPT),
    ("report_decision_unchanged", "report_decision", "BEFORE UPDATE", "TRUE", _KEPT),
    ("account_action_effect_kept", "account_action_effect", "BEFORE DELETE", "TRUE", _KEPT),
    ("account_action_effect_unchanged", "account_action_effect", "BEFORE UPDATE", "TRUE", _KEPT),
    (
        "account_action_decided",
        "account_action",
        "BEFORE INSERT",
        (
            f"NEW.report_version <> coalesce({_NEWEST.format(column='id')}, 0)"
            " OR EXISTS (SELECT 1 FROM account_action WHERE id = NEW.id)"
        ),
        _NO_DECISION,
    ),
    (
        "account_action_holds",
        "account_action",
        "BEFORE UPDATE",
        (
            "NEW.id <> OLD.id OR NEW.account_id <> OLD.account_id OR NEW.at_us <> OLD.at_us"
            f" OR NEW.report_version <> coalesce({_NEWEST.format(column='id')}, 0)"
        ),
        _HOLDS,
    ),
    (
        "report_decision_follows",
        "report_decision",
        "BEFORE INSERT",
        f"NEW.version <> 1 + coalesce({_NEWEST.format(column='action_id')}, 0)",
        _FOLLOWS,
    ),
    (
        "report_decision_stays",
        "report_decision",
        "BEFORE INSERT",
        f"NEW.state <> 'reported' AND coalesce({_BEFORE}, '') = 'reported'",
        _STAYS,
    ),
    (
        "report_decision_receipt",
        "report_decision",
        "BEFORE INSERT",
        f"NEW.state = 'reported' AND NOT {_IS_FILED}",
        _NO_RECEIPT,
    ),
    (
        "effect_accounted",
        "effect",
        "BEFORE INSERT",
        f"NEW.kind IN ('lock', 'suspend') AND NOT {_HAS_ACTION}",
        _NO_ACTION,
    ),
    (
        "effect_stays_accounted",
        "effect",
        "BEFORE UPDATE OF id, kind",
        f"NEW.kind IN ('lock', 'suspend') AND NOT {_HAS_ACTION}",
        _NO_ACTION,
    ),
    (
        "cybertip_stays_filed",
        "cybertip",
        "BEFORE UPDATE OF id, state",
        f"OLD.state = 'filed' AND (NEW.state <> 'filed' OR NEW.id <> OLD.id) AND {_IS_NAMED}",
        _FILED_STAYS,
    ),
    ("cybertip_kept", "cybertip", "BEFORE DELETE", _IS_NAMED, _FILED_STAYS),
)
_FOLLOW = "UPDATE account_action SET report_version = NEW.version WHERE id = NEW.action_id;"

_SQLITE = (
    *(
        f"CREATE TRIGGER {name} {event} ON {table} WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
        for name, table, event, condition, message in _REFUSED
    ),
    f"CREATE TRIGGER report_decision_holds AFTER INSERT ON report_decision BEGIN {_FOLLOW} END",
)
_POSTGRESQL = (
    *(
        statement
        for name, table, event, condition, message in _REFUSED
        for statement in (
            (
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                f" IF {condition} THEN"
                f" RAISE EXCEPTION '{message}' USING ERRCODE = 'check_violation';"
                f" END IF; RETURN {'OLD' if 'DELETE' in event else 'NEW'}; END $$"
            ),
            f"CREATE TRIGGER {name} {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
        )
    ),
    (
        "CREATE FUNCTION report_decision_holds() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" {_FOLLOW} RETURN NEW; END $$"
    ),
    (
        "CREATE TRIGGER report_decision_holds AFTER INSERT ON report_decision"
        " FOR EACH ROW EXECUTE FUNCTION report_decision_holds()"
    ),
    *(
        f"CREATE TRIGGER {table}_not_truncated BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION report_decision_kept()"
        for table in ("account_action", "report_decision", "account_action_effect")
    ),
)
