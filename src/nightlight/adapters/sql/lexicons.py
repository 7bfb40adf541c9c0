"""Lexicons and the changes made to them; terms are sealed one by one, proposals whole."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, func, select

from nightlight.adapters.sql.lists import touch
from nightlight.adapters.sql.rows import (
    Row,
    among,
    from_us_or_none,
    put_new,
    put_over,
    to_json,
    to_us,
)
from nightlight.adapters.sql.schema import lexicon_change, term
from nightlight.errors import NotFound
from nightlight.exchange.ports import ListSummary
from nightlight.model.lexicon import LexiconChange, Term, TermKind
from nightlight.preserve.ports import KeyRing

_change = msgspec.json.Decoder(LexiconChange)
_term = msgspec.json.Decoder(Term)


class _Proposed(Struct, frozen=True, kw_only=True):
    """What a proposal holds, sealed; older ones are the bare list of terms."""

    terms: list[Term] = []
    replaces: list[Term] = []


_proposed = msgspec.json.Decoder(_Proposed | list[Term])


class SqlLexiconStore:
    """Lexicons, encrypted at rest."""

    def __init__(self, connection: Connection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    def put(self, name: str, terms: Sequence[Term], *, at: datetime) -> int:
        """Add terms, bring known ones (same id) up to date, and return how many were new."""
        own = {one.id: one for one in terms}
        wanted = among(self._connection, term.c.id, list(own))
        known = set(
            self._connection.execute(
                select(term.c.id).where(term.c.lexicon == name, wanted)
            ).scalars()
        )
        put_over(self._connection, term, [self._row(name, one, at) for one in own.values()])
        touch(self._connection, "lexicons")
        return len(own) - len(known)

    def remove_lexicon(self, name: str) -> int:
        """Withdraw a whole lexicon and return how many terms it held."""
        removed = self._connection.execute(delete(term).where(term.c.lexicon == name))
        touch(self._connection, "lexicons")
        return removed.rowcount

    def all(self) -> Iterator[Term]:
        """Return every term of every lexicon."""
        for row in self._connection.execute(select(term).order_by(term.c.id)):
            yield self._read(row)

    def terms(self, name: str) -> Iterator[Term]:
        """Return every term of a lexicon, by id."""
        wanted = select(term).where(term.c.lexicon == name).order_by(term.c.id)
        for row in self._connection.execute(wanted):
            yield self._read(row)

    def term_ids(self, name: str) -> list[str]:
        """Return the ids of a lexicon's terms."""
        wanted = select(term.c.id).where(term.c.lexicon == name).order_by(term.c.id)
        return list(self._connection.execute(wanted).scalars())

    def summaries(self) -> list[ListSummary]:
        """Return what may be shown of each lexicon."""
        newest = func.max(term.c.added_us).label("updated_us")
        rows = self._connection.execute(
            select(term.c.lexicon, func.count().label("entries"), newest)
            .group_by(term.c.lexicon)
            .order_by(term.c.lexicon)
        )
        return [
            ListSummary(
                name=row.lexicon, entries=row.entries, updated_at=from_us_or_none(row.updated_us)
            )
            for row in rows
        ]

    def _row(self, name: str, one: Term, at: datetime) -> Row:
        in_columns = Term(
            id=one.id, kind=one.kind, text=one.text, severity=one.severity, language=one.language
        )
        sealed = None if one == in_columns else self._keys.wrap(msgspec.json.encode(one))
        return {
            "id": one.id,
            "lexicon": name,
            "kind": one.kind.value,
            "sealed_text": self._keys.wrap(one.text.encode()),
            "severity": one.severity,
            "language": one.language,
            "added_us": to_us(at),
            "sealed_term": sealed,
        }

    def _read(self, row: Any) -> Term:
        if row.sealed_term is not None:
            return _term.decode(self._keys.unwrap(row.sealed_term))
        return Term(
            id=row.id,
            kind=TermKind(row.kind),
            text=self._keys.unwrap(row.sealed_text).decode(),
            severity=row.severity,
            language=row.language,
        )


class SqlLexiconChangeStore:
    """Changes of lexicons; what is proposed lies sealed until somebody decides."""

    def __init__(self, connection: Connection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    def propose(
        self, change: LexiconChange, terms: Sequence[Term], *, replaces: Sequence[Term] = ()
    ) -> None:
        """Store a change that waits, with the terms it would add and those they would replace."""
        proposed = _Proposed(terms=list(terms), replaces=list(replaces))
        sealed = self._keys.wrap(msgspec.json.encode(proposed))
        put_new(self._connection, lexicon_change, [_row(change, sealed)])

    def settle(self, change: LexiconChange) -> None:
        """Store a change that is decided, without its terms."""
        put_over(self._connection, lexicon_change, [_row(change, None)])

    def get(self, change_id: str) -> LexiconChange:
        """Return a change, held until the transaction ends.

        Raises:
            NotFound: there is none with this id.
        """
        body = self._connection.execute(
            select(lexicon_change.c.body).where(lexicon_change.c.id == change_id).with_for_update()
        ).scalar_one_or_none()
        if body is None:
            hint = "`nightlight lexicon changes` shows them"
            raise NotFound(f"no lexicon change {change_id!r}", hint=hint)
        return _change.decode(body)

    def proposed_terms(self, change_id: str) -> list[Term]:
        """Return what a waiting change would add; nothing once it is decided."""
        return self._proposed(change_id).terms

    def replaced_terms(self, change_id: str) -> list[Term]:
        """Return what the terms of a waiting change would replace, as it was when proposed."""
        return self._proposed(change_id).replaces

    def _proposed(self, change_id: str) -> _Proposed:
        wanted = select(lexicon_change.c.sealed_terms).where(lexicon_change.c.id == change_id)
        sealed = self._connection.execute(wanted).scalar_one_or_none()
        if sealed is None:
            return _Proposed()
        found = _proposed.decode(self._keys.unwrap(sealed))
        return _Proposed(terms=found) if isinstance(found, list) else found

    def newest(self, *, lexicon: str, limit: int) -> list[LexiconChange]:
        """Return the newest changes of a lexicon, or of all where it is ""."""
        wanted = select(lexicon_change.c.body)
        if lexicon:
            wanted = wanted.where(lexicon_change.c.lexicon == lexicon)
        wanted = wanted.order_by(lexicon_change.c.proposed_us.desc(), lexicon_change.c.id)
        return [
            _change.decode(body) for body in self._connection.execute(wanted.limit(limit)).scalars()
        ]

    def version(self, lexicon: str) -> int:
        """Return a lexicon's newest version, 0 where no change of it ever took effect."""
        newest = select(func.max(lexicon_change.c.version)).where(
            lexicon_change.c.lexicon == lexicon
        )
        return self._connection.execute(newest).scalar_one() or 0

    def people(self) -> set[str]:
        """Return everybody who ever proposed, decided or made a change of a lexicon."""
        changes = map(
            _change.decode, self._connection.execute(select(lexicon_change.c.body)).scalars()
        )
        return {who for one in changes for who in (one.proposed_by, one.decided_by) if who}


def _row(change: LexiconChange, sealed: bytes | None) -> Row:
    return {
        "id": change.id,
        "lexicon": change.lexicon,
        "state": change.state.value,
        "version": change.version,
        "alone": change.alone,
        "proposed_us": to_us(change.proposed_at),
        "body": to_json(change),
        "sealed_terms": sealed,
    }
