"""The score orders accounts: more kinds of evidence weigh more, and people outrank detectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.synthetic.builders import make_case, make_signal

from nightlight.model.case import CaseState
from nightlight.model.signal import Signal
from nightlight.review.account_score import WEIGHTS, score_of


def found(detector: str, confidence: float = 0.9, event: str = "event-1") -> Signal:
    return replace(make_signal(detector=detector, event_key=event), confidence=confidence)


def value(*signals: Signal, **more: object) -> int:
    cases = [make_case(state=state) for state in more.get("states", ())]  # type: ignore[attr-defined]
    return score_of(signals, cases, dismissed_events=set()).value


def test_account_of_which_nothing_was_found_has_no_score() -> None:
    assert value() == 0


def test_known_media_weighs_more_than_words_and_words_more_than_a_report() -> None:
    assert value(found("hash_match")) > value(found("term_match")) > value(found("user_report")) > 0


def test_further_findings_of_a_kind_add_less_than_one_of_another_kind() -> None:
    once = value(found("term_match"))
    again = value(found("term_match"), found("term_match"))
    other = value(found("term_match"), found("delete_repost"))
    assert once <= again < other


def test_any_number_of_weak_findings_stays_below_what_their_kind_may_say() -> None:
    assert value(*[found("user_report", 1.0)] * 500) <= 100 * WEIGHTS["user_report"]


@pytest.mark.parametrize("state", [CaseState.CONFIRMED, CaseState.REPORTED, CaseState.UPHELD])
def test_confirmed_case_makes_it_ninety_nine_at_least(state: CaseState) -> None:
    assert value(found("user_report"), states=[state]) == 99


@pytest.mark.parametrize("state", [CaseState.OPEN, CaseState.DISMISSED, CaseState.APPEALED])
def test_other_cases_change_nothing_by_themselves(state: CaseState) -> None:
    assert value(found("user_report"), states=[state]) == value(found("user_report"))


def test_dismissed_findings_count_for_nothing_and_are_told() -> None:
    signals = [found("term_match", event="dismissed"), found("user_report", event="other")]
    score = score_of(signals, [], dismissed_events={"dismissed"})
    assert score.left_out == 1
    assert [part.detector for part in score.parts] == ["user_report"]


@given(st.lists(st.tuples(st.sampled_from([*WEIGHTS, "own"]), st.floats(-1, 2)), max_size=20))
def test_score_stays_in_bounds_and_no_finding_lowers_it(drawn: list[tuple[str, float]]) -> None:
    signals = [found(name, confidence) for name, confidence in drawn]
    whole = value(*signals)
    assert 0 <= whole <= 100
    assert all(value(*signals[:n]) <= whole for n in range(len(signals)))
