"""The sentence: event -> signals -> decision -> effects -> case; the only place where stages meet.

``judge`` is pure: the same event, context and policy give the same judgement on every machine and
on every replay. ``Pipeline`` gathers what it needs before, and stores what follows after, all in
one transaction.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.decide.evaluate import Judge
from nightlight.decide.unjudged import unjudged
from nightlight.detect.delete_repost import DELETED_POSTS
from nightlight.detect.detector import Detector
from nightlight.detect.known import Known
from nightlight.detect.near_duplicate import fingerprint
from nightlight.enforce.plan import Plan, human_decisions, plan_effects, without_preservation
from nightlight.ingest.media import MediaIntake
from nightlight.ingest.ports import LoggedEvent
from nightlight.model.audit import AuditEntry
from nightlight.model.case import Case
from nightlight.model.context import Context
from nightlight.model.decision import Decision
from nightlight.model.effect import INTERNAL_EFFECTS, Effect, EffectKind
from nightlight.model.event import Event, EventType, MediaUploaded, PostCreated, PostEdited
from nightlight.model.ids import CaseId, EventKey, derive_id
from nightlight.model.media import Scan
from nightlight.model.signal import Signal, SubjectKind
from nightlight.preserve.seal import Sealer
from nightlight.review.open_case import open_or_extend
from nightlight.transaction import Transaction, UnitOfWork

_A_DAY = timedelta(days=1)


class Judgement(Struct, frozen=True, kw_only=True):
    """What one event showed and what follows from it."""

    event: Event
    context: Context
    signals: tuple[Signal, ...]
    decision: Decision | None


class Judged(Struct, frozen=True, kw_only=True):
    """A decision with its plan, as stored."""

    decision: Decision
    plan: Plan
    signals: tuple[Signal, ...]
    case_id: CaseId | None


class Batch(Struct, frozen=True, kw_only=True):
    """What processing a batch of events came to."""

    events: int
    duplicates: int
    signals: tuple[Signal, ...]
    judged: tuple[Judged, ...]
    unscanned: int
    last_seq: int


def judge(
    event: Event, context: Context, detectors: Sequence[Detector], policy: Judge
) -> Judgement:
    """Return what the event shows and what the policy decides; pure."""
    signals: tuple[Signal, ...] = ()
    for detector in detectors:
        found = detector.detect(event, context)
        if found:
            signals += tuple(found)
    decision = policy.decide(event, context, signals) if signals else None
    return Judgement(event=event, context=context, signals=signals, decision=decision)


class Rules(Struct, frozen=True, kw_only=True):
    """What events are judged by: the detectors with their lists, and the compiled policy."""

    detectors: tuple[Detector, ...]
    judge: Judge


class Pipeline:
    """Takes events in, judges them in order and stores what follows, batch by batch."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        rules: Callable[[], Rules],
        intake: MediaIntake,
        sealer: Sealer,
        clock: Clock,
    ) -> None:
        """Keep the parts.

        Args:
            unit_of_work: begins transactions.
            rules: returns the rules now in force; asked once a batch.
            intake: fetches and scans media.
            sealer: seals evidence.
            clock: tells when things were recorded.
        """
        self._unit_of_work = unit_of_work
        self._rules = rules
        self._intake = intake
        self._sealer = sealer
        self._clock = clock

    def accept(self, events: Sequence[Event]) -> int:
        """Return how many events were new; they are durably in the log, not yet judged."""
        with self._unit_of_work.begin() as tx:
            logged = tx.events.append(events, at=self._clock.now())
            if logged:
                tx.commit(_accepted(logged))
        return len(logged)

    def run(self, events: Sequence[Event]) -> Batch:
        """Accept and process events in one transaction; catches up with the log first."""
        self._rules()
        scans = self._scan(events)
        while True:
            with self._unit_of_work.begin() as tx:
                offset = tx.events.offset()
                if offset == tx.events.head():
                    logged = tx.events.append(events, at=self._clock.now())
                    duplicates = len(events) - len(logged)
                    if not logged:
                        return _nothing(duplicates, offset)
                    return self._process(tx, logged, scans, duplicates, [_accepted(logged)])
            self.process(limit=len(events) or 1)

    def process(self, *, limit: int) -> Batch:
        """Process the next events of the log, up to ``limit``."""
        with self._unit_of_work.read() as tx:
            offset = tx.events.offset_now()
            ahead = tx.events.read_after(offset, limit)
        self._rules()
        # Files are fetched before the transaction, so that a slow platform holds no lock.
        scans = self._scan([one.event for one in ahead])
        with self._unit_of_work.begin() as tx:
            offset = tx.events.offset()
            logged = [one for one in ahead if one.seq > offset]
            if not logged:
                return _nothing(0, offset)
            return self._process(tx, logged, scans, 0, [])

    def set_aside(self, *, why: str) -> Batch:
        """Hold what the next event of the log is about and open a case, without judging it.

        For an event that no attempt could judge: nothing is passed unseen, and the stream goes on.
        """
        with self._unit_of_work.begin() as tx:
            offset = tx.events.offset()
            logged = tx.events.read_after(offset, 1)
            if not logged:
                return _nothing(0, offset)
            event = logged[0].event
            decision = unjudged(event, policy_version=self._rules().judge.policy.version, why=why)
            judgement = Judgement(event=event, context=Context(), signals=(), decision=decision)
            entries: list[AuditEntry] = []
            judged = self._store(tx, [], [(judgement, decision, plan_effects(decision))], entries)
            tx.events.advance(logged[0].seq)
            tx.commit(*entries)
        return Batch(
            events=1, duplicates=0, signals=(), judged=judged, unscanned=0, last_seq=offset + 1
        )

    def _scan(self, events: Sequence[Event]) -> dict[EventKey, Scan]:
        return {
            event.key: self._intake.take_in(event.data)
            for event in events
            if isinstance(event.data, MediaUploaded)
        }

    def _process(
        self,
        tx: Transaction,
        logged: Sequence[LoggedEvent],
        scans: dict[EventKey, Scan],
        duplicates: int,
        entries: list[AuditEntry],
    ) -> Batch:
        rules = self._rules()
        known = Known()
        known.load([one.event for one in logged], tx.context)
        over_quota = self._over_quota(tx, rules)
        judgements: list[Judgement] = []
        plans: list[tuple[Judgement, Decision, Plan]] = []
        unscanned = 0
        for one in logged:
            event = one.event
            if isinstance(event.data, MediaUploaded):
                scan = scans[event.key]
                unscanned += scan.reason != ""
                known.add_media(event, event.data, scan)
            context = known.context_for(event)
            judgement = judge(event, context, rules.detectors, rules.judge)
            known.advance(event, fingerprint=_fingerprint(event))
            if judgement.signals:
                judgements.append(judgement)
                for signal in judgement.signals:
                    known.mark_reposted(_listed(signal, DELETED_POSTS), event.post_id)
                if judgement.decision is not None:
                    plans.append(self._plan(judgement, judgement.decision, known, over_quota))
        judged = self._store(tx, judgements, plans, entries)
        known.save(tx.context)
        last = logged[-1].seq
        tx.events.advance(last)
        tx.commit(*_or_processed(entries, last, len(logged)))
        return Batch(
            events=len(logged),
            duplicates=duplicates,
            signals=tuple(signal for one in judgements for signal in one.signals),
            judged=judged,
            unscanned=unscanned,
            last_seq=last,
        )

    def _over_quota(self, tx: Transaction, rules: Rules) -> dict[EffectKind, int]:
        """Return how many more of each limited effect may be asked for today."""
        since = self._clock.now() - _A_DAY
        return {
            quota.effect: quota.per_day - tx.outbox.count_since(quota.effect, since)
            for quota in rules.judge.policy.quotas
        }

    def _plan(
        self, judgement: Judgement, decision: Decision, known: Known, left: dict[EffectKind, int]
    ) -> tuple[Judgement, Decision, Plan]:
        human, account_human = human_decisions(decision, judgement.context)
        plan = plan_effects(
            decision,
            human_decision=human,
            account_human_decision=account_human,
            over_quota=[kind for kind, more in left.items() if more <= 0],
        )
        for effect in plan.effects:
            if effect.kind in left:
                left[effect.kind] -= 1
        if decision.subject.kind is SubjectKind.POST:
            known.flag_post(judgement.event.post_id)
        account = known.accounts.get(decision.account_id)
        if account is not None and plan.asks_for(EffectKind.SUSPEND):
            known.keep_account(replace(account, suspended=True))
        return judgement, decision, plan

    def _store(
        self,
        tx: Transaction,
        judgements: Sequence[Judgement],
        plans: Sequence[tuple[Judgement, Decision, Plan]],
        entries: list[AuditEntry],
    ) -> tuple[Judged, ...]:
        """Store signals, decisions, evidence, cases and effects, and add their audit entries."""
        now = self._clock.now()
        tx.signals.add([signal for one in judgements for signal in one.signals], at=now)
        if not plans:
            return ()
        tx.decisions.add([decision for _, decision, _ in plans])
        open_cases = dict(tx.cases.open_of({d.account_id for _, d, _ in plans if d.account_id}))
        touched: dict[CaseId, Case] = {}
        judged: list[Judged] = []
        requested: list[Effect] = []
        for judgement, decision, first_plan in plans:
            plan, case = first_plan, None
            if plan.asks_for(EffectKind.PRESERVE) or plan.asks_for(EffectKind.REVIEW):
                case = open_or_extend(open_cases.get(decision.account_id), decision)
                kept = self._preserve(tx, case.id, judgement, entries)
                if not kept:
                    plan = without_preservation(plan, decision)
                touched[case.id] = case
                if decision.account_id:
                    open_cases[decision.account_id] = case
            case_id = case.id if case else None
            outgoing = [replace(e, case_id=case_id) for e in plan.effects]
            plan = replace(plan, effects=tuple(outgoing))
            requested.extend(e for e in outgoing if e.kind not in INTERNAL_EFFECTS)
            entries.append(_decided(decision, plan, case_id))
            judged.append(
                Judged(decision=decision, plan=plan, signals=judgement.signals, case_id=case_id)
            )
        tx.outbox.put(requested, at=now)
        for case in touched.values():
            tx.cases.save(case)
        return tuple(judged)

    def _preserve(
        self, tx: Transaction, case_id: CaseId, judgement: Judgement, entries: list[AuditEntry]
    ) -> bool:
        """Seal what the case needs of this finding; return whether all of it could be."""
        event, context = judgement.event, judgement.context
        sealed = self._sealer.seal(
            case_id,
            events=[event, *self._earlier_posts(tx, judgement)],
            account=context.account,
            media=context.media,
            at=event.time,
        )
        tx.evidence.add(sealed.evidence)
        entries.append(
            AuditEntry(
                actor="nightlight",
                action="evidence.sealed",
                subject=case_id,
                reason="" if sealed.complete else "not everything could be sealed",
                detail={
                    "evidence": [one.id for one in sealed.evidence],
                    "complete": sealed.complete,
                },
            )
        )
        return sealed.complete

    def _earlier_posts(self, tx: Transaction, judgement: Judgement) -> list[Event]:
        """Return the deleted posts that this one repeats, as they were published."""
        named = {
            str(post_id)
            for signal in judgement.signals
            for post_id in _listed(signal, DELETED_POSTS)
        }
        known = (*judgement.context.tombstones, *judgement.context.later_posts)
        keys = [EventKey(post.event_key) for post in known if post.post_id in named]
        return list(tx.events.find(keys).values()) if keys else []


def _fingerprint(event: Event) -> bytes:
    data = event.data
    return fingerprint(data.text) if isinstance(data, PostCreated | PostEdited) else b""


def _listed(signal: Signal, name: str) -> list[str]:
    value = signal.evidence.get(name)
    return value if isinstance(value, list) else []


def _nothing(duplicates: int, seq: int) -> Batch:
    return Batch(events=0, duplicates=duplicates, signals=(), judged=(), unscanned=0, last_seq=seq)


def _accepted(logged: Sequence[LoggedEvent]) -> AuditEntry:
    types: dict[EventType, int] = {}
    for one in logged:
        types[one.event.type] = types.get(one.event.type, 0) + 1
    return AuditEntry(
        actor="nightlight",
        action="events.accepted",
        subject=f"events {logged[0].seq} to {logged[-1].seq}",
        detail={
            "digest": derive_id("evs", *(one.event.key for one in logged)),
            **{kind.value: count for kind, count in sorted(types.items())},
        },
    )


def _or_processed(entries: list[AuditEntry], last: int, count: int) -> list[AuditEntry]:
    """Return the entries; a batch in which nothing happened still leaves one."""
    return entries or [
        AuditEntry(
            actor="nightlight",
            action="events.processed",
            subject=f"events up to {last}",
            detail={"events": count},
        )
    ]


def _decided(decision: Decision, plan: Plan, case_id: CaseId | None) -> AuditEntry:
    return AuditEntry(
        actor="nightlight",
        action="decision.made",
        subject=decision.id,
        policy_version=decision.policy_version,
        reason="; ".join(reason.rule for reason in decision.reasons),
        detail={
            "subject": f"{decision.subject.kind}:{decision.subject.id}",
            "account": decision.account_id,
            "category": decision.category,
            "effects": [effect.kind.value for effect in plan.effects],
            "withheld": list(plan.withheld),
            "case": case_id or "",
        },
    )
