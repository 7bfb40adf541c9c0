"""Hunts come back as they were stored; findings, what was up longest first."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.fakes.cybertip_store import NOON
from tests.ports.builders import ENTRY

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.detect.hunting import Hunt, HuntFinding, HuntKind, HuntState
from nightlight.errors import NotFound
from nightlight.model.ids import AccountId, DecisionId, EventKey
from nightlight.model.signal import Subject, SubjectKind


def hunt(name: str, **changes: Any) -> Hunt:
    values: dict[str, Any] = {
        "id": name,
        "kind": HuntKind.TERMS,
        "name": "quibble",
        "asked_by": "ana",
        "asked_at": NOON,
        "to_seq": 90,
        "terms": ("tm_1", "tm_2"),
    }
    return Hunt(**{**values, **changes})


def finding(name: str, *, hours: float, up: bool = False, **changes: Any) -> HuntFinding:
    values: dict[str, Any] = {
        "hunt_id": "one",
        "event_key": EventKey(name),
        "subject": Subject(kind=SubjectKind.POST, id=f"post-{name}"),
        "account_id": AccountId("ana"),
        "up_from": NOON - timedelta(hours=hours),
        "up_until": None if up else NOON,
        "found_at": NOON,
        "views": 7,
        "decision_id": DecisionId("dec"),
    }
    return HuntFinding(**{**values, **changes})


def put(unit_of_work: SqlUnitOfWork, *hunts: Hunt) -> None:
    with unit_of_work.begin() as tx:
        for one in hunts:
            tx.hunts.put(one)
        tx.commit(ENTRY)


def test_hunt_comes_back_as_it_was_last_stored(unit_of_work: SqlUnitOfWork) -> None:
    first = hunt("one")
    further = replace(first, at_seq=30, looked_at=20, state=HuntState.RUNNING, started_at=NOON)
    put(unit_of_work, first, further)
    with unit_of_work.begin() as tx:
        assert tx.hunts.get("one") == further


def test_hunt_that_is_not_there_is_not_found(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.begin() as tx, pytest.raises(NotFound):
        tx.hunts.get("none")


def test_unfinished_hunts_come_oldest_first_and_ended_ones_not_at_all(
    unit_of_work: SqlUnitOfWork,
) -> None:
    late = hunt("late", asked_at=NOON + timedelta(minutes=1), state=HuntState.RUNNING)
    early, done = hunt("early"), hunt("done", state=HuntState.DONE)
    put(unit_of_work, late, early, done, hunt("gone", state=HuntState.CANCELLED))
    with unit_of_work.read() as tx:
        assert tx.hunts.unfinished() == [early, late]
        assert tx.hunts.newest(1) == [late]


def test_findings_come_with_what_was_up_longest_first(unit_of_work: SqlUnitOfWork) -> None:
    short, long, up = finding("a", hours=1), finding("b", hours=9), finding("c", hours=5, up=True)
    with unit_of_work.begin() as tx:
        tx.hunts.add_findings([short, long, up])
        tx.hunts.add_findings([replace(long, views=99), finding("d", hours=3, hunt_id="other")])
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert tx.hunts.findings("one", 10) == [long, up, short]
        assert tx.hunts.findings("one", 1) == [long]


def test_hunted_version_is_remembered(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.begin() as tx:
        assert tx.hunts.hunted_version() == 0
        tx.hunts.set_hunted_version(4)
        tx.hunts.set_hunted_version(7)
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert tx.hunts.hunted_version() == 7


def test_when_hunts_found_something_in_an_event_last_is_told(unit_of_work: SqlUnitOfWork) -> None:
    later = NOON + timedelta(hours=1)
    with unit_of_work.begin() as tx:
        tx.hunts.add_findings([finding("a", hours=1), finding("b", hours=1)])
        tx.hunts.add_findings([finding("a", hours=1, hunt_id="two", found_at=later)])
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert tx.hunts.found(["a", "c"]) == {"a": later}
