"""From where an account registered and changed its profile is found by the account."""

import pytest
from alembic import command
from msgspec.structs import replace
from sqlalchemy import text
from tests.fakes.cybertip_store import NOON, HandClock
from tests.ports.builders import ENTRY
from tests.synthetic.builders import event_of

from nightlight.adapters.sql.database import SqlUnitOfWork, migrate, open_engine
from nightlight.adapters.sql.upgrade import _alembic
from nightlight.model.event import AccountCreated, AccountUpdated, Event, Machine, PostCreated
from nightlight.model.ids import AccountId
from nightlight.preserve.ports import KeyRing

ADA = AccountId("ada")
CREATED = event_of(AccountCreated(account_id=ADA, handle="q", network="192.0.2.1"), minutes=1)
OTHERS = (
    event_of(AccountUpdated(account_id=ADA, bio="told no machine"), minutes=3),
    event_of(AccountCreated(account_id="bo", handle="z", network="192.0.2.9"), minutes=4),
    event_of(PostCreated(post_id="p", account_id=ADA, network="192.0.2.7"), minutes=5),
)


def changed(minutes: int) -> Event:
    return event_of(AccountUpdated(account_id=ADA, device="blip"), minutes=minutes)


def append(work: SqlUnitOfWork, *events: Event) -> None:
    with work.begin() as tx:
        tx.events.append(events, at=NOON)
        tx.commit(ENTRY)


def found(work: SqlUnitOfWork, limit: int = 9) -> list[tuple[str, Machine]]:
    with work.read() as tx:
        return [(one.key, machine) for one, machine in tx.events.account_machines(ADA, limit)]


def test_an_accounts_registration_and_profile_changes_tell_their_machines(
    unit_of_work: SqlUnitOfWork,
) -> None:
    append(unit_of_work, CREATED, changed(2), *OTHERS)
    registered = (CREATED.key, Machine(network="192.0.2.1"))
    assert found(unit_of_work) == [registered, (changed(2).key, Machine(device="blip"))]


def test_the_registration_is_found_however_often_the_profile_changed(
    unit_of_work: SqlUnitOfWork,
) -> None:
    append(unit_of_work, CREATED, *(changed(minutes) for minutes in range(2, 9)))
    assert [key for key, _ in found(unit_of_work, 2)] == [
        CREATED.key, changed(8).key, changed(7).key,
    ]  # fmt: skip


def test_what_was_forgotten_is_not_found(unit_of_work: SqlUnitOfWork) -> None:
    append(unit_of_work, CREATED)
    with unit_of_work.begin() as tx:
        assert tx.events.forget_machines(replace(CREATED, time=NOON).time, 9) == 0
        assert tx.events.forget_machines(NOON.replace(year=2999), 9) == 1
        tx.commit_unrecorded()
    assert found(unit_of_work) == []


@pytest.mark.parametrize("event_type", ["account.created", "post.created"])
def test_machines_from_before_are_found_after_the_upgrade(
    blank_url: str, keys: KeyRing, event_type: str
) -> None:
    engine = open_engine(blank_url)
    config = _alembic()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0015")
        row = {
            "key": CREATED.key,
            "type": event_type,
            "data": b'{"account_id": "ada", "handle": "q", "post_id": "p"}',
            "machine": keys.wrap(b'{"network": "192.0.2.1"}'),
        }
        connection.execute(
            text(
                "INSERT INTO event_log (seq, key, source, event_id, type, time_us, data,"
                " accepted_us, sealed_machine) VALUES"
                " (1, :key, 's', 'e', :type, 0, :data, 0, :machine)"
            ),
            row,
        )
    migrate(engine)
    work = SqlUnitOfWork(engine=engine, clock=HandClock(), keys=keys)
    told = [(CREATED.key, Machine(network="192.0.2.1"))]
    assert found(work) == (told if event_type == "account.created" else [])
    engine.dispose()
