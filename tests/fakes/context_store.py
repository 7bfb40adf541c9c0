"""In memory: what is known of accounts, posts and media, answered as the real store must."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Self

from nightlight.model.context import AccountContext, MediaContext, PostContext
from nightlight.model.event import Event
from nightlight.model.ids import AccountId, EventKey, MediaId, PostId
from nightlight.model.link import Link, LinkKind, LinkMark, LinkToken
from nightlight.model.media import Scan, ScanState
from nightlight.model.word_use import Answered, Counted, Users, Word, WordUse


class MemoryLinkStore:
    """A ``LinkStore`` over a dictionary; its key is known to everybody."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, AccountId], Link] = {}

    def keyed(self, marks: Iterable[LinkMark]) -> tuple[LinkToken, ...]:
        return tuple(LinkToken(kind=one.kind, value=_value(one)) for one in marks)

    def add(self, links: Iterable[Link]) -> None:
        for one in links:
            key = (one.token.value, one.account_id)
            before = self.rows.get(key)
            self.rows[key] = one if before is None else _together(before, one)

    def of_account(
        self, account_id: AccountId, limit: int, *, kinds: Collection[LinkKind] = ()
    ) -> list[Link]:
        own = [one for one in self.rows.values() if one.account_id == account_id]
        wanted = [one for one in own if not kinds or one.token.kind in kinds]
        wanted.sort(key=lambda one: one.token.value)
        return sorted(wanted, key=lambda one: one.last_at, reverse=True)[:limit]

    def holders(self, tokens: Collection[int], *, most: int) -> dict[int, list[Link]]:
        found: dict[int, list[Link]] = {}
        for (token, _), one in sorted(self.rows.items()):
            if token in tokens and len(found.setdefault(token, [])) <= most:
                found[token].append(one)
        return found


def _value(mark: LinkMark) -> int:
    said = f"{mark.kind}:{mark.text}".encode()
    return int.from_bytes(hashlib.sha256(said).digest()[:8], "big", signed=True)


def _together(before: Link, one: Link) -> Link:
    return Link(
        token=one.token,
        account_id=one.account_id,
        first_at=min(before.first_at, one.first_at),
        last_at=max(before.last_at, one.last_at),
        count=before.count + one.count,
    )


class MemoryWordUseStore:
    """A ``WordUseStore`` that counts every account and keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[WordUse] = []

    def is_counted(self, users: Users, account_id: AccountId) -> bool:  # noqa: ARG002  protocol
        return True

    def add(self, uses: Iterable[WordUse]) -> None:
        self.told += uses

    def token_of(self, word: Word) -> int:
        said = f"{word.form}:{word.text}".encode()
        return int.from_bytes(hashlib.sha256(said).digest()[:8], "big", signed=True)

    def totals(self) -> Mapping[Users, int]:
        of = {users: {one.account_id for one in self.told if one.users is users} for users in Users}
        return {users: len(accounts) for users, accounts in of.items()}

    def counted(self, *, least: int) -> list[Counted]:
        raise NotImplementedError

    def answer(self, answers: Iterable[Answered]) -> None:
        raise NotImplementedError

    def answered(self) -> list[Answered]:
        return []


class MemoryContextStore:
    """A ``ContextStore`` over dictionaries, with events taken in before and what ties accounts."""

    def __init__(self) -> None:
        self.links = MemoryLinkStore()
        self.word_uses = MemoryWordUseStore()
        self.account_rows: dict[AccountId, AccountContext] = {}
        self.post_rows: dict[PostId, PostContext] = {}
        self.media_rows: dict[MediaId, MediaContext] = {}
        self.event_rows: dict[EventKey, Event] = {}

    @property
    def context(self) -> Self:
        return self

    @property
    def events(self) -> Self:
        return self

    def post_times(
        self, ids: Collection[AccountId], *, posted_after: datetime, each: int
    ) -> dict[AccountId, dict[PostId, datetime]]:
        found: dict[AccountId, dict[PostId, datetime]] = {}
        timed = [(one.posted_at, one) for one in self.post_rows.values()]
        recent = [(at, one) for at, one in timed if at is not None and at >= posted_after]
        for at, one in sorted(recent, key=lambda pair: (-pair[0].timestamp(), pair[1].post_id)):
            if one.account_id in ids and len(found.setdefault(one.account_id, {})) < each:
                found[one.account_id][one.post_id] = at
        return found

    def stopped(self, ids: Collection[AccountId]) -> dict[AccountId, AccountContext]:
        found = self.accounts(ids)
        return {
            name: one
            for name, one in found.items()
            if one.suspended or one.human_decision == "confirmed"
        }

    def find(self, keys: Sequence[EventKey]) -> dict[EventKey, Event]:
        return {one: self.event_rows[one] for one in keys if one in self.event_rows}

    def accounts(self, ids: Collection[AccountId]) -> dict[AccountId, AccountContext]:
        return {one: self.account_rows[one] for one in ids if one in self.account_rows}

    def posts(self, ids: Collection[PostId]) -> dict[PostId, PostContext]:
        return {one: self.post_rows[one] for one in ids if one in self.post_rows}

    def media(self, ids: Collection[MediaId]) -> dict[MediaId, MediaContext]:
        return {one: self.media_rows[one] for one in ids if one in self.media_rows}

    def recent_scans(self, limit: int) -> Iterator[Scan]:
        newest = sorted(self.media_rows.values(), key=lambda one: one.uploaded_at, reverse=True)
        for one in newest[:limit]:
            plain = one.scan.state is ScanState.SCANNED and not one.scan.sealed_digest
            if plain and not one.human_decision:
                yield one.scan

    def tombstones(
        self, ids: Collection[AccountId], *, deleted_after: datetime, each: int
    ) -> dict[AccountId, list[PostContext]]:
        timed = [(post.deleted_at, post) for post in self.post_rows.values()]
        return _newest_each(timed, ids, deleted_after, each)

    def posted_since(
        self, ids: Collection[AccountId], *, posted_after: datetime, each: int
    ) -> dict[AccountId, list[PostContext]]:
        timed = [(post.posted_at, post) for post in self.post_rows.values()]
        return _newest_each(timed, ids, posted_after, each)

    def posts_of(self, account_id: AccountId, limit: int) -> list[PostContext]:
        own = [one for one in self.post_rows.values() if one.account_id == account_id]
        timed = [(one.posted_at.timestamp() if one.posted_at else 0.0, one) for one in own]
        timed.sort(key=lambda pair: (-pair[0], pair[1].post_id))
        return [one for _, one in timed[:limit]]

    def save(
        self,
        *,
        accounts: Iterable[AccountContext],
        posts: Iterable[PostContext],
        media: Iterable[MediaContext],
    ) -> None:
        self.account_rows |= {one.account_id: one for one in accounts}
        self.post_rows |= {one.post_id: one for one in posts}
        self.media_rows |= {one.media_id: one for one in media}


def _newest_each(
    timed: Iterable[tuple[datetime | None, PostContext]],
    ids: Collection[AccountId],
    since: datetime,
    each: int,
) -> dict[AccountId, list[PostContext]]:
    found: dict[AccountId, list[PostContext]] = {}
    recent = [(when, post) for when, post in timed if when is not None and when >= since]
    for _, post in sorted(recent, key=lambda pair: (-pair[0].timestamp(), pair[1].post_id)):
        own = found.setdefault(post.account_id, [])
        if post.account_id in ids and post.text_at is not None and len(own) < each:
            own.append(post)
    return {account_id: own for account_id, own in found.items() if own}
