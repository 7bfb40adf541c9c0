"""Whoever makes evidence needed while it is destroyed sees it kept, or is told that it is gone."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.fakes.blobs import ACCESS
from tests.fakes.cybertip_store import NOON, HandClock
from tests.fakes.desk import Desk
from tests.fakes.evidence_room import WHO, EvidenceRoom
from tests.ports.builders import ENTRY, make_evidence
from tests.ports.test_kept_posts import keeper, post
from tests.ports.test_report_decisions import ask, lock, of
from tests.synthetic.builders import policy_text

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.adapters.vault_directory import DirectoryBlobStore
from nightlight.errors import Conflict, IntegrityFailure, InvalidInput
from nightlight.model.case import CaseState, EvidenceKind
from nightlight.model.custody import CustodyRequest, KeptPost, RequestKind
from nightlight.model.hold import HoldAct, HoldEvent
from nightlight.model.ids import AccountId, CaseId, DecisionId, EventKey, PostId
from nightlight.preserve.ports import KeyRing
from nightlight.preserve.vault import Vault
from nightlight.report.account_actions import PersonsWord
from nightlight.services.destroying import Destroying
from nightlight.services.lists import Lists
from nightlight.services.report_decisions import ReportDecisions
from nightlight.services.retention import Retention
from nightlight.transaction import Transaction

CASE, KEPT = CaseId("case-1"), CaseId("kept-1")
CONTENT = b"quibble"
_LONG_ENOUGH_S = 0.4
LATER = NOON + timedelta(days=2_000)


@pytest.fixture
def room(
    unit_of_work: SqlUnitOfWork, clock: HandClock, keys: KeyRing, tmp_path: Path
) -> EvidenceRoom:
    made = EvidenceRoom(unit_of_work, clock, keys, store=DirectoryBlobStore(tmp_path / "vault"))
    made.case()
    return made


def meet(vault: Vault, retention: Retention, act: Callable[[], Any]) -> Future[Any]:
    """Let something be done while the first of what is due is being destroyed; return its end."""
    began: list[Future[Any]] = []
    real = vault.destroy
    with ThreadPoolExecutor(1) as pool:

        def destroy(digest: str) -> None:
            began.append(pool.submit(act))
            # Without a lock in common it would be done by now, and the destruction go on.
            wait(began, timeout=_LONG_ENOUGH_S)
            real(digest)

        vault.destroy = destroy  # type: ignore[method-assign]  # a moment that no other way gives
        try:
            assert retention.run_due().destroyed == 1
        finally:
            vault.destroy = real  # type: ignore[method-assign]  # as it was
    [future] = began
    return future


def policy_of_years(room: EvidenceRoom) -> None:
    body = policy_text({"when": "true", "severity": 1, "asks": ["review"]}).replace(
        b"[[rules]]", b"[retention]\nreported_days = 4000\nunreported_days = 4000\n\n[[rules]]", 1
    )
    nobody: Any = None
    lists = Lists(unit_of_work=room.unit_of_work, clock=room.clock, lexicons=nobody)
    lists.activate_policy(body, actor="ana", reason="kept longer")


WANTS: dict[str, Callable[[EvidenceRoom], object]] = {
    "a hold is placed": lambda room: room.holds.place(CASE, reference="b", until=LATER, **WHO),
    "a hold is extended": lambda room: room.holds.extend(
        room.holds.of_case(CASE)[0].id, until=LATER, **WHO
    ),
}


@pytest.mark.parametrize("want", WANTS.values(), ids=WANTS)
def test_hold_that_comes_while_its_evidence_is_destroyed_is_not_acknowledged(
    room: EvidenceRoom, want: Callable[[EvidenceRoom], object]
) -> None:
    room.seal("one", content=CONTENT)
    room.holds.place(CASE, reference="a", until=NOON + timedelta(days=500), **WHO)
    room.clock.at = NOON + timedelta(days=501)
    done = meet(room.vault, room.retention, lambda: want(room))
    with pytest.raises(Conflict, match="nothing to hold"):
        done.result()
    assert len(room.entries("hold.placed") + room.entries("hold.extended")) == 1


def test_hold_on_a_deleted_post_that_is_being_destroyed_is_not_acknowledged(
    room: EvidenceRoom,
) -> None:
    keep_post(room)
    room.seal("one", KEPT, CONTENT)
    room.clock.at = NOON + timedelta(days=501)
    done = meet(
        room.vault,
        room.retention,
        lambda: room.holds.place(KEPT, reference="b", until=None, **WHO),
    )
    with pytest.raises(Conflict, match="nothing to hold"):
        done.result()


def test_equal_bytes_that_are_sealed_for_another_case_meanwhile_are_there_afterwards(
    room: EvidenceRoom,
) -> None:
    room.seal("one", content=CONTENT)
    room.case("case-2", CaseState.OPEN)
    room.clock.at = NOON + timedelta(days=501)
    meet(room.vault, room.retention, lambda: room.seal("other", "case-2", CONTENT)).result()
    assert room.vault.open(room.evidence("other").digest, ACCESS) == CONTENT


def test_report_that_is_ordered_while_its_evidence_is_destroyed_comes_after_that(
    room: EvidenceRoom,
) -> None:
    room.seal("file-1", content=CONTENT)
    ask(room.unit_of_work, lock("e1"))
    [one] = of(room.unit_of_work, "ada")
    decisions = ReportDecisions(unit_of_work=room.unit_of_work, clock=room.clock)
    word = PersonsWord(action_id=one.action.id, by="ana", note="seen", reason="below_threshold")
    decisions.decide(word)
    room.clock.advance(days=2_000)
    meet(room.vault, room.retention, lambda: decisions.decide(replace(word, reason=""))).result()
    with room.unit_of_work.read() as tx:
        done = [entry.entry.action for entry in tx.audit.entries()]
    # What is undecided keeps its evidence: it was not undecided before that was gone.
    assert done.index("evidence.destroyed") < len(done) - 1 - done[::-1].index("report.decided")


def test_policy_that_keeps_longer_comes_before_a_destruction_or_after_it(
    room: EvidenceRoom,
) -> None:
    room.seal("one", content=CONTENT)
    room.clock.at = NOON + timedelta(days=501)
    meet(room.vault, room.retention, lambda: policy_of_years(room)).result()
    with room.unit_of_work.read() as tx:
        actions = [one.entry.action for one in tx.audit.entries()]
    assert actions.index("evidence.destroyed") < actions.index("policy.activated")


def keep_post(room: EvidenceRoom) -> None:
    kept = KeptPost(
        id=KEPT,
        post_id=PostId("p"),
        account_id=AccountId("a"),
        event_key=EventKey("e"),
        deleted_at=NOON,
        noticed_at=NOON,
        next_at=None,
        complete=True,
    )
    with room.unit_of_work.begin() as tx:
        tx.kept_posts.add([kept])
        tx.commit(ENTRY)


def test_deleted_post_whose_bytes_are_destroyed_for_a_case_is_sealed_whole_afterwards(
    tmp_path: Path, database_url: str
) -> None:
    both = policy_text(
        {"when": "term_severity >= 90", "severity": 90, "asks": ["preserve", "review"]}
    )
    desk = Desk(tmp_path / "home", policy=both, database_url=database_url)
    desk.take_in(post())
    services = desk.services
    [case] = desk.outcome().cases
    [sealed] = [one for one in desk.evidence(case.id) if one.kind is EvidenceKind.POST]
    now = services.clock.now()
    waiting = KeptPost(
        id=KEPT,
        post_id=PostId("p"),
        account_id=AccountId("ana"),
        event_key=EventKey(sealed.content_id),
        deleted_at=now,
        noticed_at=now,
        next_at=now,
    )
    with services.unit_of_work.begin() as tx:
        tx.cases.save(replace(tx.cases.get(case.id), state=CaseState.DISMISSED, decided_at=now))
        tx.kept_posts.add([waiting])
        for one in tx.evidence.of_case(case.id):
            if one.kind is not EvidenceKind.POST:
                tx.evidence.destroyed(one.id, at=now)
        tx.commit(ENTRY)
    later = HandClock(now + timedelta(days=400))
    destroying = Destroying(unit_of_work=services.unit_of_work, vault=services.vault, clock=later)
    retention = Retention(unit_of_work=services.unit_of_work, destroying=destroying, clock=later)
    posts = keeper(desk, later, lambda _: pytest.fail("nothing is to be fetched"))
    meet(services.vault, retention, posts.run_due).result()
    [kept] = [one for one in desk.evidence(KEPT) if one.kind is EvidenceKind.POST]
    assert b"zorbleflux" in services.vault.open(kept.digest, ACCESS)


HOLD = HoldEvent(
    id="said",
    hold_id="hold",
    case_id=CASE,
    what=HoldAct.PLACED,
    reference="a",
    until=None,
    person="ana",
    reason="to see",
    at=NOON,
)
REQUEST = CustodyRequest(
    id="req",
    what=RequestKind.EXPORT,
    case_id=CASE,
    evidence_ids=("one",),
    reference="w",
    reason="to see",
    proposed_by="ana",
    proposed_at=NOON,
)
STORED: dict[str, Callable[[Transaction], None]] = {
    "evidence": lambda tx: tx.evidence.add([make_evidence("one")]),
    "moved evidence": lambda tx: tx.evidence.move([DecisionId("d")], CASE),
    "a hold": lambda tx: tx.custody.say(HOLD),
    "a request": lambda tx: tx.custody.save_request(REQUEST),
}


@pytest.mark.parametrize("store", STORED.values(), ids=STORED)
def test_nothing_that_makes_evidence_needed_is_stored_while_it_may_be_destroyed(
    room: EvidenceRoom, store: Callable[[Transaction], None]
) -> None:
    with room.unit_of_work.begin() as tx, pytest.raises(IntegrityFailure, match="destroyed"):
        store(tx)
    with room.unit_of_work.begin() as tx:
        tx.events.offset()
        store(tx)


def test_hold_is_not_extended_to_a_day_that_is_over(room: EvidenceRoom) -> None:
    room.seal("one")
    hold = room.holds.place(CASE, reference="a", until=NOON + timedelta(days=1), **WHO)
    room.clock.at = NOON + timedelta(days=9)
    with pytest.raises(InvalidInput, match="future"):
        room.holds.extend(hold.id, until=NOON + timedelta(days=2), **WHO)
