"""Finds posts that say again what their author had posted and soon deleted.

Selling posts are taken down by their own author before anybody looks, and come back. A corrected
typo looks the same once: how often is a fact, and policy decides.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from msgspec import Struct

from nightlight.detect.near_duplicate import THRESHOLD, fingerprint, similarity
from nightlight.model.context import Context, PostContext
from nightlight.model.event import Event, PostCreated
from nightlight.model.ids import PostId
from nightlight.model.signal import Fact, Signal, Subject, SubjectKind

_FACTS: Mapping[str, Fact] = MappingProxyType(
    {"repost_count": 0, "repost_lived_s": 0, "repost_gap_s": 0}
)
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
    alike they are at least.
    """

    name = "delete_repost"
    facts = _FACTS

    def __init__(
        self,
        *,
        deleted_within_s: int = 86_400,
        reposted_within_s: int = 7 * 86_400,
        threshold: float = THRESHOLD,
    ) -> None:
        self._deleted_within = timedelta(seconds=deleted_within_s)
        self._reposted_within = timedelta(seconds=reposted_within_s)
        self._threshold = threshold

    def detect(self, event: Event, context: Context) -> Sequence[Signal]:
        """Return one signal if the new post repeats at least one that its author deleted."""
        if not context.tombstones or not isinstance(event.data, PostCreated):
            return ()
        found = list(self._repeated(event, event.data, context.tombstones))
        if not found:
            return ()
        alike = max(each.similarity for each in found)
        return (
            Signal(
                detector=self.name,
                event_key=event.key,
                account_id=event.account_id,
                subject=Subject(kind=SubjectKind.POST, id=event.post_id),
                confidence=alike,
                facts={
                    "repost_count": len(found),
                    "repost_lived_s": min(each.lived_s for each in found),
                    "repost_gap_s": min(each.gap_s for each in found),
                },
                evidence={
                    "deleted_posts": [each.post_id for each in found[:_MOST_IN_EVIDENCE]],
                    "similarity": round(alike, 3),
                },
            ),
        )

    def _repeated(
        self, event: Event, post: PostCreated, tombstones: Sequence[PostContext]
    ) -> Iterator[_Earlier]:
        sketch = b""
        for earlier in tombstones:
            times = self._times(event, earlier)
            if times is None:
                continue
            sketch = sketch or fingerprint(post.text)
            if not sketch:
                return
            alike = similarity(sketch, earlier.fingerprint)
            if alike >= self._threshold:
                lived, gap = times
                yield _Earlier(
                    earlier.post_id, alike, int(lived.total_seconds()), int(gap.total_seconds())
                )

    def _times(self, event: Event, earlier: PostContext) -> tuple[timedelta, timedelta] | None:
        """Return how long the earlier post lived and was gone, None where it does not count."""
        if earlier.deleted_by != "author" or earlier.account_id != event.account_id:
            return None
        if earlier.post_id == event.post_id or not earlier.fingerprint:
            return None
        if earlier.posted_at is None or earlier.deleted_at is None:
            return None
        lived = earlier.deleted_at - earlier.posted_at
        gap = event.time - earlier.deleted_at
        none = timedelta(0)
        in_time = none <= lived <= self._deleted_within and none <= gap <= self._reposted_within
        return (lived, gap) if in_time else None
