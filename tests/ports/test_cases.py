"""Cases, one open for each account, and the evidence that belongs to them."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.fakes.cybertip_store import NOON
from tests.ports.builders import ENTRY, make_case, make_evidence
from tests.ports.raw import raw_bytes

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.errors import Conflict, NotFound
from nightlight.model.case import Case, CaseState, Evidence, EvidenceKind
from nightlight.model.ids import AccountId, CaseId, DecisionId


def save(unit_of_work: SqlUnitOfWork, *cases: Case) -> None:
    with unit_of_work.begin() as tx:
        for case in cases:
            tx.cases.save(case)
        tx.commit(ENTRY)


DECIDED = make_case(
    "case-1",
    state=CaseState.CONFIRMED,
    decisions=(DecisionId("decision-1"), DecisionId("decision-2")),
    decided_by="a reviewer",
    decided_at=NOON + timedelta(microseconds=3),
    decision_reason="saw it",
)


@pytest.mark.parametrize("case", [make_case("case-1"), DECIDED])
def test_a_case_comes_back_as_it_was_saved(unit_of_work: SqlUnitOfWork, case: Case) -> None:
    save(unit_of_work, case)
    with unit_of_work.begin() as tx:
        assert tx.cases.get(case.id) == case


def test_a_case_is_read_in_a_transaction_that_only_reads(unit_of_work: SqlUnitOfWork) -> None:
    save(unit_of_work, DECIDED)
    with unit_of_work.read() as tx:
        assert tx.cases.get(DECIDED.id) == DECIDED
        assert tx.cases.some([DECIDED.id]) == [DECIDED]


def test_a_case_is_saved_over_its_former_state(unit_of_work: SqlUnitOfWork) -> None:
    save(unit_of_work, make_case("case-1"))
    save(unit_of_work, DECIDED)
    with unit_of_work.begin() as tx:
        assert tx.cases.get(CaseId("case-1")) == DECIDED


def test_an_unknown_case_is_not_found(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.begin() as tx, pytest.raises(NotFound):
        tx.cases.get(CaseId("none"))


def test_only_the_open_case_of_an_account_is_its_open_case(unit_of_work: SqlUnitOfWork) -> None:
    still_open = make_case("case-2", account_id=AccountId("account-1"))
    save(
        unit_of_work,
        replace(DECIDED, account_id=AccountId("account-1")),
        still_open,
        make_case("case-3", account_id=AccountId("account-2"), state=CaseState.DISMISSED),
    )
    with unit_of_work.begin() as tx:
        found = tx.cases.open_of([AccountId("account-1"), AccountId("account-2")])
    assert found == {"account-1": still_open}


def test_the_database_refuses_a_second_open_case_of_an_account(
    unit_of_work: SqlUnitOfWork,
) -> None:
    save(unit_of_work, make_case("case-1", account_id=AccountId("account-1")))
    with pytest.raises(Conflict):
        save(unit_of_work, make_case("case-2", account_id=AccountId("account-1")))
    with unit_of_work.read() as tx:
        assert [case.id for case in tx.cases.queue(None, 10)] == ["case-1"]


def test_cases_without_an_account_may_be_open_side_by_side(unit_of_work: SqlUnitOfWork) -> None:
    save(unit_of_work, *(make_case(f"case-{n}", account_id=AccountId("")) for n in range(3)))
    with unit_of_work.read() as tx:
        assert len(tx.cases.queue(CaseState.OPEN, 10)) == 3


def test_the_queue_is_by_severity_then_by_age(unit_of_work: SqlUnitOfWork) -> None:
    save(
        unit_of_work,
        make_case("mild", severity=10),
        make_case("severe-new", severity=90, opened_at=NOON + timedelta(hours=1)),
        make_case("severe-old", severity=90),
        make_case("done", severity=99, state=CaseState.DISMISSED),
    )
    with unit_of_work.read() as tx:
        assert [case.id for case in tx.cases.queue(CaseState.OPEN, 10)] == [
            "severe-old", "severe-new", "mild",
        ]  # fmt: skip
        assert [case.id for case in tx.cases.queue(None, 1)] == ["done"]


def add(unit_of_work: SqlUnitOfWork, *evidence: Evidence) -> None:
    with unit_of_work.begin() as tx:
        tx.events.offset()
        tx.evidence.add(evidence)
        tx.commit(ENTRY)


def test_evidence_comes_back_with_its_case_oldest_first(unit_of_work: SqlUnitOfWork) -> None:
    newer = make_evidence("newer", captured_at=NOON + timedelta(seconds=1))
    older = make_evidence("older", kind=EvidenceKind.MEDIA, content_type="image/png")
    add(unit_of_work, newer, older, make_evidence("other", case="case-2"))
    with unit_of_work.read() as tx:
        assert tx.evidence.of_case(CaseId("case-1")) == [older, newer]


def test_evidence_that_is_there_stays_as_it_is(unit_of_work: SqlUnitOfWork) -> None:
    first = make_evidence("one")
    add(unit_of_work, first)
    add(unit_of_work, replace(first, byte_count=7))
    with unit_of_work.read() as tx:
        assert tx.evidence.of_case(CaseId("case-1")) == [first]


def test_digests_of_evidence_are_sealed_at_rest(
    unit_of_work: SqlUnitOfWork, engine: Engine
) -> None:
    add(unit_of_work, make_evidence("one", digest="5a" * 32))
    stored = raw_bytes(engine)
    assert b"5a" * 32 not in stored
    assert b"\x5a" * 32 not in stored


def test_whoever_decided_a_case_is_told(unit_of_work: SqlUnitOfWork) -> None:
    decided = (make_case("1", decided_by="ana"), make_case("2", decided_by="ana"), make_case("3"))
    save(unit_of_work, *decided)
    with unit_of_work.read() as tx:
        assert tx.cases.deciders() == {"ana"}


def test_evidence_of_posts_is_told_with_the_files_sealed_beside_them(
    unit_of_work: SqlUnitOfWork,
) -> None:
    post, media = EvidenceKind.POST, EvidenceKind.MEDIA
    add(
        unit_of_work,
        make_evidence("1", content_id="event-1", kind=post),
        make_evidence("2", content_id="event-2", kind=media),
        make_evidence("3", content_id="m", kind=media),
        make_evidence("4", content_id="other", kind=media),
        make_evidence("5", "case-2", content_id="m", kind=media),
        make_evidence("6", "case-3", content_id="event-1", kind=post, destroyed_at=NOON),
    )
    with unit_of_work.read() as tx:
        found = tx.evidence.of_posts(["event-1", "event-2", "event-3"], ["m"])
    assert {one.id for one in found} == {"1", "3", "6"}
