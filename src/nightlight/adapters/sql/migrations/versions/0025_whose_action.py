"""Account actions cannot be borrowed, replaced or explained by words that no list has.

Until now a lock of one account passed where it was linked to another's account action, SQLite's
``INSERT OR REPLACE`` passed the triggers that keep rows, an account action was explained by any
word, and reported by anybody's filed tip.
"""

from typing import NamedTuple

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


class _Refused(NamedTuple):
    """What no program may do, however it speaks to the database.

    Attributes:
        is_new: whether there was no trigger of this name before.
    """

    name: str
    table: str
    event: str
    condition: str
    message: str
    is_new: bool = True


_NO_ACTION = "an account is locked or suspended only with an account action"
_KEPT = "account actions and report decisions are kept"
_HAS_OWN_ACTION = (
    "EXISTS (SELECT 1 FROM account_action_effect f JOIN account_action a ON a.id = f.action_id"
    " WHERE f.effect_id = NEW.id AND a.account_id = NEW.subject_id)"
)
#: The tip is about a case of the account, or about one that asked for the account action.
_IS_FILED_FOR_IT = (
    "EXISTS (SELECT 1 FROM cybertip t JOIN tip_case k ON k.tip_id = t.id"
    " JOIN review_case c ON c.id = k.case_id JOIN account_action a ON a.id = NEW.action_id"
    " WHERE t.id = NEW.tip_id AND t.state = 'filed' AND (c.account_id = a.account_id"
    " OR EXISTS (SELECT 1 FROM account_action_effect f JOIN effect e ON e.id = f.effect_id"
    " WHERE f.action_id = a.id AND e.case_id = c.id)))"
)
#: Of the time before thresholds no list is known; what is taken back is so by any.
_ON_THE_LIST = (
    "EXISTS (SELECT 1 FROM report_threshold t WHERE t.name = NEW.threshold"
    " AND CASE WHEN t.body = '' THEN NEW.reason = 'taken_back' ELSE {listed} END)"
)
_LISTED = {
    "sqlite": (
        "EXISTS (SELECT 1 FROM json_each(t.body, '$.reasons') r"
        " WHERE json_extract(r.value, '$.name') = NEW.reason)"
    ),
    "postgresql": (
        "EXISTS (SELECT 1 FROM jsonb_array_elements(t.body::jsonb -> 'reasons') r"
        " WHERE r ->> 'name' = NEW.reason)"
    ),
}


def upgrade() -> None:
    connection = op.get_bind()
    dialect = connection.dialect.name
    for one in _refused(dialect):
        for statement in _statements(one, dialect):
            connection.exec_driver_sql(statement)


def _refused(dialect: str) -> tuple[_Refused, ...]:
    """Return the rules that are new, and those that were not strict enough."""
    return (
        _Refused(
            "effect_accounted",
            "effect",
            "BEFORE INSERT",
            f"NEW.kind IN ('lock', 'suspend') AND NOT {_HAS_OWN_ACTION}",
            _NO_ACTION,
            is_new=False,
        ),
        _Refused(
            "effect_stays_accounted",
            "effect",
            "BEFORE UPDATE OF id, kind, subject_id",
            f"NEW.kind IN ('lock', 'suspend') AND NOT {_HAS_OWN_ACTION}",
            _NO_ACTION,
            is_new=False,
        ),
        _Refused(
            "account_action_effect_own",
            "account_action_effect",
            "BEFORE INSERT",
            "EXISTS (SELECT 1 FROM account_action_effect WHERE effect_id = NEW.effect_id"
            " AND action_id <> NEW.action_id) OR EXISTS (SELECT 1 FROM effect e"
            " JOIN account_action a ON a.id = NEW.action_id"
            " WHERE e.id = NEW.effect_id AND e.subject_id <> a.account_id)",
            "an effect belongs to an account action of its own account, and stays with it",
        ),
        _Refused(
            "account_action_stands_once",
            "account_action",
            "BEFORE INSERT",
            "NEW.ended_us IS NULL AND EXISTS (SELECT 1 FROM account_action"
            " WHERE account_id = NEW.account_id AND ended_us IS NULL)",
            "one account action of an account stands at a time",
        ),
        _Refused(
            "account_action_ends_once",
            "account_action",
            "BEFORE UPDATE OF effect, ended_us",
            "(OLD.ended_us IS NOT NULL AND (NEW.ended_us IS NULL OR NEW.ended_us <> OLD.ended_us))"
            " OR (OLD.effect = 'suspend' AND NEW.effect <> 'suspend')",
            "an account action ends once, and a suspension stays one",
        ),
        _Refused(
            "report_decision_receipt",
            "report_decision",
            "BEFORE INSERT",
            f"NEW.state = 'reported' AND NOT {_IS_FILED_FOR_IT}",
            "reported is said only of a filed tip about the account or the case",
            is_new=False,
        ),
        _Refused(
            "report_decision_reason",
            "report_decision",
            "BEFORE INSERT",
            f"NEW.state = 'explained' AND NOT {_ON_THE_LIST.format(listed=_LISTED[dialect])}",
            "explained is said with a reason from the list of its threshold",
        ),
        _Refused("report_threshold_kept", "report_threshold", "BEFORE DELETE", "TRUE", _KEPT),
        _Refused("report_threshold_unchanged", "report_threshold", "BEFORE UPDATE", "TRUE", _KEPT),
        _Refused(
            "report_threshold_once",
            "report_threshold",
            "BEFORE INSERT",
            "EXISTS (SELECT 1 FROM report_threshold WHERE name = NEW.name AND body <> NEW.body)",
            "a threshold of this name and version has other content",
        ),
        _Refused(
            "cybertip_not_replaced",
            "cybertip",
            "BEFORE INSERT",
            "NEW.state <> 'filed' AND EXISTS (SELECT 1 FROM cybertip WHERE id = NEW.id"
            " AND state = 'filed') AND EXISTS (SELECT 1 FROM report_decision"
            " WHERE tip_id = NEW.id)",
            "a filed tip that a report decision names stays filed",
        ),
    )


def _statements(one: _Refused, dialect: str) -> tuple[str, ...]:
    if dialect == "sqlite":
        made = (
            f"CREATE TRIGGER {one.name} {one.event} ON {one.table} WHEN {one.condition}"
            f" BEGIN SELECT RAISE(ABORT, '{one.message}'); END"
        )
        return (made,) if one.is_new else (f"DROP TRIGGER {one.name}", made)
    function = (
        f"CREATE OR REPLACE FUNCTION {one.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF {one.condition} THEN"
        f" RAISE EXCEPTION '{one.message}' USING ERRCODE = 'check_violation';"
        f" END IF; RETURN {'OLD' if 'DELETE' in one.event else 'NEW'}; END $$"
    )
    made = (
        f"CREATE TRIGGER {one.name} {one.event} ON {one.table}"
        f" FOR EACH ROW EXECUTE FUNCTION {one.name}()"
    )
    if one.is_new:
        return (function, made)
    return (f"DROP TRIGGER {one.name} ON {one.table}", function, made)
