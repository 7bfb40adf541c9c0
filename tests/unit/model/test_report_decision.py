"""States of a report decision, its clock, and what counts of a role."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from nightlight.decide.policy import DEFAULT_THRESHOLD
from nightlight.errors import Conflict
from nightlight.model.effect import EffectKind
from nightlight.model.ids import AccountActionId, AccountId
from nightlight.model.report_decision import (
    NOT_TOLD,
    REPORT_TRANSITIONS,
    AccountAction,
    Part,
    ReportState,
    check_report_transition,
    part_of,
)
from nightlight.model.role import AccountRole, Knowledge, Role

EVERY_PAIR = list(itertools.product(ReportState, ReportState))
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_table_of_states_is_total() -> None:
    assert set(REPORT_TRANSITIONS) == set(ReportState)


@pytest.mark.parametrize(("before", "after"), EVERY_PAIR, ids=str)
def test_state_follows_only_where_the_table_says_so(
    before: ReportState, after: ReportState
) -> None:
    if after is before or after in REPORT_TRANSITIONS[before]:
        check_report_transition(before, after)
        return
    with pytest.raises(Conflict, match=f"what is {before} cannot become {after}"):
        check_report_transition(before, after)


def test_what_is_reported_never_becomes_anything_else() -> None:
    assert REPORT_TRANSITIONS[ReportState.REPORTED] == frozenset()


@pytest.mark.parametrize(("severity", "hours"), [(100, 24), (90, 24), (89, 48), (40, 72), (0, 168)])
def test_the_graver_the_sooner_it_is_due(severity: int, hours: int) -> None:
    assert DEFAULT_THRESHOLD.due_at(severity, NOON) == NOON + timedelta(hours=hours)


def test_month_is_that_of_the_action_in_utc() -> None:
    at = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    action = AccountAction(
        id=AccountActionId("act"),
        account_id=AccountId("ada"),
        effect=EffectKind.LOCK,
        category="advert",
        severity=70,
        asked_by="policy",
        at=at,
    )
    assert action.month == "2026-03"
    # What was recorded before there were record names goes on under its id.
    assert (action.shown_as, replace(action, record_name="rec").shown_as) == ("act", "rec")


def test_nothing_is_told_of_an_account_of_which_nothing_is_confirmed() -> None:
    assert part_of(None) == NOT_TOLD


def test_only_reasons_on_the_list_are_reasons() -> None:
    taken_back = DEFAULT_THRESHOLD.reason("taken_back")
    assert taken_back is not None
    assert taken_back.settles
    assert DEFAULT_THRESHOLD.reason("because") is None


def test_a_part_counts_acts_and_keeps_what_they_say_of_knowledge() -> None:
    told = AccountRole(
        account_id=AccountId("ada"),
        role=Role.ENGAGER,
        acts=(),
        knowledge_for=(Knowledge.ASKED,),
        knowledge_against=(Knowledge.ONCE,),
    )
    assert part_of(told) == Part(
        role="engager",
        acts=0,
        knowledge_for=(Knowledge.ASKED,),
        knowledge_against=(Knowledge.ONCE,),
    )
