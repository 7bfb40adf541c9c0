"""A large change is taken in piece by piece, and whatever else changes does not wait for it."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from threading import Event, Thread

import pytest
from msgspec.structs import replace
from tests.fakes.bank_desk import WHO, BankDesk, line, md5
from tests.fakes.cybertip_store import NOON, HandClock
from tests.fakes.patience import until
from tests.ports.builders import ENTRY
from tests.ports.test_matching import ASKED, KNOWN, change, put
from tests.synthetic.known_media import near

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.detect.bank_index import BankIndex
from nightlight.detect.entry_table import EntryTable
from nightlight.errors import Unavailable
from nightlight.kernel.hash_index import HashIndex
from nightlight.model.bank import Bank, BankEntry, BankPurpose, EntryState, HashKind
from nightlight.model.media import MediaHashes
from nightlight.services.following import Following
from nightlight.services.matching import Matcher
from nightlight.services.rules import CurrentRules
from nightlight.web.fresh import Fresh

_PIECE = 10
FIRST, LAST = 0, 99


def bulk(bank: str = "bulk") -> list[BankEntry]:
    """Return a list that takes ten pieces."""
    return [
        replace(near(0, bank), id=f"bulk-{n}", value=md5(n + 1) + "f" * 32) for n in range(LAST + 1)
    ]


class Index:
    """An index that takes changes in piece by piece."""

    def __init__(self, work: SqlUnitOfWork, clock: HandClock) -> None:
        self.work = work
        self.matcher = Matcher(unit_of_work=work, clock=clock, piece=_PIECE)
        self.matcher.refresh()

    def step(self) -> None:
        with self.work.read() as tx:
            self.matcher.advance(tx)

    def found(self) -> list[str]:
        return [one.entry_id for one in self.matcher.match(ASKED)]

    def holds(self, place: int) -> bool:
        asked = MediaHashes(pdq=bulk()[place].value, pdq_quality=100)
        return f"bulk-{place}" in {one.entry_id for one in self.matcher.match(asked)}

    def finish(self) -> int:
        """Take in all that is left, and return in how many steps."""
        steps = 0
        while not self.matcher.is_whole:
            self.step()
            steps += 1
        return steps


@pytest.fixture
def index(unit_of_work: SqlUnitOfWork, clock: HandClock) -> Index:
    put(unit_of_work, *KNOWN)
    return Index(unit_of_work, clock)


@pytest.mark.parametrize("state", [EntryState.DISABLED, EntryState.WITHDRAWN])
def test_what_is_switched_off_while_a_large_list_is_taken_in_matches_no_more(
    index: Index, unit_of_work: SqlUnitOfWork, state: EntryState
) -> None:
    put(unit_of_work, *bulk())
    index.step()
    before = index.found()
    change(unit_of_work, KNOWN[0], state=state)
    index.step()
    assert (before, index.found()) == ([KNOWN[1].id, KNOWN[0].id], [KNOWN[1].id])
    assert not index.holds(LAST)
    assert index.finish() == 9
    assert (index.holds(FIRST), index.holds(LAST)) == (True, True)
    assert index.found() == [KNOWN[1].id]


@pytest.mark.parametrize("broken", [HashIndex, EntryTable])
def test_what_could_not_be_taken_in_once_is_read_anew(
    index: Index,
    unit_of_work: SqlUnitOfWork,
    monkeypatch: pytest.MonkeyPatch,
    broken: type[HashIndex | EntryTable],
) -> None:
    method = "add" if broken is HashIndex else "append"
    put(unit_of_work, *bulk()[:3])
    with monkeypatch.context() as memory:
        memory.setattr(broken, method, _is_full)
        with pytest.raises(MemoryError):
            index.step()
    index.step()
    assert [index.holds(place) for place in range(3)] == [True] * 3
    assert index.found() == [KNOWN[1].id, KNOWN[0].id]


def _is_full(*_given: object) -> None:
    raise MemoryError


def test_what_is_switched_off_between_large_lists_that_nobody_read_yet_does_not_wait(
    index: Index, unit_of_work: SqlUnitOfWork
) -> None:
    put(unit_of_work, *bulk("before"))
    change(unit_of_work, KNOWN[0], state=EntryState.DISABLED)
    put(unit_of_work, *bulk())
    change(unit_of_work, KNOWN[1], state=EntryState.WITHDRAWN)
    index.step()
    assert (index.found(), index.matcher.is_whole) == ([], False)


def test_an_entry_and_a_veto_that_come_meanwhile_count_at_once(
    index: Index, unit_of_work: SqlUnitOfWork
) -> None:
    put(unit_of_work, *bulk())
    index.step()
    put(unit_of_work, replace(near(2), id="since"))
    index.step()
    added = index.found()
    with unit_of_work.begin() as tx:
        tx.banks.save_bank(Bank(name="harmless", purpose=BankPurpose.NEGATIVE), at=NOON)
        tx.banks.put([near(1, "harmless")], at=NOON)
        tx.commit(ENTRY)
    index.step()
    assert ("since" in added, index.found()) == (True, [KNOWN[1].id])
    assert not index.holds(LAST)


def test_an_entry_of_the_large_list_itself_is_switched_off_before_it_was_read(
    index: Index, unit_of_work: SqlUnitOfWork
) -> None:
    put(unit_of_work, *bulk())
    index.step()
    change(unit_of_work, bulk()[LAST], state=EntryState.DISABLED)
    change(unit_of_work, bulk()[FIRST], state=EntryState.WITHDRAWN)
    index.finish()
    assert (index.holds(FIRST), index.holds(1), index.holds(LAST)) == (False, True, False)


def test_a_bank_that_is_withdrawn_whole_or_renamed_is_so_before_its_entries_are_read(
    index: Index, unit_of_work: SqlUnitOfWork
) -> None:
    put(unit_of_work, *bulk(), *bulk("other"))
    index.step()
    index.finish()
    with unit_of_work.begin() as tx:
        tx.banks.remove_bank("bulk")
        tx.commit(ENTRY)
    with unit_of_work.begin() as tx:
        tx.banks.rename_bank("other", "quibbles")
        tx.banks.save_bank(Bank(name="other", purpose=BankPurpose.NEGATIVE), at=NOON)
        tx.commit(ENTRY)
    index.step()
    asked = MediaHashes(pdq=bulk()[LAST].value, pdq_quality=100)
    found = index.matcher.look(asked)
    assert not index.matcher.is_whole
    assert ({one.bank for one in found.matches}, found.vetoes) == ({"quibbles"}, ())
    index.finish()
    assert {one.bank for one in index.matcher.match(asked)} == {"quibbles"}


def test_the_version_is_the_last_one_of_which_nothing_is_missing(
    index: Index, unit_of_work: SqlUnitOfWork
) -> None:
    before = index.matcher.version
    put(unit_of_work, *bulk())
    change(unit_of_work, KNOWN[0], state=EntryState.DISABLED)
    index.step()
    meanwhile = index.matcher.version
    index.finish()
    with unit_of_work.read() as tx:
        assert (meanwhile, index.matcher.version) == (before, tx.banks.version())


def test_a_transaction_that_began_before_takes_nothing_back(
    index: Index, unit_of_work: SqlUnitOfWork
) -> None:
    put(unit_of_work, *bulk())
    with unit_of_work.read() as old:
        index.matcher.advance(old)
        change(unit_of_work, bulk()[LAST], state=EntryState.DISABLED)
        index.step()
        for _ in range(20):
            index.matcher.advance(old)
        index.matcher.follow(old)
    assert (index.holds(1), index.holds(LAST), index.matcher.is_whole) == (True, False, True)


def test_an_entry_of_a_large_list_wakes_when_its_time_has_come(
    index: Index, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    then = NOON + timedelta(minutes=5)
    put(
        unit_of_work,
        *[replace(one, state=EntryState.DISABLED, disabled_until=then) for one in bulk()],
    )
    index.step()
    index.finish()
    before = index.holds(LAST)
    clock.advance(minutes=5)
    index.step()
    assert (before, index.holds(LAST)) == (False, True)


def test_who_judges_waits_for_all_of_a_large_list_and_who_answers_does_not(
    index: Index, unit_of_work: SqlUnitOfWork
) -> None:
    rules = CurrentRules(unit_of_work=unit_of_work, matcher=index.matcher)
    put(unit_of_work, *bulk())
    rules.advance()
    meanwhile = (rules.is_whole, index.holds(LAST))
    rules()
    assert (meanwhile, rules.is_whole, index.holds(LAST)) == ((False, False), True, True)


def test_nothing_is_answered_before_all_of_a_first_list_is_in(
    unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    put(unit_of_work, *bulk())
    assert Index(unit_of_work, clock).holds(LAST)


def test_an_entry_is_disabled_while_a_large_import_of_another_is_taken_in_for_requests(
    unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    desk = BankDesk(unit_of_work, clock)
    desk.banks.import_entries("quibble", [line(1)], **WHO)
    matcher = Matcher(unit_of_work=unit_of_work, clock=clock, piece=_PIECE)
    seen: list[tuple[bool, bool]] = []
    goes_on = Event()

    def read() -> bool:
        """Take in a piece; say whether the entry matches, and keep that with whether all is in."""
        with unit_of_work.read() as tx:
            matcher.advance(tx)
        matches = bool(matcher.match(MediaHashes(md5=md5(1))))
        seen.append((matcher.is_whole, matches))
        if not matcher.is_whole and len(seen) > 2:
            goes_on.wait(60)
        return matches

    fresh = Fresh(read, what="the lists", is_whole=lambda: matcher.is_whole)
    asyncio.run(fresh.get())
    others = [line(place) for place in range(2, 200)]
    importer = Thread(target=lambda: desk.banks.import_entries("large", others, **WHO))
    importer.start()

    def is_under_way() -> bool:
        if len(seen) <= 2:
            with suppress(Unavailable):  # where the third piece, which waits, is waited for
                asyncio.run(fresh.get())
        return len(seen) > 2 and not seen[-1][0]

    until(is_under_way, "the large import is being taken in")
    importer.join()
    desk.banks.disable_entry("quibble", "entry-1", None, **WHO)
    goes_on.set()
    until(lambda: seen[-1][0], "all of it is in")

    assert seen.count((False, False)) >= 10  # no longer matched, long before all was in
    assert not asyncio.run(fresh.renewed())
    assert matcher.match(MediaHashes(md5=md5(199)))


def videos() -> list[BankEntry]:
    """Return videos that are long for an index which takes in two at a time."""
    frames = [bytes([n]) * 32 + bytes([90]) + bytes(4) for n in range(1, 6)]
    return [
        BankEntry(id=f"film-{n}", bank="films", kind=HashKind.VPDQ, value=frame.hex())
        for n, frame in enumerate(frames, 1)
    ]


@pytest.mark.parametrize(("piece", "at_first"), [(3, 2), (10, 4)])
def test_long_videos_are_taken_in_a_few_at_a_time_and_what_is_switched_off_overtakes_them(
    unit_of_work: SqlUnitOfWork, piece: int, at_first: int
) -> None:
    put(unit_of_work, *KNOWN)
    index = BankIndex()
    following = Following(index, piece=piece, piece_digits=100)

    def step() -> int:
        with unit_of_work.read() as tx:
            following.step(tx)
        return index.status()[HashKind.VPDQ].entries

    step()
    put(unit_of_work, *videos())
    first, was_whole = step(), following.is_whole
    change(unit_of_work, KNOWN[0], state=EntryState.WITHDRAWN)
    change(unit_of_work, videos()[-1], state=EntryState.WITHDRAWN)
    second = step()
    assert (first, was_whole, second) == (at_first, False, 4)
    assert [one.entry_id for one in index.match(ASKED)] == [KNOWN[1].id]
    assert (step(), following.is_whole) == (4, True)
