"""Lexicons and the policy come in; the record says who brought them, never what is in.

Hash banks are ``services.banks``.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.decide.evaluate import Judge
from nightlight.decide.policy import Policy, parse_policy
from nightlight.errors import InvalidInput, NotFound
from nightlight.exchange.lexicon_file import parse_lexicon
from nightlight.exchange.ports import ListSummary
from nightlight.model.audit import AuditEntry
from nightlight.model.bank import EntryState
from nightlight.model.ids import derive_id
from nightlight.model.lexicon import Term
from nightlight.services.hunts import request_terms
from nightlight.services.rules import declared_facts
from nightlight.transaction import UnitOfWork


class Imported(Struct, frozen=True, kw_only=True):
    """What an import came to; ``rejected`` holds a reason for each line left out."""

    name: str
    read: int
    added: int
    rejected: tuple[str, ...]


class Lists:
    """Imports and withdraws lexicons, counts lists, and activates policies."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock, id_key: bytes) -> None:
        """Keep the parts.

        Args:
            unit_of_work: begins transactions.
            clock: tells when lists came in.
            id_key: keys the ids that are made here, so that an id, which may be shown, does not
                tell somebody with a list of their own what stands on ours.
        """
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._id_key = id_key

    def _opaque_term(self, term: Term, lexicon: str) -> Term:
        if term.id != derive_id("tm", lexicon, term.kind, term.text):
            return term
        return replace(term, id=self._keyed("tm", term.id))

    def _keyed(self, prefix: str, made: str) -> str:
        return f"{prefix}_{hmac.new(self._id_key, made.encode(), hashlib.sha256).hexdigest()[:24]}"

    def import_lexicon(
        self, name: str, lines: Iterable[str], *, actor: str, reason: str
    ) -> Imported:
        """Return what was added to the lexicon; running processes use it at once.

        What is stored already is hunted for the new terms.
        """
        terms, rejected = parse_lexicon(lines, name=name)
        terms = [self._opaque_term(one, name) for one in terms]
        with self._unit_of_work.begin() as tx:
            now = self._clock.now()
            had = set(tx.lexicons.term_ids(name))
            added = tx.lexicons.put(name, terms, at=now)
            new = [one for one in terms if one.id not in had]
            request_terms(tx, new, name=name, actor=actor, at=now)
            done = Imported(name=name, read=len(terms), added=added, rejected=tuple(rejected))
            tx.commit(_imported("lexicon.imported", done, actor, reason))
        return done

    def remove_lexicon(self, name: str, *, actor: str, reason: str) -> int:
        """Return how many terms the withdrawn lexicon held.

        Raises:
            NotFound: there is no such lexicon.
        """
        with self._unit_of_work.begin() as tx:
            removed = tx.lexicons.remove_lexicon(name)
            if not removed:
                raise NotFound(f"no lexicon {name!r}", hint="`nightlight lexicon list`")
            tx.commit(_removed("lexicon.withdrawn", name, removed, actor, reason))
        return removed

    def summaries(self) -> tuple[list[ListSummary], list[ListSummary]]:
        """Return what may be shown of banks and lexicons."""
        with self._unit_of_work.read() as tx:
            banks = [
                ListSummary(
                    name=one.bank.name,
                    entries=sum(one.entries.values()) - one.entries.get(EntryState.WITHDRAWN, 0),
                    updated_at=one.updated_at,
                )
                for one in tx.banks.summaries()
            ]
            return banks, tx.lexicons.summaries()

    def activate_policy(self, body: bytes, *, actor: str, reason: str) -> Policy:
        """Return the policy now in force.

        Raises:
            InvalidInput: the policy is wrong; the one before stays in force.
        """
        policy = check_policy(body)
        with self._unit_of_work.begin() as tx:
            tx.policies.activate(policy.version, body, at=self._clock.now())
            tx.commit(
                AuditEntry(
                    actor=actor,
                    action="policy.activated",
                    subject=policy.version,
                    reason=reason,
                    policy_version=policy.version,
                    detail={"rules": len(policy.rules)},
                )
            )
        return policy


def check_policy(body: bytes) -> Policy:
    """Return the policy if every rule compiles against the declared facts.

    Raises:
        InvalidInput: it does not.
    """
    policy = parse_policy(body)
    Judge(policy=policy, detectors_facts=[facts for _, facts in declared_facts()])
    return policy


def read_list(path: Path) -> list[str]:
    """Return the lines of a list file.

    Raises:
        InvalidInput: the file cannot be read as text.
    """
    return list(stream_list(path))


def stream_list(path: Path) -> Iterator[str]:
    """Yield the lines of a list file, however many, without keeping them.

    Raises:
        InvalidInput: the file cannot be read as text.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line in file:
                yield line.removesuffix("\n")
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", field=str(path)) from error
    except UnicodeDecodeError as error:
        raise InvalidInput("not a UTF-8 text file", field=str(path)) from error


def _imported(action: str, done: Imported, actor: str, reason: str) -> AuditEntry:
    return AuditEntry(
        actor=actor,
        action=action,
        subject=done.name,
        reason=reason,
        detail={"read": done.read, "added": done.added, "rejected": len(done.rejected)},
    )


def _removed(action: str, name: str, removed: int, actor: str, reason: str) -> AuditEntry:
    return AuditEntry(
        actor=actor, action=action, subject=name, reason=reason, detail={"removed": removed}
    )
