"""Retro-hunts: when something comes onto a list, the stored window is searched for it at once.

A hunt goes through the event log in steps. Each step stores what it found and how far it is in one
transaction, so that a hunt that was interrupted, or killed, goes on where it was and finds nothing
twice.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.detect.hunting import Hunt, HuntFinding, HuntKind, HuntState
from nightlight.errors import Conflict, InvalidInput
from nightlight.model.audit import AuditEntry
from nightlight.model.ids import DecisionId, EventKey, derive_id
from nightlight.model.lexicon import Term
from nightlight.pipeline import Judged, Judgement, Pipeline
from nightlight.services.hunt_causes import ALL_BANKS, cause_since
from nightlight.services.looking import (
    BESIDE,
    ListsChangedError,
    Looking,
    Occurrence,
    known_before,
    up_until,
)
from nightlight.services.matching import Matcher
from nightlight.transaction import Transaction, UnitOfWork

#: Events looked at in one step: well under a second, so that judging is not kept waiting. A file
#: takes longer than a text: a hundred hashes of it are unsealed and looked up.
STEP, _STEP_OF_FILES = 10_000, 2_000
_UNFINISHED = (HuntState.WAITING, HuntState.RUNNING)


class Hunts:
    """Asks for hunts, carries them out step by step, and tells what they found."""

    def __init__(
        self, *, unit_of_work: UnitOfWork, clock: Clock, pipeline: Pipeline, matcher: Matcher
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._pipeline = pipeline
        self._matcher = matcher
        self._looking: Looking | None = None

    def newest(self, limit: int) -> list[Hunt]:
        """Return the newest hunts, newest first."""
        with self._unit_of_work.read() as tx:
            return tx.hunts.newest(limit)

    def get(self, hunt_id: str, *, findings: int) -> tuple[Hunt, list[HuntFinding]]:
        """Return a hunt and up to so many of its findings, what was up longest first.

        Raises:
            NotFound: there is no such hunt.
        """
        with self._unit_of_work.begin() as tx:
            return tx.hunts.get(hunt_id), tx.hunts.findings(hunt_id, findings)

    def ask(self, *, lexicon: str, bank: str, actor: str, reason: str) -> Hunt:
        """Return a hunt for everything on a lexicon or in a bank, asked for by a person.

        Raises:
            InvalidInput: neither or both are named, or there is nothing on that list.
        """
        if bool(lexicon) == bool(bank):
            raise InvalidInput(
                "one list must be named", field="hunt", hint="give --lexicon or --bank"
            )
        with self._unit_of_work.begin() as tx:
            hunt = _new_hunt(tx, HuntKind.TERMS, lexicon, actor, self._clock.now())
            if bank:
                names = [one.name for one in tx.banks.banks()]
                if bank not in names:
                    raise InvalidInput(
                        f"no bank {bank!r}", field="--bank", hint="`nightlight bank list`"
                    )
                version = tx.banks.version()
                hunt = replace(hunt, kind=HuntKind.HASHES, name=bank, to_version=version)
            else:
                terms = tx.lexicons.term_ids(lexicon)
                if not terms:
                    raise InvalidInput(
                        f"no lexicon {lexicon!r}",
                        field="--lexicon",
                        hint="`nightlight lexicon list`",
                    )
                hunt = replace(hunt, terms=tuple(terms))
            hunt = replace(hunt, id=derive_id("hunt", hunt.id, bank, str(hunt.asked_at)))
            tx.hunts.put(hunt)
            tx.commit(_entry("hunt.asked", hunt, actor, reason))
        return hunt

    def notice_new_hashes(self) -> Hunt | None:
        """Return a new hunt if banks match more than when last looked at; None if they do not.

        One that waits for the same goes over the window of now instead of a second one.
        """
        with self._unit_of_work.read() as tx:
            hunted, version = tx.hunts.hunted_version(), tx.banks.version()
            nothing_new = version <= hunted
        if nothing_new:
            return None
        with self._unit_of_work.begin() as tx:
            hunted, version = tx.hunts.hunted_version(), tx.banks.version()
            now = self._clock.now()
            hunt = _new_hunt(tx, HuntKind.HASHES, ALL_BANKS, "nightlight", now)
            tx.hunts.set_hunted_version(version)
            cause = cause_since(tx, hunted) if hunt.to_seq else None
            if cause is None:
                tx.commit_unrecorded()
                return None
            hunt = replace(
                hunt, name=cause.name, after_version=cause.after_version, to_version=version
            )
            hunt = _instead_of_waiting(tx, hunt)
            tx.hunts.put(hunt)
            tx.commit(_entry("hunt.asked", hunt, "nightlight", cause.reason))
        return hunt

    def cancel(self, hunt_id: str, *, actor: str, reason: str) -> Hunt:
        """Return the hunt, which goes no further; what it found stays found.

        Raises:
            NotFound: there is no such hunt.
            Conflict: it has ended.
        """
        with self._unit_of_work.begin() as tx:
            hunt = tx.hunts.get(hunt_id)
            if hunt.state not in _UNFINISHED:
                raise Conflict(f"the hunt is {hunt.state.value} already")
            hunt = replace(hunt, state=HuntState.CANCELLED, ended_at=self._clock.now())
            tx.hunts.put(hunt)
            tx.commit(_entry("hunt.cancelled", hunt, actor, reason))
        return hunt

    def step(self, *, limit: int = STEP) -> Hunt | None:
        """Return the oldest unfinished hunt after one step more; None where there is none.

        A step goes by the terms and the policy that are in force when it is stored.
        """
        while True:
            with suppress(ListsChangedError):
                return self._step(limit)

    def _step(self, limit: int) -> Hunt | None:
        began = self._clock.now()
        with self._unit_of_work.read() as tx:
            hunt = next(iter(tx.hunts.unfinished()), None)
            if hunt is None:
                self._looking = None
                return None
            looking = self._looking_for(tx, hunt)
            if hunt.kind is HuntKind.HASHES:
                limit = min(limit, _STEP_OF_FILES)
            part = looking.search(tx, after=hunt.at_seq, limit=limit)
            keys = [one.event.key for one in part.found]
            signals = tx.signals.of_events(keys) if keys else []
        known = known_before(hunt.kind, part.found, signals)
        is_done = part.to >= hunt.to_seq
        after = replace(
            hunt,
            state=HuntState.DONE if is_done else HuntState.RUNNING,
            at_seq=part.to,
            looked_at=hunt.looked_at + part.looked_at,
            found=hunt.found + len(part.found),
            known_before=hunt.known_before + len(known),
            started_at=hunt.started_at or began,
            ended_at=self._clock.now() if is_done else None,
        )
        graver = {*hunt.raised, *hunt.returned}
        changed = {*graver, *hunt.lowered}
        told = {
            one.event.key: one
            for one in part.found
            if one.event.key not in known or not changed.isdisjoint(one.ids)
        }
        if told:
            kept: list[Hunt] = []
            self._pipeline.judge_again(
                [one.event for one in told.values()],
                looking.rules,
                hunt_id=hunt.id,
                known=known,
                raised={key for key, one in told.items() if not one.ids.isdisjoint(graver)},
                also=partial(
                    self._store, before=hunt, after=after, told=told, known=known, kept=kept
                ),
            )
            after = kept[-1]
        else:
            with self._unit_of_work.begin() as tx:
                _go_on(tx, hunt, after)
                if after.state is HuntState.DONE:
                    tx.commit(_entry("hunt.ended", after, "nightlight", ""))
                else:
                    tx.commit_unrecorded()
        return after

    def _looking_for(self, tx: Transaction, hunt: Hunt) -> Looking:
        if self._looking is None or not self._looking.is_for(tx, hunt):
            self._looking = Looking(tx, hunt, self._matcher)
        return self._looking

    def _store(
        self,
        tx: Transaction,
        judgements: Sequence[Judgement],
        judged: Sequence[Judged],
        *,
        before: Hunt,
        after: Hunt,
        told: Mapping[EventKey, Occurrence],
        known: Collection[EventKey],
        kept: list[Hunt],
    ) -> AuditEntry:
        """Store how far the hunt is and what it found, and say what the record says.

        ``kept`` is told what was stored, for the transaction may be tried again.
        """
        now = self._clock.now()
        now_decided = {one.decision.event_key: one.decision.id for one in judged}
        graver = sum(one in known for one in now_decided)
        decided = {**_gravest_before(tx, judgements, known), **now_decided}
        after = replace(after, graver=after.graver + graver)
        _go_on(tx, before, after)
        found = [
            replace(
                _finding(one, told[one.event.key], now),
                hunt_id=after.id,
                decision_id=decided.get(one.event.key, DecisionId("")),
            )
            for one in judgements
            if one.signals
        ]
        tx.hunts.add_findings(found)
        kept.append(after)
        action = "hunt.ended" if after.state is HuntState.DONE else "hunt.found"
        new = sum(one.event_key not in known for one in found)
        return _entry(action, after, "nightlight", "", new=new)


def request_terms(
    tx: Transaction,
    terms: Collection[Term],
    *,
    before: Mapping[str, Term],
    name: str,
    actor: str,
    at: datetime,
    was_withdrawn: bool = False,
) -> Hunt | None:
    """Store a hunt for new terms in the transaction that brings them; None if there is no need.

    ``before`` are the terms that they replace, by id; ``was_withdrawn`` says whether others may
    have stood in the lexicon before those.
    """
    ids = tuple(one.id for one in terms if one.kind not in BESIDE)
    hunt = _new_hunt(tx, HuntKind.TERMS, name, actor, at)
    if not ids or not hunt.to_seq:
        return None
    raised, lowered = reweighed(terms, before)
    returned = tuple(one for one in ids if one not in before) if was_withdrawn else ()
    hunt = replace(hunt, terms=ids, raised=raised, lowered=lowered, returned=returned)
    tx.hunts.put(hunt)
    return hunt


def cancel_terms(
    tx: Transaction, name: str, *, actor: str, reason: str, at: datetime
) -> list[AuditEntry]:
    """Cancel the hunts of a lexicon that is withdrawn now; return what the record says."""
    entries: list[AuditEntry] = []
    for one in tx.hunts.unfinished():
        if one.kind is not HuntKind.TERMS or one.name != name:
            continue
        hunt = tx.hunts.get(one.id)
        if hunt.state in _UNFINISHED:
            hunt = replace(hunt, state=HuntState.CANCELLED, ended_at=at)
            tx.hunts.put(hunt)
            entries.append(_entry("hunt.cancelled", hunt, actor, reason))
    return entries


def reweighed(
    terms: Collection[Term], before: Mapping[str, Term]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the ids of terms that are severer than before, and of those that are less severe."""
    pairs = [(one, before[one.id]) for one in terms if one.id in before and one.kind not in BESIDE]
    return (
        tuple(one.id for one, old in pairs if one.severity > old.severity),
        tuple(one.id for one, old in pairs if one.severity < old.severity),
    )


def _gravest_before(
    tx: Transaction, judgements: Sequence[Judgement], known: Collection[EventKey]
) -> Mapping[EventKey, DecisionId]:
    """Return the gravest decision that was made of each event known before, if there is any."""
    about = {one.event.key: one.signals[0].subject.id for one in judgements if one.signals}
    about = {key: subject for key, subject in about.items() if key in known}
    decisions = tx.decisions.about(set(about.values())) if about else []
    found: dict[EventKey, DecisionId] = {}
    for one in sorted(decisions, key=lambda each: each.severity):
        if one.event_key in about:
            found[EventKey(one.event_key)] = one.id
    return found


def _new_hunt(tx: Transaction, kind: HuntKind, name: str, actor: str, at: datetime) -> Hunt:
    """Return a hunt over everything judged so far."""
    return Hunt(
        id=derive_id("hunt", kind, name, actor, at.isoformat()),
        kind=kind,
        name=name,
        asked_by=actor,
        asked_at=at,
        # Held: no batch is judged by the old lists and stored after this place was read, or what
        # stands in it would be found neither then nor by the hunt.
        to_seq=tx.events.offset(),
    )


def _instead_of_waiting(tx: Transaction, hunt: Hunt) -> Hunt:
    """Return the hunt; if one for the same waits, that one, over the window of this."""
    for one in tx.hunts.unfinished():
        same = (one.kind, one.name, one.asked_by) == (hunt.kind, hunt.name, hunt.asked_by)
        if same and one.after_version <= hunt.after_version and one.state is HuntState.WAITING:
            return replace(tx.hunts.get(one.id), to_seq=hunt.to_seq, to_version=hunt.to_version)
    return hunt


def _go_on(tx: Transaction, before: Hunt, after: Hunt) -> None:
    """Store how far a hunt is.

    Raises:
        Conflict: somebody else went on with it, or ended it, meanwhile.
    """
    if tx.hunts.get(before.id) != before:
        raise Conflict("another process went on with this hunt", hint="it goes on by itself")
    tx.hunts.put(after)


def _finding(judgement: Judgement, found: Occurrence, now: datetime) -> HuntFinding:
    """Return a finding that does not say yet whose it is and what was decided."""
    event, post = judgement.event, judgement.context.post
    signal = judgement.signals[0]
    return HuntFinding(
        hunt_id="",
        event_key=event.key,
        subject=signal.subject,
        account_id=signal.account_id,
        up_from=event.time,
        up_until=up_until(found, judgement.context),
        found_at=now,
        views=post.views if post else 0,
        decision_id=DecisionId(""),
    )


def _entry(action: str, hunt: Hunt, actor: str, reason: str, *, new: int = 0) -> AuditEntry:
    return AuditEntry(
        actor=actor,
        action=action,
        subject=hunt.id,
        reason=reason,
        detail={
            "kind": hunt.kind.value,
            "list": hunt.name,
            "terms": len(hunt.terms),
            "searched_to": hunt.at_seq,
            "window": hunt.to_seq,
            "found": hunt.found,
            "raised": len(hunt.raised),
            "lowered": len(hunt.lowered),
            "returned": len(hunt.returned),
            "graver": hunt.graver,
            "new": new,
        },
    )
