"""Finds posts that say again what their author had posted and soon deleted.

Selling posts are taken down by their own author before anybody looks, and come back. A corrected
typo looks the same once: how often is a fact, and policy decides.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from nightlight.detect.near_duplicate import fingerprint, similarity
from nightlight.detect.same_again import closeness
from nightlight.model.context import Context, PostContext
from nightlight.model.event import Event, PostCreated, PostDeleted
from nightlight.model.ids import AccountId, PostId
from nightlight.model.signal import Fact, Signal, Subject, SubjectKind

_FACTS: Mapping[str, Fact] = MappingProxyType(
    {"repost_count": 0, "repost_lived_s": 0, "repost_gap_s": 0}
)
#: The evidence that names the deleted posts.
DELETED_POSTS = "deleted_posts"
#: Sketches this alike are of the same text, some words changed or spelled otherwise. Adverts of one
#: template with other goods lie below; between them and a short text with another number only the
#: letters tell (``same_again``). Over 40 towns both together link 99.9 % of reposts, and 0.2 % of
#: what they link is another post.
_SAME_AGAIN = 0.8
#: An explanation for a person; the count in the facts is not cut.
_MOST_IN_EVIDENCE = 32


class _Earlier(Struct, frozen=True, gc=False):
    """A deleted post that the new one repeats."""

    post_id: PostId
    similarity: float
    lived_s: int
    gap_s: int


class DeleteRepost:
    """Detector of posts that repeat a post their author deleted.

    Attributes of the options: ``deleted_within_s`` is how long the earlier post lived at most,
    ``reposted_within_s`` how long after its deletion the new one may come, ``threshold`` how
    alike their sketches are at least, where the letters alone do not say that they are the same.
    """

    name = "delete_repost"
    facts = _FACTS

    def __init__(
        self,
        *,
        deleted_within_s: int = 86_400,
        reposted_within_s: int = 7 * 86_400,
        threshold: float = _SAME_AGAIN,
    ) -> None:
        self._deleted_within = timedelta(seconds=deleted_within_s)
        self._reposted_within = timedelta(seconds=reposted_within_s)
        self._threshold = threshold

    def detect(self, event: Event, context: Context) -> Sequence[Signal]:
        """Return one signal if a post repeats at least one that its author deleted.

        A deletion may arrive after the post that repeats what was deleted: the signal is then
        about that post and comes from the deletion.
        """
        match event.data:
            case PostCreated() as post if context.tombstones:
                found = list(self._repeated(event, post, context.tombstones))
                return (self._signal(event, event.post_id, found),) if found else ()
            case PostDeleted(deleted_by="author") if context.later_posts and context.post:
                return self._told_late(event, context.post, context.later_posts)
            case _:
                return ()

    def _signal(self, event: Event, post_id: PostId, found: Sequence[_Earlier]) -> Signal:
        alike = max(each.similarity for each in found)
        return Signal(
            detector=self.name,
            event_key=event.key,
            account_id=event.account_id,
            subject=Subject(kind=SubjectKind.POST, id=post_id),
            confidence=alike,
            facts={
                "repost_count": len(found),
                "repost_lived_s": min(each.lived_s for each in found),
                "repost_gap_s": min(each.gap_s for each in found),
            },
            evidence={
                DELETED_POSTS: [each.post_id for each in found[:_MOST_IN_EVIDENCE]],
                "similarity": round(alike, 3),
            },
        )

    def _told_late(
        self, event: Event, post: PostContext, later_posts: Sequence[PostContext]
    ) -> Sequence[Signal]:
        """Return a signal about the first later post that repeats the one now deleted."""
        deleted = replace(post, deleted_at=event.time, deleted_by="author")
        timed = [(one.posted_at, one.post_id, one) for one in later_posts if one.posted_at]
        for posted_at, _, later in sorted(timed, key=lambda one: one[:2]):
            times = self._times(later.post_id, later.account_id, posted_at, deleted)
            if times is None:
                continue
            alike = self._alike(later.fingerprint, later.text, deleted)
            if alike:
                signal = self._signal(event, later.post_id, [_earlier(deleted, alike, times)])
                return (replace(signal, account_id=later.account_id),)
        return ()

    def _repeated(
        self, event: Event, post: PostCreated, tombstones: Sequence[PostContext]
    ) -> Iterator[_Earlier]:
        for earlier in tombstones:
            times = self._times(event.post_id, event.account_id, event.time, earlier)
            if times is None:
                continue
            alike = self._alike(fingerprint(post.text), post.text, earlier)
            if alike:
                yield _earlier(earlier, alike, times)

    def _alike(self, sketch: bytes, text: str, earlier: PostContext) -> float:
        """Return how alike a text and an earlier post are, 0.0 where they are not the same one."""
        alike = similarity(sketch, earlier.fingerprint)
        if alike < self._threshold:
            alike = 0.0
        return max(alike, closeness(text, earlier.text)) if earlier.text else alike

    def _times(
        self, post_id: PostId, author: AccountId, posted_at: datetime, earlier: PostContext
    ) -> tuple[timedelta, timedelta] | None:
        """Return how long the earlier post lived and was gone, None where it does not count."""
        if earlier.deleted_by != "author" or earlier.account_id != author:
            return None
        if earlier.post_id == post_id or earlier.reposted_as:
            return None
        if earlier.posted_at is None or earlier.deleted_at is None:
            return None
        lived = earlier.deleted_at - earlier.posted_at
        gap = posted_at - earlier.deleted_at
        none = timedelta(0)
        in_time = none <= lived <= self._deleted_within and none <= gap <= self._reposted_within
        return (lived, gap) if in_time else None


def _earlier(post: PostContext, similarity: float, times: tuple[timedelta, timedelta]) -> _Earlier:
    lived, gap = times
    return _Earlier(post.post_id, similarity, int(lived.total_seconds()), int(gap.total_seconds()))
