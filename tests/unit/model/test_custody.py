"""What two people decide is decided once, by two, and never in silence."""

from typing import Any

import pytest
from tests.fakes.cybertip_store import NOON

from nightlight.errors import Conflict, InvalidInput, NotPermitted
from nightlight.model.custody import (
    Access,
    CustodyRequest,
    Destruction,
    RequestKind,
    RequestState,
    is_same_person,
)
from nightlight.model.ids import CaseId

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


@pytest.mark.parametrize("missing", ["person", "reason"])
def test_deciding_needs_a_person_and_a_reason(missing: str) -> None:
    said: dict[str, Any] = {missing: " "}
    with pytest.raises(InvalidInput):
        decide(RequestState.APPROVED, **said)


def test_a_person_is_the_same_whatever_case_and_spaces() -> None:
    assert is_same_person(" Ana  Quib", "ana quib")
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
