"""A large file acts from one moment on, and others store and match while it is read."""

from collections.abc import Iterator

import pytest
from tests.fakes.bank_desk import WHO, BankDesk, line, md5
from tests.fakes.cybertip_store import HandClock

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.bank import Bank
from nightlight.model.media import MediaHashes
from nightlight.services.banks import Banks
from nightlight.services.matching import Matcher

_AT_ONCE = 2


@pytest.fixture
def desk(unit_of_work: SqlUnitOfWork, clock: HandClock) -> BankDesk:
    desk = BankDesk(unit_of_work, clock)
    desk.banks = Banks(
        unit_of_work=unit_of_work,
        clock=clock,
        id_key=b"k",
        known=desk.known,
        at_once=_AT_ONCE,
    )
    return desk


def found(matcher: Matcher, *places: int) -> list[int]:
    """Return which of these an index that is kept up matches."""
    matcher.refresh()
    return [place for place in places if matcher.match(MediaHashes(md5=md5(place)))]


def test_a_large_file_acts_from_one_moment_on_and_others_go_on(
    desk: BankDesk, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    matcher = Matcher(unit_of_work=unit_of_work, clock=clock)
    desk.banks.import_entries("quibble", [line(1), line(2)], **WHO)
    seen: list[list[int]] = []

    def lines() -> Iterator[str]:
        yield from (line(2, classification="A1"), line(3), line(4), line(5), line(6))
        seen.append(found(matcher, 1, 2, 3, 4, 5, 6))
        desk.banks.create(Bank(name="flibbet"), **WHO)
        newcomer = Matcher(unit_of_work=unit_of_work, clock=clock)
        seen.append(found(newcomer, 1, 2, 3, 4, 5, 6))
        yield from (line(1, classification="B1"), line(7, state="disabled"))

    done = desk.banks.import_entries("quibble", lines(), **WHO)

    assert seen == [[1, 2], [1, 2]]
    assert found(matcher, *range(1, 9)) == [1, 2, 3, 4, 5, 6]
    assert (done.added, done.changed, done.held) == (5, 2, 0)
    assert desk.states() == {
        **{f"entry-{place}": "active" for place in range(1, 7)},
        "entry-7": "disabled",
    }
    classes = {one.id: one.classification for one in desk.entries() if one.classification}
    assert classes == {"entry-1": "B1", "entry-2": "A1"}
    assert [one.action for one in desk.record()] == [
        "bank.imported",
        "bank.import_started",
        "bank.created",
        "bank.imported",
    ]
    newest = desk.banks.history("quibble")[0]
    assert (newest.added, newest.number) == (5, desk.record()[-1].detail["version"])
    assert desk.banks.held_updates() == []


def test_an_entry_of_a_large_file_was_not_there_before_the_file_was_whole(desk: BankDesk) -> None:
    desk.banks.import_entries("quibble", [line(place) for place in range(5)], **WHO)
    version = desk.banks.history("quibble")[0].number
    assert desk.banks.explain(1, version - 1).entry is None
    assert desk.banks.explain(1, version).entry is not None


def test_a_large_file_that_breaks_off_leaves_nothing(desk: BankDesk) -> None:
    def lines() -> Iterator[str]:
        yield from (line(place) for place in range(7))
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="gone"):
        desk.banks.import_entries("quibble", lines(), **WHO)

    assert desk.entries() == []
    assert desk.banks.held_updates() == []
    desk.banks.import_entries("quibble", [line(place) for place in range(7)], **WHO)
    assert set(desk.states().values()) == {"active"}


def test_a_large_flood_is_held_whole_and_released_whole(desk: BankDesk) -> None:
    desk.traffic(*[MediaHashes(md5=md5(place)) for place in range(20)])

    done = desk.banks.import_entries("quibble", [line(place) for place in range(20)], **WHO)

    assert (done.added, done.held, done.matched_files) == (20, 20, 20)
    (update,) = desk.banks.held_updates()
    assert update.entries == 20
    desk.banks.release(update.version, **WHO)
    assert set(desk.states().values()) == {"active"}
