"""Signals and decisions: written once, whatever comes again."""

from datetime import timedelta

from msgspec.structs import replace
from tests.fakes.cybertip_store import NOON, HandClock
from tests.ports.builders import ENTRY, key_of, make_decision, make_signal

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.decision import Decision
from nightlight.model.signal import Signal, Subject, SubjectKind


def add_signals(unit_of_work: SqlUnitOfWork, *signals: Signal) -> None:
    with unit_of_work.begin() as tx:
        tx.signals.add(signals, at=NOON)
        tx.commit(ENTRY)


def add_decisions(unit_of_work: SqlUnitOfWork, *decisions: Decision) -> None:
    with unit_of_work.begin() as tx:
        tx.decisions.add(decisions)
        tx.commit(ENTRY)


def test_a_signal_comes_back_as_it_was_added(unit_of_work: SqlUnitOfWork) -> None:
    signal = make_signal("one")
    add_signals(unit_of_work, signal)
    with unit_of_work.read() as tx:
        assert tx.signals.of_events([signal.event_key]) == [signal]


def test_a_signal_that_is_there_stays_as_it_is(unit_of_work: SqlUnitOfWork) -> None:
    signal = make_signal("one")
    add_signals(unit_of_work, signal)
    add_signals(unit_of_work, replace(signal, confidence=0.1), signal)
    with unit_of_work.read() as tx:
        assert tx.signals.of_events([signal.event_key]) == [signal]


def test_signals_of_one_event_about_several_subjects_are_all_kept(
    unit_of_work: SqlUnitOfWork,
) -> None:
    signals = [
        make_signal("one", subject=Subject(kind=kind, id="thing-1"), detector=detector)
        for kind in SubjectKind
        for detector in ("quibble_match", "zorble_match")
    ]
    add_signals(unit_of_work, *signals)
    with unit_of_work.read() as tx:
        assert len(tx.signals.of_events([key_of("one")])) == len(signals)


def test_signals_of_other_events_are_left_out(unit_of_work: SqlUnitOfWork) -> None:
    add_signals(unit_of_work, make_signal("one"), make_signal("two"), make_signal("three"))
    with unit_of_work.read() as tx:
        found = tx.signals.of_events([key_of("one"), key_of("three")])
    assert {signal.event_key for signal in found} == {key_of("one"), key_of("three")}


def test_a_decision_comes_back_as_it_was_added(unit_of_work: SqlUnitOfWork) -> None:
    decision = make_decision("one")
    add_decisions(unit_of_work, decision)
    with unit_of_work.read() as tx:
        assert tx.decisions.get([decision.id]) == [decision]


def test_a_decision_that_is_there_stays_as_it_is(unit_of_work: SqlUnitOfWork) -> None:
    decision = make_decision("one")
    add_decisions(unit_of_work, decision)
    add_decisions(unit_of_work, replace(decision, category="other"), decision)
    with unit_of_work.read() as tx:
        assert tx.decisions.get([decision.id]) == [decision]
        assert len(tx.decisions.newest(5)) == 1


def test_decisions_are_returned_oldest_first(unit_of_work: SqlUnitOfWork) -> None:
    later = make_decision("a", time=NOON + timedelta(seconds=1))
    earlier = make_decision("b")
    add_decisions(unit_of_work, later, earlier)
    with unit_of_work.read() as tx:
        assert tx.decisions.get([later.id, earlier.id]) == [earlier, later]


def test_the_newest_decisions_are_those_recorded_last(
    unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    for name in ("first", "second", "third"):
        add_decisions(unit_of_work, make_decision(name))
        clock.advance(seconds=1)
    with unit_of_work.read() as tx:
        assert [one.id for one in tx.decisions.newest(2)] == ["decision-third", "decision-second"]
