"""Retro-hunts: when something comes onto a list, the stored window is searched for it at once.

A hunt goes through the event log in steps. Each step stores what it found and how far it is in one
transaction, so that a hunt that was interrupted, or killed, goes on where it was and finds nothing
twice.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.decide.evaluate import Judge
from nightlight.detect.bank_index import BankIndex
from nightlight.detect.hunting import Hunt, HuntFinding, HuntKind, HuntState
from nightlight.detect.media import shown_ids
from nightlight.detect.term_finder import TermFinder
from nightlight.errors import Conflict, InvalidInput
from nightlight.ingest.ports import LoggedEvent
from nightlight.model.audit import AuditEntry
from nightlight.model.bank import EntryState
from nightlight.model.event import Event, EventType
from nightlight.model.ids import DecisionId, MediaId, derive_id
from nightlight.model.lexicon import Term, TermKind
from nightlight.pipeline import Judged, Judgement, Pipeline, Rules
from nightlight.services.offers import active_weights
from nightlight.services.rules import active_policy, build_detectors
from nightlight.transaction import Transaction, UnitOfWork

#: Events looked at in one step: well under a second, so that judging is not kept waiting.
STEP = 4_000
_WITH_WORDS = (
    EventType.POST_CREATED,
    EventType.POST_EDITED,
    EventType.ACCOUNT_CREATED,
    EventType.ACCOUNT_UPDATED,
    EventType.MEDIA_UPLOADED,
)
_WITH_MEDIA = (EventType.MEDIA_UPLOADED, EventType.POST_CREATED, EventType.POST_EDITED)
#: Kinds of terms that are looked for by themselves; the others only say what stands beside them.
_BESIDE = frozenset({TermKind.CUE, TermKind.EXCLUSION})


class Hunts:
    """Asks for hunts, carries them out step by step, and tells what they found."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock, pipeline: Pipeline) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._pipeline = pipeline
        self._looking: tuple[str, _Looking] | None = None

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
        """Return a new hunt if entries came into banks since the last; None if none did."""
        with self._unit_of_work.read() as tx:
            hunted, version = tx.hunts.hunted_version(), tx.banks.version()
            nothing_new = version <= hunted
        if nothing_new:
            return None
        with self._unit_of_work.begin() as tx:
            hunted, version = tx.hunts.hunted_version(), tx.banks.version()
            now = self._clock.now()
            hunt = _new_hunt(tx, HuntKind.HASHES, "all banks", "nightlight", now)
            hunt = replace(hunt, after_version=hunted, to_version=version)
            tx.hunts.set_hunted_version(version)
            is_due = hunt.to_seq > 0 and any(
                True for _ in tx.banks.entries(changed_after=hunted, states=[EntryState.ACTIVE])
            )
            if not is_due:
                tx.commit_unrecorded()
                return None
            tx.hunts.put(hunt)
            tx.commit(_entry("hunt.asked", hunt, "nightlight", "entries came into hash banks"))
        return hunt

    def cancel(self, hunt_id: str, *, actor: str, reason: str) -> Hunt:
        """Return the hunt, which goes no further; what it found stays found.

        Raises:
            NotFound: there is no such hunt.
            Conflict: it has ended.
        """
        with self._unit_of_work.begin() as tx:
            hunt = tx.hunts.get(hunt_id)
            if hunt.state not in (HuntState.WAITING, HuntState.RUNNING):
                raise Conflict(f"the hunt is {hunt.state.value} already")
            hunt = replace(hunt, state=HuntState.CANCELLED, ended_at=self._clock.now())
            tx.hunts.put(hunt)
            tx.commit(_entry("hunt.cancelled", hunt, actor, reason))
        return hunt

    def step(self, *, limit: int = STEP) -> Hunt | None:
        """Return the oldest unfinished hunt after one step more; None where there is none."""
        began = self._clock.now()
        with self._unit_of_work.read() as tx:
            hunt = next(iter(tx.hunts.unfinished()), None)
            if hunt is None:
                self._looking = None
                return None
            looking = self._looking_for(tx, hunt)
            types = _WITH_WORDS if hunt.kind is HuntKind.TERMS else _WITH_MEDIA
            read = tx.events.read_of(types, after=hunt.at_seq, to=hunt.to_seq, limit=limit)
            events = looking.found_in(tx, read)
            signals = tx.signals.of_events([one.key for one in events]) if events else []
        known = {one.event_key for one in signals if one.detector in _LIST_DETECTORS[hunt.kind]}
        to = read[-1].seq if len(read) == limit else hunt.to_seq
        after = replace(
            hunt,
            state=HuntState.DONE if to >= hunt.to_seq else HuntState.RUNNING,
            at_seq=to,
            looked_at=hunt.looked_at + len(read),
            found=hunt.found + len(events),
            known_before=hunt.known_before + len(known),
            started_at=hunt.started_at or began,
            ended_at=self._clock.now() if to >= hunt.to_seq else None,
        )
        new = [one for one in events if one.key not in known]
        if new:
            self._pipeline.judge_again(
                new,
                looking.rules,
                hunt_id=hunt.id,
                also=partial(self._store, hunt, after),
            )
        else:
            with self._unit_of_work.begin() as tx:
                _go_on(tx, hunt, after)
                if after.state is HuntState.DONE:
                    tx.commit(_entry("hunt.ended", after, "nightlight", ""))
                else:
                    tx.commit_unrecorded()
        return after

    def _looking_for(self, tx: Transaction, hunt: Hunt) -> "_Looking":
        if self._looking is None or self._looking[0] != hunt.id:
            self._looking = (hunt.id, _Looking(tx, hunt))
        return self._looking[1]

    def _store(
        self,
        before: Hunt,
        after: Hunt,
        tx: Transaction,
        judgements: Sequence[Judgement],
        judged: Sequence[Judged],
    ) -> AuditEntry:
        _go_on(tx, before, after)
        now = self._clock.now()
        decided = {one.decision.event_key: one.decision.id for one in judged}
        found = [
            _finding(one, hunt_id=after.id, decision_id=decided.get(one.event.key), now=now)
            for one in judgements
            if one.signals
        ]
        tx.hunts.add_findings(found)
        action = "hunt.ended" if after.state is HuntState.DONE else "hunt.found"
        return _entry(action, after, "nightlight", "", new=len(found))


def request_terms(
    tx: Transaction, terms: Collection[Term], *, name: str, actor: str, at: datetime
) -> Hunt | None:
    """Store a hunt for new terms in the transaction that brings them; None if there is no need."""
    ids = tuple(one.id for one in terms if one.kind not in _BESIDE)
    hunt = _new_hunt(tx, HuntKind.TERMS, name, actor, at)
    if not ids or not hunt.to_seq:
        return None
    hunt = replace(hunt, terms=ids)
    tx.hunts.put(hunt)
    return hunt


class _Looking:
    """What a hunt looks for, compiled once."""

    def __init__(self, tx: Transaction, hunt: Hunt) -> None:
        wanted = set(hunt.terms)
        self._finder = TermFinder(
            one for one in tx.lexicons.all() if one.id in wanted or one.kind in _BESIDE
        )
        self._index = BankIndex(banks=tx.banks.banks())
        if hunt.kind is HuntKind.HASHES:
            self._index.apply(
                one
                for one in tx.banks.entries(
                    changed_after=hunt.after_version, states=[EntryState.ACTIVE]
                )
                if hunt.name in ("all banks", one.bank)
            )
            self._index.version = hunt.to_version
        self._kind = hunt.kind
        detectors = build_detectors(self._index, self._finder, active_weights(tx))
        self.rules = Rules(
            detectors=detectors,
            judge=Judge(policy=active_policy(tx), detectors_facts=[one.facts for one in detectors]),
        )

    def found_in(self, tx: Transaction, read: Sequence[LoggedEvent]) -> list[Event]:
        """Return the events in which what is looked for stands."""
        events = [one.event for one in read]
        if self._kind is HuntKind.TERMS:
            return [
                one
                for one in events
                if any(found.term.kind not in _BESIDE for found in self._finder.find(one))
            ]
        shown = {one.key: shown_ids(one) for one in events}
        media = tx.context.media({MediaId(name) for names in shown.values() for name in names})
        matched = {name for name, one in media.items() if self._index.match(one.scan.hashes)}
        return [one for one in events if matched.intersection(shown[one.key])]


_LIST_DETECTORS = {
    HuntKind.TERMS: ("term_match", "offer"),
    HuntKind.HASHES: ("hash_match",),
}


def _new_hunt(tx: Transaction, kind: HuntKind, name: str, actor: str, at: datetime) -> Hunt:
    """Return a hunt over everything judged so far."""
    return Hunt(
        id=derive_id("hunt", kind, name, actor, at.isoformat()),
        kind=kind,
        name=name,
        asked_by=actor,
        asked_at=at,
        to_seq=tx.events.offset_now(),
    )


def _go_on(tx: Transaction, before: Hunt, after: Hunt) -> None:
    """Store how far a hunt is.

    Raises:
        Conflict: somebody else went on with it, or ended it, meanwhile.
    """
    if tx.hunts.get(before.id) != before:
        raise Conflict("another process went on with this hunt", hint="it goes on by itself")
    tx.hunts.put(after)


def _finding(
    judgement: Judgement, *, hunt_id: str, decision_id: DecisionId | None, now: datetime
) -> HuntFinding:
    event, post = judgement.event, judgement.context.post
    signal = judgement.signals[0]
    return HuntFinding(
        hunt_id=hunt_id,
        event_key=event.key,
        subject=signal.subject,
        account_id=signal.account_id,
        up_from=event.time,
        up_until=post.deleted_at if post else None,
        found_at=now,
        views=post.views if post else 0,
        decision_id=decision_id or DecisionId(""),
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
            "new": new,
        },
    )
