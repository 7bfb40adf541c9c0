"""Accounts, posts and media as known so far."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, func, or_, select

from nightlight.adapters.sql.rows import (
    among,
    from_us,
    from_us_or_none,
    put_over,
    to_json,
    to_us,
    to_us_or_none,
)
from nightlight.adapters.sql.schema import account, media, post
from nightlight.model.context import AccountContext, MediaContext, PostContext
from nightlight.model.ids import AccountId, MediaId, PostId
from nightlight.model.media import Scan, ScanState
from nightlight.preserve.ports import KeyRing

_ids = msgspec.json.Decoder(tuple[str, ...])
_scan = msgspec.json.Decoder(Scan)
_encode = msgspec.json.Encoder().encode


class SqlContextStore:
    """Loads and saves context in bulk."""

    def __init__(self, connection: Connection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    def accounts(self, ids: Collection[AccountId]) -> dict[AccountId, AccountContext]:
        """Return the accounts among ``ids`` that are known."""
        if not ids:
            return {}
        found = self._connection.execute(
            select(account).where(among(self._connection, account.c.account_id, ids))
        )
        return {row[0]: _account(row) for row in found}

    def post_times(
        self, ids: Collection[AccountId], *, posted_after: datetime, each: int
    ) -> dict[AccountId, dict[PostId, datetime]]:
        """Return when each account published its newest ``each`` posts since then."""
        place = func.row_number().over(
            partition_by=post.c.account_id, order_by=(post.c.posted_us.desc(), post.c.post_id)
        )
        ranked = (
            select(post.c.account_id, post.c.post_id, post.c.posted_us, place.label("place"))
            .where(
                among(self._connection, post.c.account_id, ids),
                post.c.posted_us >= to_us(posted_after),
            )
            .subquery()
        )
        rows = self._connection.execute(
            select(ranked.c.account_id, ranked.c.post_id, ranked.c.posted_us).where(
                ranked.c.place <= each
            )
        )
        found: dict[AccountId, dict[PostId, datetime]] = defaultdict(dict)
        for account_id, post_id, posted_us in rows:
            found[account_id][post_id] = from_us(posted_us)
        return found

    def stopped(self, ids: Collection[AccountId]) -> dict[AccountId, AccountContext]:
        """Return the accounts among ``ids`` that were suspended, or confirmed by a person."""
        if not ids:
            return {}
        stopped = or_(account.c.suspended, account.c.human_decision == "confirmed")
        found = self._connection.execute(
            select(account).where(among(self._connection, account.c.account_id, ids), stopped)
        )
        return {row[0]: _account(row) for row in found}

    def posts(self, ids: Collection[PostId]) -> dict[PostId, PostContext]:
        """Return the posts among ``ids`` that are known."""
        if not ids:
            return {}
        found = self._connection.execute(
            select(post).where(among(self._connection, post.c.post_id, ids))
        )
        return {row[0]: _post(row) for row in found}

    def media(self, ids: Collection[MediaId]) -> dict[MediaId, MediaContext]:
        """Return the media among ``ids`` that are known."""
        if not ids:
            return {}
        found = self._connection.execute(
            select(media).where(among(self._connection, media.c.media_id, ids))
        )
        return {row.media_id: self._media(row) for row in found}

    def recent_scans(self, limit: int) -> Iterator[Scan]:
        """Return the newest uploads that were scanned, newest first."""
        # The conditions are tried after the limit: traffic that is all matched, or all decided
        # about, must not make this read the whole table.
        newest = (
            select(media.c.sealed_scan, media.c.scan_state, media.c.human_decision)
            .order_by(media.c.uploaded_us.desc())
            .limit(limit)
        )
        for sealed, state, decision in self._connection.execute(newest):
            if state == ScanState.SCANNED.value and not decision:
                scan = _scan.decode(self._keys.unwrap(sealed))
                if not scan.sealed_digest:
                    yield scan

    def tombstones(
        self, ids: Collection[AccountId], *, deleted_after: datetime, each: int
    ) -> dict[AccountId, list[PostContext]]:
        """Return each account's newest ``each`` deleted posts that had a text."""
        wanted = select(post).where(
            among(self._connection, post.c.account_id, ids),
            post.c.deleted_us.is_not(None),
            post.c.deleted_us >= to_us(deleted_after),
            post.c.text_us.is_not(None),
        )
        return self._newest_each(wanted, post.c.deleted_us, each)

    def posted_since(
        self, ids: Collection[AccountId], *, posted_after: datetime, each: int
    ) -> dict[AccountId, list[PostContext]]:
        """Return each account's newest ``each`` posts since then that have a text."""
        wanted = select(post).where(
            among(self._connection, post.c.account_id, ids),
            post.c.posted_us >= to_us(posted_after),
            post.c.text_us.is_not(None),
        )
        return self._newest_each(wanted, post.c.posted_us, each)

    def posts_of(self, account_id: AccountId, limit: int) -> list[PostContext]:
        """Return an account's newest posts, deleted ones included, newest first."""
        rows = self._connection.execute(
            select(post)
            .where(post.c.account_id == account_id)
            .order_by(post.c.posted_us.desc(), post.c.post_id)
            .limit(limit)
        )
        return [_post(row) for row in rows]

    def _newest_each(
        self, wanted: Select[Any], time: Any, each: int
    ) -> dict[AccountId, list[PostContext]]:
        place = func.row_number().over(
            partition_by=post.c.account_id, order_by=(time.desc(), post.c.post_id)
        )
        ranked = wanted.add_columns(place.label("place")).subquery()
        columns = [ranked.c[column.name] for column in post.columns]
        rows = self._connection.execute(
            select(*columns).where(ranked.c.place <= each).order_by(ranked.c.place)
        )
        found: dict[AccountId, list[PostContext]] = defaultdict(list)
        for row in rows:
            found[row.account_id].append(_post(row))
        return found

    def save(
        self,
        *,
        accounts: Iterable[AccountContext],
        posts: Iterable[PostContext],
        media: Iterable[MediaContext],
    ) -> None:
        """Store the new knowledge over the old."""
        put_over(self._connection, account, [_account_row(one) for one in accounts])
        put_over(self._connection, post, [_post_row(one) for one in posts])
        put_over(self._connection, _media_table, [self._media_row(one) for one in media])

    def _media(self, row: Row[Any]) -> MediaContext:
        return MediaContext(
            media_id=row.media_id,
            account_id=row.account_id,
            scan=_scan.decode(self._keys.unwrap(row.sealed_scan)),
            uploaded_at=from_us(row.uploaded_us),
            url=row.url,
            content_type=row.content_type,
            description=row.description,
            event_key=row.event_key,
            human_decision=row.human_decision,
        )

    def _media_row(self, one: MediaContext) -> dict[str, Any]:
        return {
            "media_id": one.media_id,
            "account_id": one.account_id,
            "sealed_scan": self._keys.wrap(_encode(one.scan)),
            "scan_state": one.scan.state.value,
            "uploaded_us": to_us(one.uploaded_at),
            "url": one.url,
            "content_type": one.content_type,
            "description": one.description,
            "event_key": one.event_key,
            "human_decision": one.human_decision,
        }


_media_table = media


def _account(row: Sequence[Any]) -> AccountContext:
    # Taken apart by place, in the order of the schema: a row's attributes cost far more.
    (
        account_id,
        handle,
        display_name,
        bio,
        profile_url,
        created_us,
        profile_us,
        first_seen_us,
        posts,
        deletions,
        user_reports,
        suspended,
        human_decision,
        country,
    ) = row
    return AccountContext(
        account_id=account_id,
        handle=handle,
        display_name=display_name,
        bio=bio,
        profile_url=profile_url,
        country=country,
        created_at=from_us_or_none(created_us),
        profile_at=from_us_or_none(profile_us),
        first_seen=from_us_or_none(first_seen_us),
        posts=posts,
        deletions=deletions,
        user_reports=user_reports,
        suspended=suspended,
        human_decision=human_decision,
    )


def _account_row(one: AccountContext) -> dict[str, Any]:
    return {
        "account_id": one.account_id,
        "handle": one.handle,
        "display_name": one.display_name,
        "bio": one.bio,
        "profile_url": one.profile_url,
        "country": one.country,
        "created_us": to_us_or_none(one.created_at),
        "profile_us": to_us_or_none(one.profile_at),
        "first_seen_us": to_us_or_none(one.first_seen),
        "posts": one.posts,
        "deletions": one.deletions,
        "user_reports": one.user_reports,
        "suspended": one.suspended,
        "human_decision": one.human_decision,
    }


def _post(row: Sequence[Any]) -> PostContext:
    (
        post_id,
        account_id,
        posted_us,
        text_us,
        deleted_us,
        deleted_by,
        fingerprint,
        media_ids,
        event_key,
        views,
        engagements,
        flagged,
        human_decision,
        reposted_as,
    ) = row
    return PostContext(
        post_id=post_id,
        account_id=account_id,
        posted_at=from_us_or_none(posted_us),
        text_at=from_us_or_none(text_us),
        deleted_at=from_us_or_none(deleted_us),
        deleted_by=deleted_by,
        fingerprint=fingerprint,
        media_ids=_ids.decode(media_ids) if media_ids else (),
        event_key=event_key,
        views=views,
        engagements=engagements,
        flagged=flagged,
        human_decision=human_decision,
        reposted_as=reposted_as,
    )


def _post_row(one: PostContext) -> dict[str, Any]:
    return {
        "post_id": one.post_id,
        "account_id": one.account_id,
        "posted_us": to_us_or_none(one.posted_at),
        "text_us": to_us_or_none(one.text_at),
        "deleted_us": to_us_or_none(one.deleted_at),
        "deleted_by": one.deleted_by,
        "fingerprint": one.fingerprint,
        "media_ids": to_json(one.media_ids) if one.media_ids else "",
        "event_key": one.event_key,
        "views": one.views,
        "engagements": one.engagements,
        "flagged": one.flagged,
        "human_decision": one.human_decision,
        "reposted_as": one.reposted_as,
    }
