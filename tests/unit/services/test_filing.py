"""The filer's store: progress, case and record change together; every opening is recorded."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.fakes.cybertip_store import MemoryMedia, make_file
from tests.fakes.desk import Desk
from tests.fakes.drafting import drafting_of
from tests.synthetic.builders import TEXT, event_of

from nightlight.errors import Conflict, IntegrityFailure, NotFound
from nightlight.model.case import CaseState, CaseStep
from nightlight.model.custody import Access
from nightlight.model.cybertip import Destination
from nightlight.model.event import PostCreated
from nightlight.model.filing import TipState
from nightlight.model.ids import AccountId, CaseId, TipId
from nightlight.model.report_decision import Accounted, ReportState
from nightlight.preserve.vault import Vault
from nightlight.review.resolve import Resolution
from nightlight.services.filing import StoredTips, VaultMedia


class Office(Desk):
    """A desk with one confirmed case and its drafted tip."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        services = self.services
        self.take_in(event_of(PostCreated(post_id="p", account_id="a", text=TEXT)))
        [case] = self.outcome().cases
        self.case_id = case.id
        self.decide(CaseStep.CONFIRM)
        self.tips = StoredTips(
            unit_of_work=services.unit_of_work, clock=services.clock, drafting=drafting_of(services)
        )
        [self.tip_id] = self.tips.due(services.clock.now(), 9, destination="ncmec")

    def decide(self, step: CaseStep) -> None:
        resolution = Resolution(step=step, reviewer="ana", reason="quibble")
        self.services.review.decide(self.case_id, resolution)

    def save(self, state: TipState) -> None:
        _, filing = self.tips.load(self.tip_id)
        self.tips.save(
            replace(filing, state=state, revision=filing.revision + 1), action=f"tip.{state}"
        )

    def state(self) -> CaseState:
        [case] = self.outcome().cases
        return case.state


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_drafted_tip_is_due_and_a_filed_one_is_not(office: Office) -> None:
    office.save(TipState.FILED)
    assert list(office.tips.due(office.services.clock.now(), 9, destination="ncmec")) == []


def test_filed_tip_makes_its_case_reported_and_is_on_the_record(office: Office) -> None:
    office.save(TipState.OPENING)
    assert office.state() is CaseState.CONFIRMED
    office.save(TipState.FILED)
    assert office.state() is CaseState.REPORTED
    assert office.actions()[-3:] == ["tip.opening", "report.decided", "tip.filed"]


def second_place(office: Office) -> TipId:
    """Draft the case's tip for a second destination too."""
    tip, _ = office.tips.load(office.tip_id)
    other = replace(tip, id=TipId("tip-elsewhere"), destination=Destination.HOTLINE)
    with office.services.unit_of_work.begin() as tx:
        tx.tips.draft(other, at=office.services.clock.now())
        tx.commit_unrecorded()
    return other.id


def test_case_is_reported_only_when_every_place_has_its_tip(office: Office) -> None:
    first, elsewhere = office.tip_id, second_place(office)
    office.tip_id = elsewhere
    office.save(TipState.FILED)
    assert office.state() is CaseState.CONFIRMED
    assert "report.decided" not in office.actions()[-2:]
    assert [one.decision.state for one in decided(office)] == [ReportState.UNDECIDED]
    office.tip_id = first
    office.save(TipState.REFUSED)
    assert office.state() is CaseState.CONFIRMED
    office.save(TipState.DRAFTED)
    office.save(TipState.OPENING)
    office.save(TipState.OPENED)
    office.save(TipState.FINISHING)
    office.save(TipState.FILED)
    assert office.state() is CaseState.REPORTED
    assert [one.decision.state for one in decided(office)] == [ReportState.REPORTED]


def decided(office: Office) -> list[Accounted]:
    with office.services.unit_of_work.read() as tx:
        return tx.report_decisions.of_account(AccountId("a"))


def test_appeal_that_came_in_meanwhile_keeps_the_case(office: Office) -> None:
    office.decide(CaseStep.APPEAL)
    office.save(TipState.FILED)
    assert office.state() is CaseState.APPEALED


def test_two_filers_cannot_both_go_on(office: Office) -> None:
    _, filing = office.tips.load(office.tip_id)
    once = replace(filing, state=TipState.OPENING, revision=filing.revision + 1)
    office.tips.save(once, action="tip.opening")
    with pytest.raises(Conflict):
        office.tips.save(once, action="tip.opening")


def test_tip_that_does_not_exist_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound):
        office.tips.load(TipId("nowhere"))


def test_every_opening_of_evidence_names_it_and_its_case_and_the_purpose(office: Office) -> None:
    services = office.services
    media = VaultMedia(vault=services.vault, unit_of_work=services.unit_of_work)
    [evidence, *_] = office.evidence(office.case_id)
    file = replace(make_file(MemoryMedia(), 1), evidence_id=evidence.id, digest=evidence.digest)
    opened = media.open(file, CaseId("other"), "report tip-1")
    assert len(b"".join(opened.parts())) == opened.byte_count == evidence.byte_count
    with services.unit_of_work.read() as tx:
        [newest] = tx.audit.newest(1)
    entry = newest.entry
    assert (entry.action, entry.subject) == ("evidence.opened", evidence.id)
    assert (entry.detail, entry.reason) == ({"case": office.case_id}, "report tip-1")
    assert evidence.digest not in repr(newest)


def test_evidence_that_breaks_while_it_is_read_is_said_to_have_been_opened(office: Office) -> None:
    services = office.services

    class Torn(Vault):
        def has(self, digest: str) -> bool:
            return bool(digest)

        def open_parts(self, digest: str, access: Access) -> Iterator[bytes]:
            access.check()
            assert digest
            return self._torn()

        def _torn(self) -> Iterator[bytes]:
            yield b"quib"
            raise IntegrityFailure("what is stored is not what was sealed")

    media = VaultMedia(vault=Torn.__new__(Torn), unit_of_work=services.unit_of_work)
    with pytest.raises(IntegrityFailure):
        media.open(make_file(MemoryMedia(), 1), office.case_id, "report tip-1")
    assert office.actions()[-1] == "evidence.opened"


def test_evidence_that_cannot_be_opened_is_not_said_to_have_been(office: Office) -> None:
    services, before = office.services, office.actions()
    media = VaultMedia(vault=services.vault, unit_of_work=services.unit_of_work)
    with pytest.raises(NotFound):
        media.open(make_file(MemoryMedia(), 1), office.case_id, "report tip-1")
    assert office.actions() == before
