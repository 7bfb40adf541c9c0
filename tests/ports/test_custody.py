"""Holds, destruction and requests: as they were said, and what decides how long a case is kept."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.fakes.cybertip_store import NOON, HandClock
from tests.fakes.evidence_room import WHO, EvidenceRoom
from tests.ports.builders import ENTRY, close, make_effect

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.errors import NotFound
from nightlight.model.case import CaseState
from nightlight.model.custody import CustodyRequest, Destruction, RequestKind, RequestState
from nightlight.model.effect import EffectKind
from nightlight.model.filing import TipState
from nightlight.model.ids import AccountId, CaseId
from nightlight.preserve.ports import KeyRing
from nightlight.preserve.retention import CaseStanding
from nightlight.report.account_actions import take_back

CASE = CaseId("case-1")


@pytest.fixture
def room(unit_of_work: SqlUnitOfWork, clock: HandClock, keys: KeyRing) -> EvidenceRoom:
    return EvidenceRoom(unit_of_work, clock, keys)


def order(evidence: str, **fields: Any) -> Destruction:
    made = Destruction(
        evidence_id=evidence, case_id=CASE, rule="a year", due_at=NOON, ordered_at=NOON
    )
    return replace(made, **fields)


def test_extension_by_a_host_whose_clock_is_behind_holds(room: EvidenceRoom) -> None:
    room.case()
    room.seal("one")
    hold = room.holds.place(CASE, reference="a", until=NOON + timedelta(days=9), **WHO)
    room.clock.at = NOON + timedelta(seconds=10)
    room.holds.extend(hold.id, until=NOON + timedelta(days=400), **WHO)
    for seconds, days in ((5, 900), (-60, 950)):
        room.clock.at = NOON + timedelta(seconds=seconds)
        until = NOON + timedelta(days=days)
        assert room.holds.extend(hold.id, until=until, **WHO).until == until
    assert room.holds.of_case(CASE)[0].until == NOON + timedelta(days=950)


def test_a_hold_is_what_was_said_of_it(room: EvidenceRoom) -> None:
    room.case()
    until = NOON + timedelta(days=9)
    hold = room.holds.place(CASE, reference="letter 7", until=until, **WHO)
    assert (hold.until, hold.placed_by, hold.released_at) == (until, "ana", None)
    later = room.holds.extend(hold.id, until=until + timedelta(days=1), **WHO)
    assert later == replace(hold, until=until + timedelta(days=1))
    released = room.holds.release(hold.id, **WHO)
    assert released == replace(later, released_at=NOON)
    other = room.holds.place(CASE, reference="letter 8", until=None, **WHO)
    assert {one.id for one in room.holds.of_case(CASE)} == {hold.id, other.id}
    assert room.holds.of_case(CaseId("case-2")) == []


def test_a_case_stands_with_its_tips_and_holds_and_those_of_its_account(room: EvidenceRoom) -> None:
    room.case("case-1", CaseState.REPORTED, account_id="account-1")
    room.case("case-2", CaseState.DISMISSED, account_id="account-1")
    room.case("case-3", CaseState.DISMISSED)
    room.draft()
    room.file()
    hold = room.holds.place(CASE, reference="letter 7", until=None, **WHO)
    with room.unit_of_work.begin() as tx:
        found = tx.custody.standings([CASE, CaseId("case-2"), CaseId("case-3"), CaseId("none")])
        assert tx.custody.standing(CASE) == found[CASE]
        assert found[CASE].case == tx.cases.get(CASE)
    assert found[CASE].holds == (hold,)
    for name in ("case-1", "case-2"):
        [tip] = found[CaseId(name)].tips
        assert (tip.state, tip.filed_at) == (TipState.FILED, NOON)
    assert (found[CaseId("case-3")].tips, found[CaseId("case-3")].holds) == ((), ())
    assert found[CaseId("none")] == CaseStanding(case=None, tips=(), holds=())


def test_cases_without_an_account_do_not_share_their_tips(room: EvidenceRoom) -> None:
    for name in ("case-1", "case-2"):
        room.case(name, CaseState.CONFIRMED, account_id="")
    room.draft("case-2")
    with room.unit_of_work.begin() as tx:
        assert tx.custody.standing(CASE).tips == ()
        assert len(tx.custody.standing(CaseId("case-2")).tips) == 1


def test_an_order_stands_until_it_is_carried_out_or_taken_back(room: EvidenceRoom) -> None:
    orders = [order("one"), order("two", ordered_at=NOON - timedelta(days=1)), order("three")]
    with room.unit_of_work.begin() as tx:
        tx.custody.order(orders)
        tx.custody.order([order("one", rule="another")])
        tx.commit(ENTRY)
    with room.unit_of_work.begin() as tx:
        assert [one.evidence_id for one in tx.custody.ordered(9)] == ["two", "one", "three"]
        assert len(tx.custody.ordered(1)) == 1
        tx.custody.carried_out("one", at=NOON)
        for name in ("one", "two"):
            tx.custody.take_back(name)
        tx.commit(ENTRY)
    with room.unit_of_work.read() as tx:
        assert [one.evidence_id for one in tx.custody.ordered(9)] == ["three"]
        assert tx.custody.order_of("one") == order("one", done_at=NOON)
        assert tx.custody.order_of("two") is None


def test_orders_that_were_tried_come_last_and_what_is_missing_or_late_is_found(
    room: EvidenceRoom,
) -> None:
    day = timedelta(days=1)
    orders = [order(name, ordered_at=NOON + number * day) for number, name in enumerate("abcde")]
    with room.unit_of_work.begin() as tx:
        tx.custody.order(orders)
        tx.custody.missing("a", at=NOON + 9 * day)
        tx.custody.tried("a", at=NOON + 9 * day)
        tx.custody.found("b", at=NOON + 8 * day)
        tx.custody.failed("b", at=NOON + 8 * day)
        tx.custody.tried("b", at=NOON + 8 * day)
        tx.custody.carried_out("c", at=NOON)
        tx.commit(ENTRY)
    with room.unit_of_work.begin() as tx:
        assert [one.evidence_id for one in tx.custody.ordered(9)] == ["d", "e", "b", "a"]
        assert [one.evidence_id for one in tx.custody.missed(9)] == ["a"]
        late = tx.custody.late(NOON + 4 * day, 9)
        assert [one.evidence_id for one in late] == ["b", "d"]
        assert [len(tx.custody.missed(1)), len(tx.custody.late(NOON + 9 * day, 2))] == [1, 2]
        tried = NOON + 8 * day
        assert tx.custody.order_of("b") == replace(orders[1], tried_at=tried, failed_at=tried)
        tx.custody.found("b", at=NOON + 9 * day)
        there = replace(orders[1], tried_at=tried, found_at=NOON + 9 * day)
        assert tx.custody.order_of("b") == there


def test_a_request_is_saved_over_its_former_state(room: EvidenceRoom) -> None:
    request = CustodyRequest(
        id="req-1",
        what=RequestKind.DESTROY,
        case_id=CASE,
        evidence_ids=("one",),
        reference="order 9",
        reason="to see",
        proposed_by="ana",
        proposed_at=NOON,
    )
    newer = replace(request, id="req-2", proposed_at=NOON + timedelta(days=1))
    rejected = request.decided(RequestState.REJECTED, person="ana", reason="no", at=NOON)
    with room.unit_of_work.begin() as tx:
        tx.events.offset()
        for one in (request, newer, rejected):
            tx.custody.save_request(one)
        tx.commit(ENTRY)
    with room.unit_of_work.begin() as tx:
        assert tx.custody.request("req-1") == rejected
        assert tx.custody.requests(9) == [newer, rejected]
        with pytest.raises(NotFound):
            tx.custody.request("none")


def test_evidence_is_found_by_age_until_it_is_destroyed(room: EvidenceRoom) -> None:
    for name in ("case-1", "case-2", "case-3"):
        room.case(name)
        room.seal(f"of-{name}", name)
        room.clock.advance(days=1)
    with room.unit_of_work.begin() as tx:
        evidence = tx.evidence
        day = NOON + timedelta(days=1)
        assert evidence.sealed_before(day, after="", limit=9) == ["case-1", "case-2"]
        assert evidence.sealed_before(day, after="case-1", limit=9) == ["case-2"]
        assert evidence.sealed_before(day, after="", limit=1) == ["case-1"]
        assert evidence.others(evidence.get("of-case-1")) == 2
        evidence.destroyed("of-case-2", at=NOON)
        assert evidence.sealed_before(day, after="", limit=9) == ["case-1"]
        assert evidence.others(evidence.get("of-case-1")) == 1
        found = evidence.of_cases([CaseId("case-1"), CaseId("case-2")])
        assert [one.id for one in found] == ["of-case-1"]
        assert evidence.of_case(CaseId("case-2")) == []
        [gone] = evidence.of_case(CaseId("case-2"), destroyed=True)
        assert (gone.destroyed_at, gone.digest) == (NOON, "")


def test_a_vault_name_is_needless_once_no_evidence_that_is_kept_has_it(
    room: EvidenceRoom,
) -> None:
    room.case()
    for name, content in (("one", b"same"), ("two", b"same"), ("three", b"other")):
        room.seal(name, content=content)
    shared, other = (room.vault.name_of(room.evidence(one).digest) for one in ("one", "three"))
    with room.unit_of_work.begin() as tx:
        tx.evidence.destroyed("one", at=NOON)
        assert tx.evidence.needless([shared, other, "unknown"]) == []
        tx.evidence.destroyed("two", at=NOON)
        assert tx.evidence.needless([shared, other, "unknown"]) == [shared]


def test_the_day_something_is_due_is_the_same_on_every_database(room: EvidenceRoom) -> None:
    room.case(state=CaseState.CONFIRMED)
    room.draft()
    room.file()
    one = room.seal("one")
    room.clock.advance(days=366, seconds=-1)
    assert room.retention.run_due().destroyed == 0
    room.clock.advance(seconds=1)
    assert room.retention.run_due().destroyed == 1
    assert room.destroyed_at(one) == room.clock.now()


def test_nothing_of_an_account_is_due_while_its_report_is_undecided(room: EvidenceRoom) -> None:
    room.case(account_id="ada")
    one = room.seal("one")
    with room.unit_of_work.begin() as tx:
        lock = make_effect("e1", EffectKind.LOCK, of="ada", about="account")
        tx.commit(*close(tx, lock, at=NOON), ENTRY)
    with room.unit_of_work.begin() as tx:
        assert tx.custody.standing(CASE).undecided
    room.clock.advance(days=4000)
    assert room.retention.run_due().ordered == 0
    with room.unit_of_work.begin() as tx:
        entries = take_back(
            tx.report_decisions, AccountId("ada"), by="ana", note="no", at=room.clock.now()
        )
        tx.commit(*entries)
    assert room.retention.run_due().destroyed == 1
    assert room.destroyed_at(one) == room.clock.now()
