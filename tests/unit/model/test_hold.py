"""A hold is what was said of it, and is never shortened."""

from datetime import datetime, timedelta

import pytest
from tests.fakes.cybertip_store import NOON

from nightlight.errors import Conflict
from nightlight.model.hold import Hold, HoldAct, HoldEvent, check_extension, holds_in
from nightlight.model.ids import CaseId

DAY = timedelta(days=1)


def said(what: HoldAct, day: int, until: datetime | None, name: str = "hold-1") -> HoldEvent:
    return HoldEvent(
        id=f"{name}-{day}",
        hold_id=name,
        case_id=CaseId("case-1"),
        what=what,
        reference="letter 7",
        until=until,
        person="ana",
        reason="to see",
        at=NOON + day * DAY,
    )


def hold(*more: HoldEvent, until: datetime | None = NOON + 9 * DAY) -> Hold:
    [found] = holds_in([said(HoldAct.PLACED, 0, until), *more])
    return found


def test_it_holds_up_to_its_end_and_not_at_it() -> None:
    assert hold().holds(NOON + 8 * DAY)
    assert not hold().holds(NOON + 9 * DAY)
    assert hold(until=None).holds(NOON + 9999 * DAY)


def test_extending_moves_its_end_and_releasing_ends_it() -> None:
    extended = said(HoldAct.EXTENDED, 1, NOON + 20 * DAY)
    assert hold(extended).holds(NOON + 19 * DAY)
    released = hold(extended, said(HoldAct.RELEASED, 2, NOON + 20 * DAY))
    assert released.released_at == NOON + 2 * DAY
    assert not released.holds(NOON + 3 * DAY)


def test_holds_are_told_apart() -> None:
    found = holds_in(
        [
            said(HoldAct.PLACED, 0, None, "one"),
            said(HoldAct.PLACED, 0, None, "two"),
            said(HoldAct.RELEASED, 1, None, "one"),
        ]
    )
    assert [(one.id, one.released_at is None) for one in found] == [("one", False), ("two", True)]


def test_extension_by_a_clock_that_is_behind_is_not_lost() -> None:
    first = said(HoldAct.EXTENDED, 5, NOON + 20 * DAY)
    behind = said(HoldAct.EXTENDED, 3, NOON + 90 * DAY)
    assert hold(first, behind).until == NOON + 90 * DAY
    assert hold(behind, first).until == NOON + 90 * DAY
    assert hold(first, said(HoldAct.EXTENDED, 3, None)).until is None
    assert hold(said(HoldAct.EXTENDED, 3, None), first).until is None


@pytest.mark.parametrize("day", [-1, -9])
def test_what_is_said_of_a_hold_by_a_clock_before_it_was_placed_counts(day: int) -> None:
    extended = said(HoldAct.EXTENDED, day, NOON + 20 * DAY)
    released = said(HoldAct.RELEASED, day - 1, NOON + 20 * DAY)
    placed = said(HoldAct.PLACED, 0, NOON + 9 * DAY)
    [found] = holds_in([released, extended, placed])
    assert (found.until, found.released_at) == (NOON + 20 * DAY, NOON + (day - 1) * DAY)


def test_holds_are_listed_by_when_they_were_placed() -> None:
    late = said(HoldAct.PLACED, 2, None, "a")
    early = said(HoldAct.PLACED, 1, None, "b")
    assert [one.id for one in holds_in([late, early])] == ["b", "a"]


def test_it_may_be_extended_and_never_shortened() -> None:
    check_extension(hold(), NOON + 10 * DAY)
    check_extension(hold(), None)
    check_extension(hold(until=None), None)
    for until in (NOON + 9 * DAY, NOON):
        with pytest.raises(Conflict, match="shorten"):
            check_extension(hold(), until)
    with pytest.raises(Conflict, match="shorten"):
        check_extension(hold(until=None), NOON + 10 * DAY)
    with pytest.raises(Conflict, match="released"):
        check_extension(hold(said(HoldAct.RELEASED, 1, None)), NOON + 10 * DAY)
