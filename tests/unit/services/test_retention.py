"""Evidence is destroyed exactly when it is due, certified, and never while anything needs it."""

from datetime import timedelta

import pytest
from tests.fakes.blobs import ACCESS
from tests.fakes.cybertip_store import HandClock
from tests.fakes.evidence_room import WHO, EvidenceRoom
from tests.ports.builders import ENTRY

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.errors import Conflict, InvalidInput, NotFound, NotPermitted
from nightlight.model.case import CaseState
from nightlight.model.ids import CaseId
from nightlight.preserve.ports import KeyRing
from nightlight.report.progress import withdrawn

CASE = CaseId("case-1")
YEAR = 366


@pytest.fixture
def room(unit_of_work: SqlUnitOfWork, clock: HandClock, keys: KeyRing) -> EvidenceRoom:
    return EvidenceRoom(unit_of_work, clock, keys)


def reported(room: EvidenceRoom, name: str = "case-1", content: bytes = b"quibble") -> str:
    room.case(name, CaseState.REPORTED)
    room.draft(name)
    room.file(name)
    return room.seal(f"file-of-{name}", name, content)


def test_a_year_after_the_report_it_is_gone_and_certified(room: EvidenceRoom) -> None:
    one = reported(room)
    sealed = room.evidence(one)
    room.clock.advance(days=YEAR, microseconds=-1)
    assert room.retention.run_due().destroyed == 0
    room.clock.advance(microseconds=1)
    done = room.retention.run_due()
    assert (done.ordered, done.destroyed, done.shared) == (1, 1, 0)
    assert room.blobs.kept == {}
    assert (room.evidence(one).digest, room.destroyed_at(one)) == ("", room.clock.now())
    [certificate] = room.entries("evidence.destroyed")
    assert certificate.subject == one
    assert certificate.reason == "366 days from the report"
    assert certificate.detail["vault"] == "destroyed, and found absent"
    assert certificate.detail["keyed_digest"] == room.vault.name_of(sealed.digest)
    assert sealed.digest not in repr(room.entries("evidence.destroyed"))
    assert room.retention.run_due().destroyed == 0


def test_what_was_destroyed_is_listed_and_cannot_be_opened(room: EvidenceRoom) -> None:
    one = reported(room)
    room.clock.advance(days=YEAR)
    room.retention.run_due()
    [listed] = room.desk.of_case(CASE)
    assert listed.destroyed_at is not None
    with pytest.raises(Conflict, match="was destroyed"):
        room.desk.open(one, ACCESS)


def test_bytes_stay_while_another_case_needs_them(room: EvidenceRoom) -> None:
    first = reported(room)
    room.clock.advance(days=100)
    other = reported(room, "case-2")
    room.clock.advance(days=YEAR - 100)
    done = room.retention.run_due()
    assert (done.destroyed, done.shared) == (1, 1)
    assert room.destroyed_at(first) is not None
    opened = room.desk.open(other, ACCESS)
    assert b"".join(opened.parts) == b"quibble"
    room.clock.advance(days=100)
    assert room.retention.run_due().shared == 0
    assert room.blobs.kept == {}


def test_commingled_content_of_a_reported_account_is_kept_as_long(room: EvidenceRoom) -> None:
    dismissed = room.case("case-2", CaseState.DISMISSED, account_id="account-1")
    beside = room.seal("beside", dismissed, b"beside")
    room.clock.advance(days=200)
    room.case("case-1", CaseState.REPORTED, account_id="account-1")
    room.draft()
    room.file()
    room.clock.advance(days=YEAR - 1)
    assert room.retention.run_due().destroyed == 0
    room.clock.advance(days=1)
    room.retention.run_due()
    assert room.destroyed_at(beside) == room.clock.now()


@pytest.mark.parametrize("state", [CaseState.OPEN, CaseState.APPEALED])
def test_nothing_of_an_unsettled_case_is_destroyed(room: EvidenceRoom, state: CaseState) -> None:
    room.case(state=state)
    one = room.seal("one")
    room.clock.advance(days=4000)
    assert room.retention.run_due().ordered == 0
    with pytest.raises(Conflict, match="its case is"):
        room.early_destruction.propose([one], reference="", **WHO)
    assert room.destroyed_at(one) is None


def test_nothing_is_destroyed_while_a_tip_is_not_filed(room: EvidenceRoom) -> None:
    room.case(state=CaseState.CONFIRMED)
    room.draft()
    one = room.seal("one")
    room.clock.advance(days=4000)
    assert room.retention.run_due().ordered == 0
    room.file()
    assert room.retention.run_due().ordered == 0
    room.clock.advance(days=YEAR)
    room.retention.run_due()
    assert room.destroyed_at(one) is not None


def test_an_overturned_case_whose_tip_was_withdrawn_is_destroyed_in_time(
    room: EvidenceRoom,
) -> None:
    room.case(state=CaseState.OVERTURNED)
    tip_id = room.draft()
    one = room.seal("one")
    with room.unit_of_work.begin() as tx:
        _, filing = tx.tips.load(tip_id)
        tx.tips.save(withdrawn(filing), at=room.clock.now())
        tx.commit(ENTRY)
    room.clock.advance(days=YEAR, microseconds=-1)
    assert room.retention.run_due().destroyed == 0
    room.clock.advance(microseconds=1)
    assert room.retention.run_due().destroyed == 1
    assert room.destroyed_at(one) is not None


def test_a_hold_keeps_what_is_due_and_an_extension_keeps_it_longer(room: EvidenceRoom) -> None:
    one = reported(room)
    until = room.clock.now() + timedelta(days=YEAR + 90)
    hold = room.holds.place(CASE, reference="letter 7", until=until, **WHO)
    room.clock.advance(days=YEAR + 80)
    assert room.retention.run_due().ordered == 0
    room.holds.extend(hold.id, until=until + timedelta(days=90), **WHO)
    room.clock.advance(days=99)
    assert room.retention.run_due().ordered == 0
    room.clock.advance(days=1)
    room.retention.run_due()
    assert room.destroyed_at(one) == room.clock.now()
    [certificate] = room.entries("evidence.destroyed")
    assert certificate.reason == "hold letter 7"


def test_a_hold_without_an_end_keeps_until_a_person_releases_it(room: EvidenceRoom) -> None:
    one = reported(room)
    hold = room.holds.place(CASE, reference="letter 7", until=None, **WHO)
    room.clock.advance(days=3000)
    assert room.retention.run_due().ordered == 0
    room.holds.release(hold.id, **WHO)
    room.retention.run_due()
    assert room.destroyed_at(one) == room.clock.now()
    assert [len(room.entries(f"hold.{what}")) for what in ("placed", "released")] == [1, 1]


def test_a_hold_can_neither_be_shortened_nor_end_in_the_past(room: EvidenceRoom) -> None:
    room.case()
    now = room.clock.now()
    with pytest.raises(InvalidInput, match="future"):
        room.holds.place(CASE, reference="letter 7", until=now, **WHO)
    hold = room.holds.place(CASE, reference="letter 7", until=now + timedelta(days=9), **WHO)
    with pytest.raises(Conflict, match="does not shorten"):
        room.holds.extend(hold.id, until=now + timedelta(days=8), **WHO)
    open_ended = room.holds.extend(hold.id, until=None, **WHO)
    assert open_ended.until is None
    with pytest.raises(Conflict, match="does not shorten"):
        room.holds.extend(hold.id, until=now + timedelta(days=99), **WHO)
    room.holds.release(hold.id, **WHO)
    with pytest.raises(Conflict, match="released"):
        room.holds.release(hold.id, **WHO)
    with pytest.raises(Conflict, match="released"):
        room.holds.extend(hold.id, until=None, **WHO)


@pytest.mark.parametrize("missing", ["reference", "person", "reason"])
def test_a_hold_needs_every_word(room: EvidenceRoom, missing: str) -> None:
    room.case()
    said = {"reference": "letter 7", **WHO, missing: " "}
    with pytest.raises(InvalidInput):
        room.holds.place(CASE, until=None, **said)


def test_a_hold_needs_a_case_and_changing_one_needs_a_hold(room: EvidenceRoom) -> None:
    with pytest.raises(NotFound):
        room.holds.place(CaseId("none"), reference="letter 7", until=None, **WHO)
    with pytest.raises(NotFound):
        room.holds.release("none", **WHO)


def test_a_hold_that_comes_between_order_and_act_spares_the_evidence(room: EvidenceRoom) -> None:
    one = reported(room)
    room.clock.advance(days=YEAR)
    room.blobs.full = True
    assert room.retention.run_due().failed == 1
    assert len(room.entries("evidence.destruction_ordered")) == 1
    room.holds.place(CASE, reference="letter 7", until=None, **WHO)
    room.blobs.full = False
    done = room.retention.run_due()
    assert (done.destroyed, done.spared) == (0, 1)
    assert room.destroyed_at(one) is None
    [spared] = room.entries("evidence.spared")
    assert spared.reason == "hold letter 7"


def test_an_order_stands_while_the_vault_does_not_answer(room: EvidenceRoom) -> None:
    one = reported(room)
    room.clock.advance(days=YEAR)
    room.blobs.full = True
    for _ in range(2):
        done = room.retention.run_due()
        assert (done.destroyed, done.failed) == (0, 1)
        assert "does not answer" in done.failure
    assert room.destroyed_at(one) is None
    room.blobs.full = False
    done = room.retention.run_due()
    assert (done.ordered, done.destroyed) == (0, 1)
    assert len(room.entries("evidence.destruction_ordered")) == 1


def test_one_destruction_that_fails_holds_no_other_up(
    room: EvidenceRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = [
        reported(room, f"case-{number:02}", f"stuck {number}".encode()) for number in range(12)
    ]
    names = {room.vault.name_of(room.evidence(one).digest) for one in stuck}
    room.clock.advance(days=1)
    other = reported(room, "case-other", b"other")
    destroy = room.blobs.destroy

    def fragile(name: str) -> None:
        if name in names:
            raise NotPermitted("the store does not let us")
        destroy(name)

    monkeypatch.setattr(room.blobs, "destroy", fragile)
    room.clock.advance(days=YEAR)
    first, second = room.retention.run_due(), room.retention.run_due()
    assert (first.failed, first.destroyed) == (10, 0), "a vault that is not there ends the round"
    assert (second.failed, second.destroyed) == (12, 1)
    assert room.destroyed_at(other) == room.clock.now()
    names.clear()
    assert room.retention.run_due().destroyed == 12


def test_what_was_killed_after_the_bytes_were_gone_is_certified_later(
    room: EvidenceRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = reported(room)
    room.clock.advance(days=YEAR)
    destroy = room.blobs.destroy

    def killed(name: str) -> None:
        destroy(name)
        raise KeyboardInterrupt

    monkeypatch.setattr(room.blobs, "destroy", killed)
    with pytest.raises(KeyboardInterrupt):
        room.retention.run_due()
    monkeypatch.undo()
    assert room.destroyed_at(one) is None
    found_at = room.clock.now()
    room.clock.advance(hours=1)
    assert room.retention.run_due().missing == 0
    assert room.destroyed_at(one) == room.clock.now()
    [certificate] = room.entries("evidence.destroyed")
    assert certificate.detail["before"] == (
        f"found there {found_at:%Y-%m-%dT%H:%M:%SZ}; an attempt was cut off,"
        " and it is gone since: whether by that is not known"
    )
    assert certificate.detail["vault"] == "found absent"
    assert room.entries("evidence.missed") == []


def test_what_an_attempt_that_was_cut_off_destroyed_is_missing_and_not_spared_by_a_hold(
    room: EvidenceRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = reported(room), room.seal("other", content=b"other")
    room.clock.advance(days=YEAR)
    destroy = room.blobs.destroy

    def killed(name: str) -> None:
        destroy(name)
        raise KeyboardInterrupt

    monkeypatch.setattr(room.blobs, "destroy", killed)
    with pytest.raises(KeyboardInterrupt):
        room.retention.run_due()
    monkeypatch.undo()
    [cut_off] = [each for each in (one, other) if not room.is_openable(each, b"?")]
    found_at = room.clock.now()
    hold = room.holds.place(CASE, reference="letter 7", until=None, **WHO)
    for _ in range(2):
        assert room.retention.run_due().missing == 1
    [spared] = room.entries("evidence.spared")
    assert spared.subject != cut_off
    [alarm] = room.entries("evidence.missed")
    assert alarm.subject == cut_off
    assert alarm.detail["before"] == (
        f"found there {found_at:%Y-%m-%dT%H:%M:%SZ}; an attempt was cut off,"
        " and it is gone since: whether by that is not known"
    )
    assert room.destroyed_at(cut_off) is None
    assert [each.evidence_id for each in room.destroying.missing(10)] == [cut_off]
    room.holds.release(hold.id, **WHO)
    room.destroying.give_up(cut_off, **WHO)
    [certificate] = room.entries("evidence.destroyed")
    assert certificate.detail["vault"] == (
        "it was missing; whether it was destroyed here is not known"
    )


def test_a_hold_on_what_is_missing_spares_it_only_once_it_is_there_again(
    room: EvidenceRoom,
) -> None:
    reported(room)
    room.clock.advance(days=YEAR)
    kept = dict(room.blobs.kept)
    room.blobs.kept.clear()
    assert room.retention.run_due().missing == 1
    room.holds.place(CASE, reference="letter 7", until=None, **WHO)
    assert room.retention.run_due().missing == 1
    room.blobs.kept.update(kept)
    assert room.retention.run_due().spared == 1
    assert room.destroying.missing(10) == []


def test_what_goes_after_the_vault_failed_to_destroy_it_is_missing_and_not_certified(
    room: EvidenceRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = reported(room)
    room.clock.advance(days=YEAR)

    def refusing(name: str) -> None:
        raise NotPermitted(f"the store keeps {len(name)}")

    monkeypatch.setattr(room.blobs, "destroy", refusing)
    assert room.retention.run_due().failed == 1
    failed_at = f"{room.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    monkeypatch.undo()
    room.clock.advance(days=20)
    room.blobs.kept.clear()
    assert room.retention.run_due().missing == 1
    assert room.destroyed_at(one) is None
    [alarm] = room.entries("evidence.missed")
    before = f"; to destroy it failed {failed_at}, and it is gone since"
    assert str(alarm.detail["before"]).endswith(before)
    room.destroying.give_up(one, **WHO)
    [certificate] = room.entries("evidence.destroyed")
    assert str(certificate.detail["before"]).endswith(before)
    assert certificate.detail["vault"] == (
        "it was missing; whether it was destroyed here is not known"
    )


def test_what_the_vault_failed_to_destroy_and_has_is_destroyed_later(
    room: EvidenceRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported(room)
    room.clock.advance(days=YEAR)
    monkeypatch.setattr(room.blobs, "destroy", lambda _: None)
    assert "still holds" in room.retention.run_due().failure
    monkeypatch.undo()
    assert room.retention.run_due().destroyed == 1
    [certificate] = room.entries("evidence.destroyed")
    assert certificate.detail["vault"] == "destroyed, and found absent"
    assert room.entries("evidence.missed") == []


@pytest.mark.parametrize("fails", [False, True])
def test_orders_that_are_missing_or_fail_hold_no_other_up_however_small_a_round(
    room: EvidenceRoom, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    stuck, other = reported(room), reported(room, "case-2", b"other")
    name = room.vault.name_of(room.evidence(stuck).digest)
    has = room.blobs.has

    def fragile(asked: str) -> bool:
        if fails and asked == name:
            raise NotPermitted("the store does not let us")
        return has(asked)

    monkeypatch.setattr(room.blobs, "has", fragile)
    kept = room.blobs.kept.pop(name)
    room.clock.advance(days=YEAR)
    first, second = room.retention.run_due(limit=1), room.retention.run_due(limit=1)
    assert (first.missing, first.failed) == ((0, 1) if fails else (1, 0))
    assert second.destroyed == 1
    assert room.destroyed_at(other) == room.clock.now()
    monkeypatch.undo()
    room.blobs.kept[name] = kept
    assert room.retention.run_due(limit=1).destroyed == 1


def test_what_is_missing_is_an_alarm_and_never_certified_as_destroyed(room: EvidenceRoom) -> None:
    one, other = reported(room), reported(room, "case-2", b"other")
    room.clock.advance(days=3)
    opened = room.desk.open(one, ACCESS)
    assert b"".join(opened.parts) == b"quibble"
    room.desk.given(opened)
    room.blobs.kept.pop(room.vault.name_of(room.evidence(one).digest))
    room.clock.advance(days=1)
    with pytest.raises(NotFound):
        list(room.desk.open(one, ACCESS).parts)
    room.clock.advance(days=YEAR - 4)
    for _ in range(2):
        done = room.retention.run_due()
        assert (done.missing, done.failed) == (1, 0)
    assert (room.destroyed_at(one), room.destroyed_at(other)) == (None, room.clock.now())
    [alarm] = room.entries("evidence.missed")
    assert alarm.subject == one
    assert str(alarm.detail["before"]).startswith("last given whole 2026-03-04")
    assert [order.evidence_id for order in room.destroying.missing(9)] == [one]
    assert [entry.subject for entry in room.entries("evidence.destroyed")] == [other]


def test_what_was_missing_and_comes_back_is_destroyed_like_any(room: EvidenceRoom) -> None:
    one = reported(room)
    kept = dict(room.blobs.kept)
    room.blobs.kept.clear()
    room.clock.advance(days=YEAR)
    assert room.retention.run_due().missing == 1
    room.blobs.kept.update(kept)
    with pytest.raises(Conflict, match="is there again"):
        room.destroying.give_up(one, **WHO)
    assert room.retention.run_due().destroyed == 1
    [certificate] = room.entries("evidence.destroyed")
    assert certificate.detail["vault"] == "destroyed, and found absent"
    assert str(certificate.detail["before"]).startswith("found there 2027")
    assert room.destroying.missing(9) == []


def test_only_a_person_lets_what_is_missing_count_as_gone_and_the_certificate_says_so(
    room: EvidenceRoom,
) -> None:
    one = reported(room)
    room.clock.advance(days=YEAR)
    with pytest.raises(Conflict, match="not found missing"):
        room.destroying.give_up(one, **WHO)
    room.blobs.kept.clear()
    room.retention.run_due()
    with pytest.raises(InvalidInput):
        room.destroying.give_up(one, person="ana", reason=" ")
    hold = room.holds.place(CASE, reference="letter 7", until=None, **WHO)
    with pytest.raises(Conflict, match="letter 7"):
        room.destroying.give_up(one, **WHO)
    room.holds.release(hold.id, **WHO)
    room.destroying.give_up(one, **WHO)
    [certificate] = room.entries("evidence.destroyed")
    assert (certificate.actor, certificate.subject) == ("ana", one)
    assert certificate.detail["vault"] == "nothing was destroyed: it was missing"
    assert str(certificate.detail["before"]).startswith("last known there when sealed 2026-03-01")
    assert room.destroyed_at(one) == room.clock.now()
    assert room.retention.run_due().missing == 0


def test_bytes_that_others_need_are_missed_too(room: EvidenceRoom) -> None:
    reported(room)
    room.clock.advance(days=1)
    reported(room, "case-2")
    room.blobs.kept.clear()
    room.clock.advance(days=YEAR - 1)
    done = room.retention.run_due()
    assert (done.missing, done.shared) == (1, 0)
    assert room.entries("evidence.destroyed") == []


def test_two_people_who_destroy_early_are_told_of_what_is_missing(room: EvidenceRoom) -> None:
    room.case()
    one, other = room.seal("one", content=b"one"), room.seal("two", content=b"two")
    room.blobs.kept.pop(room.vault.name_of(room.evidence(one).digest))
    request = room.early_destruction.propose([one, other], reference="", **WHO)
    done = room.early_destruction.approve(request.id, person="bo", reason="sure")
    assert (done.ordered, done.destroyed, done.missing) == (2, 1, 1)
    room.destroying.give_up(one, **WHO)
    assert room.destroyed_at(one) is not None


def test_two_people_may_destroy_early_what_nothing_keeps(room: EvidenceRoom) -> None:
    room.case()
    one = room.seal("one")
    request = room.early_destruction.propose([one], reference="order 9", **WHO)
    with pytest.raises(NotPermitted, match="another person"):
        room.early_destruction.approve(request.id, person=" ANA", reason="sure")
    assert room.destroyed_at(one) is None
    done = room.early_destruction.approve(request.id, person="bo", reason="sure")
    assert done.destroyed == 1
    [certificate] = room.entries("evidence.destroyed")
    assert (certificate.detail["proposed_by"], certificate.detail["approved_by"]) == ("ana", "bo")
    with pytest.raises(Conflict, match="approved before"):
        room.early_destruction.approve(request.id, person="bo", reason="sure")
    with pytest.raises(Conflict, match="destroyed before"):
        room.early_destruction.propose([one], reference="", **WHO)


def test_two_people_cannot_shorten_the_year_after_a_report(room: EvidenceRoom) -> None:
    one = reported(room)
    with pytest.raises(NotPermitted, match="by law"):
        room.early_destruction.propose([one], reference="order 9", **WHO)


def test_what_comes_to_be_held_between_proposal_and_approval_is_kept(room: EvidenceRoom) -> None:
    room.case()
    one = room.seal("one")
    request = room.early_destruction.propose([one], reference="", **WHO)
    room.holds.place(CASE, reference="letter 7", until=None, **WHO)
    with pytest.raises(Conflict, match="hold letter 7"):
        room.early_destruction.approve(request.id, person="bo", reason="sure")
    assert room.destroyed_at(one) is None


def test_early_destruction_is_of_one_case_and_says_why(room: EvidenceRoom) -> None:
    room.case()
    room.case("case-2")
    ids = [room.seal("one"), room.seal("two", "case-2")]
    for wrong in ([], ids):
        with pytest.raises(InvalidInput):
            room.early_destruction.propose(wrong, reference="", **WHO)
    with pytest.raises(InvalidInput):
        room.early_destruction.propose(ids[:1], reference="", person="ana", reason="")


def test_what_is_due_can_be_asked_for_ahead(room: EvidenceRoom) -> None:
    one = reported(room)
    assert room.retention.due() == []
    ahead = room.clock.now() + timedelta(days=YEAR)
    assert [due.evidence.id for due in room.retention.due(at=ahead)] == [one]
    [retained] = room.retention.of_case(CASE)
    assert retained.kept.due_at == ahead


def test_evidence_without_a_known_name_is_named_before_bytes_go(room: EvidenceRoom) -> None:
    first = reported(room)
    room.clock.advance(days=1)
    other = reported(room, "case-2")
    with room.unit_of_work.begin() as tx:
        tx.evidence._connection.exec_driver_sql("UPDATE evidence SET blob_name = NULL")
        tx.commit_unrecorded()
    room.clock.advance(days=YEAR - 1)
    assert room.retention.run_due().shared == 1
    assert room.destroyed_at(first) is not None
    assert b"".join(room.desk.open(other, ACCESS).parts) == b"quibble"
