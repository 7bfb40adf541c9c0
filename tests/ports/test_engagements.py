"""Engagements are found by post, by account concerned, and by who did it."""

from datetime import timedelta
from typing import Any

from tests.fakes.cybertip_store import NOON
from tests.ports.builders import ENTRY

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.engagement import Engaged, Engagement
from nightlight.model.ids import AccountId, EventKey, PostId


def act(name: str, kind: Engaged = Engaged.LIKE, **changes: Any) -> Engagement:
    values: dict[str, Any] = {
        "event_key": EventKey(name),
        "account_id": AccountId("ana"),
        "kind": kind,
        "post_id": PostId("post-1"),
        "target_id": AccountId("bo"),
        "at": NOON,
    }
    return Engagement(**{**values, **changes})


def add(unit_of_work: SqlUnitOfWork, *engagements: Engagement) -> None:
    with unit_of_work.begin() as tx:
        tx.engagements.add(engagements)
        tx.commit(ENTRY)


def test_acts_on_posts_come_back_oldest_first(unit_of_work: SqlUnitOfWork) -> None:
    late = act("late", at=NOON + timedelta(minutes=1), reply_id=PostId("answer"))
    early, other = act("early"), act("other", post_id=PostId("post-2"))
    add(unit_of_work, late, early, other)
    with unit_of_work.read() as tx:
        assert tx.engagements.with_posts([PostId("post-1"), PostId("")]) == [early, late]
        assert tx.engagements.with_posts([PostId("")]) == []


def test_replies_to_a_post_are_told_and_no_more_than_asked(unit_of_work: SqlUnitOfWork) -> None:
    replies = [
        act(str(n), at=NOON + timedelta(minutes=n), reply_id=PostId(f"answer-{n}"))
        for n in (2, 0, 1)
    ]
    add(unit_of_work, *replies, act("like"), act("other", post_id=PostId("post-2")))
    with unit_of_work.read() as tx:
        assert tx.engagements.replies(PostId("post-1"), 2) == ["answer-0", "answer-1"]
        assert tx.engagements.replies(PostId(""), 2) == []


def test_acts_on_accounts_do_not_include_acts_on_their_posts(unit_of_work: SqlUnitOfWork) -> None:
    follow = act("follow", Engaged.FOLLOW, post_id=PostId(""))
    add(unit_of_work, follow, act("like"))
    with unit_of_work.read() as tx:
        assert tx.engagements.with_accounts([AccountId("bo")]) == [follow]
        assert tx.engagements.with_accounts([AccountId("")]) == []


def test_own_acts_come_back_newest_first_and_no_more_than_asked(
    unit_of_work: SqlUnitOfWork,
) -> None:
    acts = [act(str(n), at=NOON + timedelta(minutes=n)) for n in range(4)]
    add(unit_of_work, *acts, act("not-hers", account_id=AccountId("cy")))
    with unit_of_work.read() as tx:
        assert tx.engagements.by(AccountId("ana"), 2) == [acts[3], acts[2]]


def test_act_that_is_there_stays_as_it_is(unit_of_work: SqlUnitOfWork) -> None:
    first = act("one")
    add(unit_of_work, first)
    add(unit_of_work, act("one", kind=Engaged.REPOST))
    with unit_of_work.read() as tx:
        assert tx.engagements.with_posts([PostId("post-1")]) == [first]
