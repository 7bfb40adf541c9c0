"""Evidence is destroyed at its moment, not a second before: leap days, holds, the last second."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.fakes.cybertip_store import HandClock
from tests.fakes.evidence_room import WHO, EvidenceRoom

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.case import CaseState
from nightlight.model.ids import CaseId
from nightlight.preserve.ports import KeyRing

CASE = CaseId("case-1")
SECOND, YEAR = timedelta(seconds=1), timedelta(days=366)


@pytest.fixture
def room(unit_of_work: SqlUnitOfWork, clock: HandClock, keys: KeyRing) -> EvidenceRoom:
    return EvidenceRoom(unit_of_work, clock, keys)


def gone_exactly_at(room: EvidenceRoom, evidence_id: str, at: datetime) -> None:
    """Assert that evidence is there up to the last moment, and then is not."""
    for early in (SECOND, timedelta(microseconds=1)):
        room.clock.at = at - early
        room.retention.run_due()
        assert room.destroyed_at(evidence_id) is None, f"{early} before"
        assert room.is_openable(evidence_id, b"quibble")
    room.clock.at = at
    room.retention.run_due()
    assert room.destroyed_at(evidence_id) == at


@pytest.mark.parametrize(
    ("reported", "due"),
    [
        (
            datetime(2027, 2, 28, 23, 59, 59, tzinfo=UTC),
            datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC),
        ),
        (datetime(2027, 3, 1, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), datetime(2029, 3, 1, 12, tzinfo=UTC)),
        (
            datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
            datetime(2028, 1, 1, 23, 59, 59, tzinfo=UTC),
        ),
    ],
    ids=["due on the leap day", "over the leap day", "reported on it", "over a new year"],
)
def test_a_year_is_366_days_also_around_a_leap_day(
    room: EvidenceRoom, reported: datetime, due: datetime
) -> None:
    room.clock.at = reported
    room.case(state=CaseState.REPORTED)
    room.draft()
    room.file()
    one = room.seal("one")
    assert due == reported + YEAR, "never sooner than a year after the report"
    gone_exactly_at(room, one, due)


def test_a_hold_ends_at_its_moment_and_not_a_second_before(room: EvidenceRoom) -> None:
    room.case()
    one = room.seal("one")
    end = datetime(2028, 2, 29, tzinfo=UTC)
    room.holds.place(CASE, reference="letter 7", until=end, **WHO)
    gone_exactly_at(room, one, end)


def test_a_hold_extended_in_its_last_second_holds_to_its_new_end(room: EvidenceRoom) -> None:
    room.case()
    one = room.seal("one")
    end = datetime(2027, 9, 1, tzinfo=UTC)
    hold = room.holds.place(CASE, reference="letter 7", until=end, **WHO)
    room.clock.at = end - SECOND
    room.retention.run_due()
    room.holds.extend(hold.id, until=end + timedelta(days=181), **WHO)
    for at in (end - SECOND, end, end + SECOND):
        room.clock.at = at
        assert room.retention.run_due().destroyed == 0
    assert end + timedelta(days=181) == datetime(2028, 2, 29, tzinfo=UTC)
    gone_exactly_at(room, one, end + timedelta(days=181))


def test_a_hold_extended_at_its_end_before_the_round_still_keeps(room: EvidenceRoom) -> None:
    room.case()
    one = room.seal("one")
    end = datetime(2027, 9, 1, tzinfo=UTC)
    hold = room.holds.place(CASE, reference="letter 7", until=end, **WHO)
    room.clock.at = end
    room.blobs.full = True
    assert room.retention.run_due().failed == 1, "ordered, and not carried out"
    room.holds.extend(hold.id, until=end + timedelta(days=1), **WHO)
    room.blobs.full = False
    assert room.retention.run_due().spared == 1
    gone_exactly_at(room, one, end + timedelta(days=1))


def test_shared_bytes_stay_to_the_end_of_the_last_hold_that_needs_them(room: EvidenceRoom) -> None:
    room.case()
    first = room.seal("first")
    other_case = room.case("case-2")
    other = room.seal("other", "case-2")
    end = room.clock.now() + YEAR + timedelta(seconds=1)
    room.holds.place(other_case, reference="letter 8", until=end, **WHO)
    due = room.clock.now() + YEAR
    gone_exactly_at(room, first, due)
    assert room.is_openable(other, b"quibble")
    assert len(room.blobs.kept) == 1
    gone_exactly_at(room, other, end)
    assert room.blobs.kept == {}
