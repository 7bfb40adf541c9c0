"""An appeal or its end at any call of a tip about one case, whatever becomes of that call.

Whoever appeals does so while a call is under way. What must hold: one finished report at most; no
report left open under an id that is known; what is finished is known; the rest waits for a person.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from tests.fakes.cybertip_store import HandClock, MemoryMedia, MemoryTipStore, make_tip
from tests.fakes.cybertipline import FakeCyberTipline, Killed, Trouble

from nightlight.errors import Conflict
from nightlight.model.filing import UNFINISHED, Filing, TipState
from nightlight.report.ports import Sent
from nightlight.report.progress import denied, withdrawn
from nightlight.report.remedy import is_in_doubt
from nightlight.report.reporter import Contact, Reporter
from nightlight.report.submit import Filer

T = TypeVar("T")
#: A tip with one file: the schema, open, upload, describe, finish.
CALLS = 5
#: What happens to the call during which somebody appeals, and to the next one.
FIRST = (None, *Trouble)
NEXT = (None, Trouble.LOST_BEFORE, Trouble.LOST_AFTER, Trouble.KILLED_AFTER)


class AppealedLine(FakeCyberTipline):
    """A line during whose call number N somebody appeals."""

    def __init__(self, at: int, act: Callable[[], None], troubles: dict[int, Trouble]) -> None:
        super().__init__(troubles)
        self._at = at
        self.act = act

    def _call(self, name: str, effect: Callable[[], T]) -> T:
        if len(self.calls) == self._at:
            self.act()
        return super()._call(name, effect)


class World:
    """A tip about one case, which is appealed during a call."""

    def __init__(self, at: int, first: Trouble | None, after: Trouble | None) -> None:
        self.media, self.clock = MemoryMedia(), HandClock()
        self.tip = make_tip(self.media)
        self.store = CheckingStore(self.tip)
        troubles = {at: first, at + 1: after}
        self.line = AppealedLine(
            at, self.appeal, {place: one for place, one in troubles.items() if one is not None}
        )

    def appeal(self) -> None:
        self.store.contested.add(self.tip.id)

    def run(self) -> Filing:
        """Let filers come and go for as long as anything is due, and return the filing."""
        for _ in range(9):
            filer = self.filer()
            with contextlib.suppress(Killed):
                while filer.run_due(limit=9):
                    pass
            self.clock.advance(hours=2)
        return self.filing

    def filer(self) -> Filer:
        """Return a new filer, as after a restart."""
        return Filer(
            store=self.store,
            destination=self.line,
            media=self.media,
            reporter=Reporter(person=Contact(email="desk@example.test")),
            clock=self.clock,
        )

    @property
    def filing(self) -> Filing:
        return self.store.filings[self.tip.id]

    def uphold(self) -> Filing:
        self.store.contested.clear()
        return self.run()

    def overturn(self) -> Filing:
        if self.filing.state is not TipState.FILED:
            self.store.save(withdrawn(self.filing), action="tip.withdrawn")
        return self.run()

    def deny(self) -> Filing:
        """Let NCMEC say that it never had the report, if nobody else knows."""
        if is_in_doubt(self.filing):
            fresh = denied(self.filing, self.filing.remote_id)
            MemoryTipStore.save(self.store, fresh, action="tip.denied")
        return self.run()


class CheckingStore(MemoryTipStore):
    """Lets nothing be filed of a contested case, as the real store does not."""

    def save(self, filing: Filing, *, action: str, sent: Sent | None = None) -> None:
        begins = filing.state in (TipState.OPENING, TipState.FINISHING)
        if begins and not self.stands(filing.tip_id):
            raise Conflict("the case is appealed: its tip waits")
        super().save(filing, action=action, sent=sent)


def assert_nothing_is_left(world: World) -> None:
    """Hold that nothing is open under a known id, and that the filing says what is the case."""
    filing, finished = world.filing, world.line.in_state("finished")
    assert len(finished) <= 1
    assert filing.state not in UNFINISHED
    known = world.line.reports.get(filing.remote_id)
    assert known is None or known.state != "open"
    if finished:
        assert filing.state is TipState.FILED
        assert known is finished[0]
    else:
        assert filing.state is not TipState.FILED


def plans() -> Iterator[tuple[int, Trouble | None, Trouble | None]]:
    return itertools.product(range(CALLS), FIRST, NEXT)


@pytest.mark.parametrize("expires", [False, True])
@pytest.mark.parametrize("upheld", [True, False])
def test_an_appeal_at_any_call_leaves_nothing_open_and_its_end_files_once_or_never(
    *, expires: bool, upheld: bool
) -> None:
    tried = doubted = finished_before = 0
    for at, first, after in plans():
        world = World(at, first, after)
        with contextlib.suppress(Killed):
            run_once(world)
        if expires:
            world.line.expire()
        filing = world.run()
        assert_nothing_is_left(world)
        assert filing.state in (
            TipState.DRAFTED,
            TipState.OPENING,
            TipState.FILED,
            TipState.REFUSED,
        )
        assert (filing.state is TipState.REFUSED) == is_in_doubt(filing)
        doubted += is_in_doubt(filing)
        finished_before += filing.state is TipState.FILED
        assert world.deny().state is not TipState.REFUSED
        assert_nothing_is_left(world)
        calls = len(world.line.calls)
        assert world.run() == world.filing
        assert len(world.line.calls) == calls, "it waits, and asks nothing"
        ended = world.uphold() if upheld else world.overturn()
        assert_nothing_is_left(world)
        if upheld or filing.state is TipState.FILED:
            assert (ended.state, len(world.line.in_state("finished"))) == (TipState.FILED, 1)
        else:
            assert (ended.state, world.line.in_state("finished")) == (TipState.WITHDRAWN, [])
        tried += 1
    assert tried == CALLS * len(FIRST) * len(NEXT)
    assert finished_before > 0
    assert (doubted > 0) == expires


def run_once(world: World) -> None:
    world.filer().run_due(limit=9)


def finishing_lost(after: Trouble | None = None) -> World:
    """Return a tip that was asked to finish when the appeal came, and got no answer."""
    world = World(CALLS - 1, Trouble.LOST_BEFORE, after)
    run_once(world)
    assert world.filing.state is TipState.FINISHING
    return world


def test_what_was_not_finished_is_taken_back_and_waits_for_the_appeal_to_end() -> None:
    filing = finishing_lost().run()
    assert (filing.state, filing.remote_id, filing.opened_at) == (TipState.DRAFTED, "", None)
    assert "waits for the end of the appeal" in filing.failure


def test_a_tip_that_is_appealed_before_its_report_is_opened_asks_nothing() -> None:
    world = World(CALLS, None, None)
    world.appeal()
    assert world.filer().advance(world.tip.id).state is TipState.DRAFTED
    assert world.line.calls == []


def test_what_turns_out_to_be_finished_before_the_appeal_is_filed_and_told_of() -> None:
    world = World(CALLS - 1, Trouble.LOST_AFTER, None)
    filing = world.run()
    assert filing.state is TipState.FILED
    assert filing.failure.endswith("appealed: tell the authority if that is overturned")


def test_what_may_be_finished_and_is_gone_when_it_is_retracted_is_never_opened_anew() -> None:
    world = finishing_lost(Trouble.LOST_BEFORE)
    run_once(world)
    world.clock.advance(minutes=9)
    run_once(world)
    assert world.filing.state is TipState.RETRACTING
    world.line.expire()
    world.store.contested.clear()  # the appeal ends while the report is being taken back
    filing = world.run()
    assert (filing.state, filing.retry_from) == (TipState.REFUSED, TipState.FINISHING)
    assert world.line.calls.count("open") == 1


def test_a_report_that_is_finished_when_it_is_taken_back_after_an_appeal_ended_is_filed() -> None:
    world = World(CALLS - 1, Trouble.LOST_AFTER, Trouble.LOST_BEFORE)
    run_once(world)
    world.clock.advance(minutes=9)
    run_once(world)
    assert world.filing.state is TipState.RETRACTING
    filing = world.uphold()
    assert (filing.state, filing.failure) == (TipState.FILED, "")
    assert world.line.calls.count("open") == 1


def test_a_report_that_somebody_else_finished_under_appeal_waits_for_a_person() -> None:
    world = World(2, Trouble.LOST_BEFORE, None)
    run_once(world)
    world.line.finish(world.filing.remote_id)
    world.clock.advance(minutes=9)
    run_once(world)
    assert (world.filing.state, world.filing.retry_from) == (TipState.REFUSED, TipState.FINISHING)


def withdrawn_while_opening(after: Trouble | None) -> World:
    """Return a tip whose case was overturned while its report was opened."""
    world = World(1, None, after)
    world.line.act = lambda: world.store.save(withdrawn(world.filing), action="tip.withdrawn")
    run_once(world)
    assert world.filing.state is TipState.WITHDRAWN
    assert "unfinished, it expires in a day" in world.filing.failure
    return world


def test_a_report_that_was_opened_for_a_tip_that_was_withdrawn_meanwhile_is_retracted() -> None:
    world = withdrawn_while_opening(None)
    assert [one.state for one in world.line.reports.values()] == ["retracted"]


def test_a_report_that_cannot_be_retracted_then_is_left_to_expire() -> None:
    world = withdrawn_while_opening(Trouble.LOST_BEFORE)
    assert [one.state for one in world.line.reports.values()] == ["open"]
