"""Deleted posts on which a signal fired: they are sealed though no rule asked for anything.

A deletion, and a signal on what is deleted already, leave a ``KeptPost`` in the same transaction.
Sealing follows, and is tried again until all is sealed that can be had.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from nightlight.model.context import PostContext
from nightlight.model.custody import KeptPost
from nightlight.model.event import Event, PostCreated, PostEdited
from nightlight.model.ids import CaseId, EventKey, derive_id
from nightlight.model.signal import Signal, SubjectKind


class KeptPostStore(Protocol):
    """Which deleted posts are kept."""

    def add(self, posts: Iterable[KeptPost]) -> None:
        """Store new ones; one that is already there stays as it is."""
        ...

    def save(self, post: KeptPost) -> None:
        """Store one over its former state."""
        ...

    def get(self, kept_id: str) -> KeptPost:
        """Return one, held until the transaction ends.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    def some(self, ids: Collection[str]) -> dict[CaseId, KeptPost]:
        """Return those of these that there are."""
        ...

    def due(self, at: datetime, limit: int) -> list[KeptPost]:
        """Return what is to be sealed at a time, what waits longest first."""
        ...

    def newest(self, limit: int, *, account_id: str = "") -> list[KeptPost]:
        """Return the newest, of one account or of all, newest deletion first."""
        ...

    def given_up(self) -> int:
        """Return of how many not everything could be sealed, and nothing is tried any more."""
        ...


class _Events(Protocol):
    def find(self, keys: Sequence[EventKey]) -> dict[EventKey, Event]: ...


class _Signals(Protocol):
    def of_events(self, event_keys: Collection[str]) -> list[Signal]: ...

    def about(self, subject_ids: Collection[str]) -> list[Signal]: ...


class _Sealed(Protocol):
    def sealed_posts(self, event_keys: Collection[str]) -> set[str]: ...


class Stores(Protocol):
    """Where it is read from."""

    @property
    def events(self) -> _Events: ...  # noqa: D102  the attribute's type says it
    @property
    def signals(self) -> _Signals: ...  # noqa: D102
    @property
    def evidence(self) -> _Sealed: ...  # noqa: D102


def to_keep(
    stores: Stores, posts: Iterable[PostContext], *, named: Collection[str], at: datetime
) -> list[KeptPost]:
    """Return what is to be sealed of these posts: deleted, with a signal, and not sealed yet.

    Args:
        stores: what is kept, the signals of the batch under way included.
        posts: posts as known now.
        named: posts that a signal about another post names.
        at: now.
    """
    deleted = [one for one in posts if one.deleted_at is not None]
    if not deleted:
        return []
    about: dict[tuple[SubjectKind, str], set[str]] = {}
    subjects = {one.post_id for one in deleted} | {m for one in deleted for m in one.media_ids}
    for signal in stores.signals.about(subjects):
        about.setdefault((signal.subject.kind, signal.subject.id), set()).add(signal.event_key)
    told = [one.event_key for one in deleted if one.event_key]
    fired = {signal.event_key for signal in stores.signals.of_events(told)}
    wanted: dict[EventKey, PostContext] = {}
    for post in deleted:
        keys = set(about.get((SubjectKind.POST, post.post_id), ()))
        shown = any((SubjectKind.MEDIA, one) in about for one in post.media_ids)
        if keys or shown or post.event_key in fired or post.post_id in named:
            wanted.update((EventKey(one), post) for one in {*keys, post.event_key} if one)
    sealed = stores.evidence.sealed_posts(wanted)
    events = stores.events.find([one for one in wanted if one not in sealed])
    return [
        _kept(event, wanted[key], at)
        for key, event in events.items()
        if isinstance(event.data, PostCreated | PostEdited) and event.post_id == wanted[key].post_id
    ]


def _kept(event: Event, post: PostContext, at: datetime) -> KeptPost:
    return KeptPost(
        id=CaseId(derive_id("kept", post.post_id, event.key)),
        post_id=post.post_id,
        account_id=post.account_id or event.account_id,
        event_key=event.key,
        deleted_at=post.deleted_at or at,
        noticed_at=at,
        next_at=at,
    )
