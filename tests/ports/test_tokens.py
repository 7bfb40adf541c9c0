"""API tokens: kept as digests, in order, and revoked once."""

from datetime import timedelta

from sqlalchemy import Engine
from tests.fakes.cybertip_store import NOON, HandClock
from tests.ports.builders import ENTRY
from tests.ports.raw import raw_bytes

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.services.tokens import Tokens
from nightlight.transaction import ApiToken


def token(name: str, *, minutes: int = 0) -> ApiToken:
    return ApiToken(
        id=f"tok_{name}",
        name=name,
        digest=name.ljust(64, "0"),
        scopes=("match", "hash"),
        per_second=2.5,
        created_at=NOON + timedelta(minutes=minutes),
        created_by="a test",
    )


def add(unit_of_work: SqlUnitOfWork, *tokens: ApiToken) -> None:
    with unit_of_work.begin() as tx:
        for one in tokens:
            tx.tokens.add(one)
        tx.commit(ENTRY)


def test_tokens_come_back_as_they_were_stored_oldest_first(unit_of_work: SqlUnitOfWork) -> None:
    late, early = token("late", minutes=1), token("early")
    add(unit_of_work, late, early)
    with unit_of_work.read() as tx:
        assert tx.tokens.all() == [early, late]


def test_a_token_is_revoked_once_and_stays_listed(unit_of_work: SqlUnitOfWork) -> None:
    add(unit_of_work, token("one"))
    with unit_of_work.begin() as tx:
        assert tx.tokens.revoke("tok_one", at=NOON)
        assert not tx.tokens.revoke("tok_one", at=NOON)
        assert not tx.tokens.revoke("tok_none", at=NOON)
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert [one.revoked_at for one in tx.tokens.all()] == [NOON]


def test_the_database_does_not_hold_what_opens_the_api(
    unit_of_work: SqlUnitOfWork, engine: Engine
) -> None:
    made = Tokens(unit_of_work=unit_of_work, clock=HandClock()).make(
        "a client", scopes=["match"], per_second=0, actor="a test", reason="to see"
    )
    assert made.secret.encode() not in raw_bytes(engine)
