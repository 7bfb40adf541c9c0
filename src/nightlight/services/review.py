"""A person decides a case: state, effects, the tip and the record change together."""

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.decide.evaluate import in_order
from nightlight.decide.policy import Outcome, Policy
from nightlight.enforce.plan import make_effect, milder
from nightlight.model.audit import AuditEntry
from nightlight.model.case import STANDING, Case, CaseStep, EvidenceKind
from nightlight.model.custody import Access
from nightlight.model.decision import Decision
from nightlight.model.effect import (
    ACCOUNT_EFFECTS,
    INTERNAL_EFFECTS,
    LIMITING_EFFECTS,
    Effect,
    EffectKind,
)
from nightlight.model.event import PostCreated, PostEdited
from nightlight.model.ids import CaseId, EventKey, MediaId, PostId
from nightlight.model.report_decision import Threshold, part_of
from nightlight.model.signal import Subject, SubjectKind
from nightlight.report.account_actions import account_for, settle, take_back, weigh
from nightlight.review.resolve import Resolution, Resolved, choose, content_of, resolve
from nightlight.services.drafting import Drafting
from nightlight.services.evidence import say_viewed, viewed_entry
from nightlight.services.holds import follow
from nightlight.services.roles import role_of_account
from nightlight.services.rules import active_policy
from nightlight.services.sealed_machines import Told
from nightlight.transaction import Transaction, UnitOfWork, let_nothing_be_destroyed

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
        drafting: Drafting,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._drafting = drafting

    def decide(self, case_id: CaseId, resolution: Resolution, *, dry_run: bool = False) -> Resolved:
        """Return the case as decided; its effects wait in the outbox and its tip is drafted.

        With ``dry_run`` nothing is stored.

        Raises:
            NotFound: there is no such case.
            Conflict: its state does not allow this step.
            InvalidInput: reviewer or reason is missing, or unknown evidence is named.
        """
        return self._drafting.given(
            lambda told: self._decide(case_id, resolution, told, dry_run=dry_run)
        )

    def _decide(
        self, case_id: CaseId, resolution: Resolution, told: Told, *, dry_run: bool
    ) -> Resolved:
        with self._unit_of_work.begin() as tx:
            # No batch is judged meanwhile: it would store what it knew before this decision. The
            # time is taken after the wait, so that effects are ordered as they were committed.
            let_nothing_be_destroyed(tx)
            now = self._clock.now()
            case = held_case(tx, case_id)
            decisions = tx.decisions.get(case.decisions)
            policy = active_policy(tx)
            outcome = _outcome(policy, case, resolution, decisions)
            resolved = resolve(
                case,
                resolution,
                decisions=decisions,
                evidence=tx.evidence.of_case(case.id),
                confirmed_asks=outcome.asks,
                policy_version=policy.version,
                at=now,
            )
            standing = _standing(tx, case)
            unsealed = _unsealed(tx, resolved)
            effects = _effects(resolved, resolution.step, unsealed, standing)
            resolved = replace(resolved, effects=tuple(effects))
            if dry_run:
                return resolved
            followed: list[AuditEntry] = []
            views = say_viewed(
                tx,
                sorted(set(resolution.viewed)),
                Access(person=resolution.reviewer, purpose=resolution.reason),
                at=now,
            )
            tx.cases.save(resolved.case)
            if resolved.left is not None:
                tx.cases.save(resolved.left)
                tx.evidence.move(resolved.left.decisions, resolved.left.id)
                followed = follow(tx, case.id, resolved.left.id, at=now)
            tx.decisions.add([resolved.decision])
            self._remember(tx, resolved, resolution.step, standing)
            reported: list[AuditEntry] = []
            if resolution.step is CaseStep.CONFIRM:
                reported = self._drafting.draft(
                    tx, resolved.case, policy=policy, now=now, told=told
                )
            elif resolution.step is CaseStep.APPEAL:
                reported = self._drafting.set_apart(
                    tx, resolved.case, policy=policy, now=now, told=told
                )
            elif resolution.step is CaseStep.OVERTURN:
                reported = self._drafting.withdraw(
                    tx, resolved.case, policy=policy, now=now, told=told
                )
            accounted = _account(tx, resolved, resolution, policy.reporting, now)
            tx.outbox.put(effects, at=now)
            if case.account_id:
                accounted += settle(tx.report_decisions, [case.id], case.account_id, at=now)
            tx.commit(
                *accounted,
                _entry(resolved, resolution, unsealed),
                *(viewed_entry(case.id, one) for one in views),
                *followed,
                *reported,
            )
        return resolved

    def _remember(
        self, tx: Transaction, resolved: Resolved, step: CaseStep, standing: "_Standing"
    ) -> None:
        """Store what the person decided on account and content, which outranks policy.

        What another case confirmed stays confirmed.
        """
        outcome = _OUTCOMES.get(step)
        if outcome is None:
            return
        taken_back = outcome == "dismissed"
        subjects = [
            one for one in resolved.subjects if not (taken_back and one in standing.subjects)
        ]
        post_ids = [PostId(s.id) for s in subjects if s.kind is SubjectKind.POST]
        media_ids = [MediaId(s.id) for s in subjects if s.kind is SubjectKind.MEDIA]
        account_ids = [] if taken_back and standing.account else [resolved.case.account_id]
        asked = {effect.kind for effect in resolved.effects}
        tx.context.save(
            accounts=[
                replace(
                    one,
                    human_decision=outcome,
                    suspended=EffectKind.SUSPEND in asked
                    or (one.suspended and EffectKind.REINSTATE not in asked),
                )
                for one in tx.context.accounts(account_ids).values()
            ],
            posts=[
                replace(one, human_decision=outcome) for one in tx.context.posts(post_ids).values()
            ],
            media=[
                replace(one, human_decision=outcome) for one in tx.context.media(media_ids).values()
            ],
        )


def held_case(tx: Transaction, case_id: CaseId) -> Case:
    """Return a case; it and the others of its account, which share its tips, are held.

    Raises:
        NotFound: there is no such case.
    """
    accounts = {one.account_id for one in tx.cases.some([case_id]) if one.account_id}
    tx.cases.hold([one.id for name in accounts for one in tx.cases.of_account(name)])
    return tx.cases.get(case_id)


class _Standing(Struct, frozen=True, kw_only=True):
    """What other cases of the account have confirmed: a dismissal does not touch it."""

    subjects: frozenset[Subject]
    account: bool


def _standing(tx: Transaction, case: Case) -> _Standing:
    if not case.account_id:
        return _Standing(subjects=frozenset(), account=False)
    others = [
        one
        for one in tx.cases.of_account(case.account_id)
        if one.id != case.id and one.state in STANDING
    ]
    decisions = tx.decisions.get([name for one in others for name in one.decisions])
    return _Standing(subjects=frozenset(content_of(decisions)), account=bool(others))


def _outcome(
    policy: Policy, case: Case, resolution: Resolution, decisions: Sequence[Decision]
) -> Outcome:
    """Return what the policy says of the worst category among the findings concerned."""
    findings = choose(case, resolution, decisions)
    worst = max(findings, key=lambda one: one.severity, default=None)
    category = worst.category if worst else case.category
    return policy.confirmed.get(category, Outcome())


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


def _effects(
    resolved: Resolved, step: CaseStep, unsealed: Collection[Subject], standing: _Standing
) -> list[Effect]:
    """Return the reviewer's effects: account effects once, content effects on every subject.

    Nothing is destroyed before it is preserved: where evidence is missing, content is hidden
    instead of removed and the account locked instead of suspended. A dismissal takes back what
    this case's own findings asked for, and nothing that another case confirmed.
    """
    decision = resolved.decision
    effects: list[Effect] = []
    for kind in in_order([EffectKind(ask) for ask in decision.asks]):
        if kind in INTERNAL_EFFECTS or (kind in ACCOUNT_EFFECTS and not decision.account_id):
            continue
        if kind in ACCOUNT_EFFECTS:
            if kind is EffectKind.REINSTATE and (standing.account or not _locked(resolved, step)):
                continue
            effects.append(make_effect(decision, milder(kind) if unsealed else kind))
            continue
        for subject in resolved.subjects:
            if kind is EffectKind.RESTORE and (
                subject in standing.subjects or not _limited(resolved, step, subject)
            ):
                continue
            effects.append(
                make_effect(decision, milder(kind) if subject in unsealed else kind, subject)
            )
    unique = {effect.id: replace(effect, case_id=resolved.case.id) for effect in effects}
    return list(unique.values())


def _locked(resolved: Resolved, step: CaseStep) -> bool:
    """Return whether this case asked for anything on its account."""
    asked = {ask for one in resolved.findings for ask in one.asks}
    return step is CaseStep.OVERTURN or bool(asked & {EffectKind.LOCK, EffectKind.SUSPEND})


def _limited(resolved: Resolved, step: CaseStep, subject: Subject) -> bool:
    """Return whether this case asked for less visibility of a subject."""
    asked = {ask for one in resolved.findings if one.subject == subject for ask in one.asks}
    return step is CaseStep.OVERTURN or bool(asked & LIMITING_EFFECTS)


def _account(
    tx: Transaction, resolved: Resolved, resolution: Resolution, threshold: Threshold, now: datetime
) -> list[AuditEntry]:
    """Return what the record says of the account's report decision after this step.

    By now it is stored what this case confirmed or dismissed, and so is its tip.
    """
    account_id, store = resolved.case.account_id, tx.report_decisions
    if not account_id:
        return []
    if any(one.kind is EffectKind.REINSTATE for one in resolved.effects):
        return take_back(store, account_id, by=resolution.reviewer, note=resolution.reason, at=now)
    part = part_of(role_of_account(tx, account_id))
    return [
        *account_for(
            store,
            resolved.effects,
            [resolved.decision],
            threshold=threshold,
            at=now,
            parts={account_id: part},
        ),
        *weigh(store, account_id, part, threshold=threshold, at=now),
    ]


def _entry(resolved: Resolved, resolution: Resolution, unsealed: Collection[Subject]) -> AuditEntry:
    case = resolved.case
    return AuditEntry(
        actor=resolution.reviewer,
        action=f"case.{case.state}",
        subject=case.id,
        reason=resolution.reason,
        policy_version=resolved.decision.policy_version,
        detail={
            "account": case.account_id,
            "findings": [one.id for one in resolved.findings],
            "left_open": resolved.left.id if resolved.left else "",
            "effects": [effect.kind.value for effect in resolved.effects],
            "viewed": list(resolution.viewed),
            "unsealed": [f"{subject.kind}:{subject.id}" for subject in unsealed],
        },
    )
