"""A reviewer's decision on a case: the new state, and the decision that outranks policy. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nightlight.errors import Conflict, InvalidInput
from nightlight.model.case import Case, CaseState, CaseStep, Evidence, next_state
from nightlight.model.custody import check_is_person, is_same_person
from nightlight.model.decision import Decision, Reason
from nightlight.model.effect import Effect, EffectKind
from nightlight.model.ids import CaseId, DecisionId, derive_id
from nightlight.model.signal import Subject, SubjectKind

#: What a dismissal or an overturned decision takes back.
_TAKE_BACK = (EffectKind.RESTORE, EffectKind.REINSTATE)


class Resolution(Struct, frozen=True, kw_only=True):
    """What a reviewer asks for about a case.

    Attributes:
        findings: ids of the decisions it is about; empty for all of the case's category when
            confirming, and for all otherwise.
        findings_shown: how many findings the reviewer was shown; None where that is not known.
        viewed: ids of the evidence that the reviewer viewed in its entirety.
    """

    step: CaseStep
    reviewer: str
    reason: str
    findings: tuple[str, ...] = ()
    findings_shown: int | None = None
    viewed: tuple[str, ...] = ()


class Resolved(Struct, frozen=True, kw_only=True):
    """What a person's step leads to.

    Attributes:
        case: the case after the step, with the findings that were decided.
        decision: the reviewer's decision.
        findings: the decisions that it is about.
        subjects: the content among their subjects.
        left: an open case with the findings that were not decided, None where there are none.
        effects: what is asked of the platform; filled in by the service.
    """

    case: Case
    decision: Decision
    findings: tuple[Decision, ...]
    subjects: tuple[Subject, ...]
    left: Case | None = None
    effects: tuple[Effect, ...] = ()


def choose(
    case: Case, resolution: Resolution, decisions: Sequence[Decision]
) -> tuple[Decision, ...]:
    """Return the findings that a step is about.

    Confirming means what the case is about: findings of another category, such as a file that
    could not be scanned beside a known one, stay open unless the reviewer names them.

    Raises:
        Conflict: findings came in that the reviewer was not shown.
        InvalidInput: a finding is named that the case lacks.
    """
    shown = resolution.findings_shown
    if shown is not None and shown != len(decisions):
        raise Conflict(
            f"the case has {len(decisions)} findings, not {shown}: more came in meanwhile",
            hint="look at it again with `nightlight case show`",
        )
    unknown = sorted(set(resolution.findings) - {one.id for one in decisions})
    if unknown:
        raise InvalidInput(
            f"{unknown[0]} is not a finding of this case",
            field="finding",
            hint="`nightlight case show` lists the findings",
        )
    if resolution.findings:
        return tuple(one for one in decisions if one.id in resolution.findings)
    if resolution.step is CaseStep.CONFIRM:
        return tuple(one for one in decisions if one.category == case.category)
    return tuple(decisions)


def resolve(
    case: Case,
    resolution: Resolution,
    *,
    decisions: Sequence[Decision],
    evidence: Collection[Evidence],
    confirmed_asks: Sequence[EffectKind],
    policy_version: str,
    at: datetime,
) -> Resolved:
    """Return the case decided by a person.

    Args:
        case: the case as it stands.
        resolution: what the reviewer says.
        decisions: all decisions of the case.
        evidence: the case's sealed evidence; only its ids may be said to be viewed.
        confirmed_asks: what the policy asks for once findings of their category are confirmed.
        policy_version: the policy that those came from.
        at: when the reviewer decided.

    Raises:
        Conflict: the case is in a state that does not allow this step, findings came in that the
            reviewer was not shown, or the reviewer answers an appeal against their own decision.
        InvalidInput: reviewer or reason is missing, or evidence or a finding is named that the
            case lacks.
    """
    _check(case, resolution, evidence)
    state = next_state(case.state, resolution.step)
    findings = choose(case, resolution, decisions)
    worst = max(findings, key=lambda one: one.severity)
    appealed = resolution.step is CaseStep.APPEAL
    decided = replace(
        case,
        state=state,
        category=worst.category,
        severity=worst.severity,
        decisions=tuple(one.id for one in findings),
        # An appeal is not a decision: who decided stays who decided.
        decided_by=case.decided_by if appealed else resolution.reviewer,
        decided_at=case.decided_at if appealed else at,
        decision_reason=case.decision_reason if appealed else resolution.reason,
        viewed=tuple(sorted({*case.viewed, *resolution.viewed})),
    )
    account = Subject(kind=SubjectKind.ACCOUNT, id=case.account_id)
    decision = Decision(
        id=DecisionId(derive_id("dec", case.id, resolution.step)),
        event_key=findings[0].event_key,
        account_id=case.account_id,
        subject=account if case.account_id else findings[0].subject,
        decided_by=resolution.reviewer,
        policy_version=policy_version,
        category=worst.category,
        severity=worst.severity,
        asks=tuple(_asks(resolution.step, confirmed_asks)),
        reasons=(Reason(rule=f"reviewer:{resolution.step}", text=resolution.reason),),
        time=at,
    )
    return Resolved(
        case=decided,
        decision=decision,
        findings=findings,
        subjects=content_of(findings),
        left=_left(case, [one for one in decisions if one not in findings]),
    )


def content_of(decisions: Sequence[Decision]) -> tuple[Subject, ...]:
    """Return the posts and media that decisions are about, once each."""
    subjects = dict.fromkeys((one.subject.kind, one.subject.id) for one in decisions)
    return tuple(
        Subject(kind=kind, id=name) for kind, name in subjects if kind is not SubjectKind.ACCOUNT
    )


def _left(case: Case, decisions: Sequence[Decision]) -> Case | None:
    """Return an open case with what was not decided."""
    if not decisions:
        return None
    worst = max(decisions, key=lambda one: one.severity)
    return Case(
        id=CaseId(derive_id("case", case.id, decisions[0].id)),
        account_id=case.account_id,
        state=CaseState.OPEN,
        category=worst.category,
        severity=worst.severity,
        opened_at=decisions[0].time,
        decisions=tuple(one.id for one in decisions),
    )


def _asks(step: CaseStep, confirmed_asks: Sequence[EffectKind]) -> Sequence[EffectKind]:
    match step:
        case CaseStep.CONFIRM:
            return confirmed_asks
        case CaseStep.DISMISS | CaseStep.OVERTURN:
            return _TAKE_BACK
        case CaseStep.REPORT | CaseStep.APPEAL | CaseStep.UPHOLD:
            return ()


def _check(case: Case, resolution: Resolution, evidence: Collection[Evidence]) -> None:
    if not resolution.reviewer.strip():
        raise InvalidInput("a decision needs a person's name", field="reviewer")
    check_is_person(resolution.reviewer, field="reviewer")
    if not resolution.reason.strip():
        raise InvalidInput("a decision needs a reason", field="reason")
    unknown = sorted(set(resolution.viewed) - {one.id for one in evidence})
    if unknown:
        raise InvalidInput(
            f"{unknown[0]} is not evidence of this case",
            field="viewed",
            hint="`nightlight case show` lists the evidence ids",
        )
    answers = resolution.step in (CaseStep.UPHOLD, CaseStep.OVERTURN)
    if answers and is_same_person(resolution.reviewer, case.decided_by):
        raise Conflict(
            "an appeal is answered by another person than the one who decided",
            hint="ask a second reviewer",
        )
