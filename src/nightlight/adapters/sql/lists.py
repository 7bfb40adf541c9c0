"""Policies, and the numbers by which running processes notice new lists."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from nightlight.adapters.sql.rows import put_new, put_over, to_us
from nightlight.adapters.sql.schema import counter, policy


def touch(connection: Connection, name: str) -> None:
    """Change the number by which running processes notice a new list."""
    put_new(connection, counter, [{"name": name, "value": 0}])
    connection.execute(
        update(counter).where(counter.c.name == name).values(value=counter.c.value + 1)
    )


class SqlPolicyStore:
    """Every policy that was ever active; the one activated last is active."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def activate(self, version: str, body: bytes, *, at: datetime) -> None:
        """Make this the active policy."""
        put_over(
            self._connection,
            policy,
            [{"version": version, "body": body, "activated_us": to_us(at)}],
        )
        touch(self._connection, "policies")

    def active(self) -> bytes | None:
        """Return the active policy's file, None where none was activated."""
        newest = select(policy.c.body).order_by(policy.c.activated_us.desc()).limit(1)
        return self._connection.execute(newest).scalar_one_or_none()

    def find(self, version: str) -> bytes | None:
        """Return the file of a policy that was active once."""
        statement = select(policy.c.body).where(policy.c.version == version)
        return self._connection.execute(statement).scalar_one_or_none()
