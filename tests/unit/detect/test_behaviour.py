"""What accounts do is counted; what ordinary ones do now and then is not told."""

from collections.abc import Sequence

import pytest
from tests.fakes.context_store import MemoryContextStore
from tests.synthetic.builders import TEXT, at, event_of, make_account

from nightlight.detect.behaviour import Behaviour
from nightlight.detect.known import Known
from nightlight.model.context import AccountContext, Activity, Context
from nightlight.model.event import (
    AccountCreated,
    AccountUpdated,
    Event,
    EventData,
    PostCreated,
    PostDeleted,
)
from nightlight.model.link import LinkKind
from nightlight.model.signal import Fact, SubjectKind

OLD = make_account("a", created_at=at(-600_000))
NEW = make_account("a", created_at=at(-60))


def facts(
    activity: Activity,
    *,
    account: AccountContext = OLD,
    contacts: Sequence[LinkKind] = (),
    template_accounts: int = 0,
) -> dict[str, Fact]:
    post = event_of(PostCreated(post_id="p", account_id="a"))
    context = Context(
        account=account,
        activity=activity,
        contacts=tuple(contacts),
        template_accounts=template_accounts,
    )
    return {
        name: value
        for one in Behaviour().detect(post, context)
        for name, value in one.facts.items()
    }


@pytest.mark.parametrize(
    "activity",
    [
        Activity(posts_hour=1, posts_day=9),
        Activity(deleted_soon_day=2, deleted_soon_week=2),
        Activity(profile_changes=2),
    ],
    ids=["a chatty day", "two corrected typos", "a new name and a new bio"],
)
def test_what_everybody_does_now_and_then_is_not_told(activity: Activity) -> None:
    assert facts(activity) == {}


def test_news_account_that_posts_in_bursts_has_a_burst_and_no_seller_pattern() -> None:
    found = facts(Activity(posts_hour=30, posts_day=90), contacts=[LinkKind.LINK_TARGET])
    assert (found["posts_hour"], found["off_platform"], found["seller_pattern"]) == (30, False, 1)


def test_shops_that_share_a_wording_have_that_and_a_contact() -> None:
    found = facts(Activity(posts_hour=1), contacts=[LinkKind.CONTACT], template_accounts=4)
    assert (found["template_accounts"], found["seller_pattern"]) == (4, 2)


def test_new_account_that_sells_elsewhere_in_known_words_shows_the_pattern() -> None:
    activity = Activity(posts_hour=4, deleted_soon_day=1, deleted_soon_week=1)
    found = facts(
        activity, account=NEW, contacts=[LinkKind.OFF_PLATFORM_HANDLE], template_accounts=1
    )
    assert found["seller_pattern"] == 5


def test_event_that_is_no_act_of_the_account_tells_nothing() -> None:
    assert Behaviour().detect(event_of(PostDeleted(post_id="p")), Context()) == ()


def take_in(events: Sequence[Event], *, size: int) -> list[Context]:
    store, contexts = MemoryContextStore(), []
    for start in range(0, len(events), size):
        known = Known()
        known.load(events[start : start + size], store)
        for event in events[start : start + size]:
            contexts.append(known.context_for(event))
            known.tie(event, ())
            known.advance(event)
        known.save(store)
        known.save_ties(store)
    return contexts


def told(data: EventData, minutes: float) -> Event:
    return event_of(data, minutes=minutes)


def posted(minutes: float) -> Event:
    return told(PostCreated(post_id=f"p{minutes}", account_id="a", text=TEXT), minutes)


def deleted(minutes: float, post: float) -> Event:
    gone = PostDeleted(post_id=f"p{post}", account_id="a", deleted_by="author")
    return told(gone, minutes)


DAY = 24 * 60.0
LIFE = [
    told(AccountCreated(account_id="a", handle="zorbleflux", bio="about plonks of the garden"), -9),
    posted(0),
    posted(30),
    deleted(40, 0),
    deleted(50, 30),
    told(AccountUpdated(account_id="a", handle="kleptic_plonk"), 60),
    told(AccountUpdated(account_id="a", handle="zorbleflux"), 70),
    told(AccountUpdated(account_id="a", display_name="Quibble"), 80),
    posted(3 * DAY),
    deleted(5 * DAY, 3 * DAY),
    posted(8.5 * DAY),
]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_windows_are_counted_alike_after_every_restart(size: int) -> None:
    counts = [one.activity for one in take_in(LIFE, size=size)]
    assert counts == [
        None,
        Activity(posts_hour=1, posts_day=1),
        Activity(posts_hour=2, posts_day=2),
        Activity(deleted_soon_day=1, deleted_soon_week=1),
        Activity(deleted_soon_day=2, deleted_soon_week=2),
        Activity(profile_changes=1),
        Activity(profile_changes=1),
        Activity(profile_changes=2),
        Activity(posts_hour=1, posts_day=1, deleted_soon_week=2),
        Activity(deleted_soon_week=2),
        Activity(posts_hour=1, posts_day=1),
    ]


def test_post_that_arrives_late_counts_where_it_belongs() -> None:
    *_, late = take_in([posted(0), posted(30), posted(200), posted(40)], size=2)
    assert late.activity is not None
    assert (late.activity.posts_hour, late.activity.posts_day) == (3, 3)


def test_signal_is_about_the_post_or_else_about_the_account() -> None:
    activity = Activity(deleted_soon_week=3)
    context = Context(account=OLD, activity=activity)
    for data, kind in (
        (PostCreated(post_id="p", account_id="a"), SubjectKind.POST),
        (PostDeleted(post_id="p"), SubjectKind.ACCOUNT),
    ):
        [signal] = Behaviour().detect(event_of(data), context)
        assert signal.subject.kind is kind
        assert signal.account_id == "a"
