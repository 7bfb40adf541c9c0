"""What it takes to confirm a case and to file its tip does not grow with all that ever was."""

from typing import Any

from sqlalchemy import Connection, Engine, event

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.ids import AccountId, CaseId

#: Tables that grow with every case.
GROWING = {"SCAN cybertip", "SCAN effect", "SCAN tip_case", "SCAN review_case"}


def test_tips_and_effects_are_never_looked_through_as_a_whole(
    engine: Engine, unit_of_work: SqlUnitOfWork
) -> None:
    asked: list[str] = []

    def note(_: Connection, __: Any, statement: str, *___: Any) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    with unit_of_work.begin() as tx:
        tx.tips.of_account(AccountId("zorble"))
        tx.tips.of_case(CaseId("case-1"))
        tx.report_decisions.of_case(CaseId("case-1"))
        tx.custody.standing(CaseId("case-1"))
    event.remove(engine, "before_cursor_execute", note)
    assert len(asked) > 4
    with engine.connect() as connection:
        for statement in asked:
            if not statement.startswith("SELECT"):
                continue
            holes = (None,) * statement.count("?")
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", holes)
            assert not GROWING & {row[3] for row in plan}, statement
