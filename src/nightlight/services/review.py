"""A person decides a case: state, effects, the tip and the record change together."""

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.decide.evaluate import in_order
from nightlight.decide.policy import Outcome
from nightlight.enforce.plan import make_effect, milder
from nightlight.model.audit import AuditEntry
from nightlight.model.case import Case, CaseStep, EvidenceKind
from nightlight.model.cybertip import IncidentType
from nightlight.model.decision import Decision
from nightlight.model.effect import ACCOUNT_EFFECTS, INTERNAL_EFFECTS, Effect, EffectKind
from nightlight.model.event import PostCreated, PostEdited
from nightlight.model.ids import CaseId, EventKey, MediaId, PostId
from nightlight.model.signal import Subject, SubjectKind
from nightlight.report.draft import draft_tip
from nightlight.review.resolve import Resolution, Resolved, resolve
from nightlight.services.rules import active_policy
from nightlight.transaction import Transaction, UnitOfWork

#: What a person's step means for later decisions by policy on the same subjects.
_OUTCOMES = {
    CaseStep.CONFIRM: "confirmed",
    CaseStep.DISMISS: "dismissed",
    CaseStep.UPHOLD: "confirmed",
    CaseStep.OVERTURN: "dismissed",
}


class Review:
    """Decides cases and hears appeals."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        clock: Clock,
        platform_name: str,
        report_classification: bool = False,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._platform_name = platform_name
        self._report_classification = report_classification

    def decide(self, case_id: CaseId, resolution: Resolution, *, dry_run: bool = False) -> Resolved:
        """Return the case as decided; its effects wait in the outbox and its tip is drafted.

        With ``dry_run`` nothing is stored.

        Raises:
            NotFound: there is no such case.
            Conflict: its state does not allow this step.
            InvalidInput: reviewer or reason is missing, or unknown evidence is named.
        """
        now = self._clock.now()
        with self._unit_of_work.begin() as tx:
            # No batch is judged meanwhile: it would store what it knew before this decision.
            tx.events.offset()
            case = tx.cases.get(case_id)
            decisions = tx.decisions.get(case.decisions)
            policy = active_policy(tx)
            outcome = policy.confirmed.get(case.category, Outcome())
            resolved = resolve(
                case,
                resolution,
                decisions=decisions,
                evidence=tx.evidence.of_case(case.id),
                confirmed_asks=outcome.asks,
                policy_version=policy.version,
                at=now,
            )
            if dry_run:
                return resolved
            tx.cases.save(resolved.case)
            tx.decisions.add([resolved.decision])
            unsealed = _unsealed(tx, resolved)
            effects = _effects(resolved, unsealed)
            tx.outbox.put(effects, at=now)
            self._remember(tx, resolved, resolution.step, {effect.kind for effect in effects})
            if resolution.step is CaseStep.CONFIRM and outcome.report is not None:
                self._draft(
                    tx,
                    resolved.case,
                    decisions=decisions,
                    incident_type=outcome.report,
                    now=now,
                )
            tx.commit(_entry(resolved, resolution, effects, unsealed))
        return resolved

    def _remember(
        self, tx: Transaction, resolved: Resolved, step: CaseStep, asked: Collection[EffectKind]
    ) -> None:
        """Store what the person decided on account and content, which outranks policy."""
        outcome = _OUTCOMES.get(step)
        if outcome is None:
            return
        post_ids = [PostId(s.id) for s in resolved.subjects if s.kind is SubjectKind.POST]
        media_ids = [MediaId(s.id) for s in resolved.subjects if s.kind is SubjectKind.MEDIA]
        account_id = resolved.case.account_id
        tx.context.save(
            accounts=[
                replace(
                    one,
                    human_decision=outcome,
                    suspended=EffectKind.SUSPEND in asked
                    or (one.suspended and EffectKind.REINSTATE not in asked),
                )
                for one in tx.context.accounts([account_id]).values()
            ],
            posts=[
                replace(one, human_decision=outcome) for one in tx.context.posts(post_ids).values()
            ],
            media=[
                replace(one, human_decision=outcome) for one in tx.context.media(media_ids).values()
            ],
        )

    def _draft(
        self,
        tx: Transaction,
        case: Case,
        *,
        decisions: Sequence[Decision],
        incident_type: IncidentType,
        now: datetime,
    ) -> None:
        keys = [EventKey(decision.event_key) for decision in decisions]
        evidence = tx.evidence.of_case(case.id)
        events = tx.events.find(keys)
        media = tx.context.media([MediaId(one.content_id) for one in evidence])
        tip = draft_tip(
            case,
            incident_type=incident_type,
            platform=self._platform_name,
            decisions=decisions,
            signals=tx.signals.of_events([*keys, *(one.event_key for one in media.values())]),
            evidence=evidence,
            media={str(name): one for name, one in media.items()},
            account=tx.context.accounts([case.account_id]).get(case.account_id),
            post_urls=[
                event.data.url if isinstance(event.data, PostCreated) else ""
                for event in events.values()
                if isinstance(event.data, PostCreated | PostEdited)
            ],
            # The suspension has only been asked for: a tip does not state what the platform has not
            # confirmed.
            suspended_at=None,
            now=now,
            classify=self._report_classification,
        )
        tx.tips.draft(tip, at=now)


def _unsealed(tx: Transaction, resolved: Resolved) -> list[Subject]:
    """Return the subjects of which the case's evidence lacks something."""
    evidence = tx.evidence.of_case(resolved.case.id)
    files = {one.content_id for one in evidence if one.kind is EvidenceKind.MEDIA}
    events = tx.events.find([EventKey(one.content_id) for one in evidence])
    posts = {
        event.post_id
        for event in events.values()
        if isinstance(event.data, PostCreated | PostEdited)
    }
    named = [PostId(one.id) for one in resolved.subjects if one.kind is SubjectKind.POST]
    shown = {str(post.post_id): post.media_ids for post in tx.context.posts(named).values()}
    return [
        one
        for one in resolved.subjects
        if (one.kind is SubjectKind.MEDIA and one.id not in files)
        or (one.kind is SubjectKind.POST and one.id not in posts)
        or not files.issuperset(shown.get(one.id, ()))
    ]


def _effects(resolved: Resolved, unsealed: Collection[Subject]) -> list[Effect]:
    """Return the reviewer's effects: account effects once, content effects on every subject.

    Nothing is destroyed before it is preserved: where evidence is missing, content is hidden
    instead of removed and the account locked instead of suspended.
    """
    decision = resolved.decision
    effects: list[Effect] = []
    for kind in in_order([EffectKind(ask) for ask in decision.asks]):
        if kind in INTERNAL_EFFECTS:
            continue
        subjects: Sequence[Subject | None] = (
            [None] if kind in ACCOUNT_EFFECTS else list(resolved.subjects)
        )
        if kind in ACCOUNT_EFFECTS and not decision.account_id:
            continue
        for subject in subjects:
            lacks = subject in unsealed if subject else bool(unsealed)
            effect = make_effect(decision, milder(kind) if lacks else kind, subject)
            effects.append(replace(effect, case_id=resolved.case.id))
    return list({effect.id: effect for effect in effects}.values())


def _entry(
    resolved: Resolved,
    resolution: Resolution,
    effects: Sequence[Effect],
    unsealed: Collection[Subject],
) -> AuditEntry:
    case = resolved.case
    return AuditEntry(
        actor=resolution.reviewer,
        action=f"case.{case.state}",
        subject=case.id,
        reason=resolution.reason,
        policy_version=resolved.decision.policy_version,
        detail={
            "account": case.account_id,
            "effects": [effect.kind.value for effect in effects],
            "viewed": list(resolution.viewed),
            "unsealed": [f"{subject.kind}:{subject.id}" for subject in unsealed],
        },
    )
