"""API tokens, as digests."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from nightlight.adapters.sql.rows import add_all, from_us, from_us_or_none, to_us, to_us_or_none
from nightlight.adapters.sql.schema import api_token
from nightlight.transaction import ApiToken


class SqlApiTokens:
    """The token table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, token: ApiToken) -> None:
        """Store a new token."""
        row = {
            "id": token.id,
            "name": token.name,
            "digest": token.digest,
            "scopes": ",".join(token.scopes),
            "per_second": token.per_second,
            "created_us": to_us(token.created_at),
            "created_by": token.created_by,
            "revoked_us": to_us_or_none(token.revoked_at),
        }
        add_all(self._connection, api_token, [row])

    def all(self) -> list[ApiToken]:
        """Return every token ever made, oldest first."""
        rows = self._connection.execute(
            select(api_token).order_by(api_token.c.created_us, api_token.c.id)
        )
        return [
            ApiToken(
                id=row.id,
                name=row.name,
                digest=row.digest,
                scopes=tuple(row.scopes.split(",")),
                per_second=row.per_second,
                created_at=from_us(row.created_us),
                created_by=row.created_by,
                revoked_at=from_us_or_none(row.revoked_us),
            )
            for row in rows
        ]

    def revoke(self, token_id: str, *, at: datetime) -> bool:
        """Let a token be good no more; return whether it was good until now."""
        changed = self._connection.execute(
            update(api_token)
            .where(api_token.c.id == token_id, api_token.c.revoked_us.is_(None))
            .values(revoked_us=to_us(at))
        )
        return changed.rowcount > 0
