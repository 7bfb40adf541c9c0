"""A person decides a case, gives a reason, and outranks the policy."""

from typing import Any

import pytest
from tests.synthetic.builders import at, make_case, make_decision, make_evidence, subject_of

from nightlight.errors import Conflict, InvalidInput
from nightlight.model.case import CaseState, CaseStep
from nightlight.model.effect import EffectKind
from nightlight.model.signal import SubjectKind
from nightlight.review.resolve import Resolution, Resolved, resolve

ASKS = (EffectKind.REMOVE, EffectKind.SUSPEND)
TAKE_BACK = ("restore", "reinstate")


def decide(
    step: CaseStep, *, state: CaseState = CaseState.OPEN, account_id: str = "account-1", **more: Any
) -> Resolved:
    values = {"reviewer": "ana", "reason": "quibble", **more}
    decisions = [
        make_decision(name="d1", account_id=account_id),
        make_decision(name="d2", account_id=account_id),
        make_decision(
            name="d3",
            account_id=account_id,
            subject=subject_of(SubjectKind.ACCOUNT, account_id or "somebody"),
        ),
        make_decision(
            name="d4", account_id=account_id, subject=subject_of(SubjectKind.MEDIA, "media-1")
        ),
    ]
    return resolve(
        make_case("d1", "d2", "d3", "d4", state=state, account_id=account_id),
        Resolution(step=step, **values),
        decisions=decisions,
        evidence=[make_evidence(name="evi-1"), make_evidence(name="evi-2")],
        confirmed_asks=ASKS,
        policy_version="quibble@1:0",
        at=at(30),
    )


def test_confirmation_asks_for_what_the_policy_says_and_names_the_person() -> None:
    resolved = decide(CaseStep.CONFIRM)
    assert resolved.case.state is CaseState.CONFIRMED
    assert (resolved.case.decided_by, resolved.case.decided_at) == ("ana", at(30))
    assert resolved.case.decision_reason == "quibble"
    assert resolved.decision.decided_by == "ana"
    assert resolved.decision.asks == ASKS
    assert [reason.rule for reason in resolved.decision.reasons] == ["reviewer:confirm"]


def test_content_is_named_once_each_and_the_account_apart() -> None:
    resolved = decide(CaseStep.CONFIRM)
    assert [(one.kind, one.id) for one in resolved.subjects] == [
        (SubjectKind.POST, "post-1"),
        (SubjectKind.MEDIA, "media-1"),
    ]
    assert resolved.decision.subject == subject_of(SubjectKind.ACCOUNT, "account-1")


def test_case_without_an_account_is_decided_about_its_content() -> None:
    resolved = decide(CaseStep.CONFIRM, account_id="")
    assert resolved.decision.subject == subject_of()


@pytest.mark.parametrize(
    ("state", "step", "asks"),
    [
        (CaseState.OPEN, CaseStep.DISMISS, TAKE_BACK),
        (CaseState.APPEALED, CaseStep.OVERTURN, TAKE_BACK),
        (CaseState.CONFIRMED, CaseStep.REPORT, ()),
        (CaseState.CONFIRMED, CaseStep.APPEAL, ()),
        (CaseState.APPEALED, CaseStep.UPHOLD, ()),
    ],
    ids=str,
)
def test_step_asks_for_what_it_means(
    state: CaseState, step: CaseStep, asks: tuple[str, ...]
) -> None:
    assert decide(step, state=state).decision.asks == asks


def test_step_that_the_state_does_not_allow_is_a_conflict() -> None:
    with pytest.raises(Conflict):
        decide(CaseStep.CONFIRM, state=CaseState.DISMISSED)


@pytest.mark.parametrize("empty", ["", " \n"])
def test_decision_needs_a_person(empty: str) -> None:
    with pytest.raises(InvalidInput, match="reviewer: a decision needs a person's name"):
        decide(CaseStep.CONFIRM, reviewer=empty)


@pytest.mark.parametrize("empty", ["", " \n"])
def test_decision_needs_a_reason(empty: str) -> None:
    with pytest.raises(InvalidInput, match="reason: a decision needs a reason"):
        decide(CaseStep.CONFIRM, reason=empty)


def test_viewed_evidence_is_remembered_across_steps() -> None:
    case = decide(CaseStep.CONFIRM, viewed=("evi-2", "evi-1", "evi-2")).case
    assert case.viewed == ("evi-1", "evi-2")


def test_evidence_of_another_case_cannot_have_been_viewed() -> None:
    with pytest.raises(InvalidInput, match="evi-9 is not evidence of this case"):
        decide(CaseStep.CONFIRM, viewed=("evi-1", "evi-9"))


def test_each_step_is_a_decision_of_its_own() -> None:
    confirmed = decide(CaseStep.CONFIRM).decision
    upheld = decide(CaseStep.UPHOLD, state=CaseState.APPEALED).decision
    assert confirmed.id != upheld.id
