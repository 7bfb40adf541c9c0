"""A post that its author deleted and posts again is found; look-alikes of that are not."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from nightlight.detect.delete_repost import DeleteRepost
from nightlight.detect.near_duplicate import fingerprint
from nightlight.model.context import Context, PostContext
from nightlight.model.event import Event, EventData, EventType, PostCreated, PostEdited
from nightlight.model.ids import AccountId, EventKey, PostId
from nightlight.model.signal import Signal

NOON = datetime(2025, 1, 8, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TEXT = "fresh zorbleflux and kleptic plonks from our garden, ask for the list today"


def deleted(
    post_id: str = "old",
    *,
    text: str = TEXT,
    lived: timedelta = HOUR,
    gone: timedelta = HOUR,
    by: str = "author",
    account: str = "a1",
) -> PostContext:
    return PostContext(
        post_id=PostId(post_id),
        account_id=AccountId(account),
        posted_at=NOON - gone - lived,
        deleted_at=NOON - gone,
        deleted_by=by,
        fingerprint=fingerprint(text),
    )


def event(data: EventData, kind: EventType = EventType.POST_CREATED) -> Event:
    return Event(key=EventKey("k"), source="s", id="1", type=kind, time=NOON, data=data)


def signals(*tombstones: PostContext, text: str = TEXT) -> list[Signal]:
    new = event(PostCreated(post_id="new", account_id="a1", text=text))
    return list(DeleteRepost().detect(new, Context(tombstones=tombstones)))


def test_repost_of_a_deleted_post_is_found() -> None:
    found = signals(deleted())
    assert dict(found[0].facts) == {
        "repost_count": 1,
        "repost_lived_s": 3_600,
        "repost_gap_s": 3_600,
    }
    assert found[0].evidence == {"deleted_posts": ["old"], "similarity": 1.0}


def test_corrected_typo_is_found_once() -> None:
    found = signals(deleted(), text=TEXT.replace("garden", "gardens"))
    assert found[0].facts["repost_count"] == 1


def test_repeated_reposts_are_counted_with_the_shortest_life_and_newest_gap() -> None:
    earlier = deleted("older", lived=HOUR / 2, gone=30 * HOUR)
    found = signals(deleted("old", lived=2 * HOUR), earlier)
    assert dict(found[0].facts) == {
        "repost_count": 2,
        "repost_lived_s": 1_800,
        "repost_gap_s": 3_600,
    }


@pytest.mark.parametrize(
    "tombstone",
    [
        deleted(text="an entirely different story about umbrellas and rainy afternoons"),
        deleted(by="platform"),
        deleted(by="unknown"),
        deleted(lived=25 * HOUR),
        deleted(gone=timedelta(days=8)),
        deleted(gone=-HOUR),
        deleted(account="a2"),
        deleted("new"),
        deleted(text="short"),
    ],
    ids=[
        "different text",
        "deleted by the platform",
        "deleted by nobody knows whom",
        "lived too long",
        "gone too long",
        "deleted after the new post",
        "another account's post",
        "the same post",
        "too short to compare",
    ],
)
def test_look_alike_of_a_repost_is_not_found(tombstone: PostContext) -> None:
    assert signals(tombstone) == []


@pytest.mark.parametrize("missing", ["posted_at", "deleted_at"])
def test_post_of_which_a_time_is_unknown_is_not_compared(missing: str) -> None:
    assert signals(msgspec.structs.replace(deleted(), **{missing: None})) == []


def test_edit_is_no_repost() -> None:
    edited = event(PostEdited(post_id="new", account_id="a1", text=TEXT), EventType.POST_EDITED)
    assert DeleteRepost().detect(edited, Context(tombstones=(deleted(),))) == ()


def test_new_post_too_short_to_compare_gives_nothing() -> None:
    assert signals(deleted(), text="zorb") == []


def test_options_widen_and_narrow_what_is_found() -> None:
    new = event(PostCreated(post_id="new", account_id="a1", text=TEXT))
    context = Context(tombstones=(deleted(),))
    assert DeleteRepost(deleted_within_s=3_599).detect(new, context) == ()
    assert DeleteRepost(reposted_within_s=3_599).detect(new, context) == ()
    assert (
        len(DeleteRepost(deleted_within_s=3_600, reposted_within_s=3_600).detect(new, context)) == 1
    )


def test_evidence_is_cut_but_the_count_is_not() -> None:
    found = signals(*(deleted(f"old{index}") for index in range(40)))
    shown = found[0].evidence["deleted_posts"]
    assert isinstance(shown, list)
    assert (found[0].facts["repost_count"], len(shown)) == (40, 32)


def said(tombstone: PostContext, text: str) -> PostContext:
    return msgspec.structs.replace(tombstone, text=text, fingerprint=fingerprint(text))


def test_short_advert_posted_again_with_another_number_is_found() -> None:
    [found] = signals(said(deleted(), "zorb 49$ dm me"), text="zorb 50$ dm me")
    assert found.evidence["similarity"] == 1.0


def test_other_goods_in_the_same_template_are_not_the_same_again() -> None:
    text = "discount for plimquat, 82 coins each, price list, ask at the gate about zorbleflux"
    other = text.replace("plimquat", "yuntabrik").replace("82", "13")
    assert signals(said(deleted(), text), text=other) == []
