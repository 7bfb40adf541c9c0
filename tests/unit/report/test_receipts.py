"""By which receipt an account action is reported."""

import pytest
from tests.fakes.cybertip_store import NOON

from nightlight.model.case import CaseState
from nightlight.model.effect import EffectKind
from nightlight.model.filing import TipState
from nightlight.model.ids import AccountActionId, AccountId, CaseId, TipId
from nightlight.model.report_decision import AccountAction
from nightlight.report.ports import CaseFilings
from nightlight.report.receipts import receipt_of

FILED, DRAFTED, REFUSED, WITHDRAWN = (
    TipState.FILED,
    TipState.DRAFTED,
    TipState.REFUSED,
    TipState.WITHDRAWN,
)


def action(*, ended: bool = False) -> AccountAction:
    return AccountAction(
        id=AccountActionId("act-1"),
        account_id=AccountId("ada"),
        effect=EffectKind.LOCK,
        category="advert",
        severity=70,
        asked_by="policy",
        at=NOON,
        ended_at=NOON if ended else None,
    )


def case(
    name: str, *states: TipState, asked: bool = True, state: CaseState = CaseState.CONFIRMED
) -> CaseFilings:
    tips = tuple((TipId(f"{name}-{number}"), each) for number, each in enumerate(states))
    return CaseFilings(case_id=CaseId(name), state=state, asked=asked, tips=tips)


@pytest.mark.parametrize(
    ("cases", "tip"),
    [
        ([], None),
        ([case("a")], None),
        ([case("a", FILED)], "a-0"),
        ([case("a", WITHDRAWN, FILED)], "a-1"),
        ([case("a", FILED, DRAFTED)], None),
        ([case("a", FILED), case("b", REFUSED)], None),
        ([case("a", FILED), case("b", state=CaseState.OPEN)], None),
        ([case("a", FILED), case("b", state=CaseState.DISMISSED)], "a-0"),
        ([case("a", FILED), case("b", DRAFTED, state=CaseState.APPEALED)], None),
        ([case("a", FILED, WITHDRAWN, state=CaseState.OVERTURNED)], "a-0"),
    ],
)
def test_an_action_is_reported_once_all_that_asked_for_it_is(
    cases: list[CaseFilings], tip: str | None
) -> None:
    assert receipt_of(action(), cases) == tip


@pytest.mark.parametrize(
    ("own", "other", "tip"),
    [
        (case("a", DRAFTED), case("b", FILED, asked=False), None),
        (case("a", state=CaseState.OPEN), case("b", FILED, asked=False), None),
        (case("a"), case("b", FILED, asked=False), "b-0"),
        (case("a", state=CaseState.DISMISSED), case("b", FILED, asked=False), "b-0"),
        (case("a"), case("b", FILED, DRAFTED, asked=False), None),
        (case("a"), case("b", FILED, asked=False, state=CaseState.OVERTURNED), None),
        (case("a", FILED), case("b", DRAFTED, asked=False), "a-0"),
    ],
)
def test_another_case_counts_only_where_none_that_asked_can_be_reported(
    own: CaseFilings, other: CaseFilings, tip: str | None
) -> None:
    assert receipt_of(action(), [own, other]) == tip


def test_an_ended_action_is_reported_if_anything_of_it_was() -> None:
    ended = action(ended=True)
    assert receipt_of(ended, [case("a", FILED, WITHDRAWN, state=CaseState.OVERTURNED)]) == "a-0"
    assert receipt_of(ended, [case("a", WITHDRAWN, state=CaseState.OVERTURNED)]) is None
    assert receipt_of(ended, [case("a"), case("b", FILED, asked=False)]) is None
