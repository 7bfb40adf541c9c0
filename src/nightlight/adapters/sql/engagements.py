"""Engagements, asked for by post, by account concerned, and by who did it."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, Select, select

from nightlight.adapters.sql.rows import among, from_us, put_new, to_us
from nightlight.adapters.sql.schema import engagement
from nightlight.model.engagement import Engaged, Engagement
from nightlight.model.ids import AccountId, PostId


class SqlEngagementStore:
    """Who engaged with whose posts and accounts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, engagements: Iterable[Engagement]) -> None:
        """Store engagements; one that is already there stays as it is."""
        rows = [
            {
                "event_key": one.event_key,
                "account_id": one.account_id,
                "kind": one.kind.value,
                "post_id": one.post_id,
                "target_id": one.target_id,
                "reply_id": one.reply_id,
                "at_us": to_us(one.at),
            }
            for one in engagements
        ]
        put_new(self._connection, engagement, rows)

    def with_posts(self, ids: Collection[PostId]) -> list[Engagement]:
        """Return what was done with these posts, oldest first."""
        wanted = [one for one in ids if one]
        return self._read(
            select(engagement)
            .where(
                engagement.c.post_id != "", among(self._connection, engagement.c.post_id, wanted)
            )
            .order_by(engagement.c.at_us, engagement.c.event_key)
        )

    def replies(self, post_id: PostId, limit: int) -> list[PostId]:
        """Return the oldest known replies to a post."""
        rows = self._connection.execute(
            select(engagement.c.reply_id)
            .where(engagement.c.post_id == post_id, engagement.c.post_id != "")
            .where(engagement.c.reply_id != "")
            .order_by(engagement.c.at_us, engagement.c.reply_id)
            .limit(limit)
        )
        return [PostId(one) for one in rows.scalars()]

    def with_accounts(self, ids: Collection[AccountId]) -> list[Engagement]:
        """Return who followed or reported these accounts, oldest first."""
        wanted = [one for one in ids if one]
        return self._read(
            select(engagement)
            .where(
                engagement.c.post_id == "", among(self._connection, engagement.c.target_id, wanted)
            )
            .order_by(engagement.c.at_us, engagement.c.event_key)
        )

    def by(self, account_id: AccountId, limit: int) -> list[Engagement]:
        """Return the newest acts of an account, newest first."""
        return self._read(
            select(engagement)
            .where(engagement.c.account_id == account_id)
            .order_by(engagement.c.at_us.desc(), engagement.c.event_key)
            .limit(limit)
        )

    def _read(self, wanted: Select[Any]) -> list[Engagement]:
        return [
            Engagement(
                event_key=row.event_key,
                account_id=row.account_id,
                kind=Engaged(row.kind),
                post_id=row.post_id,
                target_id=row.target_id,
                reply_id=row.reply_id,
                at=from_us(row.at_us),
            )
            for row in self._connection.execute(wanted)
        ]
