"""Statements wait, are claimed by one worker at a time, and are sent once."""

import hmac
from datetime import timedelta

import msgspec
from msgspec.structs import replace
from sqlalchemy import Engine, text
from tests.fakes.cybertip_store import NOON
from tests.ports.builders import ENTRY, make_statement

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.ids import keyed_id
from nightlight.model.statement import (
    StatementDelivery,
    StatementState,
)
from nightlight.preserve.ports import KeyRing


def put(unit_of_work: SqlUnitOfWork, *names: str) -> None:
    with unit_of_work.begin() as tx:
        tx.statements.put([make_statement(name) for name in names], at=NOON)
        tx.commit(ENTRY)


def claim(unit_of_work: SqlUnitOfWork, seconds: float = 0) -> list[StatementDelivery]:
    with unit_of_work.begin() as tx:
        now = NOON + timedelta(seconds=seconds)
        claimed = tx.statements.claim(now=now, lease_s=60, limit=2)
        tx.commit_unrecorded()
    return claimed


def settle(unit_of_work: SqlUnitOfWork, *deliveries: StatementDelivery) -> None:
    with unit_of_work.begin() as tx:
        tx.statements.settle(deliveries)
        tx.commit_unrecorded()


def test_statement_comes_back_as_it_was_put_and_only_once(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, "a", "b")
    put(unit_of_work, "a")
    with unit_of_work.read() as tx:
        found = tx.statements.newest(10)
        assert tx.statements.counts() == {StatementState.WAITING: 2}
    as_put = [replace(one.statement, puid="") for one in found]
    assert as_put == [make_statement("a"), make_statement("b")]
    assert found[0].made_at == found[0].next_attempt_at == NOON


def test_statement_is_published_under_a_name_that_only_the_key_gives(
    unit_of_work: SqlUnitOfWork, keys: KeyRing
) -> None:
    put(unit_of_work, "a")
    [one] = claim(unit_of_work)
    key = hmac.digest(keys.naming_key(), b"nightlight/puids", "sha256")
    assert one.statement.published_as == keyed_id("sor", key, one.statement.id)


def test_statement_from_before_is_published_under_its_id(
    unit_of_work: SqlUnitOfWork, engine: Engine
) -> None:
    put(unit_of_work, "a")
    with engine.begin() as connection:
        body = msgspec.json.encode(make_statement("a")).decode().replace(',"puid":""', "")
        connection.execute(text("UPDATE statement SET body = :body"), {"body": body})
    [one] = claim(unit_of_work)
    assert one.statement.published_as == one.statement.id


def test_claimed_statement_is_hidden_until_its_lease_ends(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, "a", "b", "c")
    assert [one.statement.id for one in claim(unit_of_work)] == ["sor_a", "sor_b"]
    assert [one.statement.id for one in claim(unit_of_work)] == ["sor_c"]
    assert claim(unit_of_work, 59) == []
    assert len(claim(unit_of_work, 61)) == 2


def test_what_was_sent_stays_sent(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, "a")
    [one] = claim(unit_of_work)
    sent = replace(one, state=StatementState.SENT, attempts=1, sent_at=NOON, receipt="uuid")
    settle(unit_of_work, sent)
    settle(unit_of_work, replace(one, state=StatementState.REFUSED, failure="late"))
    with unit_of_work.read() as tx:
        assert tx.statements.newest(10, StatementState.SENT) == [replace(sent)]
        assert tx.statements.newest(10, StatementState.REFUSED) == []
    with unit_of_work.begin() as tx:
        assert not tx.statements.retry("sor_a", at=NOON)
    assert claim(unit_of_work, 10_000) == []


def test_refused_statement_waits_for_a_person(unit_of_work: SqlUnitOfWork) -> None:
    put(unit_of_work, "a")
    [one] = claim(unit_of_work)
    settle(unit_of_work, replace(one, state=StatementState.REFUSED, failure="puid: invalid"))
    assert claim(unit_of_work, 10_000) == []
    with unit_of_work.begin() as tx:
        assert tx.statements.retry("sor_a", at=NOON)
        tx.commit(ENTRY)
    [again] = claim(unit_of_work)
    assert (again.state, again.failure) == (StatementState.WAITING, "")


def test_one_that_cannot_be_read_holds_up_no_other_and_waits_for_a_person(
    unit_of_work: SqlUnitOfWork, engine: Engine
) -> None:
    put(unit_of_work, "a", "b")
    with engine.begin() as connection:
        connection.execute(text("UPDATE statement SET body = '{' WHERE id = 'sor_a'"))
    claimed = claim(unit_of_work)
    assert [(one.statement.id, one.state) for one in claimed] == [
        ("sor_a", StatementState.REFUSED),
        ("sor_b", StatementState.WAITING),
    ]
    settle(unit_of_work, *claimed)
    assert [one.statement.id for one in claim(unit_of_work, seconds=90)] == ["sor_b"]
    with unit_of_work.read() as tx:
        [refused] = tx.statements.newest(10, StatementState.REFUSED)
    assert refused.failure == "what is stored of it cannot be read: restore it from a backup"
