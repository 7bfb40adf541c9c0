"""A deletion that arrives after the post that repeats what was deleted is not too late."""

import pytest
from msgspec.structs import replace
from tests.synthetic.builders import TEXT, at, event_of, make_post

from nightlight.detect.delete_repost import DeleteRepost
from nightlight.detect.near_duplicate import fingerprint
from nightlight.model.context import Context, PostContext
from nightlight.model.event import DeletedBy, PostDeleted
from nightlight.model.signal import Signal, Subject, SubjectKind

HOUR = 60.0
OLD = make_post("old", posted_at=at(0), fingerprint=fingerprint(TEXT))


def later_post(name: str = "again", *, after_h: float = 2, text: str = TEXT) -> PostContext:
    return make_post(name, posted_at=at(after_h * HOUR), fingerprint=fingerprint(text))


def signals(
    *later: PostContext,
    post: PostContext | None = OLD,
    deleted_h: float = 1,
    by: DeletedBy = "author",
) -> list[Signal]:
    event = event_of(PostDeleted(post_id="old", deleted_by=by), minutes=deleted_h * HOUR)
    context = Context(post=post, later_posts=later)
    return list(DeleteRepost().detect(event, context))


def test_late_deletion_finds_the_post_that_repeats_the_deleted_one() -> None:
    [signal] = signals(later_post())
    assert signal.subject == Subject(kind=SubjectKind.POST, id="again")
    assert signal.account_id == "account-1"
    assert dict(signal.facts) == {
        "repost_count": 1,
        "repost_lived_s": 3_600,
        "repost_gap_s": 3_600,
    }
    assert signal.evidence["deleted_posts"] == ["old"]


def test_late_deletion_explains_only_the_first_repost() -> None:
    [signal] = signals(later_post("third", after_h=4), later_post("second", after_h=3))
    assert signal.subject.id == "second"


def test_unlike_post_in_between_does_not_hide_the_repost() -> None:
    other = later_post("other", after_h=1.5, text="an altogether different tale of umbrellas")
    [signal] = signals(other, later_post())
    assert signal.subject.id == "again"


@pytest.mark.parametrize(
    "later",
    [
        later_post(text="an altogether different tale about umbrellas and rain"),
        later_post(after_h=8 * 24),
        later_post(after_h=0.5),
        replace(later_post(), account_id="account-2"),
        replace(later_post(), posted_at=None),
        replace(later_post(), fingerprint=b""),
        later_post("old"),
    ],
    ids=[
        "different text",
        "posted too long after",
        "posted before the deletion",
        "another account's post",
        "time unknown",
        "too short to compare",
        "the same post",
    ],
)
def test_look_alike_of_a_late_repost_is_not_found(later: PostContext) -> None:
    assert signals(later) == []


@pytest.mark.parametrize("by", ["platform", "unknown"])
def test_late_deletion_by_others_than_the_author_finds_nothing(by: DeletedBy) -> None:
    assert signals(later_post(), by=by) == []


def test_late_deletion_of_a_post_that_lived_long_finds_nothing() -> None:
    assert signals(later_post(after_h=27), deleted_h=26) == []


def test_late_deletion_of_an_unknown_post_finds_nothing() -> None:
    assert signals(later_post(), post=None) == []
