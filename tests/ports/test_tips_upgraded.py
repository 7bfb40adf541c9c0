"""Tips from before there were destinations are there afterwards, and guarded as before."""

from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import Engine, text
from tests.fakes.cybertip_store import HandClock, MemoryMedia, make_tip

from nightlight.adapters.sql.database import SqlUnitOfWork, migrate, open_engine
from nightlight.adapters.sql.tip_format import encode_tip
from nightlight.adapters.sql.upgrade import _alembic
from nightlight.model.cybertip import Destination
from nightlight.model.ids import CaseId
from nightlight.preserve.ports import KeyRing

_BEFORE = "0008"
_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'cybertip'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = 'cybertip'::regclass",
}


@pytest.fixture
def old(blank_url: str) -> Iterator[Engine]:
    """A database from before, still without a tip."""
    engine = open_engine(blank_url)
    config = _alembic()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, _BEFORE)
    yield engine
    engine.dispose()


def triggers(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(text(_TRIGGERS[engine.dialect.name])).scalars())


def test_a_tip_from_before_is_one_of_its_case_at_ncmec(old: Engine, keys: KeyRing) -> None:
    tip = make_tip(MemoryMedia())
    with old.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO cybertip (id, case_id, sealed_tip, state, revision, filing, next_us,"
                " drafted_us, updated_us) VALUES (:id, :case_id, :sealed, 'drafted', 0, :filing,"
                " 0, 0, 0)"
            ),
            {
                "id": tip.id,
                "case_id": tip.case_id,
                "sealed": keys.wrap(encode_tip(tip)),
                "filing": '{"tip_id": "tip-1", "state": "drafted"}',
            },
        )
    guarding = triggers(old)
    assert guarding
    migrate(old)
    assert guarding <= triggers(old)
    with SqlUnitOfWork(engine=old, clock=HandClock(), keys=keys).read() as tx:
        assert tx.tips.load(tip.id)[0] == tip
        [stored] = tx.tips.of_case(CaseId(tip.case_id))
    assert (stored.destination, stored.deadline_at) == (Destination.NCMEC, None)
