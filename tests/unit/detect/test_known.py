"""What is known of accounts, posts and media, whatever the order in which events arrive."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.context_store import MemoryContextStore
from tests.synthetic.builders import TEXT, at, event_of, make_media, make_post

from nightlight.detect.known import Known
from nightlight.detect.near_duplicate import fingerprint
from nightlight.model.context import AccountContext, Context, PostContext
from nightlight.model.event import (
    AccountCreated,
    AccountUpdated,
    EngagementCreated,
    Event,
    MediaUploaded,
    PostCreated,
    PostDeleted,
    PostEdited,
    UserReportCreated,
    ViewsCounted,
)
from nightlight.model.ids import AccountId, MediaId, PostId
from nightlight.model.media import Scan, ScanState

POST, AUTHOR = PostId("post-1"), AccountId("account-1")


def take_in(
    events: Sequence[Event], *, store: MemoryContextStore | None = None, size: int = 1000
) -> tuple[MemoryContextStore, list[Context]]:
    """Return what is known after the events, and what was known before each."""
    store = store or MemoryContextStore()
    contexts: list[Context] = []
    for start in range(0, len(events), size):
        batch = events[start : start + size]
        known = Known()
        known.load(batch, store)
        for event in batch:
            contexts.append(known.context_for(event))
            text = getattr(event.data, "text", "")
            known.tie(event, ())
            known.advance(event, fingerprint=fingerprint(text) if text else b"")
        known.save(store)
        known.save_ties(store)
        store.event_rows |= {event.key: event for event in batch}
    return store, contexts


def created(
    minutes: float = 0, name: str = "post-1", *, text: str = TEXT, by: str = AUTHOR
) -> Event:
    return event_of(PostCreated(post_id=name, account_id=by, text=text), minutes=minutes)


def deleted(minutes: float, name: str = "post-1", *, by: str = AUTHOR) -> Event:
    return event_of(PostDeleted(post_id=name, account_id=by, deleted_by="author"), minutes=minutes)


def edited(minutes: float, *, text: str = TEXT, media: tuple[str, ...] = ()) -> Event:
    return event_of(
        PostEdited(post_id=POST, account_id=AUTHOR, text=text, media_ids=media), minutes=minutes
    )


LIFE_OF_A_POST = [
    created(0),
    event_of(PostCreated(post_id=POST, account_id=AUTHOR, text=TEXT * 2), event_id="told again"),
    edited(3, text=TEXT + " quibble"),
    edited(5, text="quibble " + TEXT, media=("media-1",)),
    event_of(ViewsCounted(post_id=POST, views=7), minutes=4),
    event_of(ViewsCounted(post_id=POST, views=90), minutes=6),
    event_of(EngagementCreated(account_id="account-2", kind="like", post_id=POST), minutes=1),
    deleted(9),
    event_of(PostDeleted(post_id=POST, deleted_by="platform"), minutes=20),
    event_of(
        AccountCreated(account_id=AUTHOR, handle="quib", display_name="Quib", bio="nothing"),
        minutes=-60,
    ),
    event_of(AccountUpdated(account_id=AUTHOR, handle="quibble"), minutes=-30),
]


@given(st.permutations(LIFE_OF_A_POST), st.integers(1, len(LIFE_OF_A_POST)))
@settings(max_examples=200, deadline=None)
def test_events_in_any_order_and_batch_end_in_the_same_knowledge(
    events: list[Event], size: int
) -> None:
    store, _ = take_in(events, size=size)
    assert store.post_rows == {
        POST: make_post(
            posted_at=at(0),
            text_at=at(5),
            deleted_at=at(9),
            deleted_by="author",
            fingerprint=fingerprint("quibble " + TEXT),
            media_ids=("media-1",),
            event_key=edited(5).key,
            views=90,
            engagements=1,
        )
    }
    assert store.account_rows[AUTHOR] == AccountContext(
        account_id=AUTHOR,
        handle="quibble",
        display_name="Quib",
        bio="nothing",
        created_at=at(-60),
        profile_at=at(-30),
        first_seen=at(-60),
        posts=1,
        deletions=1,
    )


STREAM = [
    created(0, "post-1"),
    deleted(2, "post-1"),
    created(4, "post-2"),
    edited(5, text="an altogether different tale about umbrellas"),
    deleted(6, "post-2", by=""),
    event_of(PostDeleted(post_id="post-3", deleted_by="author"), minutes=9),
    created(8, "post-3"),
    created(12, "post-4"),
    created(11, "post-5", by="account-2"),
    deleted(13, "post-4"),
]


@given(st.permutations(STREAM), st.integers(1, len(STREAM)))
@settings(max_examples=200, deadline=None)
def test_what_is_known_before_each_event_does_not_depend_on_batches(
    events: list[Event], size: int
) -> None:
    one_by_one, expected = take_in(events, size=1)
    in_batches, contexts = take_in(events, size=size)
    assert contexts == expected
    assert in_batches.post_rows == one_by_one.post_rows
    assert in_batches.account_rows == one_by_one.account_rows


def test_deletion_without_an_author_counts_once_its_author_is_known() -> None:
    store, contexts = take_in([deleted(5, by=""), created(0), created(9, "post-2")], size=1)
    assert store.account_rows[AUTHOR].deletions == 1
    assert [stone.post_id for stone in contexts[-1].tombstones] == [POST]


def test_deletion_laid_to_another_account_moves_to_the_author() -> None:
    store, _ = take_in([deleted(5, by="account-9"), created(0)])
    assert store.account_rows[AUTHOR].deletions == 1
    assert store.account_rows[AccountId("account-9")].deletions == 0


def test_tombstones_older_than_two_weeks_are_not_compared() -> None:
    two_weeks = 14 * 24 * 60
    _, contexts = take_in([created(0), deleted(1), created(two_weeks + 2, "post-2")])
    assert contexts[-1].tombstones == ()


def test_at_most_a_hundred_tombstones_are_compared_newest_first() -> None:
    events = [
        event
        for number in range(120)
        for event in (created(number, f"p{number:03}"), deleted(number + 0.5, f"p{number:03}"))
    ]
    _, contexts = take_in([*events, created(500, "post-2")])
    stones = [stone.post_id for stone in contexts[-1].tombstones]
    assert len(stones) == 100
    assert stones[:2] == ["p119", "p118"]


def test_tombstone_says_its_last_text_where_that_may_be_the_same_again() -> None:
    late_edit = edited(1, text="zorb")
    posts = [created(9, "post-2"), created(10, "post-3", text="gorp")]
    _, contexts = take_in([created(0), deleted(2), late_edit, *posts])
    assert [one.text for context in contexts[-2:] for one in context.tombstones] == ["zorb", ""]


def test_deleted_post_of_an_earlier_batch_says_what_it_said() -> None:
    _, contexts = take_in([created(0), deleted(2), created(9, "post-2")], size=1)
    assert [one.text for one in contexts[-1].tombstones] == [TEXT]


def test_deletion_that_arrives_late_says_what_was_deleted_and_what_came_after() -> None:
    events = [created(0), created(9, "post-2"), deleted(2)]
    for size in (1, 3):
        _, contexts = take_in(events, size=size)
        post = contexts[-1].post
        assert post is not None
        assert [post.text, *(one.text for one in contexts[-1].later_posts)] == [TEXT, TEXT]


def test_late_deletion_sees_what_its_author_published_after_it() -> None:
    stream = [
        created(0),
        created(1, "before"),
        created(7, "after"),
        created(8, "others", by="account-2"),
        deleted(5),
    ]
    for size in (1, 100):
        _, contexts = take_in(stream, size=size)
        assert [post.post_id for post in contexts[-1].later_posts] == ["after"]


def test_deletion_told_again_sees_nothing_new() -> None:
    stream = [created(0), created(7, "after"), deleted(5), deleted(6)]
    _, contexts = take_in(stream)
    assert contexts[-1].later_posts == ()


def test_reposted_tombstone_stays_marked_across_batches() -> None:
    store, _ = take_in([created(0), deleted(1)])
    known = Known()
    known.load([created(5, "post-2")], store)
    known.mark_reposted([POST, "never-seen"], PostId("post-2"))
    known.save(store)
    assert store.post_rows[POST].reposted_as == "post-2"
    assert store.account_rows[AUTHOR].deletions == 1


def test_repost_is_remembered_once() -> None:
    store, _ = take_in([created(0), deleted(1)])
    known = Known()
    known.load([created(5, "post-2")], store)
    known.mark_reposted([POST], PostId("post-2"))
    known.mark_reposted([POST], PostId("post-3"))
    assert known.posts[POST].reposted_as == "post-2"


def test_user_report_is_judged_with_post_author_and_media_reported() -> None:
    store, _ = take_in(
        [event_of(PostCreated(post_id=POST, account_id=AUTHOR, text=TEXT, media_ids=("media-1",)))]
    )
    store.media_rows[MediaId("media-1")] = make_media()
    report = event_of(UserReportCreated(user_report_id="r", account_id="account-2", post_id=POST))
    store, [context] = take_in([report], store=store)
    assert context.account is not None
    assert context.account.account_id == AUTHOR
    assert [one.media_id for one in context.media] == ["media-1"]
    assert store.account_rows[AUTHOR].user_reports == 1


def test_user_report_about_an_account_counts_for_that_account() -> None:
    report = event_of(
        UserReportCreated(user_report_id="r", account_id="account-2", target_account_id=AUTHOR)
    )
    store, _ = take_in([report])
    assert store.account_rows[AUTHOR].user_reports == 1


def test_user_report_about_an_unknown_post_is_judged_without_an_account() -> None:
    report = event_of(UserReportCreated(user_report_id="r", account_id="account-2", post_id=POST))
    store, [context] = take_in([report])
    assert context == Context()
    assert store.account_rows == {}


def test_equally_old_profile_news_is_settled_by_the_update() -> None:
    news = [
        event_of(AccountCreated(account_id=AUTHOR, handle="first")),
        event_of(AccountUpdated(account_id=AUTHOR, handle="second")),
    ]
    for order in (news, news[::-1]):
        store, _ = take_in(order)
        assert store.account_rows[AUTHOR].handle == "second"


def test_media_is_known_to_its_upload_and_to_the_post_that_shows_it() -> None:
    known = Known()
    upload = event_of(MediaUploaded(media_id="media-1", account_id=AUTHOR))
    post = event_of(PostCreated(post_id=POST, account_id=AUTHOR, media_ids=("media-1", "lost")))
    known.load([upload, post], MemoryContextStore())
    assert isinstance(upload.data, MediaUploaded)
    known.add_media(upload, upload.data, Scan(state=ScanState.FAILED, reason="quibble"))
    for event in (upload, post):
        assert [one.scan.reason for one in known.context_for(event).media] == ["quibble"]


def test_media_that_is_announced_again_keeps_what_a_person_decided() -> None:
    store = MemoryContextStore()
    store.media_rows[MediaId("media-1")] = make_media(human_decision="dismissed")
    upload = event_of(MediaUploaded(media_id="media-1", account_id=AUTHOR))
    known = Known()
    known.load([upload], store)
    assert isinstance(upload.data, MediaUploaded)
    known.add_media(upload, upload.data, Scan(state=ScanState.SCANNED))
    known.save(store)
    assert store.media_rows[MediaId("media-1")].human_decision == "dismissed"


@pytest.mark.parametrize(
    "event",
    [
        event_of(EngagementCreated(account_id=AUTHOR, kind="like", post_id=POST)),
        event_of(ViewsCounted(post_id=POST, views=3)),
    ],
    ids=["engagement", "views"],
)
def test_engagement_and_views_are_judged_without_context(event: Event) -> None:
    _, contexts = take_in([created(0), event])
    assert contexts[-1] == Context()


def test_following_an_account_changes_no_post() -> None:
    follow = event_of(
        EngagementCreated(account_id=AUTHOR, kind="follow", target_account_id="account-2")
    )
    store, _ = take_in([follow])
    assert store.post_rows == {}


def test_flag_stays_on_a_post_that_is_known() -> None:
    known = Known()
    known.posts = {POST: PostContext(post_id=POST, account_id=AUTHOR)}
    known.flag_post(POST)
    known.flag_post(PostId("never-seen"))
    assert known.posts[POST].flagged
    assert set(known.posts) == {POST}
