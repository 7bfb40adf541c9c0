"""What a new post, or a deletion that arrives late, is compared with: its author's own posts.

Chosen for each event as the store would choose them, so that it does not matter which events
shared a batch with it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from msgspec.structs import replace

from nightlight.detect.near_duplicate import fingerprint, similarity
from nightlight.detect.ports import KnownStores
from nightlight.detect.same_again import SHORTEST
from nightlight.model.context import AccountContext, PostContext
from nightlight.model.event import Event, PostCreated, PostDeleted, PostEdited
from nightlight.model.ids import AccountId, EventKey, PostId

#: Posts compared, an account: enough for a week of deleting and posting again by hand.
_EACH = 100
#: How long a deleted post is compared with new ones.
_TOMBSTONE_LIFE = timedelta(days=14)
#: Sketches less alike than this are of texts that are not the same one, whatever was changed.
_WORTH_READING = 0.3

_Posts: TypeAlias = dict[PostId, PostContext]


class OwnPosts:
    """Deleted and later posts of the accounts that a batch of events compares."""

    def __init__(self) -> None:
        self._deleted: dict[AccountId, _Posts] = {}
        self._later: dict[AccountId, _Posts] = {}
        self._texts: dict[str, str] = {}

    def load(
        self,
        events: Sequence[Event],
        *,
        posts: Mapping[PostId, PostContext],
        accounts: Mapping[AccountId, AccountContext],
        stores: KnownStores,
    ) -> None:
        """Fetch what the events are compared with; ``posts`` and ``accounts`` are those stored."""
        store = stores.context
        self._texts = {
            event.key: event.data.text
            for event in events
            if isinstance(event.data, PostCreated | PostEdited)
        }
        authors = {e.post_id: e.account_id for e in events if isinstance(e.data, PostCreated)}
        deletions = [event for event in events if isinstance(event.data, PostDeleted)]
        # Whose post was deleted may stand in the event, in the store or in the same batch.
        deleters = {event.account_id for event in deletions}
        deleters |= {authors[e.post_id] for e in deletions if e.post_id in authors}
        deleters |= {posts[e.post_id].account_id for e in deletions if e.post_id in posts}
        deleters.discard(AccountId(""))
        with_deletions = {
            one
            for one in {*authors.values(), *deleters}
            if one in accounts and accounts[one].deletions > 0
        }
        if with_deletions:
            oldest = min(event.time for event in events)
            found = store.tombstones(
                with_deletions, deleted_after=oldest - _TOMBSTONE_LIFE, each=_EACH
            )
            self._deleted = {author: _by_id(own) for author, own in found.items()}
        self._later = {author: {} for author in deleters}
        if deleters:
            first = min(event.time for event in deletions)
            since = store.posted_since(deleters, posted_after=first, each=_EACH)
            self._later |= {author: _by_id(own) for author, own in since.items()}
        wanted = {
            *self._read_for_posts(events),
            *self._read_for_deletions(deletions, posts, authors),
        }
        if wanted := wanted - self._texts.keys() - {""}:
            told = stores.events.find(sorted(EventKey(one) for one in wanted))
            self._texts |= {key: getattr(event.data, "text", "") for key, event in told.items()}

    def _read_for_posts(self, events: Sequence[Event]) -> Iterator[str]:
        for event in events:
            if isinstance(event.data, PostCreated):
                own = self._deleted.get(event.account_id, {}).values()
                yield from (one.event_key for one in own if _is_worth_reading(event.data.text, one))

    def _read_for_deletions(
        self,
        deletions: Sequence[Event],
        posts: Mapping[PostId, PostContext],
        authors: Mapping[PostId, AccountId],
    ) -> Iterator[str]:
        """Yield what a later post of the batch, or a stored one, may turn out to repeat."""
        posting = set(authors.values())
        for event in deletions:
            post = posts.get(event.post_id)
            author = post.account_id if post else authors.get(event.post_id, event.account_id)
            later = self._later.get(author, {}).values()
            if post is not None and (later or author in posting):
                yield post.event_key
            yield from (one.event_key for one in later)

    def tombstones(
        self, author: AccountId, time: datetime, *, text: str
    ) -> tuple[PostContext, ...]:
        """Return the author's deleted posts that a post of this time and text is compared with.

        Newest deletion first; those that may be the same say what they said.
        """
        own = self._deleted.get(author)
        if not own:
            return ()
        oldest = time - _TOMBSTONE_LIFE
        timed = [(one.deleted_at, one) for one in own.values() if one.deleted_at is not None]
        newest = _newest([(when, one) for when, one in timed if when >= oldest])
        return tuple(self.with_text(one) if _is_worth_reading(text, one) else one for one in newest)

    def with_text(self, post: PostContext) -> PostContext:
        """Return the post with what it said, where that was read."""
        return replace(post, text=self._texts.get(post.event_key, ""))

    def all_deleted(self, author: AccountId) -> Iterable[PostContext]:
        """Return the author's deleted posts that are known here, in no order."""
        return self._deleted.get(author, {}).values()

    def tombstone(self, post_id: PostId) -> PostContext | None:
        """Return the deleted post with this id, None where no event is compared with it."""
        return next((own[post_id] for own in self._deleted.values() if post_id in own), None)

    def later_than(self, author: AccountId, time: datetime) -> tuple[PostContext, ...]:
        """Return the author's posts published since ``time``, newest first."""
        own = self._later.get(author)
        if not own:
            return ()
        timed = [(one.posted_at, one) for one in own.values() if one.posted_at is not None]
        newest = _newest([(when, one) for when, one in timed if when >= time])
        return tuple(self.with_text(one) for one in newest)

    def tell(self, before: PostContext | None, post: PostContext) -> None:
        """Remember a post that was created, edited or deleted, in place of what it was before."""
        if before is not None and before.account_id != post.account_id:
            self._deleted.get(before.account_id, {}).pop(post.post_id, None)
        if post.deleted_at is not None and post.account_id:
            _file(post, self._deleted.setdefault(post.account_id, {}))
        if post.posted_at is not None and post.account_id in self._later:
            _file(post, self._later[post.account_id])


def _is_worth_reading(text: str, post: PostContext) -> bool:
    """Return whether a post with this text may be that one again."""
    if len(text) < SHORTEST:
        return False
    sketch = fingerprint(text)
    if not sketch or not post.fingerprint:
        return True
    return similarity(sketch, post.fingerprint) >= _WORTH_READING


def _by_id(posts: Sequence[PostContext]) -> _Posts:
    return {post.post_id: post for post in posts}


def _newest(timed: list[tuple[datetime, PostContext]]) -> tuple[PostContext, ...]:
    """Return the posts of most recent time, newest first; equal times by id."""
    timed.sort(key=lambda pair: pair[1].post_id)
    timed.sort(key=lambda pair: pair[0], reverse=True)
    return tuple(post for _, post in timed[:_EACH])


def _file(post: PostContext, own: _Posts) -> None:
    if post.text_at is not None:
        own[post.post_id] = post
    else:
        own.pop(post.post_id, None)
