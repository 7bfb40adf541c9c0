"""An appeal of one case holds back nothing else of its bundle, and nothing is filed twice."""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.cybertipline import Trouble
from tests.fakes.filing_office import FilingOffice, office_home
from tests.synthetic.builders import TEXT, event_of

from nightlight.errors import InvalidInput
from nightlight.model.case import CaseState, CaseStep
from nightlight.model.event import PostCreated
from nightlight.model.filing import TipState
from nightlight.transaction import StoredTip

_WORDS = "Sells quibbleton by the crate."


@pytest.fixture(scope="module")
def bundled_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a tip about two cases, to be copied and never used itself."""
    return office_home(tmp_path_factory.mktemp("bundled") / "home", "p", "q")


@pytest.fixture
def office(bundled_home: Path, tmp_path: Path) -> FilingOffice:
    home = tmp_path / "home"
    shutil.copytree(bundled_home, home)
    return FilingOffice(home)


def before_it_is_opened(office: FilingOffice) -> None:
    office.appeal()


def while_it_is_opened(office: FilingOffice) -> None:
    office.line.meanwhile["open"] = office.appeal
    office.file()


def while_finishing_failed(office: FilingOffice) -> None:
    office.line.meanwhile["finish"] = lambda: office.line.suffers(Trouble.LOST_BEFORE)
    office.file()
    office.appeal()


def overturned(office: FilingOffice) -> None:
    office.appeal()
    office.decide(office.first, CaseStep.OVERTURN, by="bea")


WHEN = [before_it_is_opened, while_it_is_opened, while_finishing_failed]


@pytest.mark.parametrize("appealed", WHEN)
def test_what_stands_is_filed_in_its_time_while_another_case_is_under_appeal(
    office: FilingOffice, appealed: Callable[[FilingOffice], None]
) -> None:
    [before] = office.tips()
    appealed(office)
    office.file()
    assert office.filed() == {office.second: 1}
    assert office.case_state(office.second) is CaseState.REPORTED
    assert office.line.in_state("open") == []
    later = [one for one in office.tips() if one.tip_id != before.tip_id]
    assert {one.deadline_at for one in later} == {before.deadline_at}
    assert all(one.drafted_at - before.drafted_at < timedelta(hours=3) for one in later)


@pytest.mark.parametrize("appealed", WHEN)
@pytest.mark.parametrize(
    ("outcome", "times", "state"),
    [(CaseStep.UPHOLD, 1, TipState.FILED), (CaseStep.OVERTURN, 0, TipState.WITHDRAWN)],
)
def test_the_appealed_case_waits_for_its_outcome_and_is_filed_once_or_never(
    office: FilingOffice,
    appealed: Callable[[FilingOffice], None],
    outcome: CaseStep,
    times: int,
    state: TipState,
) -> None:
    appealed(office)
    office.file()
    assert office.filed()[office.first] == 0
    office.decide(office.first, outcome, by="bea")
    office.file()
    assert office.filed() == Counter({office.second: 1, office.first: times})
    assert office.states()[state] >= 1
    assert office.states()[TipState.DRAFTED] == 0


def test_a_report_that_is_being_finished_when_the_appeal_comes_keeps_its_receipt(
    office: FilingOffice,
) -> None:
    office.line.meanwhile["finish"] = office.appeal
    [filing] = office.file()
    assert filing.state is TipState.FILED
    assert filing.receipt == office.line.receipts[0]
    assert "tell the authority if that is overturned" in filing.failure
    assert office.filed() == {office.first: 1, office.second: 1}
    assert len(office.tips()) == 1


def test_a_report_that_turns_out_to_be_finished_before_the_appeal_is_not_filed_again(
    office: FilingOffice,
) -> None:
    office.line.meanwhile["finish"] = lambda: office.line.suffers(Trouble.LOST_AFTER)
    office.file()
    office.appeal()
    office.file()
    assert office.filed() == {office.first: 1, office.second: 1}
    assert office.states() == {TipState.FILED: 1}


def test_what_may_have_been_finished_and_is_gone_is_not_drafted_anew_by_itself(
    office: FilingOffice,
) -> None:
    while_finishing_failed(office)
    office.line.expire()
    office.file()
    [tip] = office.tips()
    assert tip.filing.state is TipState.REFUSED
    assert "ask NCMEC" in tip.filing.failure


def test_an_appeal_after_the_receipt_changes_nothing_and_its_end_is_told_of(
    office: FilingOffice,
) -> None:
    office.file()
    office.appeal()
    assert office.file() == []
    [tip] = office.tips()
    assert tip.filing.failure == ""
    office.decide(office.first, CaseStep.OVERTURN, by="bea")
    [tip] = office.tips()
    assert tip.filing.state is TipState.FILED
    assert "after it was filed: tell the authority" in tip.filing.failure
    assert office.filed() == {office.first: 1, office.second: 1}


def test_a_bundle_that_is_overturned_while_it_is_taken_back_says_so_if_it_was_filed(
    office: FilingOffice,
) -> None:
    office.line.meanwhile["finish"] = lambda: office.line.suffers(Trouble.LOST_AFTER)
    office.file()
    overturned(office)
    office.file()
    [tip] = office.tips()
    assert tip.filing.state is TipState.FILED
    assert tip.filing.failure == "filed before its case was overturned: tell the authority"
    assert tip.overturned == office.first


def test_each_case_of_a_bundle_that_is_appealed_waits_by_itself(office: FilingOffice) -> None:
    office.appeal()
    office.decide(office.second, CaseStep.APPEAL)
    assert office.file() == []
    office.decide(office.second, CaseStep.UPHOLD, by="bea")
    office.file()
    assert office.filed() == {office.second: 1}


def test_what_ncmec_never_had_is_filed_anew_with_what_happened(office: FilingOffice) -> None:
    while_finishing_is_lost(office)
    [tip] = office.tips()
    desk, remote_id = office.services.tip_desk, tip.filing.remote_id
    assert "does not have it" not in desk.preview(tip.tip_id).tip.narrative
    with pytest.raises(InvalidInput):
        desk.refile(tip.tip_id, remote_id, by="lena", reason=" ")
    desk.refile(tip.tip_id, remote_id, by="lena", reason="they said so on the telephone")
    office.file()  # is told once more that it is gone
    office.file()
    assert office.filed() == {office.first: 1, office.second: 1}
    [report] = office.line.in_state("finished")
    assert f"Report {remote_id} was opened about this before".encode() in report.document
    assert office.tips()[0].deadline_at == tip.deadline_at
    with office.services.unit_of_work.read() as tx:
        [entry] = [one.entry for one in tx.audit.entries() if one.entry.action == "tip.denied"]
    assert (entry.actor, entry.detail["remote_id"]) == ("lena", remote_id)


def test_the_rest_of_a_lost_bundle_is_filed_once_ncmec_said_that_it_never_had_it(
    office: FilingOffice,
) -> None:
    while_finishing_failed(office)
    office.line.expire()
    office.file()
    [tip] = office.tips()
    office.services.tip_desk.refile(
        tip.tip_id, tip.filing.remote_id, by="lena", reason="they said so"
    )
    office.file()
    assert office.filed() == {office.second: 1}
    [report] = office.line.in_state("finished")
    assert f"Report {tip.filing.remote_id} was opened about this before".encode() in report.document


def corrected(office: FilingOffice) -> StoredTip:
    """Correct the narrative of the bundle, and return it as it was before."""
    [tip] = office.tips()
    words = [("narrative", _WORDS)]
    office.tip_desk.correct(tip.tip_id, words, by="lena", reason="it said too little")
    return tip


def drafted_anew(office: FilingOffice) -> list[StoredTip]:
    return [one for one in office.tips() if one.filing.state is not TipState.WITHDRAWN]


@pytest.mark.parametrize("ended", [*WHEN, overturned])
def test_what_is_drafted_anew_from_a_corrected_bundle_waits_for_the_corrections(
    office: FilingOffice, ended: Callable[[FilingOffice], None]
) -> None:
    before = corrected(office)
    ended(office)
    office.file()
    assert office.filed() == {}
    anew = drafted_anew(office)
    assert {one.filing.state for one in anew} == {TipState.REFUSED}
    assert all(f"{before.tip_id} was corrected" in one.filing.failure for one in anew)
    assert {one.deadline_at for one in anew} == {before.deadline_at}


def test_what_waits_for_corrections_is_filed_with_them_once_a_person_made_them(
    office: FilingOffice,
) -> None:
    corrected(office)
    office.appeal()
    [rest] = [one for one in drafted_anew(office) if one.case_id == office.second]
    office.tip_desk.correct(rest.tip_id, [("narrative", _WORDS)], by="lena", reason="so")
    office.tip_desk.retry(rest.tip_id, by="lena", reason="corrected again")
    office.file()
    assert office.filed() == {office.second: 1}
    assert _WORDS.encode() in office.line.in_state("finished")[0].document


def while_finishing_is_lost(office: FilingOffice) -> None:
    """Lose the answer to finishing, and then the report."""
    office.line.meanwhile["finish"] = lambda: office.line.suffers(Trouble.LOST_BEFORE)
    office.file()
    office.line.expire()
    office.file()


@pytest.mark.parametrize(
    "damage",
    ["sealed_tip = CAST(substr(sealed_tip, 1, 60) AS BLOB)", "filing = substr(filing, 1, 9)"],
)
def test_a_bundle_that_cannot_be_read_stops_nobodys_decision_and_is_not_joined(
    office: FilingOffice, damage: str
) -> None:
    [spoilt] = office.tips()
    with sqlite3.connect(office.services.settings.home / "nightlight.db") as connection:
        connection.execute(f"UPDATE cybertip SET {damage}")
    office.take_in(event_of(PostCreated(post_id="z", account_id="a", text=TEXT), minutes=5))
    [new] = [one for one in office.outcome().cases if one.state is CaseState.OPEN]
    office.decide(new.id, CaseStep.CONFIRM)
    overturned(office)
    assert office.case_state(office.first) is CaseState.OVERTURNED
    office.file()
    assert office.case_state(new.id) is CaseState.REPORTED
    with office.services.unit_of_work.read() as tx:
        told = [one.entry for one in tx.audit.entries() if one.entry.action == "tip.set_aside"]
    assert [one.subject for one in told] == [spoilt.tip_id] * 2
