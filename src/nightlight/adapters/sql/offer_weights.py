"""The weights of the offer detector that were ever in force."""

from datetime import datetime

from sqlalchemy import Connection, select

from nightlight.adapters.sql.lists import touch
from nightlight.adapters.sql.rows import put_over, to_us
from nightlight.adapters.sql.schema import offer_weights


class SqlWeightsStore:
    """Files of weights by version; the one activated last is active."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def activate(self, version: str, body: bytes, *, at: datetime) -> None:
        """Make these the weights in force."""
        put_over(
            self._connection,
            offer_weights,
            [{"version": version, "body": body, "activated_us": to_us(at)}],
        )
        # Weights are a part of the rules: running processes read them again with the policy.
        touch(self._connection, "policies")

    def active(self) -> bytes | None:
        """Return the file of the weights in force, None where none were activated."""
        newest = select(offer_weights.c.body).order_by(offer_weights.c.activated_us.desc()).limit(1)
        return self._connection.execute(newest).scalar_one_or_none()
