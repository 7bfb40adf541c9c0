"""What whoever adds pictures and videos to banks says of them, sealed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, and_, delete, exists, select

from nightlight.adapters.sql.bank_rows import chunked
from nightlight.adapters.sql.rows import put_over
from nightlight.adapters.sql.schema import bank_content, bank_entry
from nightlight.model.bank import EntryState
from nightlight.preserve.ports import KeyRing


class SqlBankContents:
    """What is said of contents, by their numbers."""

    def __init__(self, connection: Connection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    def describe(self, content: int, metadata: bytes) -> None:
        """Keep what is said of a picture or video; nothing takes it away."""
        if metadata:
            row = {"content": content, "sealed_metadata": self._keys.wrap(metadata)}
            put_over(self._connection, bank_content, [row])
        else:
            gone = delete(bank_content).where(bank_content.c.content == content)
            self._connection.execute(gone)

    def described(self, content: int) -> bytes:
        """Return what is said of a picture or video, b"" where nothing is."""
        wanted = select(bank_content.c.sealed_metadata).where(bank_content.c.content == content)
        sealed = self._connection.execute(wanted).scalar_one_or_none()
        return b"" if sealed is None else self._keys.unwrap(sealed)

    def forget(self, of: ColumnElement[bool]) -> None:
        """Take away what is said of the contents of entries that fulfil a condition."""
        contents = select(bank_entry.c.content).where(of)
        self._connection.execute(delete(bank_content).where(bank_content.c.content.in_(contents)))

    def forget_gone(self, column: Column[Any], values: Sequence[Any]) -> None:
        """Take away what is said of the contents of these entries, where no hash is left."""
        some = select(bank_content.c.content).limit(1)
        if not values or self._connection.execute(some).first() is None:
            return
        for piece in chunked(values):
            self.forget(and_(column.in_(piece), ~_is_kept()))


def _is_kept() -> ColumnElement[bool]:
    """Return the condition that a picture or video has a hash that was not withdrawn."""
    other = bank_entry.alias()
    return exists().where(
        other.c.bank == bank_entry.c.bank,
        other.c.content == bank_entry.c.content,
        other.c.state != EntryState.WITHDRAWN.value,
    )
