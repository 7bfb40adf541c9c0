"""Figures count what is stored."""

from tests.fakes.cybertip_store import NOON
from tests.ports.builders import (
    ENTRY,
    make_account,
    make_case,
    make_decision,
    make_effect,
    make_events,
    make_signal,
)

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.measure.ports import Figures
from nightlight.model.effect import EffectKind
from nightlight.model.ids import DecisionId


def test_nothing_counts_as_nothing(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.read() as tx:
        assert tx.figures.figures() == Figures(
            events={}, backlog=0, quarantined=0, accounts=0, signals={}, decisions={},
            effects={}, cases={}, tips={}, audit_entries=0,
        )  # fmt: skip
        assert tx.figures.recent_events(5) == []


def test_figures_count_by_kind_and_state(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.begin() as tx:
        tx.events.append(make_events("e", 5), at=NOON)
        tx.events.offset()
        tx.events.advance(2)
        tx.context.save(accounts=[make_account("a"), make_account("b")], posts=[], media=[])
        tx.signals.add([make_signal("e-1"), make_signal("e-2", detector="zorble")], at=NOON)
        tx.decisions.add([make_decision("e-1"), make_decision("e-2", category="known_media")])
        tx.outbox.put([make_effect("x"), make_effect("y")], at=NOON)
        tx.cases.save(make_case("case-1"))
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        found = tx.figures.figures()
    assert found.events == {"post.created": 5}
    assert (found.backlog, found.accounts, found.audit_entries) == (3, 2, 1)
    assert found.signals == {"quibble_match": 1, "zorble": 1}
    assert found.decisions == {"advert": 1, "known_media": 1}
    assert found.effects == {"pending": 2}
    assert found.cases == {"open": 1}


def test_recent_events_are_the_newest_first(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.begin() as tx:
        tx.events.append(make_events("e", 5), at=NOON)
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        found = tx.figures.recent_events(2)
    assert [(one.seq, one.about) for one in found] == [(5, "post-e-4"), (4, "post-e-3")]


def test_findings_are_told_once_a_subject(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.begin() as tx:
        tx.signals.add([make_signal("one"), make_signal("two"), make_signal("one")], at=NOON)
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert set(tx.figures.signalled()) == {
            ("quibble_match", "post", "post-one"),
            ("quibble_match", "post", "post-two"),
        }


def test_only_what_policy_asked_for_counts_as_acted_on(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.begin() as tx:
        tx.decisions.add(
            [
                make_decision("x", id=DecisionId("decision-1")),
                make_decision("y", id=DecisionId("decision-2"), decided_by="a reviewer"),
            ]
        )
        tx.outbox.put([make_effect("by-policy"), make_effect("again", EffectKind.REMOVE)], at=NOON)
        tx.outbox.put([make_effect("by-person", of="post-2", decision="decision-2")], at=NOON)
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert list(tx.figures.acted_on()) == [("post", "post-1")]
