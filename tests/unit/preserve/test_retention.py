"""For how long evidence is kept: whatever is not certain keeps it."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.fakes.cybertip_store import NOON
from tests.ports.builders import make_case, make_evidence

from nightlight.model.case import CaseState
from nightlight.model.filing import TipState
from nightlight.model.hold import Hold
from nightlight.model.ids import CaseId
from nightlight.preserve.retention import (
    CaseStanding,
    ExportStanding,
    Kept,
    Periods,
    TipStanding,
    kept,
)

PERIODS = Periods(reported_days=400, unreported_days=90, legal_days=366)
DECIDED = make_case("case-1", state=CaseState.CONFIRMED, decided_at=NOON)
FILED = TipStanding(state=TipState.FILED, filed_at=NOON + timedelta(days=2))


def hold(days: float | None, *, released: bool = False) -> Hold:
    return Hold(
        id="hold-1",
        case_id=CaseId("case-1"),
        reference="letter 7",
        until=None if days is None else NOON + timedelta(days=days),
        placed_by="ana",
        placed_at=NOON,
        released_at=NOON if released else None,
    )


def keep(*, sealed_day: float = 0, **fields: Any) -> Kept:
    standing = CaseStanding(case=DECIDED, tips=(), holds=())
    evidence = make_evidence("one", sealed_at=NOON + timedelta(days=sealed_day))
    return kept(evidence, replace(standing, **fields), PERIODS)


def days(found: Kept) -> float | None:
    return None if found.due_at is None else (found.due_at - NOON) / timedelta(days=1)


def test_what_was_reported_is_kept_for_the_period_after_the_report() -> None:
    found = keep(tips=(FILED,))
    assert (days(found), found.rule) == (402, "400 days from the report")


def test_of_several_reports_the_latest_counts() -> None:
    later = replace(FILED, filed_at=NOON + timedelta(days=50))
    assert days(keep(tips=(later, FILED))) == 450


def test_what_was_not_reported_is_kept_for_its_period_after_the_decision() -> None:
    assert days(keep()) == 90


def test_what_was_sealed_after_the_decision_is_kept_from_then() -> None:
    assert days(keep(sealed_day=5)) == 95


def test_what_is_to_be_exported_is_kept_until_that_lapses_and_no_shorter() -> None:
    long = ExportStanding(reference="warrant 7", until=NOON + timedelta(days=95))
    short = ExportStanding(reference="warrant 8", until=NOON + timedelta(days=30))
    found = keep(exports=(long, short))
    assert (days(found), found.rule, found.floor_at) == (95, "export warrant 7", long.until)
    found = keep(exports=(short,))
    assert (days(found), found.floor_at) == (90, short.until)
    assert found.rule.startswith("90 days from the decision")


@pytest.mark.parametrize("state", [CaseState.OPEN, CaseState.APPEALED])
def test_nothing_of_an_unsettled_case_is_ever_due(state: CaseState) -> None:
    found = keep(case=replace(DECIDED, state=state), tips=(FILED,))
    assert (days(found), found.because) == (None, (f"its case is {state.value}",))


def test_a_withdrawn_tip_keeps_nothing_and_counts_as_no_report() -> None:
    overturned = replace(DECIDED, state=CaseState.OVERTURNED)
    gone = TipStanding(state=TipState.WITHDRAWN, filed_at=None)
    assert days(keep(case=overturned, tips=(gone,))) == 90
    assert days(keep(tips=(gone, FILED))) == 402, "a bundle that was drafted again and filed"
    again = TipStanding(state=TipState.DRAFTED, filed_at=None)
    assert days(keep(tips=(gone, again))) is None, "a bundle that was drafted again"


_UNFILED = [one for one in TipState if one not in (TipState.FILED, TipState.WITHDRAWN)]


@pytest.mark.parametrize("state", _UNFILED)
def test_nothing_is_due_while_a_tip_is_not_filed(state: TipState) -> None:
    assert days(keep(tips=(FILED, TipStanding(state=state, filed_at=None)))) is None


def test_a_filed_tip_without_a_date_keeps_everything() -> None:
    assert days(keep(tips=(replace(FILED, filed_at=None),))) is None


def test_nothing_is_due_before_it_is_decided_whether_to_report() -> None:
    assert days(keep(undecided=True)) is None


def test_evidence_of_a_case_that_nobody_knows_is_kept() -> None:
    assert keep(case=None).because == ("its case is not known",)


def test_a_hold_keeps_longer_and_never_shorter() -> None:
    assert days(keep(holds=(hold(500),), tips=(FILED,))) == 500
    assert keep(holds=(hold(500),), tips=(FILED,)).rule == "hold letter 7"
    assert days(keep(holds=(hold(20),), tips=(FILED,))) == 402


def test_a_hold_without_an_end_keeps_until_it_is_released() -> None:
    assert keep(holds=(hold(None),)).because == ("hold letter 7",)
    assert days(keep(holds=(hold(None, released=True),))) == 90
    assert days(keep(holds=(hold(500, released=True),))) == 90


def test_two_people_cannot_shorten_the_year_of_the_law_nor_a_hold() -> None:
    assert keep(tips=(FILED,)).floor_at == FILED.filed_at + timedelta(days=366)  # type: ignore[operator]  # it has a date
    assert keep(holds=(hold(70),)).floor_at == NOON + timedelta(days=70)
    assert keep().floor_at == NOON


def test_it_is_due_at_the_moment_and_not_before() -> None:
    found = keep()
    assert found.due_at is not None
    assert found.is_due(found.due_at)
    assert not found.is_due(found.due_at - timedelta(microseconds=1))
    assert not keep(undecided=True).is_due(NOON + timedelta(days=9999))
