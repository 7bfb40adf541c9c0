"""Banks from before they had numbers are there afterwards, each with one of its own."""

from alembic import command
from sqlalchemy import text
from tests.fakes.cybertip_store import NOON, HandClock
from tests.ports.builders import ENTRY

from nightlight.adapters.sql.database import SqlUnitOfWork, migrate, open_engine
from nightlight.adapters.sql.rows import to_json
from nightlight.adapters.sql.upgrade import _alembic
from nightlight.model.bank import Bank
from nightlight.preserve.ports import KeyRing

_BEFORE = "0011"


def test_banks_from_before_get_numbers_and_the_next_one_another(
    blank_url: str, keys: KeyRing
) -> None:
    engine = open_engine(blank_url)
    config = _alembic()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, _BEFORE)
    told = "INSERT INTO bank (name, settings, created_us) VALUES (:name, :settings, :at)"
    with engine.begin() as connection:
        for place, name in enumerate(("quibble", "flibbet")):
            row = {"name": name, "settings": to_json(Bank(name=name)), "at": place}
            connection.execute(text(told), row)
        connection.execute(text("INSERT INTO counter (name, value) VALUES ('banks', 7)"))
    migrate(engine)
    with SqlUnitOfWork(engine=engine, clock=HandClock(), keys=keys).begin() as tx:
        marked = tx.banks.mark(7)
        tx.banks.save_bank(Bank(name="zorble"), at=NOON)
        tx.commit(ENTRY)
        numbers = tx.banks.numbers()
        banks = [one.name for one in tx.banks.banks()]
    engine.dispose()
    assert numbers == {"quibble": 1, "flibbet": 2, "zorble": 3}
    assert banks == ["flibbet", "quibble", "zorble"]
    assert marked
