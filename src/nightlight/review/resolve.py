"""A reviewer's decision on a case: the new state, and the decision that outranks policy. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nightlight.errors import InvalidInput
from nightlight.model.case import Case, CaseStep, Evidence, next_state
from nightlight.model.decision import Decision, Reason
from nightlight.model.effect import EffectKind
from nightlight.model.ids import DecisionId, derive_id
from nightlight.model.signal import Subject, SubjectKind

#: What a dismissal or an overturned decision takes back.
_TAKE_BACK = (EffectKind.RESTORE, EffectKind.REINSTATE)


class Resolution(Struct, frozen=True, kw_only=True):
    """What a reviewer asks for about a case."""

    step: CaseStep
    reviewer: str
    reason: str
    viewed: tuple[str, ...] = ()


class Resolved(Struct, frozen=True, kw_only=True):
    """The case after the step, and the reviewer's decision with the subjects it is about."""

    case: Case
    decision: Decision
    subjects: tuple[Subject, ...]


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
        decisions: the decisions that the case is about.
        evidence: the case's sealed evidence; only its ids may be said to be viewed.
        confirmed_asks: what the policy asks for once a case of this category is confirmed.
        policy_version: the policy that those came from.
        at: when the reviewer decided.

    Raises:
        Conflict: the case is in a state that does not allow this step.
        InvalidInput: reviewer or reason is missing, or evidence is named that the case lacks.
    """
    _check(resolution, evidence)
    state = next_state(case.state, resolution.step)
    subjects = tuple(dict.fromkeys(_key(decision.subject) for decision in decisions))
    asks = _asks(resolution.step, confirmed_asks)
    decided = replace(
        case,
        state=state,
        decided_by=resolution.reviewer,
        decided_at=at,
        decision_reason=resolution.reason,
        viewed=tuple(sorted({*case.viewed, *resolution.viewed})),
    )
    account = Subject(kind=SubjectKind.ACCOUNT, id=case.account_id)
    decision = Decision(
        id=DecisionId(derive_id("dec", case.id, resolution.step)),
        event_key=decisions[0].event_key,
        account_id=case.account_id,
        subject=account if case.account_id else decisions[0].subject,
        decided_by=resolution.reviewer,
        policy_version=policy_version,
        category=case.category,
        severity=case.severity,
        asks=tuple(asks),
        reasons=(Reason(rule=f"reviewer:{resolution.step}", text=resolution.reason),),
        time=at,
    )
    content = tuple(
        Subject(kind=SubjectKind(kind), id=one)
        for kind, one in subjects
        if kind != SubjectKind.ACCOUNT.value
    )
    return Resolved(case=decided, decision=decision, subjects=content)


def _key(subject: Subject) -> tuple[str, str]:
    return (subject.kind.value, subject.id)


def _asks(step: CaseStep, confirmed_asks: Sequence[EffectKind]) -> Sequence[EffectKind]:
    match step:
        case CaseStep.CONFIRM:
            return confirmed_asks
        case CaseStep.DISMISS | CaseStep.OVERTURN:
            return _TAKE_BACK
        case CaseStep.REPORT | CaseStep.APPEAL | CaseStep.UPHOLD:
            return ()


def _check(resolution: Resolution, evidence: Collection[Evidence]) -> None:
    if not resolution.reviewer.strip():
        raise InvalidInput("a decision needs a person's name", field="reviewer")
    if not resolution.reason.strip():
        raise InvalidInput("a decision needs a reason", field="reason")
    unknown = sorted(set(resolution.viewed) - {one.id for one in evidence})
    if unknown:
        raise InvalidInput(
            f"{unknown[0]} is not evidence of this case",
            field="viewed",
            hint="`nightlight case show` lists the evidence ids",
        )
