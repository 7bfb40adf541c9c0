"""One account has one open case that shows its findings together."""

from hypothesis import given
from hypothesis import strategies as st
from tests.synthetic.builders import at, make_case, make_decision

from nightlight.model.case import CaseState
from nightlight.review.open_case import open_or_extend


def test_first_decision_opens_a_case() -> None:
    case = open_or_extend(None, make_decision(severity=40, minutes=3))
    assert case.state is CaseState.OPEN
    assert (case.account_id, case.category, case.severity) == ("account-1", "advert", 40)
    assert case.decisions == ("decision-1",)
    assert case.opened_at == at(3)


def test_further_decision_joins_the_case_and_raises_its_severity() -> None:
    graver = make_decision(name="decision-2", severity=95, category="known_media")
    case = open_or_extend(make_case(), graver)
    assert case.decisions == ("decision-1", "decision-2")
    assert (case.severity, case.category) == (95, "known_media")


def test_milder_decision_changes_neither_severity_nor_category() -> None:
    milder = make_decision(name="decision-2", severity=10, category="evasion")
    case = open_or_extend(make_case(), milder)
    assert (case.severity, case.category) == (70, "advert")


def test_decision_that_is_already_there_changes_nothing() -> None:
    case = make_case()
    assert open_or_extend(case, make_decision(severity=99)) is case


def test_decisions_without_an_account_get_a_case_each() -> None:
    one = open_or_extend(None, make_decision(account_id="", name="d1"))
    other = open_or_extend(None, make_decision(account_id="", name="d2"))
    assert one.id != other.id


@given(st.lists(st.integers(0, 100), min_size=1, max_size=6))
def test_case_is_as_severe_as_its_gravest_decision(severities: list[int]) -> None:
    case = None
    for number, severity in enumerate(severities):
        case = open_or_extend(case, make_decision(name=f"d{number}", severity=severity))
    assert case is not None
    assert case.severity == max(severities)
    assert len(case.decisions) == len(severities)
