"""Signs of life of long-running parts."""

from datetime import datetime

from sqlalchemy import Connection, select

from nightlight.adapters.sql.rows import from_us, put_over, to_us
from nightlight.adapters.sql.schema import heartbeat


class SqlHeartbeats:
    """The heartbeat table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def beat(self, name: str, *, at: datetime, detail: str = "") -> None:
        """Remember that a part was alive."""
        row = {"name": name, "at_us": to_us(at), "detail": detail}
        put_over(self._connection, heartbeat, [row])

    def last(self) -> dict[str, tuple[datetime, str]]:
        """Return when each part was last alive, and what it said."""
        rows = self._connection.execute(select(heartbeat))
        return {row.name: (from_us(row.at_us), row.detail) for row in rows}
