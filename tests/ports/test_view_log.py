"""The view log: who opened and viewed what, kept as it was said, and told with the case."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace
from tests.fakes.cybertip_store import NOON
from tests.ports.builders import ENTRY, make_case, make_evidence

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.custody import EvidenceRead, ReadKind, SeenWhere
from nightlight.model.ids import CaseId, DecisionId


def line(name: str, evidence: str = "evidence-1", **fields: Any) -> EvidenceRead:
    made = EvidenceRead(
        id=name,
        evidence_id=evidence,
        person="ana",
        purpose="to see",
        what=ReadKind.VIEWED,
        where=SeenWhere.VAULT,
        at=NOON,
    )
    return replace(made, **fields)


def keep(unit_of_work: SqlUnitOfWork, *lines: EvidenceRead) -> None:
    with unit_of_work.begin() as tx:
        tx.events.offset()
        tx.cases.save(make_case("case-1"))
        tx.evidence.add(
            [
                make_evidence("evidence-1"),
                make_evidence("evidence-2", decision_id=DecisionId("decision-2")),
            ]
        )
        tx.views.add(lines)
        tx.commit(ENTRY)


def test_a_log_comes_back_oldest_first_and_of_these_files_alone(
    unit_of_work: SqlUnitOfWork,
) -> None:
    later = line("b", at=NOON + timedelta(seconds=1), where=SeenWhere.PLATFORM)
    first = line("c", what=ReadKind.OPENED)
    keep(unit_of_work, later, first, line("d", "evidence-2"))
    with unit_of_work.read() as tx:
        assert tx.views.of(["evidence-1"]) == [first, later]


def test_what_was_said_is_not_said_over(unit_of_work: SqlUnitOfWork) -> None:
    keep(unit_of_work, line("a"))
    keep(unit_of_work, line("a", person="bo"))
    with unit_of_work.read() as tx:
        assert tx.views.of(["evidence-1"]) == [line("a")]


def test_a_case_tells_what_was_viewed_and_not_what_was_only_opened(
    unit_of_work: SqlUnitOfWork,
) -> None:
    keep(
        unit_of_work,
        line("a"),
        line("b", person="bo"),
        line("c", what=ReadKind.EXIF_VIEWED),
        line("d", "evidence-2", what=ReadKind.OPENED),
    )
    with unit_of_work.begin() as tx:
        case = tx.cases.get(CaseId("case-1"))
        assert (case.viewed, case.exif_viewed) == (("evidence-1",), ("evidence-1",))
        assert tx.cases.queue(None, 9) == [case]


def test_saving_a_case_says_nothing_of_views(unit_of_work: SqlUnitOfWork) -> None:
    keep(unit_of_work)
    with unit_of_work.begin() as tx:
        tx.cases.save(make_case("case-1", viewed=("evidence-1",), exif_viewed=("evidence-1",)))
        tx.commit(ENTRY)
    with unit_of_work.begin() as tx:
        assert tx.cases.get(CaseId("case-1")) == make_case("case-1")


def test_views_go_with_evidence_that_moves_to_another_case(unit_of_work: SqlUnitOfWork) -> None:
    keep(unit_of_work, line("a", "evidence-2"))
    with unit_of_work.begin() as tx:
        tx.events.offset()
        tx.cases.save(make_case("case-2"))
        tx.evidence.move([DecisionId("decision-2")], CaseId("case-2"))
        tx.commit(ENTRY)
    with unit_of_work.begin() as tx:
        assert tx.cases.get(CaseId("case-1")).viewed == ()
        assert tx.cases.get(CaseId("case-2")).viewed == ("evidence-2",)
