"""What follows from judgements is stored: signals, evidence, cases, effects, account actions."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.detect.delete_repost import DELETED_POSTS
from nightlight.detect.known import Known
from nightlight.enforce.plan import Plan, without_preservation
from nightlight.model.audit import AuditEntry
from nightlight.model.case import Case
from nightlight.model.context import PostContext
from nightlight.model.decision import Decision
from nightlight.model.effect import INTERNAL_EFFECTS, Effect, EffectKind
from nightlight.model.event import Event, PostCreated, PostDeleted, PostEdited
from nightlight.model.ids import CaseId, EventKey, PostId
from nightlight.model.media import Scan
from nightlight.model.report_decision import Threshold
from nightlight.model.signal import Signal, SubjectKind
from nightlight.pipeline.judging import Judgement, listed
from nightlight.pipeline.planning import Planned
from nightlight.preserve.kept_posts import to_keep
from nightlight.preserve.seal import Finding, Sealed, Sealer
from nightlight.preserve.surroundings import surroundings
from nightlight.report.account_actions import account_for
from nightlight.review.open_case import open_or_extend
from nightlight.transaction import Transaction

_ABOUT_POSTS = PostCreated | PostEdited | PostDeleted
_POST = SubjectKind.POST
#: A file that was destroyed for another case while this waited is fetched so often.
_FETCHES = 3


class Judged(Struct, frozen=True, kw_only=True):
    """A decision with its plan, as stored."""

    decision: Decision
    plan: Plan
    signals: tuple[Signal, ...]
    case_id: CaseId | None


class Files(Struct, kw_only=True):
    """What became of the files of a batch: scanned before, and fetched because a finding asks.

    Attributes:
        asked: how often each address was fetched; what is gone again each time is given up.
        gives_up: whether a file that was not fetched counts as one that cannot be had.
    """

    scans: dict[EventKey, Scan]
    fetched: dict[str, Scan] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    gives_up: bool = False


class FilesWantedError(Exception):
    """Files must be fetched outside the transaction before this batch can be stored."""

    def __init__(self, urls: Sequence[str]) -> None:
        super().__init__(f"{len(urls)} files")
        self.urls = urls


class Storing:
    """Stores what follows from judgements, in the transaction of their batch."""

    def __init__(self, *, sealer: Sealer, clock: Clock) -> None:
        """Keep what seals evidence and what tells when things were recorded."""
        self._sealer = sealer
        self._clock = clock

    def store(
        self,
        tx: Transaction,
        judgements: Sequence[Judgement],
        plans: Sequence[Planned],
        files: Files,
        entries: list[AuditEntry],
        *,
        threshold: Threshold,
        posts: Mapping[PostId, PostContext],
    ) -> tuple[Judged, ...]:
        """Store signals, decisions, evidence, cases and effects, and add their audit entries.

        An account that is locked or suspended gets its account action with a report decision.

        Raises:
            FilesWantedError: files must be fetched first; nothing is stored.
        """
        now = self._clock.now()
        tx.signals.add([signal for one in judgements for signal in one.signals], at=now)
        if not plans:
            return ()
        tx.decisions.add([one.decision for one in plans])
        accounts = {one.decision.account_id for one in plans if one.decision.account_id}
        open_cases = dict(tx.cases.open_of(accounts))
        touched: dict[CaseId, Case] = {}
        judged: list[Judged] = []
        requested: list[Effect] = []
        wanted: list[str] = []
        for one in plans:
            judgement, decision, plan, case = one.judgement, one.decision, one.plan, None
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
        to_fetch = [one for one in dict.fromkeys(wanted) if files.asked.get(one, 0) < _FETCHES]
        if to_fetch and not files.gives_up:
            raise FilesWantedError(to_fetch)
        # Nothing is confirmed of anybody yet: whoever is locked by policy waits for a person.
        entries += account_for(
            tx.report_decisions,
            requested,
            [one.decision for one in plans],
            threshold=threshold,
            at=now,
            parts={},
        )
        tx.outbox.put(requested, at=now)
        for case in touched.values():
            tx.cases.save(case)
        return tuple(judged)

    def keep_deleted(
        self,
        tx: Transaction,
        events: Sequence[Event],
        judgements: Sequence[Judgement],
        known: Known,
    ) -> None:
        """Store which deleted posts are to be sealed, since a signal fired on them."""
        fired = [one for one in judgements if one.signals]
        signals = [signal for one in fired for signal in one.signals]
        named = {name for signal in signals for name in listed(signal, DELETED_POSTS)}
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
        files: Files,
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


def _posts_concerned(tx: Transaction, judgement: Judgement, decision: Decision) -> list[Event]:
    """Return the posts that a finding is about, other than its own event, as published."""
    context = judgement.context
    named = {
        str(post_id) for signal in judgement.signals for post_id in listed(signal, DELETED_POSTS)
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
