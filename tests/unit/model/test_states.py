"""The state machine of a case is one table: total, disjoint, and every state can be reached."""

import itertools

import pytest

from nightlight.errors import Conflict
from nightlight.model.case import TRANSITIONS, CaseState, CaseStep, next_state

EVERY_PAIR = list(itertools.product(CaseState, CaseStep))
REFUSED = [pair for pair in EVERY_PAIR if pair not in TRANSITIONS]
FINAL = {CaseState.DISMISSED, CaseState.UPHELD, CaseState.OVERTURNED}


def test_every_state_can_be_reached() -> None:
    reached = {CaseState.OPEN}
    while more := {after for (at, _), after in TRANSITIONS.items() if at in reached} - reached:
        reached |= more
    assert reached == set(CaseState)


def test_every_step_leads_somewhere() -> None:
    assert {step for _, step in TRANSITIONS} == set(CaseStep)


def test_no_step_leads_back_to_an_open_case() -> None:
    assert CaseState.OPEN not in TRANSITIONS.values()


def test_only_final_states_lead_nowhere() -> None:
    assert set(CaseState) - {state for state, _ in TRANSITIONS} == FINAL


@pytest.mark.parametrize(("state", "step"), TRANSITIONS, ids=str)
def test_listed_step_leads_to_the_listed_state(state: CaseState, step: CaseStep) -> None:
    assert next_state(state, step) is TRANSITIONS[state, step]


@pytest.mark.parametrize(("state", "step"), REFUSED, ids=str)
def test_step_that_is_not_listed_is_refused(state: CaseState, step: CaseStep) -> None:
    with pytest.raises(Conflict, match=f"a case that is {state.value} cannot {step.value}"):
        next_state(state, step)


def test_refusal_names_the_steps_that_are_allowed() -> None:
    with pytest.raises(Conflict, match="allowed now: report, appeal"):
        next_state(CaseState.CONFIRMED, CaseStep.DISMISS)


def test_refusal_in_a_final_state_says_that_it_is_final() -> None:
    with pytest.raises(Conflict, match="this state is final"):
        next_state(CaseState.UPHELD, CaseStep.APPEAL)


def test_nothing_is_reported_that_nobody_confirmed() -> None:
    before = {state for (state, step) in TRANSITIONS if step is CaseStep.REPORT}
    assert before == {CaseState.CONFIRMED}
