"""Which deleted posts are kept because a signal fired on them."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, false, func, select

from nightlight.adapters.sql.rows import (
    among,
    from_us,
    from_us_or_none,
    put_new,
    put_over,
    to_us,
    to_us_or_none,
)
from nightlight.adapters.sql.schema import kept_post
from nightlight.errors import NotFound
from nightlight.model.custody import KeptPost
from nightlight.model.ids import AccountId, CaseId, EventKey, PostId


class SqlKeptPostStore:
    """The kept_post table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, posts: Iterable[KeptPost]) -> None:
        """Store new ones; one that is already there stays as it is."""
        put_new(self._connection, kept_post, [_row(one) for one in posts])

    def save(self, post: KeptPost) -> None:
        """Store one over its former state."""
        put_over(self._connection, kept_post, [_row(post)])

    def get(self, kept_id: str) -> KeptPost:
        """Return one, held until the transaction ends.

        Raises:
            NotFound: there is none with this id.
        """
        row = self._connection.execute(
            select(kept_post).where(kept_post.c.id == kept_id).with_for_update()
        ).one_or_none()
        if row is None:
            raise NotFound(f"no kept post {kept_id}", hint="`nightlight evidence deleted`")
        return _kept(row)

    def some(self, ids: Collection[str]) -> dict[CaseId, KeptPost]:
        """Return those of these that there are."""
        rows = self._connection.execute(
            select(kept_post).where(among(self._connection, kept_post.c.id, ids))
        )
        return {CaseId(row.id): _kept(row) for row in rows}

    def due(self, at: datetime, limit: int) -> list[KeptPost]:
        """Return what is to be sealed at a time, what waits longest first."""
        rows = self._connection.execute(
            select(kept_post)
            .where(kept_post.c.next_us <= to_us(at))
            .order_by(kept_post.c.next_us, kept_post.c.id)
            .limit(limit)
        )
        return [_kept(row) for row in rows]

    def newest(self, limit: int, *, account_id: str = "") -> list[KeptPost]:
        """Return the newest, of one account or of all, newest deletion first."""
        wanted = select(kept_post)
        if account_id:
            wanted = wanted.where(kept_post.c.account_id == account_id)
        wanted = wanted.order_by(kept_post.c.deleted_us.desc(), kept_post.c.id).limit(limit)
        return [_kept(row) for row in self._connection.execute(wanted)]

    def given_up(self) -> int:
        """Return of how many not everything could be sealed, and nothing is tried any more."""
        return self._connection.execute(
            select(func.count()).where(
                kept_post.c.complete == false(), kept_post.c.next_us.is_(None)
            )
        ).scalar_one()


def _row(one: KeptPost) -> dict[str, Any]:
    return {
        "id": one.id,
        "post_id": one.post_id,
        "account_id": one.account_id,
        "event_key": one.event_key,
        "deleted_us": to_us(one.deleted_at),
        "noticed_us": to_us(one.noticed_at),
        "next_us": to_us_or_none(one.next_at),
        "attempts": one.attempts,
        "complete": one.complete,
    }


def _kept(row: Row[Any]) -> KeptPost:
    return KeptPost(
        id=CaseId(row.id),
        post_id=PostId(row.post_id),
        account_id=AccountId(row.account_id),
        event_key=EventKey(row.event_key),
        deleted_at=from_us(row.deleted_us),
        noticed_at=from_us(row.noticed_us),
        next_at=from_us_or_none(row.next_us),
        attempts=row.attempts,
        complete=row.complete,
    )
