"""The state machine of a tip and the meaning of answers."""

import itertools
from typing import Any

import pytest
from msgspec import structs

from nightlight.errors import Conflict
from nightlight.model.filing import (
    SETTLED,
    TIP_TRANSITIONS,
    Filing,
    TipState,
    check_tip_transition,
)
from nightlight.model.ids import TipId
from nightlight.report.ports import AnswerKind, CyberTiplineRefusal, kind_of
from nightlight.report.progress import (
    ABANDONED,
    abandoned,
    drafted_anew,
    held_unread,
    retried,
    withdrawn,
)


def test_the_table_names_every_state() -> None:
    assert set(TIP_TRANSITIONS) == set(TipState)


def test_a_filed_tip_stays_filed() -> None:
    assert TIP_TRANSITIONS[TipState.FILED] == frozenset()


def test_a_finish_that_was_asked_is_never_gone_back_on_in_the_same_report() -> None:
    for state in (TipState.FINISHING, TipState.RETRACTING):
        assert TIP_TRANSITIONS[state].isdisjoint({TipState.OPENED, TipState.OPENING})


def test_only_what_may_have_been_finished_leads_to_filed() -> None:
    leading = {state for state, after in TIP_TRANSITIONS.items() if TipState.FILED in after}
    asked = {TipState.FINISHING, TipState.PACKING}
    assert leading == asked | {TipState.RETRACTING, TipState.WITHDRAWING, TipState.REFUSED}


def test_every_state_that_is_not_settled_leads_on() -> None:
    assert all(TIP_TRANSITIONS[state] for state in set(TipState) - SETTLED)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(TipState, repeat=2)))
def test_a_transition_passes_exactly_if_the_table_has_it(before: TipState, after: TipState) -> None:
    if after is before or after in TIP_TRANSITIONS[before]:
        check_tip_transition(before, after)
    else:
        with pytest.raises(Conflict):
            check_tip_transition(before, after)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1000, AnswerKind.SERVER),
        (1110, AnswerKind.SERVER),
        (2000, AnswerKind.CREDENTIALS),
        (3300, AnswerKind.CREDENTIALS),
        (4110, AnswerKind.INVALID),
        (5001, AnswerKind.NO_SUCH_REPORT),
        (5002, AnswerKind.NO_SUCH_FILE),
        (5101, AnswerKind.RETRACTED),
        (5102, AnswerKind.FINISHED),
        (5999, AnswerKind.UNKNOWN),
        (7, AnswerKind.UNKNOWN),
        (-1, AnswerKind.UNKNOWN),
    ],
)
def test_an_answer_code_says_what_to_do(code: int, kind: AnswerKind) -> None:
    assert kind_of(code) is kind
    assert CyberTiplineRefusal("no", answer_code=code).kind is kind


def test_what_is_drafted_anew_of_what_waited_for_corrections_waits_for_them_too() -> None:
    former = Filing(tip_id=TipId("one"), state=TipState.WITHDRAWN, corrected=True)
    for name in ("two", "three"):
        fresh = Filing(tip_id=TipId(name), state=TipState.DRAFTED)
        filing = drafted_anew(fresh, former)
        assert f"{former.tip_id} was corrected" in filing.failure
        assert retried(filing).state is TipState.DRAFTED
        former = withdrawn(filing)


def test_what_is_drafted_anew_and_was_never_corrected_is_ready_and_names_lost_reports() -> None:
    former = Filing(tip_id=TipId("one"), state=TipState.WITHDRAWN, denied=("7000001",))
    filing = drafted_anew(Filing(tip_id=TipId("two"), state=TipState.DRAFTED), former)
    assert filing.state is TipState.DRAFTED
    assert filing.denied == ("7000001",)
    assert not filing.failure


def test_a_tip_that_lacks_what_is_sealed_names_the_evidence_and_can_be_retried() -> None:
    fresh = Filing(tip_id=TipId("tip-1"), state=TipState.DRAFTED)
    held = held_unread(fresh, ("evi-1", "evi-2", "evi-3"))
    assert held.failure.startswith("the addresses and devices sealed in evi-1 and 2 more cannot")
    assert (held.state, held.revision) == (TipState.REFUSED, 1)
    assert retried(held).state is TipState.DRAFTED


REFUSED = Filing(
    tip_id=TipId("tip-1"),
    state=TipState.REFUSED,
    retry_from=TipState.DRAFTED,
    failure="answered 4000",
)


def test_a_refused_tip_is_given_up_for_good() -> None:
    after = abandoned(REFUSED)
    assert (after.state, after.taken_back_for, after.retry_from) == (
        TipState.WITHDRAWN,
        ABANDONED,
        None,
    )
    assert after.failure.endswith("answered 4000")
    assert after.revision == REFUSED.revision + 1


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"state": TipState.DRAFTED}, "a tip that is drafted is not abandoned"),
        ({"retry_from": TipState.FINISHING}, "may have been finished"),
        ({"finish_asked": True}, "may have been finished"),
        ({"taken_back_for": "case-9"}, "was being taken back"),
    ],
)
def test_what_may_be_a_report_or_is_being_taken_back_is_not_given_up(
    changed: dict[str, Any], why: str
) -> None:
    with pytest.raises(Conflict, match=why):
        abandoned(structs.replace(REFUSED, **changed))
