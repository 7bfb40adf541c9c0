"""The sentence: event -> signals -> decision -> effects -> case; the only place where stages meet.

``judge`` is pure: the same event, context and policy give the same judgement on every machine and
on every replay. ``Pipeline`` gathers what it needs before, and stores what follows after, all in
one transaction.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.decide.evaluate import Judge
from nightlight.decide.unjudged import unjudged
from nightlight.detect.delete_repost import DELETED_POSTS
from nightlight.detect.detector import Detector
from nightlight.detect.hunting import HUNT
from nightlight.detect.known import Known
from nightlight.detect.near_duplicate import fingerprint
from nightlight.enforce.plan import Plan, human_decisions, plan_effects, without_preservation
from nightlight.ingest.media import MediaIntake
from nightlight.ingest.ports import LoggedEvent
from nightlight.model.audit import AuditEntry
from nightlight.model.case import Case
from nightlight.model.context import Context, PostContext
from nightlight.model.decision import Decision
from nightlight.model.effect import INTERNAL_EFFECTS, LIMITING_EFFECTS, Effect, EffectKind
from nightlight.model.event import (
    Event,
    EventType,
    MediaUploaded,
    PostCreated,
    PostDeleted,
    PostEdited,
)
from nightlight.model.ids import CaseId, DecisionId, EventKey, PostId, derive_id
from nightlight.model.media import Scan, ScanState
from nightlight.model.report_decision import Threshold
from nightlight.model.signal import Signal, Subject, SubjectKind
from nightlight.preserve.kept_posts import to_keep
from nightlight.preserve.seal import Finding, Sealed, Sealer
from nightlight.preserve.surroundings import surroundings
from nightlight.report.account_actions import account_for
from nightlight.report.engaged import engagement_of
from nightlight.review.open_case import open_or_extend
from nightlight.transaction import Transaction, UnitOfWork

_A_DAY = timedelta(days=1)
_ABOUT_POSTS = PostCreated | PostEdited | PostDeleted
_POST = SubjectKind.POST


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


class _Files(Struct, kw_only=True):
    """What became of the files of a batch: scanned before, and fetched because a finding asks.

    Attributes:
        gives_up: whether a file that was not fetched counts as one that cannot be had.
    """

    scans: dict[EventKey, Scan]
    fetched: dict[str, Scan] = field(default_factory=dict)
    gives_up: bool = False


class _FilesWantedError(Exception):
    """Files must be fetched outside the transaction before this batch can be stored."""

    def __init__(self, urls: Sequence[str]) -> None:
        super().__init__(f"{len(urls)} files")
        self.urls = urls


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

    def run(self, events: Sequence[Event]) -> list[Batch]:
        """Accept and process events in one transaction, the last of those returned.

        What was accepted before and not judged, by a process that was killed, comes first.
        """
        caught_up: list[Batch] = []
        self._rules()
        files = _Files(scans=self._scan(self._new(events)))
        while True:
            try:
                with self._unit_of_work.begin() as tx:
                    offset = tx.events.offset()
                    if offset == tx.events.head():
                        logged = tx.events.append(events, at=self._clock.now())
                        duplicates = len(events) - len(logged)
                        if not logged:
                            return [*caught_up, _nothing(duplicates, offset)]
                        done = self._process(tx, logged, files, duplicates, [_accepted(logged)])
                        return [*caught_up, done]
                caught_up.append(self.process(limit=len(events) or 1))
            except _FilesWantedError as error:
                self._fetch(error.urls, files)

    def process(self, *, limit: int) -> Batch:
        """Process the next events of the log, up to ``limit``."""
        with self._unit_of_work.read() as tx:
            offset = tx.events.offset_now()
            ahead = tx.events.read_after(offset, limit)
        self._rules()
        # Files are fetched before the transaction, so that a slow platform holds no lock.
        files = _Files(scans=self._scan([one.event for one in ahead]))
        while True:
            try:
                with self._unit_of_work.begin() as tx:
                    offset = tx.events.offset()
                    logged = [one for one in ahead if one.seq > offset]
                    if not logged:
                        return _nothing(0, offset)
                    return self._process(tx, logged, files, 0, [])
            except _FilesWantedError as error:
                self._fetch(error.urls, files)

    def _new(self, events: Sequence[Event]) -> list[Event]:
        """Return the events that are not in the log yet: no file is fetched twice for them."""
        with_media = [one for one in events if isinstance(one.data, MediaUploaded)]
        if not with_media:
            return []
        with self._unit_of_work.read() as tx:
            known = tx.events.find([one.key for one in with_media])
        return [one for one in with_media if one.key not in known]

    def _fetch(self, urls: Sequence[str], files: "_Files") -> None:
        """Fetch and seal files that a finding turned out to need; no transaction is open."""
        for url in urls:
            files.fetched[url] = self._intake.seal_now(url)

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
            known = Known()
            known.load([event], tx)
            if isinstance(event.data, MediaUploaded):
                known.add_media(event, event.data, Scan(state=ScanState.FAILED, reason=why))
            context = known.context_for(event)
            known.advance(event, fingerprint=b"")
            policy = self._rules().judge.policy
            decision = unjudged(event, policy_version=policy.version, why=why)
            judgement = Judgement(event=event, context=context, signals=(), decision=decision)
            human, account_human = human_decisions(decision, context)
            plan = plan_effects(
                decision, human_decision=human, account_human_decision=account_human
            )
            entries: list[AuditEntry] = []
            files = _Files(scans={}, gives_up=True)
            plans = [(judgement, decision, plan)]
            judged = self._store(
                tx, [], plans, files, entries, threshold=policy.reporting, posts=known.posts
            )
            self._keep_deleted(tx, [event], [], known)
            known.save(tx.context)
            tx.engagements.add(filter(None, (engagement_of(event),)))
            tx.events.advance(logged[0].seq)
            tx.commit(*entries)
        return Batch(
            events=1, duplicates=0, signals=(), judged=judged, unscanned=0, last_seq=offset + 1
        )

    def judge_again(
        self,
        events: Sequence[Event],
        rules_in: Callable[[Transaction], Rules],
        *,
        hunt_id: str,
        known: Collection[EventKey] = (),
        raised: Collection[EventKey] = (),
        also: Callable[[Transaction, Sequence[Judgement], Sequence[Judged]], AuditEntry],
    ) -> None:
        """Judge events of the log once more, by what came onto the lists since.

        What the events changed when they happened is known already and stays. Content that is gone
        is preserved and reviewed, no more.

        Args:
            events: processed events, in order of the log.
            rules_in: tells the detectors that look, over what is new, and the policy; asked while
                no batch is judged, and ends it all by what it raises.
            hunt_id: the hunt; its decisions stand beside those made when the events happened.
            known: events in which nothing is new; they keep their decisions.
            raised: of these, events in which something weighs more now: they get a further
                decision if it is graver and no person decided.
            also: stores what belongs to it in the same transaction, and says what the record says.
        """
        files = _Files(scans={})
        while True:
            try:
                with self._unit_of_work.begin() as tx:
                    tx.events.offset()  # no batch is judged meanwhile
                    rules = rules_in(tx)
                    now = Known()
                    now.load(events, tx)
                    over_quota = self._over_quota(tx, rules)
                    before = _decided_before(tx, [one for one in events if one.key in raised])
                    judgements: list[Judgement] = []
                    plans: list[tuple[Judgement, Decision, Plan]] = []
                    for event in events:
                        judgement = judge(
                            event, now.context_for(event), rules.detectors, rules.judge
                        )
                        judgement = _hunted(judgement, hunt_id)
                        if event.key in known and not (
                            event.key in raised and _is_graver(judgement, before)
                        ):
                            judgement = replace(judgement, decision=None)
                        judgements.append(judgement)
                        if judgement.decision is not None:
                            plans.append(self._plan(judgement, judgement.decision, now, over_quota))
                    entries: list[AuditEntry] = []
                    threshold = rules.judge.policy.reporting
                    judged = self._store(
                        tx,
                        judgements,
                        plans,
                        files,
                        entries,
                        threshold=threshold,
                        posts=now.posts,
                    )
                    entry = also(tx, judgements, judged)
                    self._keep_deleted(tx, [], judgements, now)
                    now.save(tx.context)
                    tx.commit(entry, *entries)
            except _FilesWantedError as error:
                self._fetch(error.urls, files)
            else:
                return

    def _scan(self, events: Sequence[Event]) -> dict[EventKey, Scan]:
        uploads = {one.key: one.data for one in events if isinstance(one.data, MediaUploaded)}
        scans = self._intake.take_in_all(list(uploads.values()))
        return dict(zip(uploads, scans, strict=True))

    def _process(
        self,
        tx: Transaction,
        logged: Sequence[LoggedEvent],
        files: "_Files",
        duplicates: int,
        entries: list[AuditEntry],
    ) -> Batch:
        rules = self._rules()
        known = Known()
        known.load([one.event for one in logged], tx)
        over_quota = self._over_quota(tx, rules)
        judgements: list[Judgement] = []
        plans: list[tuple[Judgement, Decision, Plan]] = []
        unscanned = 0
        for one in logged:
            event = one.event
            if isinstance(event.data, MediaUploaded):
                scan = files.scans[event.key]
                unscanned += scan.reason != ""
                known.add_media(event, event.data, _screened(event, known) or scan)
            context = known.context_for(event)
            judgement = judge(event, context, rules.detectors, rules.judge)
            known.tie(event, judgement.signals)
            known.advance(event, fingerprint=_fingerprint(event))
            if judgement.signals:
                judgements.append(judgement)
                for signal in judgement.signals:
                    known.mark_reposted(_listed(signal, DELETED_POSTS), PostId(signal.subject.id))
                if judgement.decision is not None:
                    plans.append(self._plan(judgement, judgement.decision, known, over_quota))
        threshold = rules.judge.policy.reporting
        judged = self._store(
            tx, judgements, plans, files, entries, threshold=threshold, posts=known.posts
        )
        self._keep_deleted(tx, [one.event for one in logged], judgements, known)
        known.save(tx.context)
        known.save_ties(tx)
        tx.engagements.add(filter(None, (engagement_of(one.event) for one in logged)))
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
            shown_in=_shown_in(judgement, decision),
        )
        for effect in plan.effects:
            if effect.kind in left:
                left[effect.kind] -= 1
        if decision.subject.kind is SubjectKind.POST:
            known.flag_post(PostId(decision.subject.id))
        account = known.accounts.get(decision.account_id)
        if account is not None and plan.asks_for(EffectKind.SUSPEND):
            known.keep_account(replace(account, suspended=True))
        return judgement, decision, plan

    def _store(
        self,
        tx: Transaction,
        judgements: Sequence[Judgement],
        plans: Sequence[tuple[Judgement, Decision, Plan]],
        files: "_Files",
        entries: list[AuditEntry],
        *,
        threshold: Threshold,
        posts: Mapping[PostId, PostContext],
    ) -> tuple[Judged, ...]:
        """Store signals, decisions, evidence, cases and effects, and add their audit entries.

        An account that is locked or suspended gets its account action with a report decision.

        Raises:
            _FilesWantedError: files must be fetched first; nothing is stored.
        """
        now = self._clock.now()
        tx.signals.add([signal for one in judgements for signal in one.signals], at=now)
        if not plans:
            return ()
        tx.decisions.add([decision for _, decision, _ in plans])
        open_cases = dict(tx.cases.open_of({d.account_id for _, d, _ in plans if d.account_id}))
        touched: dict[CaseId, Case] = {}
        judged: list[Judged] = []
        requested: list[Effect] = []
        wanted: list[str] = []
        for judgement, decision, first_plan in plans:
            plan, case = first_plan, None
            if plan.asks_for(EffectKind.PRESERVE) or plan.asks_for(EffectKind.REVIEW):
                case = open_or_extend(open_cases.get(decision.account_id), decision)
                sealed = self._preserve(tx, case.id, judgement, decision, files, posts=posts)
                wanted.extend(sealed.wanted)
                entries.append(_sealed(case.id, sealed))
                if not sealed.complete:
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
        if wanted and not files.gives_up:
            raise _FilesWantedError(tuple(dict.fromkeys(wanted)))
        # Nothing is confirmed of anybody yet: whoever is locked by policy waits for a person.
        entries += account_for(
            tx.report_decisions,
            requested,
            [decision for _, decision, _ in plans],
            threshold=threshold,
            at=now,
            parts={},
        )
        tx.outbox.put(requested, at=now)
        for case in touched.values():
            tx.cases.save(case)
        return tuple(judged)

    def _keep_deleted(
        self,
        tx: Transaction,
        events: Sequence[Event],
        judgements: Sequence[Judgement],
        known: Known,
    ) -> None:
        """Store which deleted posts are to be sealed, since a signal fired on them."""
        fired = [one for one in judgements if one.signals]
        signals = [signal for one in fired for signal in one.signals]
        named = {name for signal in signals for name in _listed(signal, DELETED_POSTS)}
        ids = {one.post_id for one in events if isinstance(one.data, _ABOUT_POSTS)}
        ids.update(one.event.post_id for one in fired)
        ids.update(PostId(one.subject.id) for one in signals if one.subject.kind is _POST)
        ids.update(PostId(name) for name in named)
        posts = [known.posts[one] for one in ids if one in known.posts]
        elsewhere = [one for one in ids if one and one not in known.posts]
        if elsewhere:
            posts.extend(tx.context.posts(elsewhere).values())
        tx.kept_posts.add(to_keep(tx, posts, named=named, at=self._clock.now()))

    def _preserve(
        self,
        tx: Transaction,
        case_id: CaseId,
        judgement: Judgement,
        decision: Decision,
        files: "_Files",
        *,
        posts: Mapping[PostId, PostContext],
    ) -> Sealed:
        """Seal what the case needs of this finding."""
        event, context = judgement.event, judgement.context
        events = (event, *_posts_concerned(tx, judgement, decision))
        sealed = self._sealer.seal(
            Finding(
                case_id=case_id,
                decision_id=decision.id,
                events=events,
                account=context.account,
                media=context.media,
                at=event.time,
                around=surroundings(
                    tx, event, account_id=decision.account_id, posts=posts, media=context.media
                ),
            ),
            fetched=files.fetched,
        )
        tx.evidence.add(sealed.evidence)
        if not _shows_subject(events, decision):
            return replace(sealed, complete=False)
        return sealed


def _hunted(judgement: Judgement, hunt_id: str) -> Judgement:
    """Return what a hunt found; the decision is the hunt's own and limits nothing that is gone."""
    signals = tuple(
        replace(signal, evidence={**signal.evidence, HUNT: hunt_id}) for signal in judgement.signals
    )
    decision, post = judgement.decision, judgement.context.post
    if decision is not None:
        asks = decision.asks
        if post is not None and post.deleted_at is not None:
            asks = tuple(ask for ask in asks if EffectKind(ask) not in LIMITING_EFFECTS)
        decision = replace(
            decision, id=DecisionId(derive_id("dec", decision.id, hunt_id)), asks=asks
        )
    return replace(judgement, signals=signals, decision=decision)


def _decided_before(tx: Transaction, events: Sequence[Event]) -> Mapping[EventKey, list[Decision]]:
    """Return what was decided of these events, by event."""
    ids: set[str] = {one for event in events for one in (event.post_id, event.media_id) if one}
    ids.update(event.account_id for event in events if not (event.post_id or event.media_id))
    ids.update(m for one in events for m in getattr(one.data, "media_ids", ()))
    found: dict[EventKey, list[Decision]] = {event.key: [] for event in events}
    for one in tx.decisions.about(ids) if ids else ():
        if one.event_key in found:
            found[EventKey(one.event_key)].append(one)
    return found


def _is_graver(judgement: Judgement, before: Mapping[EventKey, list[Decision]]) -> bool:
    """Return whether a decision asks for more than those made of this event, and no person did."""
    decision = judgement.decision
    if decision is None or human_decisions(decision, judgement.context)[0]:
        return False
    same = [one for one in before[judgement.event.key] if one.subject == decision.subject]
    asked = {ask for one in same for ask in one.asks}
    severest = max((one.severity for one in same), default=-1)
    return decision.severity > severest or not asked.issuperset(decision.asks)


def _posts_concerned(tx: Transaction, judgement: Judgement, decision: Decision) -> list[Event]:
    """Return the posts that a finding is about, other than its own event, as published."""
    context = judgement.context
    named = {
        str(post_id) for signal in judgement.signals for post_id in _listed(signal, DELETED_POSTS)
    }
    subjects = [decision.subject, *(signal.subject for signal in judgement.signals)]
    named.update(one.id for one in subjects if one.kind is SubjectKind.POST)
    known = [context.post, *context.tombstones, *context.later_posts]
    keys = [
        EventKey(post.event_key)
        for post in known
        if post is not None and post.post_id in named and post.event_key
    ]
    found = tx.events.find(keys) if keys else {}
    return [event for key, event in found.items() if key != judgement.event.key]


def _shows_subject(events: Sequence[Event], decision: Decision) -> bool:
    """Return whether the post that a decision is about is among the events."""
    if decision.subject.kind is not SubjectKind.POST:
        return True
    return any(
        isinstance(event.data, PostCreated | PostEdited) and event.post_id == decision.subject.id
        for event in events
    )


def _shown_in(judgement: Judgement, decision: Decision) -> Subject | None:
    """Return the post that showed a file before the file was announced, if there is one.

    In the usual order the post comes later and gets a decision of its own.
    """
    post = judgement.context.post
    if decision.subject.kind is not SubjectKind.MEDIA or post is None or post.posted_at is None:
        return None
    return Subject(kind=SubjectKind.POST, id=post.post_id)


def _screened(event: Event, known: Known) -> Scan | None:
    """Return what was found when the platform asked about this upload; there is no more to find."""
    media = known.media.get(event.media_id)
    return media.scan if media is not None and media.event_key == event.key else None


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


def _sealed(case_id: CaseId, sealed: Sealed) -> AuditEntry:
    return AuditEntry(
        actor="nightlight",
        action="evidence.sealed",
        subject=case_id,
        reason="" if sealed.complete else "not everything could be sealed",
        detail={"evidence": [one.id for one in sealed.evidence], "complete": sealed.complete},
    )


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
