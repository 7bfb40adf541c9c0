"""What two people decide is decided once, by two, and never in silence."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.fakes.cybertip_store import NOON

from nightlight.errors import Conflict, InvalidInput, NotPermitted
from nightlight.model.custody import (
    EXPORT_STANDS,
    TRIES,
    Access,
    CustodyRequest,
    Destruction,
    KeptPost,
    RequestKind,
    RequestState,
    check_is_person,
    is_same_person,
)
from nightlight.model.ids import AccountId, CaseId, EventKey, PostId

REQUEST = CustodyRequest(
    id="req-1",
    what=RequestKind.EXPORT,
    case_id=CaseId("case-1"),
    evidence_ids=("one",),
    reference="warrant 7",
    reason="asked for",
    proposed_by="Ana  Quib",
    proposed_at=NOON,
)


def decide(state: RequestState = RequestState.APPROVED, **more: Any) -> CustodyRequest:
    return REQUEST.decided(state, **{"person": "bo", "reason": "checked", "at": NOON, **more})


def test_a_second_person_approves_and_the_first_may_only_reject() -> None:
    approved = decide()
    assert (approved.state, approved.decided_by, approved.decided_at) == ("approved", "bo", NOON)
    with pytest.raises(NotPermitted):
        decide(person="ana quib ")
    assert decide(RequestState.REJECTED, person="ana quib").state is RequestState.REJECTED


def test_what_was_decided_stays_decided() -> None:
    for state in RequestState:
        with pytest.raises(Conflict, match="approved before"):
            decide().decided(state, person="cy", reason="again", at=NOON)


def test_only_what_stands_is_revoked_and_what_is_ordered_is_not() -> None:
    said: dict[str, Any] = {"person": "cy", "reason": "withdrawn", "at": NOON}
    for one in (REQUEST, decide()):
        revoked = one.revoked(**said)
        assert (revoked.state, revoked.lapses_at, revoked.keeps_until) == ("revoked", None, None)
        with pytest.raises(Conflict, match="revoked before"):
            revoked.revoked(**said)
    with pytest.raises(Conflict, match="rejected before"):
        decide(RequestState.REJECTED).revoked(**said)
    early = replace(REQUEST, what=RequestKind.DESTROY)
    assert early.revoked(**said).state is RequestState.REVOKED
    approved = early.decided(RequestState.APPROVED, person="bo", reason="checked", at=NOON)
    with pytest.raises(Conflict, match="approved before"):
        approved.revoked(**said)
    for missing in ("person", "reason"):
        with pytest.raises(InvalidInput):
            REQUEST.revoked(**{**said, missing: " "})


def test_an_export_lapses_after_its_proposal_and_anew_after_its_approval() -> None:
    last = NOON + EXPORT_STANDS
    assert (REQUEST.lapses_at, REQUEST.keeps_until) == (last, last)
    REQUEST.check_stands(last - timedelta(seconds=1))
    with pytest.raises(Conflict, match="lapsed on"):
        REQUEST.check_stands(last)
    with pytest.raises(Conflict, match="lapsed on"):
        decide(at=last)
    assert decide(RequestState.REJECTED, at=last).lapses_at is None
    approved = decide(at=last - timedelta(seconds=1))
    assert approved.lapses_at == last - timedelta(seconds=1) + EXPORT_STANDS
    written = replace(approved, written_at=last)
    assert (written.lapses_at, written.keeps_until) == (approved.lapses_at, None)


def test_a_request_to_destroy_keeps_nothing_and_does_not_lapse() -> None:
    early = replace(REQUEST, what=RequestKind.DESTROY)
    assert (early.lapses_at, early.keeps_until) == (None, None)
    early.check_stands(NOON + 99 * EXPORT_STANDS)


@pytest.mark.parametrize("missing", ["person", "reason"])
def test_deciding_needs_a_person_and_a_reason(missing: str) -> None:
    said: dict[str, Any] = {missing: " "}
    with pytest.raises(InvalidInput):
        decide(RequestState.APPROVED, **said)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (" Ana  Quib", "ana quib"),
        ("Ana Quib", "Ana\u00adQuib"),
        ("Jos\u00e9", "Jose\u0301"),
        ("Ana Quib", "A\u200bna \u00adQuib\ufeff"),
        ("Ana Quib", "\uff21na\u3000Quib"),
        ("Ana Quib", "An\u034fa\u3164 Quib\ufe0f"),
        ("Stra\u00dfe", "STRASSE"),
        ("\ufb01n", "FIN"),
    ],
)
def test_a_person_is_the_same_however_the_name_is_written(one: str, other: str) -> None:
    assert is_same_person(one, other)
    with pytest.raises(NotPermitted):
        replace(REQUEST, proposed_by=one).decided(
            RequestState.APPROVED, person=other, reason="checked", at=NOON
        )


def test_letters_of_another_script_are_another_name() -> None:
    assert not is_same_person("Ana", "\u0410na")


@pytest.mark.parametrize(
    "name", ["nightlight", "Policy", "NIGHT\u200dLIGHT", "\u200b nightlight run", "\u200b"]
)
def test_automation_and_nobody_are_no_persons(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_is_person(name, field="by")
    with pytest.raises(InvalidInput):
        decide(person=name)
    with pytest.raises(InvalidInput):
        Access(person=name, purpose="review").check_by_person()


def test_a_name_that_only_begins_alike_is_a_person() -> None:
    check_is_person("Nightlightowski", field="by")
    Access(person="Policyman", purpose="review").check_by_person()
    assert not is_same_person("ana quib", "ana")


def test_access_is_by_somebody_for_something() -> None:
    Access(person="ana", purpose="review").check()
    for wrong in (Access(person="", purpose="review"), Access(person="ana", purpose="\t")):
        with pytest.raises(InvalidInput):
            wrong.check()


def test_destruction_is_early_where_two_people_wanted_it() -> None:
    due = Destruction(
        evidence_id="one", case_id=CaseId("case-1"), rule="a year", due_at=NOON, ordered_at=NOON
    )
    assert not due.is_early


@pytest.mark.parametrize(
    ("attempts", "has_post", "complete", "minutes"),
    [
        (0, False, False, 1),
        (1, True, False, 4),
        (20, False, False, 360),  # without the post itself it is tried for good
        (TRIES - 1, True, False, None),
        (0, True, True, None),
    ],
)
def test_a_deleted_post_is_sealed_again_and_again_until_it_is_whole_or_enough(
    attempts: int, minutes: int | None, *, has_post: bool, complete: bool
) -> None:
    kept = KeptPost(
        id=CaseId("kept-1"),
        post_id=PostId("p"),
        account_id=AccountId("a"),
        event_key=EventKey("k"),
        deleted_at=NOON,
        noticed_at=NOON,
        next_at=NOON,
        attempts=attempts,
    ).attempted(has_post=has_post, complete=complete, at=NOON)
    due = None if minutes is None else NOON + timedelta(minutes=minutes)
    assert (kept.attempts, kept.next_at, kept.complete) == (attempts + 1, due, complete)
