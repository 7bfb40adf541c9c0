"""What part an account had is told from its acts alone, with what they say about knowledge."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.synthetic.builders import at, event_of

from nightlight.model.engagement import Engaged, Engagement
from nightlight.model.event import (
    EngagementCreated,
    EventData,
    PostCreated,
    UserReportCreated,
    ViewsCounted,
)
from nightlight.model.ids import AccountId, EventKey, PostId
from nightlight.model.role import AccountRole, Knowledge, Material, Role
from nightlight.report.engaged import engagement_of
from nightlight.report.roles import roles_of

OFFER = Material(
    subject="offer",
    post_id=PostId("offer"),
    account_id=AccountId("seller"),
    event_key=EventKey("k-offer"),
    at=at(0),
    is_offer=True,
    is_known=False,
    knowledge=(Knowledge.DISGUISED,),
)
FILE = Material(
    subject="file",
    post_id=PostId("shows-file"),
    account_id=AccountId("uploader"),
    event_key=EventKey("k-file"),
    at=at(0),
    is_offer=False,
    is_known=True,
)
NEW = Material(
    subject="new",
    post_id=PostId("shows-new"),
    account_id=AccountId("maker"),
    event_key=EventKey("k-new"),
    at=at(0),
    is_offer=False,
    is_known=False,
)


def act(kind: Engaged, *, minutes: float = 5, **changes: Any) -> Engagement:
    values: dict[str, Any] = {
        "event_key": EventKey(f"{kind}-{minutes}"),
        "account_id": AccountId("other"),
        "kind": kind,
        "post_id": PostId("offer"),
        "target_id": AccountId("seller"),
        "at": at(minutes),
    }
    return Engagement(**{**values, **changes})


def told(*engagements: Engagement, material: tuple[Material, ...] = (OFFER,)) -> list[AccountRole]:
    return roles_of(material, engagements, asks=lambda post_id: post_id == "asks")


def role_of(name: str, roles: list[AccountRole]) -> AccountRole:
    return next(one for one in roles if one.account_id == name)


def test_authors_are_named_by_what_they_published_the_gravest_first() -> None:
    roles = told(material=(OFFER, FILE, NEW))
    assert [(one.account_id, one.role) for one in roles] == [
        ("maker", Role.CREATOR),
        ("uploader", Role.DISTRIBUTOR),
        ("seller", Role.ADVERTISER),
    ]
    assert role_of("seller", roles).knowledge_for == (Knowledge.DISGUISED,)


def test_words_alone_in_which_nothing_is_offered_make_an_author_and_no_creator() -> None:
    words = Material(
        subject="words",
        post_id=PostId("words"),
        account_id=AccountId("writer"),
        event_key=EventKey("k-words"),
        at=at(0),
        is_offer=False,
        is_known=False,
        is_text=True,
    )
    [role] = told(material=(words,))
    assert (role.role, role.acts[0].what) == (Role.AUTHOR, "wrote")


def test_account_with_several_parts_has_the_gravest() -> None:
    both = Material(
        **{
            **{f: getattr(FILE, f) for f in FILE.__struct_fields__},
            "account_id": AccountId("seller"),
        }
    )
    [role] = told(material=(OFFER, both))
    assert role.role is Role.DISTRIBUTOR
    assert {act.role for act in role.acts} == {Role.DISTRIBUTOR, Role.ADVERTISER}


@pytest.mark.parametrize(
    ("kind", "knowledge"),
    [
        (Engaged.LIKE, ()),
        (Engaged.REPOST, (Knowledge.SHOWED_ON,)),
        (Engaged.BOOKMARK, (Knowledge.KEPT,)),
    ],
)
def test_who_likes_shows_on_or_keeps_an_offer_is_an_engager(
    kind: Engaged, knowledge: tuple[Knowledge, ...]
) -> None:
    role = role_of("other", told(act(kind)))
    assert role.role is Role.ENGAGER
    assert role.knowledge_for == knowledge
    assert role.knowledge_against == (Knowledge.ONCE,)


def test_answer_that_asks_is_engaging_and_one_that_says_nothing_is_not() -> None:
    asking = role_of("other", told(act(Engaged.REPLY, reply_id=PostId("asks"))))
    silent = role_of("other", told(act(Engaged.REPLY, reply_id=PostId("shocked"))))
    unknown = role_of("other", told(act(Engaged.REPLY)))
    assert (asking.role, asking.knowledge_for) == (Role.ENGAGER, (Knowledge.ASKED,))
    assert silent.role is unknown.role is Role.BYSTANDER
    assert silent.knowledge_for == ()
    assert silent.knowledge_against == (Knowledge.ANSWER_NOT_KNOWN,)


def test_who_reports_it_is_a_bystander_and_that_speaks_for_them() -> None:
    role = role_of("other", told(act(Engaged.USER_REPORT)))
    assert role.role is Role.BYSTANDER
    assert role.knowledge_against == (Knowledge.REPORTED_IT,)


def test_following_a_seller_counts_from_the_first_offer_on() -> None:
    before = act(Engaged.FOLLOW, minutes=-1, post_id=PostId(""))
    after = act(Engaged.FOLLOW, minutes=0, post_id=PostId(""))
    assert [one.account_id for one in told(before)] == ["seller"]
    assert role_of("other", told(after)).role is Role.ENGAGER


def test_following_an_uploader_shows_nothing_about_offers() -> None:
    follow = act(Engaged.FOLLOW, post_id=PostId(""), target_id=AccountId("uploader"))
    assert [one.account_id for one in told(follow, material=(FILE,))] == ["uploader"]


def test_acts_on_other_posts_and_on_own_posts_are_passed_over() -> None:
    other = act(Engaged.LIKE, post_id=PostId("harmless"))
    own = act(Engaged.LIKE, account_id=AccountId("seller"))
    [role] = told(other, own)
    assert role.account_id == "seller"
    assert len(role.acts) == 1


def test_three_acts_and_two_sources_are_said() -> None:
    liked = [act(Engaged.LIKE, minutes=5), act(Engaged.BOOKMARK, minutes=6)]
    shown = act(Engaged.REPOST, minutes=7, post_id=PostId("shows-file"))
    role = role_of("other", told(*liked, shown, material=(OFFER, FILE)))
    assert {Knowledge.AGAIN_AND_AGAIN, Knowledge.SEVERAL_SOURCES} <= set(role.knowledge_for)
    assert Knowledge.ONCE not in role.knowledge_against
    two = role_of("other", told(*liked, material=(OFFER, FILE)))
    assert not {Knowledge.AGAIN_AND_AGAIN, Knowledge.SEVERAL_SOURCES} & set(two.knowledge_for)


@given(st.lists(st.tuples(st.sampled_from(Engaged), st.integers(-5, 5)), max_size=8))
def test_order_of_acts_changes_nothing(drawn: list[tuple[Engaged, int]]) -> None:
    acts = [act(kind, minutes=minutes) for kind, minutes in drawn]
    assert told(*acts) == told(*reversed(acts))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            EngagementCreated(account_id="a", kind="like", post_id="p", target_account_id="b"),
            (Engaged.LIKE, "p", "b", ""),
        ),
        (
            EngagementCreated(account_id="a", kind="follow", post_id="p", target_account_id="b"),
            (Engaged.FOLLOW, "", "b", ""),
        ),
        (
            UserReportCreated(user_report_id="r", account_id="a", post_id="p"),
            (Engaged.USER_REPORT, "p", "", ""),
        ),
        (PostCreated(post_id="q", account_id="a", reply_to="p"), (Engaged.REPLY, "p", "", "q")),
    ],
)
def test_events_that_are_acts_on_others_are_kept_as_such(
    data: EventData, expected: tuple[Engaged, str, str, str]
) -> None:
    found = engagement_of(event_of(data))
    assert found is not None
    assert (found.kind, found.post_id, found.target_id, found.reply_id) == expected


def test_other_events_are_no_acts_on_others() -> None:
    assert engagement_of(event_of(PostCreated(post_id="q", account_id="a"))) is None
    assert engagement_of(event_of(ViewsCounted(post_id="q", views=3))) is None


def test_material_of_nobody_known_gives_nobody_a_part() -> None:
    assert roles_of([replace(FILE, account_id=AccountId(""))], [], asks=lambda _: False) == []
