"""Who uses which words is kept as keyed hashes, of a fair and bounded number of accounts."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.fakes.cybertip_store import NOON
from tests.ports.builders import ENTRY
from tests.ports.raw import raw_bytes

from nightlight.adapters.sql import word_uses
from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.context import AccountContext
from nightlight.model.ids import AccountId, EventKey
from nightlight.model.lexicon import TermForm
from nightlight.model.word_use import Answer, Answered, Users, Word, WordUse


def word(text: str, form: TermForm = TermForm.WORD) -> Word:
    return Word(form=form, text=text)


def use(account: str, *texts: str, users: Users = Users.SELLERS, days: int = 0) -> WordUse:
    return WordUse(
        users=users,
        account_id=AccountId(account),
        at=NOON + timedelta(days=days),
        event_key=EventKey(f"{account}-{texts[0]}"),
        words=tuple(word(text) for text in texts),
    )


def add(unit_of_work: SqlUnitOfWork, uses: Sequence[WordUse]) -> None:
    with unit_of_work.begin() as tx:
        tx.word_uses.add(uses)
        tx.commit(ENTRY)


def counts(unit_of_work: SqlUnitOfWork, *, least: int = 1) -> dict[int, tuple[int, ...]]:
    with unit_of_work.read() as tx:
        found = tx.word_uses.counted(least=least)
    return {one.token: tuple(one.by[users] for users in Users) for one in found}


def test_accounts_are_counted_once_each_within_and_across_transactions(
    unit_of_work: SqlUnitOfWork,
) -> None:
    add(unit_of_work, [use("ana", "zorble", "flux"), use("ana", "zorble"), use("bo", "zorble")])
    add(unit_of_work, [use("ana", "zorble"), use("cy", "zorble", users=Users.OTHERS)])
    add(unit_of_work, [use("dan", "zorble", users=Users.WRITERS), use("ed", "quiet")])
    with unit_of_work.read() as tx:
        token = tx.word_uses.token_of(word("zorble"))
        [both] = tx.word_uses.counted(least=2)
        totals = tx.word_uses.totals()
    assert both.event_keys == ("ana-zorble", "bo-zorble")
    assert counts(unit_of_work, least=2) == {token: (2, 1, 1)}
    assert totals == {Users.SELLERS: 3, Users.WRITERS: 1, Users.OTHERS: 1}


def test_what_sellers_said_before_they_sold_is_theirs_and_nobody_elses(
    unit_of_work: SqlUnitOfWork,
) -> None:
    add(unit_of_work, [use("ana", "zorble", users=Users.OTHERS), use("ana", "flux")])
    with unit_of_work.read() as tx:
        token = tx.word_uses.token_of(word("zorble"))
        assert tx.word_uses.totals()[Users.OTHERS] == 0
    assert counts(unit_of_work)[token] == (1, 0, 0)


def test_seller_whom_a_person_held_to_be_none_counts_for_nothing(
    unit_of_work: SqlUnitOfWork,
) -> None:
    add(unit_of_work, [use("ana", "zorble"), use("bo", "zorble")])
    dismissed = AccountContext(account_id=AccountId("bo"), human_decision="dismissed")
    with unit_of_work.begin() as tx:
        tx.context.save(accounts=[dismissed], posts=(), media=())
        tx.commit(ENTRY)
    assert set(counts(unit_of_work).values()) == {(1, 0, 0)}


def test_where_room_is_short_the_same_accounts_stay_whatever_the_order(
    unit_of_work: SqlUnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_uses, "MOST", {**word_uses.MOST, Users.OTHERS: 8})
    names = [f"account-{number}" for number in range(40)]
    uses = [use(name, "zorble", users=Users.OTHERS) for name in names]
    add(unit_of_work, uses[:25])
    add(unit_of_work, uses[25:])
    with unit_of_work.read() as tx:
        kept = [name for name in names if tx.word_uses.is_counted(Users.OTHERS, AccountId(name))]
        assert tx.word_uses.totals()[Users.OTHERS] == len(kept)
        assert all(tx.word_uses.is_counted(Users.SELLERS, AccountId(name)) for name in names)
    assert 0 < len(kept) <= 8
    add(unit_of_work, [use("seller", "zorble")])
    assert list(counts(unit_of_work).values()) == [(1, 0, len(kept))]


def test_accounts_unheard_of_for_long_make_room_first(
    unit_of_work: SqlUnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_uses, "MOST", {**word_uses.MOST, Users.OTHERS: 8})
    old = [use(f"old-{number}", "zorble", users=Users.OTHERS, days=-365) for number in range(6)]
    new = [use(f"new-{number}", "zorble", users=Users.OTHERS) for number in range(6)]
    add(unit_of_work, [*old, *new])
    with unit_of_work.read() as tx:
        assert tx.word_uses.totals()[Users.OTHERS] == 6
        assert tx.word_uses.is_counted(Users.OTHERS, AccountId("anybody"))


def test_tag_and_word_are_two_things_and_neither_is_stored(
    unit_of_work: SqlUnitOfWork, engine: Engine
) -> None:
    tag = word("zorbleflux", TermForm.HASHTAG)
    add(unit_of_work, [replace(use("ana", "x"), event_key=EventKey("post"), words=(tag,))])
    with unit_of_work.read() as tx:
        tokens = {tx.word_uses.token_of(tag), tx.word_uses.token_of(word("zorbleflux"))}
        [found] = tx.word_uses.counted(least=1)
    assert len(tokens) == 2
    assert found.form is TermForm.HASHTAG
    assert found.token in tokens
    assert b"zorbleflux" not in raw_bytes(engine)


def test_newest_answer_to_a_suggestion_counts(unit_of_work: SqlUnitOfWork) -> None:
    declined = Answered(token=-7, answer=Answer.DECLINED, by="ana", at=NOON, reason="harmless")
    proposed = replace(declined, answer=Answer.PROPOSED, by="bo")
    with unit_of_work.begin() as tx:
        tx.word_uses.answer([declined])
        tx.word_uses.answer([proposed])
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert tx.word_uses.answered() == [proposed]
