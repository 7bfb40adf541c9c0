"""What an undecided account action is said to wait for, with the command."""

import pytest
from msgspec.structs import replace
from tests.fakes.cybertip_store import NOON

from nightlight.model.case import CaseState
from nightlight.model.effect import EffectKind
from nightlight.model.filing import TipState
from nightlight.model.ids import AccountActionId, AccountId, CaseId, TipId
from nightlight.model.report_decision import (
    AccountAction,
    Accounted,
    ReportDecision,
    ReportState,
    Says,
)
from nightlight.report.ports import AccountCase
from nightlight.report.wanted import wanted

ACTION = AccountAction(
    id=AccountActionId("act-1"),
    account_id=AccountId("ada"),
    effect=EffectKind.SUSPEND,
    category="advert",
    severity=70,
    asked_by="ana",
    at=NOON,
)
DECISION = ReportDecision(
    action_id=ACTION.id,
    version=1,
    state=ReportState.UNDECIDED,
    says=Says.REPORT,
    decided_by="policy",
    decided_at=NOON,
    threshold="own-material@1",
)


def told(*cases: AccountCase, says: Says = Says.REPORT, tip: TipState | None = None) -> str:
    found = wanted(
        Accounted(action=ACTION, decision=replace(DECISION, says=says)),
        tip=None if tip is None else (TipId("tip-1"), tip),
        cases=cases,
        reportable={"advert"},
    )
    return f"{found.what}: {found.command}"


def case(
    name: str, state: CaseState, *, category: str = "advert", tip: TipState | None = None
) -> AccountCase:
    tips = None if tip is None else (TipId(f"tip-of-{name}"), tip)
    return AccountCase(case_id=CaseId(name), state=state, category=category, tip=tips)


@pytest.mark.parametrize("state", [CaseState.CONFIRMED, CaseState.REPORTED, CaseState.UPHELD])
def test_what_stands_without_a_tip_is_drafted(state: CaseState) -> None:
    other = case("c-0", CaseState.CONFIRMED, tip=TipState.FILED)
    said = told(case("c-9", CaseState.DISMISSED), other, case("c-1", state))
    assert said == "a tip: nightlight report draft c-1 --by WHO --reason WHY"


def test_what_the_policy_does_not_report_is_drafted_as_something() -> None:
    said = told(case("c-1", CaseState.CONFIRMED, category="quibble"))
    assert said == "a tip: nightlight report draft c-1 --as TYPE --by WHO --reason WHY"


def test_what_another_case_asked_for_too_waits_for_that_case_and_no_filed_tip() -> None:
    filed = case("c-1", CaseState.REPORTED, tip=TipState.FILED)
    said = told(filed, case("c-2", CaseState.OPEN), tip=TipState.FILED)
    assert said.startswith("a tip, once its case is confirmed: nightlight case decide c-2")
    assert told(filed, tip=TipState.FILED) == "the receipt of tip-of-c-1 (filed): "


def test_a_tip_on_its_way_is_waited_for() -> None:
    assert told(tip=TipState.DRAFTED) == "the receipt of tip-1 (drafted): "
    said = told(case("c-1", CaseState.CONFIRMED, tip=TipState.OPENED))
    assert said == "the receipt of tip-of-c-1 (opened): "


def test_what_is_not_decided_is_decided_first() -> None:
    found = case("c-1", CaseState.OPEN)
    assert told(found).endswith("case decide c-1 --confirm --reviewer WHO --reason WHY")
    assert "case decide c-1 --confirm (or --dismiss)" in told(found, says=Says.PERSON)
    assert "report decide act-1 --report (or --not REASON)" in told(says=Says.PERSON)


def test_an_appeal_is_answered_first_and_what_came_to_nothing_goes_another_way() -> None:
    assert "case answer c-1 --uphold" in told(case("c-1", CaseState.APPEALED))
    said = told(case("c-1", CaseState.OVERTURNED))
    assert said.startswith("a report by another way")
    assert said.endswith("report decide act-1 --not REASON --by WHO --reason WHY")
