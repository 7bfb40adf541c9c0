"""What ties accounts together, kept as keyed hashes: looked up by what they share, or by account.

One row for each thing that an account showed, however often: a million posts of one advert are a
few rows. Rows lie in the order of their tokens, so that who shares one is one read.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select

from nightlight.adapters.sql.rows import from_us, is_postgresql, to_us
from nightlight.adapters.sql.schema import link
from nightlight.model.ids import AccountId
from nightlight.model.link import Link, LinkKind, LinkMark, LinkToken
from nightlight.preserve.ports import KeyRing

_KINDS = {kind.value: kind for kind in LinkKind}
_TOKEN_BYTES = 8
_ADD = """
INSERT INTO link (token, account_id, kind, first_us, last_us, count) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (token, account_id) DO UPDATE SET
  first_us = min(link.first_us, excluded.first_us),
  last_us = max(link.last_us, excluded.last_us),
  count = link.count + excluded.count
"""
_HOLDERS = """
SELECT token, account_id, kind, first_us, last_us, count FROM link
WHERE token = ? ORDER BY account_id LIMIT ?
"""


class SqlLinkStore:
    """Who showed what, and who else did."""

    def __init__(self, connection: Connection, keys: KeyRing) -> None:
        self._connection = connection
        key = hmac.new(keys.naming_key(), b"nightlight/links", hashlib.sha256).digest()
        self._keyed = hmac.new(key, digestmod=hashlib.blake2b)

    def keyed(self, marks: Iterable[LinkMark]) -> tuple[LinkToken, ...]:
        """Return the token of each mark."""
        return tuple(self._token(mark) for mark in marks)

    def _token(self, mark: LinkMark) -> LinkToken:
        keyed = self._keyed.copy()
        keyed.update(f"{mark.kind.value}\x1f{mark.text}".encode("utf-8", "surrogatepass"))
        value = int.from_bytes(keyed.digest()[:_TOKEN_BYTES], "big", signed=True)
        return LinkToken(kind=mark.kind, value=value)

    def add(self, links: Iterable[Link]) -> None:
        """Add to what is known of who showed what: times widen, counts add up."""
        together: dict[tuple[int, str], list[Any]] = {}
        for one in links:
            first, last = to_us(one.first_at), to_us(one.last_at)
            row = together.setdefault(
                (one.token.value, one.account_id), [one.token.kind.value, first, last, 0]
            )
            row[1:] = [min(row[1], first), max(row[2], last), row[3] + one.count]
        if not together:
            return
        # In the order of the key: neighbouring rows are written together.
        rows = [(*key, *row) for key, row in sorted(together.items())]
        self._connection.exec_driver_sql(self._sql(_ADD), rows)

    def _sql(self, statement: str) -> str:
        """Return the driver's own SQL: this is the busiest table, and needs nothing more."""
        if not is_postgresql(self._connection):
            return statement
        postgresql = statement.replace("?", "%s")
        return postgresql.replace("min(", "least(").replace("max(", "greatest(")

    def of_account(
        self, account_id: AccountId, limit: int, *, kinds: Collection[LinkKind] = ()
    ) -> list[Link]:
        """Return what an account showed, the newest first."""
        wanted = select(link).where(link.c.account_id == account_id)
        if kinds:
            wanted = wanted.where(link.c.kind.in_([kind.value for kind in kinds]))
        wanted = wanted.order_by(link.c.last_us.desc(), link.c.token).limit(limit)
        return list(_read(self._connection.execute(wanted)))

    def holders(self, tokens: Collection[int], *, most: int) -> dict[int, list[Link]]:
        """Return who showed each token: up to ``most`` and one more, which says "too many"."""
        found: dict[int, list[Link]] = {}
        sql = self._sql(_HOLDERS)
        # One statement a token: a common one must not be read to its end.
        for token in sorted(set(tokens)):
            rows = list(_read(self._connection.exec_driver_sql(sql, (token, most + 1))))
            if rows:
                found[token] = rows
        return found


def _read(rows: Iterable[Sequence[Any]]) -> Iterator[Link]:
    for token, account_id, kind, first_us, last_us, count in rows:
        yield Link(
            token=LinkToken(kind=_KINDS[kind], value=token),
            account_id=AccountId(account_id),
            first_at=from_us(first_us),
            last_at=from_us(last_us),
            count=count,
        )
