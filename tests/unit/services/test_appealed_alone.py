"""A tip about one case whose appeal comes while its report is open or being finished."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.cybertipline import Trouble
from tests.fakes.filing_office import FilingOffice, office_home

from nightlight.model.case import CaseState, CaseStep
from nightlight.model.filing import Filing, TipState
from nightlight.transaction import StoredTip


@pytest.fixture(scope="module")
def lone_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a tip about one case, to be copied and never used itself."""
    return office_home(tmp_path_factory.mktemp("alone") / "home", "p")


@pytest.fixture
def office(lone_home: Path, tmp_path: Path) -> FilingOffice:
    home = tmp_path / "home"
    shutil.copytree(lone_home, home)
    return FilingOffice(home)


def tip(office: FilingOffice) -> StoredTip:
    [found] = office.tips()
    return found


def finishing(office: FilingOffice, trouble: Trouble) -> None:
    """Lose the answer to finishing, then let the account's owner appeal."""
    office.line.meanwhile["finish"] = lambda: office.line.suffers(trouble)
    office.file()
    assert tip(office).filing.state is TipState.FINISHING
    office.appeal()


def test_a_report_that_was_asked_to_finish_is_retracted_at_once_and_filed_once_if_upheld(
    office: FilingOffice,
) -> None:
    finishing(office, Trouble.LOST_BEFORE)
    [filing] = office.file()
    assert (filing.state, filing.remote_id) == (TipState.DRAFTED, "")
    assert [one.state for one in office.line.reports.values()] == ["retracted"]
    assert office.file() == []
    assert tip(office).appealed == office.first
    office.decide(office.first, CaseStep.UPHOLD, by="bea")
    office.file()
    assert office.filed() == {office.first: 1}
    assert tip(office).filing.failure == ""


def test_a_report_that_turns_out_to_be_finished_is_known_while_the_appeal_is_open(
    office: FilingOffice,
) -> None:
    finishing(office, Trouble.LOST_AFTER)
    [filing] = office.file()
    assert filing.state is TipState.FILED
    assert "tell the authority if that is overturned" in filing.failure
    assert office.case_state(office.first) is CaseState.APPEALED
    office.decide(office.first, CaseStep.OVERTURN, by="bea")
    assert "after it was filed: tell the authority" in tip(office).filing.failure
    assert tip(office).overturned == office.first


def test_a_report_that_is_not_finished_is_not_filed_once_its_case_is_overturned(
    office: FilingOffice,
) -> None:
    finishing(office, Trouble.LOST_BEFORE)
    office.decide(office.first, CaseStep.OVERTURN, by="bea")
    office.file()
    assert office.filed() == {}
    assert tip(office).filing.state is TipState.WITHDRAWN
    assert office.line.in_state("open") == []


@pytest.mark.parametrize("answer", [Trouble.LOST_BEFORE, Trouble.LOST_AFTER])
@pytest.mark.parametrize(("step", "times"), [(CaseStep.UPHOLD, 1), (CaseStep.OVERTURN, 0)])
def test_a_retraction_whose_answer_is_lost_is_asked_for_again(
    office: FilingOffice, answer: Trouble, step: CaseStep, times: int
) -> None:
    finishing(office, Trouble.LOST_BEFORE)
    office.line.suffers(answer)
    [filing] = office.file()
    assert filing.state is TipState.RETRACTING
    office.decide(office.first, step, by="bea")
    office.file()
    assert office.filed()[office.first] == times
    assert office.line.in_state("open") == []


def test_an_appeal_while_the_report_is_opened_stops_it_before_anything_else_is_sent(
    office: FilingOffice,
) -> None:
    office.line.meanwhile["open"] = office.appeal
    [filing] = office.file()
    assert filing.state is TipState.DRAFTED
    assert office.line.calls == ["schema", "open", "retract"]


def test_an_appeal_while_the_report_is_finished_leaves_it_filed(office: FilingOffice) -> None:
    office.line.meanwhile["finish"] = office.appeal
    [filing] = office.file()
    assert filing.state is TipState.FILED
    assert office.case_state(office.first) is CaseState.APPEALED


def lost(office: FilingOffice) -> Filing:
    """Return the filing once the report is gone that may have been finished."""
    finishing(office, Trouble.LOST_BEFORE)
    office.line.expire()
    office.file()
    filing = tip(office).filing
    assert filing.state is TipState.REFUSED
    assert "ask NCMEC" in filing.failure
    assert office.file() == []
    return filing


@pytest.mark.parametrize(("step", "times"), [(CaseStep.UPHOLD, 1), (CaseStep.OVERTURN, 0)])
def test_what_ncmec_never_had_waits_for_the_appeal_and_is_filed_once_or_never(
    office: FilingOffice, step: CaseStep, times: int
) -> None:
    filing = lost(office)
    office.tip_desk.refile(filing.tip_id, filing.remote_id, by="lena", reason="they said so")
    [after] = office.file()
    assert (after.state, after.denied) == (TipState.DRAFTED, (filing.remote_id,))
    office.decide(office.first, step, by="bea")
    office.file()
    assert office.filed()[office.first] == times
    told = [filing.remote_id.encode() in one.document for one in office.line.in_state("finished")]
    assert told == [True] * times


def test_a_retry_under_appeal_asks_about_the_report_and_files_nothing_anew(
    office: FilingOffice,
) -> None:
    filing = lost(office)
    office.tip_desk.retry(filing.tip_id, by="lena", reason="perhaps it is back")
    [after] = office.file()
    assert after.state is TipState.REFUSED
    assert office.line.calls.count("finish") == 1


def test_corrections_outlast_an_appeal_that_takes_the_report_back(office: FilingOffice) -> None:
    words = "Sells quibbleton by the crate."
    office.tip_desk.correct(
        tip(office).tip_id, [("narrative", words)], by="lena", reason="it said too little"
    )
    deadline = tip(office).deadline_at
    finishing(office, Trouble.LOST_BEFORE)
    office.file()
    office.decide(office.first, CaseStep.UPHOLD, by="bea")
    office.file()
    assert words.encode() in office.line.in_state("finished")[0].document
    assert tip(office).deadline_at == deadline


def test_a_tip_that_waits_for_an_appeal_and_one_that_was_filed_in_vain_are_listed(
    office: FilingOffice,
) -> None:
    finishing(office, Trouble.LOST_AFTER)
    with office.services.unit_of_work.read() as tx:
        assert [one.tip_id for one in tx.tips.waiting_for_appeals()] == [tip(office).tip_id]
        assert tx.tips.unfinished(office.clock.now()) == []
        assert len(tx.tips.unfinished(office.clock.now() + timedelta(hours=1))) == 1
    office.file()
    office.decide(office.first, CaseStep.OVERTURN, by="bea")
    now = office.services.clock.now()
    with office.services.unit_of_work.read() as tx:
        assert tx.tips.waiting_for_appeals() == []
        assert tx.tips.unfinished(now + timedelta(days=9)) == []
        assert [one.tip_id for one in tx.tips.filed_in_vain(now - timedelta(days=1))] == [
            tip(office).tip_id
        ]
        assert tx.tips.filed_in_vain(now + timedelta(days=1)) == []
