"""Events come in, are judged in order, and what follows is stored in the same transaction."""

from collections.abc import Callable, Collection, Sequence

from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.decide.unjudged import unjudged
from nightlight.detect.delete_repost import DELETED_POSTS
from nightlight.detect.known import Known
from nightlight.detect.near_duplicate import fingerprint
from nightlight.enforce.plan import human_decisions, plan_effects
from nightlight.ingest.media import MediaIntake
from nightlight.ingest.ports import LoggedEvent
from nightlight.model.audit import AuditEntry
from nightlight.model.event import (
    Event,
    EventType,
    MediaUploaded,
    PostCreated,
    PostEdited,
)
from nightlight.model.ids import EventKey, PostId, derive_id
from nightlight.model.media import Scan, ScanState
from nightlight.model.signal import Signal
from nightlight.pipeline.again import as_hunted, decided_before, is_graver
from nightlight.pipeline.judging import Judgement, Rules, judge, listed
from nightlight.pipeline.planning import Planned, Planner
from nightlight.pipeline.storing import Files, FilesWantedError, Judged, Storing
from nightlight.preserve.seal import Sealer
from nightlight.report.engaged import engagement_of
from nightlight.transaction import Transaction, UnitOfWork


class Batch(Struct, frozen=True, kw_only=True):
    """What processing a batch of events came to."""

    events: int
    duplicates: int
    signals: tuple[Signal, ...]
    judged: tuple[Judged, ...]
    unscanned: int
    last_seq: int


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
        self._storing = Storing(sealer=sealer, clock=clock)
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
        files = Files(scans=self._scan(self._new(events)))
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
            except FilesWantedError as error:
                self._fetch(error.urls, files)

    def process(self, *, limit: int) -> Batch:
        """Process the next events of the log, up to ``limit``."""
        with self._unit_of_work.read() as tx:
            offset = tx.events.offset_now()
            ahead = tx.events.read_after(offset, limit)
        self._rules()
        # Files are fetched before the transaction, so that a slow platform holds no lock.
        files = Files(scans=self._scan([one.event for one in ahead]))
        while True:
            try:
                with self._unit_of_work.begin() as tx:
                    offset = tx.events.offset()
                    logged = [one for one in ahead if one.seq > offset]
                    if not logged:
                        return _nothing(0, offset)
                    return self._process(tx, logged, files, 0, [])
            except FilesWantedError as error:
                self._fetch(error.urls, files)

    def _new(self, events: Sequence[Event]) -> list[Event]:
        """Return the events that are not in the log yet: no file is fetched twice for them."""
        with_media = [one for one in events if isinstance(one.data, MediaUploaded)]
        if not with_media:
            return []
        with self._unit_of_work.read() as tx:
            known = tx.events.find([one.key for one in with_media])
        return [one for one in with_media if one.key not in known]

    def _fetch(self, urls: Sequence[str], files: Files) -> None:
        """Fetch and seal files that a finding turned out to need; no transaction is open."""
        for url in urls:
            files.fetched[url] = self._intake.seal_now(url)
            files.asked[url] = files.asked.get(url, 0) + 1

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
            files = Files(scans={}, gives_up=True)
            plans = [Planned(judgement=judgement, decision=decision, plan=plan)]
            judged = self._storing.store(
                tx, [], plans, files, entries, threshold=policy.reporting, posts=known.posts
            )
            self._storing.keep_deleted(tx, [event], [], known)
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
        files = Files(scans={})
        while True:
            try:
                with self._unit_of_work.begin() as tx:
                    tx.events.offset()  # no batch is judged meanwhile
                    rules = rules_in(tx)
                    now = Known()
                    now.load(events, tx)
                    planner = Planner(tx, rules.judge.policy, now, now=self._clock.now())
                    before = decided_before(tx, [one for one in events if one.key in raised])
                    judgements: list[Judgement] = []
                    plans: list[Planned] = []
                    for event in events:
                        judgement = judge(
                            event, now.context_for(event), rules.detectors, rules.judge
                        )
                        judgement = as_hunted(judgement, hunt_id)
                        if event.key in known and not (
                            event.key in raised and is_graver(judgement, before)
                        ):
                            judgement = replace(judgement, decision=None)
                        judgements.append(judgement)
                        if judgement.decision is not None:
                            plans.append(planner.plan(judgement, judgement.decision))
                    entries: list[AuditEntry] = []
                    threshold = rules.judge.policy.reporting
                    judged = self._storing.store(
                        tx,
                        judgements,
                        plans,
                        files,
                        entries,
                        threshold=threshold,
                        posts=now.posts,
                    )
                    entry = also(tx, judgements, judged)
                    self._storing.keep_deleted(tx, [], judgements, now)
                    now.save(tx.context)
                    tx.commit(entry, *entries)
            except FilesWantedError as error:
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
        files: Files,
        duplicates: int,
        entries: list[AuditEntry],
    ) -> Batch:
        rules = self._rules()
        known = Known()
        known.load([one.event for one in logged], tx)
        planner = Planner(tx, rules.judge.policy, known, now=self._clock.now())
        judgements: list[Judgement] = []
        plans: list[Planned] = []
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
                    known.mark_reposted(listed(signal, DELETED_POSTS), PostId(signal.subject.id))
                if judgement.decision is not None:
                    plans.append(planner.plan(judgement, judgement.decision))
        threshold = rules.judge.policy.reporting
        judged = self._storing.store(
            tx, judgements, plans, files, entries, threshold=threshold, posts=known.posts
        )
        self._storing.keep_deleted(tx, [one.event for one in logged], judgements, known)
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


def _screened(event: Event, known: Known) -> Scan | None:
    """Return what was found when the platform asked about this upload; there is no more to find."""
    media = known.media.get(event.media_id)
    return media.scan if media is not None and media.event_key == event.key else None


def _fingerprint(event: Event) -> bytes:
    data = event.data
    return fingerprint(data.text) if isinstance(data, PostCreated | PostEdited) else b""


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
