"""Deleted posts on which a signal fired: they are sealed though no rule asked for anything.

A deletion, and a signal on what is deleted already, leave a ``KeptPost`` in the same transaction.
Sealing follows, and is tried again until all is sealed that can be had.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from nightlight.model.case import Evidence, EvidenceKind
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

    def recorded(self, event_keys: Collection[str]) -> dict[EventKey, datetime]: ...


class _Hunts(Protocol):
    def found(self, event_keys: Collection[str]) -> dict[EventKey, datetime]: ...


class _Evidence(Protocol):
    def of_posts(
        self, event_keys: Collection[str], media_ids: Collection[str]
    ) -> list[Evidence]: ...


class Stores(Protocol):
    """Where it is read from."""

    @property
    def events(self) -> _Events: ...  # noqa: D102  the attribute's type says it
    @property
    def signals(self) -> _Signals: ...  # noqa: D102
    @property
    def hunts(self) -> _Hunts: ...  # noqa: D102
    @property
    def evidence(self) -> _Evidence: ...  # noqa: D102


class _Version(Struct, frozen=True, kw_only=True):
    """A version of a post in which something may have been found.

    Attributes:
        by: the events whose signals are about it, its own among them.
        is_named: whether a signal about another post names it now.
    """

    event: Event
    post: PostContext
    by: frozenset[EventKey]
    is_named: bool

    @property
    def media_ids(self) -> tuple[str, ...]:
        data = self.event.data
        return data.media_ids if isinstance(data, PostCreated | PostEdited) else ()


def to_keep(
    stores: Stores, posts: Iterable[PostContext], *, named: Collection[str], at: datetime
) -> list[KeptPost]:
    """Return what is to be sealed of these posts: deleted, with a signal, and not sealed yet.

    What was sealed and destroyed is to be sealed again where something was found since.

    Args:
        stores: what is kept, the signals and findings of the batch under way included.
        posts: posts as known now.
        named: posts that a signal about another post names.
        at: now.
    """
    deleted = [one for one in posts if one.deleted_at is not None]
    versions = _versions(stores, deleted, named) if deleted else []
    if not versions:
        return []
    files = {name for one in versions for name in one.media_ids}
    evidence = stores.evidence.of_posts([one.event.key for one in versions], files)
    newest: dict[EventKey, datetime] = {}
    if any(one.destroyed_at for one in evidence):
        newest = _newest(stores, {key for one in versions for key in one.by})
    kept: list[KeptPost] = []
    for one in versions:
        found = [newest[key] for key in one.by if key in newest]
        found_at = at if one.is_named else max(found, default=None)
        if not _is_sealed(one, evidence, found_at):
            gone = [each.destroyed_at for each in evidence if _is_of(each, one)]
            kept.append(_kept(one, at, after=max(filter(None, gone), default=None)))
    return kept


def _versions(
    stores: Stores, deleted: Sequence[PostContext], named: Collection[str]
) -> list[_Version]:
    """Return the versions that a signal is about, and the newest ones of such posts."""
    about: dict[tuple[SubjectKind, str], set[EventKey]] = {}
    subjects = {one.post_id for one in deleted} | {m for one in deleted for m in one.media_ids}
    for signal in stores.signals.about(subjects):
        about.setdefault((signal.subject.kind, signal.subject.id), set()).add(signal.event_key)
    told = [one.event_key for one in deleted if one.event_key]
    fired = {signal.event_key for signal in stores.signals.of_events(told)}
    wanted: dict[EventKey, tuple[PostContext, frozenset[EventKey]]] = {}
    for post in deleted:
        keys = about.get((SubjectKind.POST, post.post_id), set())
        shown = {key for m in post.media_ids for key in about.get((SubjectKind.MEDIA, m), ())}
        wanted.update((one, (post, frozenset([one]))) for one in keys)
        is_found = keys or shown or post.event_key in fired or post.post_id in named
        if post.event_key and is_found:
            newest = EventKey(post.event_key)
            wanted[newest] = (post, frozenset({newest, *keys, *shown}))
    return [
        _Version(event=event, post=post, by=by, is_named=post.post_id in named)
        for key, event in stores.events.find(list(wanted)).items()
        for post, by in [wanted[key]]
        if isinstance(event.data, PostCreated | PostEdited) and event.post_id == post.post_id
    ]


def _newest(stores: Stores, keys: Collection[EventKey]) -> dict[EventKey, datetime]:
    """Return when something was found last in each of these events.

    A hunt's findings count by themselves: where its detector had fired before, its signal does not
    stand beside the first.
    """
    newest = stores.signals.recorded(keys)
    for key, found_at in stores.hunts.found(keys).items():
        newest[key] = max(found_at, newest.get(key, found_at))
    return newest


def _is_sealed(
    version: _Version, evidence: Collection[Evidence], found_at: datetime | None
) -> bool:
    """Return whether a version was sealed with its files, and nothing was found since it is gone.

    What was sealed once, kept for its time and destroyed is not sealed again for what was known.
    """
    counting = [
        one
        for one in evidence
        if one.destroyed_at is None or found_at is None or one.destroyed_at > found_at
    ]
    posts = [one for one in counting if _is_of(one, version)]
    if all(one.destroyed_at is not None for one in posts):
        return bool(posts)
    files = {(one.case_id, one.content_id) for one in counting if one.kind is EvidenceKind.MEDIA}
    return any(all((one.case_id, m) in files for m in version.media_ids) for one in posts)


def _is_of(evidence: Evidence, version: _Version) -> bool:
    return evidence.kind is EvidenceKind.POST and evidence.content_id == version.event.key


def _kept(version: _Version, at: datetime, *, after: datetime | None) -> KeptPost:
    """Return it, due now; ``after`` is when what was sealed of it before was destroyed."""
    event, post = version.event, version.post
    again = (after.isoformat(),) if after else ()
    return KeptPost(
        id=CaseId(derive_id("kept", post.post_id, event.key, *again)),
        post_id=post.post_id,
        account_id=post.account_id or event.account_id,
        event_key=event.key,
        deleted_at=post.deleted_at or at,
        noticed_at=at,
        next_at=at,
    )
