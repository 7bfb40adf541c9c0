"""Exchanges: sealed, fetched by one at a time, and opinions sent once; on both databases."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, update
from tests.fakes.cybertip_store import NOON
from tests.ports.builders import ENTRY
from tests.ports.raw import raw_bytes

from nightlight.adapters.sql import schema
from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.errors import Conflict, IntegrityFailure, NotFound
from nightlight.exchange.registry import (
    Credentials,
    Exchange,
    FetchState,
    Vote,
    VoteState,
    vote_id,
)
from nightlight.model.bank import Opinion
from nightlight.preserve.ports import KeyRing

SECRETS = Credentials(values={"user": "quibbleton", "password": "snorkelwhack"})


def exchange(name: str = "one", **fields: object) -> Exchange:
    given = Exchange(
        name=name,
        api="ncmec",
        bank=f"bank-{name}",
        options={"url": "https://vexillology.example.test/hashes"},
    )
    return replace(given, **fields)


def save(unit_of_work: SqlUnitOfWork, *exchanges: Exchange, opened: Credentials = SECRETS) -> None:
    with unit_of_work.begin() as tx:
        for one in exchanges:
            tx.exchanges.save(one, opened)
        tx.commit(ENTRY)


def start(unit_of_work: SqlUnitOfWork, name: str = "one", *, after_s: float = 0) -> FetchState:
    with unit_of_work.begin() as tx:
        at = NOON + timedelta(seconds=after_s)
        state = tx.exchanges.start(name, now=at, lease_s=60)
        tx.commit_unrecorded()
    return state


def progress(unit_of_work: SqlUnitOfWork, state: FetchState, *, after_s: float) -> None:
    with unit_of_work.begin() as tx:
        tx.exchanges.progress("one", state, at=NOON + timedelta(seconds=after_s))
        tx.commit_unrecorded()


def state_of(unit_of_work: SqlUnitOfWork, name: str = "one") -> FetchState:
    with unit_of_work.read() as tx:
        return tx.exchanges.get(name)[1]


def test_an_exchange_comes_back_as_it_was_saved(unit_of_work: SqlUnitOfWork) -> None:
    save(unit_of_work, exchange("two", enabled=False, every_s=900), exchange("one"))
    with unit_of_work.read() as tx:
        found = tx.exchanges.all()
        assert [one for one, _ in found] == [
            exchange("one"),
            exchange("two", enabled=False, every_s=900),
        ]
        assert [state for _, state in found] == [FetchState(), FetchState()]
        assert tx.exchanges.credentials("one") == SECRETS


def test_neither_addresses_nor_credentials_lie_open(
    unit_of_work: SqlUnitOfWork, engine: Engine
) -> None:
    save(unit_of_work, exchange())
    lying = raw_bytes(engine)
    for secret in (b"quibbleton", b"snorkelwhack", b"vexillology"):
        assert secret not in lying


def test_credentials_do_not_show_themselves() -> None:
    assert "snorkelwhack" not in f"{SECRETS!r} {SECRETS}"


def test_an_exchange_without_credentials_uses_those_of_its_api(
    unit_of_work: SqlUnitOfWork,
) -> None:
    save(unit_of_work, exchange(), opened=Credentials())
    with unit_of_work.begin() as tx:
        tx.exchanges.save_api_credentials("ncmec", SECRETS)
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert tx.exchanges.credentials("one") == SECRETS
        assert tx.exchanges.credentials("one", shared=False) == Credentials()
        assert tx.exchanges.apis_with_credentials() == {"ncmec"}
        assert [one.name for one, _ in tx.exchanges.all()] == ["one"]


def test_an_unknown_exchange_is_not_found(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.read() as tx, pytest.raises(NotFound):
        tx.exchanges.get("quibble")


def test_the_credentials_of_an_api_are_no_exchange(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.begin() as tx:
        tx.exchanges.save_api_credentials("ncmec", SECRETS)
        tx.commit(ENTRY)
    with unit_of_work.read() as tx, pytest.raises(NotFound):
        tx.exchanges.get("api:ncmec")


def test_a_second_fetch_of_one_exchange_is_refused(unit_of_work: SqlUnitOfWork) -> None:
    save(unit_of_work, exchange())
    start(unit_of_work)
    with pytest.raises(Conflict):
        start(unit_of_work, after_s=59)


def test_a_fetch_that_is_heard_of_keeps_its_lease(unit_of_work: SqlUnitOfWork) -> None:
    save(unit_of_work, exchange())
    first = start(unit_of_work)
    progress(unit_of_work, first, after_s=50)
    with pytest.raises(Conflict):
        start(unit_of_work, after_s=100)
    assert state_of(unit_of_work).running_since == NOON


def test_a_fetch_that_died_is_taken_over_and_may_store_no_more(
    unit_of_work: SqlUnitOfWork,
) -> None:
    save(unit_of_work, exchange())
    first = start(unit_of_work)
    second = start(unit_of_work, after_s=61)
    with pytest.raises(Conflict):
        progress(unit_of_work, replace(first, checkpoint="old"), after_s=62)
    progress(unit_of_work, replace(second, checkpoint="new"), after_s=63)
    assert state_of(unit_of_work).checkpoint == "new"


def test_progress_and_end_are_kept_and_settings_do_not_touch_them(
    unit_of_work: SqlUnitOfWork,
) -> None:
    save(unit_of_work, exchange())
    state = replace(
        start(unit_of_work), checkpoint="here", checkpoint_at=NOON, fetched=7, up_to_date=True
    )
    with unit_of_work.begin() as tx:
        ended = replace(state, succeeded=True)
        tx.exchanges.finish("one", ended, at=NOON + timedelta(seconds=9))
        tx.commit_unrecorded()
    save(unit_of_work, exchange(every_s=60))
    found = state_of(unit_of_work)
    assert (found.checkpoint, found.checkpoint_at, found.fetched) == ("here", NOON, 7)
    assert (found.succeeded, found.up_to_date) == (True, True)
    assert found.completed_at == NOON + timedelta(seconds=9)
    assert found.running_since is None


def test_a_fetch_of_an_exchange_that_was_removed_or_rewound_stores_nothing(
    unit_of_work: SqlUnitOfWork,
) -> None:
    save(unit_of_work, exchange())
    state = start(unit_of_work)
    with unit_of_work.begin() as tx:
        tx.exchanges.rewind("one")
        tx.commit(ENTRY)
    with pytest.raises(Conflict):
        progress(unit_of_work, state, after_s=1)


def cast(unit_of_work: SqlUnitOfWork, opinion: Opinion, *, after_s: float = 0) -> Vote:
    at = NOON + timedelta(seconds=after_s)
    vote = Vote(
        id=vote_id("one", "be_1"),
        exchange="one",
        entry_id="be_1",
        source_ref="42/image1",
        opinion=opinion,
        requested_at=at,
        next_attempt_at=at,
    )
    with unit_of_work.begin() as tx:
        stored = tx.exchanges.cast(vote)
        tx.commit(ENTRY)
    return stored


def claim(unit_of_work: SqlUnitOfWork, *, after_s: float = 0) -> list[Vote]:
    with unit_of_work.begin() as tx:
        now = NOON + timedelta(seconds=after_s)
        claimed = tx.exchanges.claim_votes(now=now, lease_s=60, limit=10)
        tx.commit_unrecorded()
    return list(claimed)


def settle(unit_of_work: SqlUnitOfWork, vote: Vote, state: VoteState) -> bool:
    with unit_of_work.begin() as tx:
        kept = tx.exchanges.settle(replace(vote, state=state))
        tx.commit_unrecorded()
    return kept


def test_an_opinion_is_claimed_by_one_and_again_once_that_one_died(
    unit_of_work: SqlUnitOfWork,
) -> None:
    cast(unit_of_work, Opinion.POSITIVE)
    (first,) = claim(unit_of_work)
    assert claim(unit_of_work, after_s=59) == []
    (again,) = claim(unit_of_work, after_s=61)
    assert (first.attempts, again.attempts) == (1, 2)


def test_an_opinion_that_was_sent_is_not_sent_again(unit_of_work: SqlUnitOfWork) -> None:
    cast(unit_of_work, Opinion.POSITIVE)
    (claimed,) = claim(unit_of_work)
    assert settle(unit_of_work, claimed, VoteState.SENT)
    cast(unit_of_work, Opinion.POSITIVE, after_s=5)
    assert claim(unit_of_work, after_s=999) == []


def test_a_later_opinion_is_sent_in_its_turn_while_another_is_on_its_way(
    unit_of_work: SqlUnitOfWork,
) -> None:
    cast(unit_of_work, Opinion.POSITIVE)
    (claimed,) = claim(unit_of_work)
    cast(unit_of_work, Opinion.NEGATIVE, after_s=1)
    assert claim(unit_of_work, after_s=2) == []
    assert not settle(unit_of_work, claimed, VoteState.SENT)
    (later,) = claim(unit_of_work, after_s=90)
    assert later.opinion is Opinion.NEGATIVE


def test_a_refused_opinion_may_be_given_again(unit_of_work: SqlUnitOfWork) -> None:
    cast(unit_of_work, Opinion.POSITIVE)
    (claimed,) = claim(unit_of_work)
    settle(unit_of_work, claimed, VoteState.REFUSED)
    assert cast(unit_of_work, Opinion.POSITIVE, after_s=5).state is VoteState.PENDING
    assert len(claim(unit_of_work, after_s=6)) == 1


def test_own_opinions_are_those_that_were_not_refused(unit_of_work: SqlUnitOfWork) -> None:
    cast(unit_of_work, Opinion.NEGATIVE)
    with unit_of_work.read() as tx:
        assert tx.exchanges.own_opinions("one", ["be_1", "be_2"]) == {"be_1": Opinion.NEGATIVE}
    (claimed,) = claim(unit_of_work)
    settle(unit_of_work, claimed, VoteState.REFUSED)
    with unit_of_work.read() as tx:
        assert tx.exchanges.own_opinions("one", ["be_1"]) == {}


def test_what_is_removed_is_gone_with_its_opinions(unit_of_work: SqlUnitOfWork) -> None:
    save(unit_of_work, exchange())
    cast(unit_of_work, Opinion.POSITIVE)
    with unit_of_work.begin() as tx:
        assert tx.exchanges.remove("one")
        assert not tx.exchanges.remove("one")
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert tx.exchanges.all() == []
        assert list(tx.exchanges.votes()) == []


def from_before(unit_of_work: SqlUnitOfWork, keys: KeyRing, **options: str) -> None:
    """Store an exchange as it was stored when nobody kept who set its address."""
    with unit_of_work.begin() as tx:
        tx.exchanges.save(exchange(options=options), Credentials(values={}))
        tx.exchanges.save_api_credentials("ncmec", SECRETS)
        sealed = keys.wrap(msgspec.json.encode({"every_s": 60, "options": options}))
        tx._connection.execute(
            update(schema.exchange)
            .where(schema.exchange.c.name == "one")
            .values(sealed_settings=sealed)
        )
        tx.commit(ENTRY)


def test_an_address_of_which_nobody_knows_who_set_it_must_be_public(
    unit_of_work: SqlUnitOfWork, keys: KeyRing
) -> None:
    from_before(unit_of_work, keys, url="https://vexillology.example.test/hashes")
    with unit_of_work.read() as tx:
        assert tx.exchanges.get("one")[0].public_only
        assert [one.public_only for one, _ in tx.exchanges.all()] == [True]
        assert tx.exchanges.credentials("one") == Credentials(values={})
    with unit_of_work.begin() as tx:  # as when it is switched off and on again
        tx.exchanges.save(tx.exchanges.get("one")[0], SECRETS)
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert tx.exchanges.get("one")[0].public_only


def test_an_exchange_at_its_api_s_own_address_goes_on_as_before(
    unit_of_work: SqlUnitOfWork, keys: KeyRing
) -> None:
    from_before(unit_of_work, keys, only_members="7")
    with unit_of_work.read() as tx:
        assert not tx.exchanges.get("one")[0].public_only
        assert tx.exchanges.credentials("one") == SECRETS


def test_an_address_that_the_operator_set_may_be_private(unit_of_work: SqlUnitOfWork) -> None:
    save(unit_of_work, exchange(public_only=False))
    with unit_of_work.read() as tx:
        assert not tx.exchanges.get("one")[0].public_only


def test_one_that_cannot_be_read_is_listed_as_that_and_others_are_there(
    unit_of_work: SqlUnitOfWork, engine: Engine, keys: KeyRing
) -> None:
    save(unit_of_work, exchange("one"), exchange("two"), exchange("three"))
    table = schema.exchange
    for name, spoilt in (("one", b"quibble"), ("two", keys.wrap(b"{"))):
        with engine.begin() as connection:
            connection.execute(
                update(table).where(table.c.name == name).values(sealed_settings=spoilt)
            )
    with unit_of_work.read() as tx:
        found = {one.name: (one.enabled, state.failure) for one, state in tx.exchanges.all()}
        why = (
            "its settings cannot be read: restore what is stored of it from a backup, or remove it"
        )
        assert found == {"one": (False, why), "three": (True, ""), "two": (False, why)}
        with pytest.raises(IntegrityFailure):
            tx.exchanges.get("two")
