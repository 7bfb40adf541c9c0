"""Lexicons change when two people want it: one proposes, another approves.

Where a single operator works, that one may change lists alone, each time by saying so: until a
second person is known here, or where the operator's settings allow it for good. Either way every
change has a version and stands in the record, which says who made it, never what is in it.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.errors import Conflict, InvalidInput, NotFound, NotPermitted
from nightlight.exchange.lexicon_file import parse_lexicon
from nightlight.exchange.term_row import made_id
from nightlight.model.audit import AuditEntry
from nightlight.model.custody import is_same_person, known_as
from nightlight.model.ids import derive_id
from nightlight.model.lexicon import ChangeAction, ChangeState, LexiconChange, Term
from nightlight.services.hunts import cancel_terms, request_terms, reweighed
from nightlight.transaction import Transaction, UnitOfWork


class Imported(Struct, frozen=True, kw_only=True):
    """What an import came to; ``rejected`` holds a reason for each line left out."""

    name: str
    read: int
    added: int
    changed: int
    rejected: tuple[str, ...]


class Proposed(Struct, frozen=True, kw_only=True):
    """A change that waits for a second person; ``rejected`` as for an import."""

    change: LexiconChange
    read: int
    rejected: tuple[str, ...] = ()


class Lexicons:
    """Proposes, decides and tells changes of lexicons."""

    def __init__(
        self, *, unit_of_work: UnitOfWork, clock: Clock, id_key: bytes, one_person: bool = False
    ) -> None:
        """Keep the parts.

        Args:
            unit_of_work: begins transactions.
            clock: tells when lists changed.
            id_key: keys the ids and digests that are made here, so that they, which may be shown,
                do not tell somebody with a list of their own what stands on ours.
            one_person: whether one person may change lexicons although others are known.
        """
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._id_key = id_key
        self._one_person = one_person

    def propose_import(
        self, name: str, lines: Iterable[str], *, actor: str, reason: str
    ) -> Proposed:
        """Return the change that waits for a second person to add terms to a lexicon.

        Terms that are in it, but not as the lines have them, are brought up to date.

        Raises:
            InvalidInput: there is nothing to add.
        """
        terms, rejected = self._parsed(name, lines)
        with self._unit_of_work.begin() as tx:
            new = _news(tx, name, terms)
            if not new:
                raise InvalidInput(
                    "there is nothing to add",
                    field=name,
                    hint="; ".join(rejected[:1]) or "every term is in the lexicon already",
                )
            change = self._proposal(tx, ChangeAction.IMPORT, name, new, actor=actor, reason=reason)
            given = {one.id for one in new}
            replaces = [one for one in tx.lexicons.terms(name) if one.id in given]
            tx.lexicon_changes.propose(change, new, replaces=replaces)
            tx.commit(
                _entry(
                    "lexicon.proposed",
                    change,
                    actor,
                    reason,
                    {"read": len(terms), "rejected": len(rejected)},
                )
            )
        return Proposed(change=change, read=len(terms), rejected=tuple(rejected))

    def propose_withdrawal(self, name: str, *, actor: str, reason: str) -> Proposed:
        """Return the change that waits for a second person to withdraw a lexicon.

        Raises:
            NotFound: there is no such lexicon.
        """
        with self._unit_of_work.begin() as tx:
            _check_exists(tx, name)
            change = self._proposal(tx, ChangeAction.WITHDRAW, name, (), actor=actor, reason=reason)
            tx.lexicon_changes.propose(change, ())
            tx.commit(_entry("lexicon.proposed", change, actor, reason, {}))
        return Proposed(change=change, read=0)

    def approve(self, change_id: str, *, actor: str, reason: str) -> LexiconChange:
        """Return the change, in effect: running processes use it at once, and hunts begin.

        Raises:
            NotFound: there is no such change.
            NotPermitted: the person who proposed it approves it.
            Conflict: it was decided before, or what it changes was changed since it was proposed.
        """
        with self._unit_of_work.begin() as tx:
            tx.events.offset()  # what is judged meanwhile is in the hunt
            change = _waiting(tx, change_id)
            if is_same_person(actor, change.proposed_by):
                raise NotPermitted(
                    "who proposed a change cannot approve it", hint="another person must"
                )
            terms = tx.lexicon_changes.proposed_terms(change_id)
            _check_base(tx, change, terms)
            change = replace(change, decided_by=actor, decision_reason=reason)
            change = self._take_effect(tx, change, terms)
            entry = _entry(_DONE[change.action], change, actor, reason, {"read": len(terms)})
            tx.commit(entry, *self._cancelled(tx, change, actor, reason))
        return change

    def reject(self, change_id: str, *, actor: str, reason: str) -> LexiconChange:
        """Return the change, which never takes effect; its terms are forgotten.

        Raises:
            NotFound: there is no such change.
            Conflict: it was decided before.
        """
        with self._unit_of_work.begin() as tx:
            change = replace(
                _waiting(tx, change_id),
                state=ChangeState.REJECTED,
                decided_by=actor,
                decided_at=self._clock.now(),
                decision_reason=reason,
            )
            tx.lexicon_changes.settle(change)
            tx.commit(_entry("lexicon.rejected", change, actor, reason, {}))
        return change

    def import_alone(self, name: str, lines: Iterable[str], *, actor: str, reason: str) -> Imported:
        """Return what was added to the lexicon at once, by one person.

        Raises:
            NotPermitted: more than one person is known here.
        """
        terms, rejected = self._parsed(name, lines)
        with self._unit_of_work.begin() as tx:
            tx.events.offset()  # what is judged meanwhile is in the hunt
            self._check_alone(tx, actor)
            change = self._proposal(
                tx, ChangeAction.IMPORT, name, terms, actor=actor, reason=reason
            )
            change = self._take_effect(tx, replace(change, alone=True), terms)
            detail = {"read": len(terms), "rejected": len(rejected)}
            tx.commit(_entry("lexicon.imported", change, actor, reason, detail))
        return Imported(
            name=name,
            read=len(terms),
            added=change.added,
            changed=change.changed,
            rejected=tuple(rejected),
        )

    def withdraw_alone(self, name: str, *, actor: str, reason: str) -> int:
        """Return how many terms the lexicon held that one person withdrew at once.

        Raises:
            NotFound: there is no such lexicon.
            NotPermitted: more than one person is known here.
        """
        with self._unit_of_work.begin() as tx:
            tx.events.offset()  # nothing goes on by what is withdrawn
            self._check_alone(tx, actor)
            _check_exists(tx, name)
            change = self._proposal(tx, ChangeAction.WITHDRAW, name, (), actor=actor, reason=reason)
            change = self._take_effect(tx, replace(change, alone=True), ())
            entry = _entry("lexicon.withdrawn", change, actor, reason, {})
            tx.commit(entry, *self._cancelled(tx, change, actor, reason))
        return change.removed

    def changes(self, *, lexicon: str = "", limit: int) -> list[LexiconChange]:
        """Return the newest changes of a lexicon, or of all, newest first."""
        with self._unit_of_work.read() as tx:
            return tx.lexicon_changes.newest(lexicon=lexicon, limit=limit)

    def export(self, name: str, *, actor: str, reason: str) -> list[Term]:
        """Return a lexicon's terms in clear; the record says who had them.

        Raises:
            NotFound: there is no such lexicon.
        """
        with self._unit_of_work.begin() as tx:
            _check_exists(tx, name)
            terms = list(tx.lexicons.terms(name))
            tx.commit(_exported(name, actor, reason, terms=len(terms)))
        return terms

    def export_proposed(self, change_id: str, *, actor: str, reason: str) -> list[Term]:
        """Return in clear what a waiting change would add, for who decides about it.

        Raises:
            NotFound: there is no such change.
            Conflict: it was decided before.
        """
        with self._unit_of_work.begin() as tx:
            change = _waiting(tx, change_id)
            terms = tx.lexicon_changes.proposed_terms(change_id)
            tx.commit(_exported(change.lexicon, actor, reason, terms=len(terms), change=change_id))
        return terms

    def _parsed(self, name: str, lines: Iterable[str]) -> tuple[list[Term], list[str]]:
        terms, rejected = parse_lexicon(lines, name=name)
        return [self._opaque(one, name) for one in terms], rejected

    def _opaque(self, term: Term, lexicon: str) -> Term:
        made = made_id(term, lexicon)
        if term.id != made:
            return term
        return replace(term, id=f"tm_{self._keyed(made.encode())[:24]}")

    def _keyed(self, made: bytes) -> str:
        return hmac.new(self._id_key, made, hashlib.sha256).hexdigest()

    def _digest(self, terms: Iterable[Term]) -> str:
        by_id = sorted(terms, key=lambda one: one.id)
        return self._keyed(msgspec.json.encode(by_id))[:32]

    def _proposal(
        self,
        tx: Transaction,
        action: ChangeAction,
        name: str,
        terms: Sequence[Term],
        *,
        actor: str,
        reason: str,
    ) -> LexiconChange:
        has = {one.id: one for one in tx.lexicons.terms(name)}
        now = self._clock.now()
        is_import = action is ChangeAction.IMPORT
        after = has | {one.id: one for one in terms} if is_import else {}
        return LexiconChange(
            id=derive_id("lc", name, action.value, actor, now.isoformat()),
            lexicon=name,
            action=action,
            state=ChangeState.PROPOSED,
            proposed_by=actor,
            proposed_at=now,
            reason=reason,
            added=len(after) - len(has) if is_import else 0,
            changed=sum(has[one] != after[one] for one in has) if is_import else 0,
            removed=0 if is_import else len(has),
            digest=self._digest(after.values()),
            base=tx.lexicon_changes.version(name),
        )

    def _take_effect(
        self, tx: Transaction, change: LexiconChange, terms: Sequence[Term]
    ) -> LexiconChange:
        name, now = change.lexicon, self._clock.now()
        added = changed = removed = raised = lowered = 0
        if change.action is ChangeAction.IMPORT:
            before = {one.id: one for one in tx.lexicons.terms(name)}
            new = _news(tx, name, terms)
            added = tx.lexicons.put(name, new, at=now)
            changed = len(new) - added
            by = change.decided_by or change.proposed_by
            request_terms(
                tx,
                new,
                before=before,
                name=name,
                actor=by,
                at=now,
                was_withdrawn=_was_withdrawn(tx, name),
            )
            raised, lowered = map(len, reweighed(new, before))
        else:
            removed = tx.lexicons.remove_lexicon(name)
        change = replace(
            change,
            state=ChangeState.IN_EFFECT,
            version=tx.lexicon_changes.version(name) + 1,
            added=added,
            changed=changed,
            removed=removed,
            raised=raised,
            lowered=lowered,
            # Others may have changed the lexicon since it was proposed.
            digest=self._digest(tx.lexicons.terms(name)),
            decided_at=now,
        )
        tx.lexicon_changes.settle(change)
        return change

    def _cancelled(
        self, tx: Transaction, change: LexiconChange, actor: str, reason: str
    ) -> list[AuditEntry]:
        """Cancel the hunts of a lexicon that is withdrawn now; return what the record says."""
        if change.action is not ChangeAction.WITHDRAW:
            return []
        name, now = change.lexicon, self._clock.now()
        return cancel_terms(tx, name, actor=actor, reason=reason, at=now)

    def made_alone(self) -> list[LexiconChange]:
        """Return the newest change of each lexicon that is as one person alone made it."""
        with self._unit_of_work.read() as tx:
            names = [one.name for one in tx.lexicons.summaries()]
            newest = [_in_effect(tx, name) for name in names]
        return [one for one in newest if one is not None and one.alone]

    def people(self) -> list[str]:
        """Return who is known to work here: who changed lexicons, or decided cases."""
        with self._unit_of_work.read() as tx:
            return _people(tx)

    @property
    def is_one_enough(self) -> bool:
        """Whether settings let one person change lexicons although others are known."""
        return self._one_person

    def _check_alone(self, tx: Transaction, actor: str) -> None:
        """Check that one person may change lexicons.

        Raises:
            NotPermitted: another person is known here.
        """
        others = [one for one in _people(tx) if not is_same_person(one, actor)]
        if others and not self._one_person and not (is_program(actor) and not others[1:]):
            raise NotPermitted(
                "more than one person works here: two people change lexicons",
                hint="propose the change and let another person approve it,"
                " or set NIGHTLIGHT_ONE_PERSON_LISTS=true",
            )


#: Changes of one lexicon that may have been made while one proposed before an upgrade waited.
_LOOKED_BACK = 1_000
_DONE = {ChangeAction.IMPORT: "lexicon.imported", ChangeAction.WITHDRAW: "lexicon.withdrawn"}


def is_program(actor: str) -> bool:
    """Return whether this names Nightlight itself, doing what one of its commands says."""
    return known_as(actor).startswith("nightlight")


def _people(tx: Transaction) -> list[str]:
    """Return who is known to work here, each once, programs left out."""
    known = sorted(tx.lexicon_changes.people() | tx.cases.deciders())
    once = {known_as(one): one for one in known if not is_program(one)}
    return list(once.values())


def _in_effect(tx: Transaction, lexicon: str) -> LexiconChange | None:
    """Return the newest change of a lexicon that took effect."""
    newest = tx.lexicon_changes.newest(lexicon=lexicon, limit=_LOOKED_BACK)
    return max((one for one in newest if one.version), key=lambda one: one.version, default=None)


def _was_withdrawn(tx: Transaction, lexicon: str) -> bool:
    """Return whether a lexicon was ever withdrawn."""
    newest = tx.lexicon_changes.newest(lexicon=lexicon, limit=_LOOKED_BACK)
    return any(one.version and one.action is ChangeAction.WITHDRAW for one in newest)


def _waiting(tx: Transaction, change_id: str) -> LexiconChange:
    change = tx.lexicon_changes.get(change_id)
    if change.state is not ChangeState.PROPOSED:
        raise Conflict(f"the change is decided: {change.state.value}, by {change.decided_by}")
    return change


def _check_base(tx: Transaction, change: LexiconChange, terms: Sequence[Term]) -> None:
    """Check that a change would change what its proposer saw, and nothing else.

    Raises:
        Conflict: a term of it, or the lexicon that it withdraws, was changed since.
    """
    if change.base == tx.lexicon_changes.version(change.lexicon):
        return
    if change.action is ChangeAction.IMPORT and change.base is not None:
        now = {one.id: one for one in tx.lexicons.terms(change.lexicon)}
        then = {one.id: one for one in tx.lexicon_changes.replaced_terms(change.id)}
        other = [one.id for one in terms if now.get(one.id) not in (one, then.get(one.id))]
        if not other:
            return
        more = f" and {len(other) - 1} more" if other[1:] else ""
        what = f"term {other[0]}{more} of {change.lexicon!r}"
    elif change.base is None and not _is_changed_since(tx, change):
        return
    else:
        what = f"lexicon {change.lexicon!r}"
    raise Conflict(
        f"{what} was changed after this change was proposed",
        field=change.id,
        hint="`nightlight lexicon reject` it, and propose anew what is still wanted",
    )


def _is_changed_since(tx: Transaction, change: LexiconChange) -> bool:
    """Return whether a change took effect after this one, of which no base is known, was made."""
    newest = tx.lexicon_changes.newest(lexicon=change.lexicon, limit=_LOOKED_BACK)
    return any(
        one.decided_at and one.version and one.decided_at >= change.proposed_at for one in newest
    )


def _news(tx: Transaction, name: str, terms: Iterable[Term]) -> list[Term]:
    """Return the terms that are not in the lexicon, or not as they are here."""
    has = {one.id: one for one in tx.lexicons.terms(name)}
    given = {one.id: one for one in terms}
    return [one for one in given.values() if has.get(one.id) != one]


def _check_exists(tx: Transaction, name: str) -> None:
    if not tx.lexicons.term_ids(name):
        raise NotFound(f"no lexicon {name!r}", hint="`nightlight lexicon list`")


def _entry(
    action: str, change: LexiconChange, actor: str, reason: str, counts: dict[str, int]
) -> AuditEntry:
    return AuditEntry(
        actor=actor,
        action=action,
        subject=change.lexicon,
        reason=reason,
        detail={
            **counts,
            "change": change.id,
            "action": change.action.value,
            "added": change.added,
            "changed": change.changed,
            "removed": change.removed,
            "raised": change.raised,
            "lowered": change.lowered,
            "digest": change.digest,
            "version": change.version,
            "proposed_by": change.proposed_by,
            "alone": change.alone,
        },
    )


def _exported(name: str, actor: str, reason: str, *, terms: int, change: str = "") -> AuditEntry:
    return AuditEntry(
        actor=actor,
        action="lexicon.exported",
        subject=name,
        reason=reason,
        detail={"terms": terms, "change": change},
    )
