"""Lexicons and policies; terms are sealed one by one."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, update

from nightlight.adapters.sql.rows import among, from_us_or_none, put_new, put_over, to_us
from nightlight.adapters.sql.schema import counter, policy, term
from nightlight.exchange.ports import ListSummary
from nightlight.model.lexicon import Term, TermKind
from nightlight.preserve.ports import KeyRing


def _touch(connection: Connection, name: str) -> None:
    """Change the number by which running processes notice a new list."""
    put_new(connection, counter, [{"name": name, "value": 0}])
    connection.execute(
        update(counter).where(counter.c.name == name).values(value=counter.c.value + 1)
    )


def _summaries(connection: Connection, table: Table, name: Any) -> list[ListSummary]:
    rows = connection.execute(
        select(
            name.label("name"),
            func.count().label("entries"),
            func.max(table.c.added_us).label("updated_us"),
        )
        .group_by(name)
        .order_by(name)
    )
    return [
        ListSummary(name=row.name, entries=row.entries, updated_at=from_us_or_none(row.updated_us))
        for row in rows
    ]


def _known(connection: Connection, table: Table, owner: Any, ids: Sequence[str]) -> set[str]:
    found = connection.execute(select(table.c.id).where(owner, among(connection, table.c.id, ids)))
    return set(found.scalars())


class SqlLexiconStore:
    """Lexicons, encrypted at rest."""

    def __init__(self, connection: Connection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    def put(self, name: str, terms: Sequence[Term], *, at: datetime) -> int:
        """Add terms and return how many were new."""
        own = {one.id: one for one in terms}
        known = _known(self._connection, term, term.c.lexicon == name, list(own))
        rows = [
            {
                "id": one.id,
                "lexicon": name,
                "kind": one.kind.value,
                "sealed_text": self._keys.wrap(one.text.encode()),
                "severity": one.severity,
                "language": one.language,
                "added_us": to_us(at),
            }
            for one in own.values()
            if one.id not in known
        ]
        put_new(self._connection, term, rows)
        _touch(self._connection, "lexicons")
        return len(rows)

    def remove_lexicon(self, name: str) -> int:
        """Withdraw a whole lexicon and return how many terms it held."""
        removed = self._connection.execute(delete(term).where(term.c.lexicon == name))
        _touch(self._connection, "lexicons")
        return removed.rowcount

    def all(self) -> Iterator[Term]:
        """Return every term of every lexicon."""
        for row in self._connection.execute(select(term).order_by(term.c.id)):
            yield Term(
                id=row.id,
                kind=TermKind(row.kind),
                text=self._keys.unwrap(row.sealed_text).decode(),
                severity=row.severity,
                language=row.language,
            )

    def term_ids(self, name: str) -> list[str]:
        """Return the ids of a lexicon's terms."""
        wanted = select(term.c.id).where(term.c.lexicon == name).order_by(term.c.id)
        return list(self._connection.execute(wanted).scalars())

    def summaries(self) -> list[ListSummary]:
        """Return what may be shown of each lexicon."""
        return _summaries(self._connection, term, term.c.lexicon)


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
        _touch(self._connection, "policies")

    def active(self) -> bytes | None:
        """Return the active policy's file, None where none was activated."""
        newest = select(policy.c.body).order_by(policy.c.activated_us.desc()).limit(1)
        return self._connection.execute(newest).scalar_one_or_none()

    def find(self, version: str) -> bytes | None:
        """Return the file of a policy that was active once."""
        statement = select(policy.c.body).where(policy.c.version == version)
        return self._connection.execute(statement).scalar_one_or_none()
