"""A request to export from before the upgrade keeps its evidence too, until it lapses."""

from alembic import command
from sqlalchemy import text
from tests.fakes.cybertip_store import NOON, HandClock
from tests.ports.builders import ENTRY, make_evidence

from nightlight.adapters.sql.database import SqlUnitOfWork, migrate, open_engine
from nightlight.adapters.sql.rows import to_us
from nightlight.adapters.sql.upgrade import _alembic
from nightlight.model.custody import EXPORT_STANDS
from nightlight.model.ids import CaseId
from nightlight.preserve.ports import KeyRing

_BEFORE = "0025"
_BODY = """{
    "id": "req-1", "what": "export", "case_id": "case-1", "evidence_ids": ["one", "one", "two"],
    "reference": "warrant 7", "reason": "asked", "proposed_by": "ana",
    "proposed_at": "2026-03-01T12:00:00Z", "recipient": "age1", "state": "approved",
    "decided_by": "bo", "decided_at": "%s"
}"""


def test_request_that_was_approved_before_keeps_its_evidence(blank_url: str, keys: KeyRing) -> None:
    engine = open_engine(blank_url)
    config = _alembic()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, _BEFORE)
        connection.execute(
            text("INSERT INTO custody_request VALUES ('req-1', 'approved', :at, :body)"),
            {"at": to_us(NOON), "body": _BODY % f"{NOON:%Y-%m-%dT%H:%M:%SZ}"},
        )
        connection.commit()
    migrate(engine)
    unit_of_work = SqlUnitOfWork(engine=engine, clock=HandClock(), keys=keys)
    with unit_of_work.begin() as tx:
        tx.events.offset()
        tx.evidence.add([make_evidence("two")])
        tx.commit(ENTRY)
    with unit_of_work.begin() as tx:
        [export] = tx.custody.standing(CaseId("case-1")).exports
    engine.dispose()
    assert (export.reference, export.until) == ("warrant 7", NOON + EXPORT_STANDS)
