"""What a person is told to do about a tip, with the command."""

import pytest

from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import CaseId, TipId
from nightlight.report.progress import ASK_FIRST
from nightlight.report.remedy import remedy

_WHY = "--by WHO --reason WHY"
_CASE = CaseId("case-9")


def told(
    state: TipState,
    *,
    remote_id: str = "",
    failure: str = "",
    appealed: CaseId | None = None,
    overturned: CaseId | None = None,
) -> str:
    filing = Filing(tip_id=TipId("tip-1"), state=state, remote_id=remote_id, failure=failure)
    return remedy(filing, appealed=appealed, overturned=overturned)


def test_a_report_that_may_have_been_finished_is_asked_about_before_it_is_filed_anew() -> None:
    said = told(TipState.REFUSED, remote_id="7000001", failure=f"answered 5001; {ASK_FIRST}")
    rest = "tip-1 --report 7000001 --by WHO --reason 'what NCMEC said'"
    assert said.startswith(
        f"ask NCMEC whether they have report 7000001. If they do: nightlight report found {rest}."
        f" Only if not: nightlight report refile {rest}"
    )


def test_a_refused_tip_names_the_report_that_may_be_open() -> None:
    said = told(TipState.REFUSED, remote_id="7000001", failure="answered 4000")
    assert "report 7000001 may be open" in said
    assert said.endswith(f"nightlight report retry tip-1 {_WHY}")


def test_a_refused_tip_without_a_report_is_retried_once_it_is_mended() -> None:
    said = told(TipState.REFUSED, failure="answered 4100", appealed=_CASE)
    assert said == (
        f"mend what it was refused for, then: nightlight report retry tip-1 {_WHY}. If it will"
        f" never be filed there: nightlight report abandon tip-1 {_WHY}"
    )


def test_an_appeal_is_to_be_answered() -> None:
    said = told(TipState.DRAFTED, appealed=_CASE)
    assert "nightlight case answer case-9 --uphold (or --overturn) --reviewer WHO" in said


@pytest.mark.parametrize(("remote_id", "what"), [("7000001", "report 7000001"), ("", "tip-1")])
def test_the_authority_is_to_be_told_of_what_was_filed_in_vain(remote_id: str, what: str) -> None:
    said = told(TipState.FILED, remote_id=remote_id, overturned=_CASE)
    assert said.startswith("tell the authority that case-9 was overturned")
    assert what in said


@pytest.mark.parametrize("state", [TipState.FILED, TipState.WITHDRAWN, TipState.DRAFTED])
def test_where_nothing_is_to_be_done_nothing_is_said(state: TipState) -> None:
    assert told(state) == ""
    if state is not TipState.DRAFTED:
        assert told(state, appealed=_CASE) == ""


def test_a_tip_that_cannot_be_read_is_restored_and_meanwhile_reported_by_hand() -> None:
    filing = Filing(tip_id=TipId("tip-1"), state=TipState.DRAFTED)
    said = remedy(filing, appealed=None, overturned=None, trouble="its filing is cut off")
    assert said.startswith("its filing is cut off: restore")
    assert "report by hand" in said


def test_a_tip_that_was_filed_elsewhere_is_drafted_anew() -> None:
    filing = Filing(tip_id=TipId("tip-1"), state=TipState.FILED)
    said = remedy(
        filing,
        appealed=None,
        overturned=None,
        elsewhere="https://exttest.example.test/ispws",
        undrafted=CaseId("case-1"),
    )
    assert "https://exttest.example.test/ispws" in said
    assert said.endswith("nightlight report draft case-1 --by WHO --reason WHY")


def of_filed(
    *,
    trouble: str = "",
    elsewhere: str = "",
    overturned: CaseId | None = None,
    undrafted: CaseId | None = None,
    state: TipState = TipState.FILED,
) -> str:
    return remedy(
        Filing(tip_id=TipId("tip-1"), state=state),
        appealed=None,
        overturned=overturned,
        trouble=trouble,
        elsewhere=elsewhere,
        undrafted=undrafted,
    )


def test_what_is_filed_is_never_to_be_reported_by_hand() -> None:
    said = of_filed(trouble="its filing is cut off")
    assert said.startswith("its filing is cut off: restore")
    assert "it was filed, and is not to be reported again" in said
    assert "by hand" not in said
    assert of_filed(trouble="its filing is cut off", state=TipState.WITHDRAWN) == ""


def test_the_authority_is_told_also_where_the_tip_cannot_be_read_or_was_filed_elsewhere() -> None:
    said = of_filed(trouble="its filing is cut off", overturned=_CASE)
    assert said.startswith("tell the authority that case-9 was overturned after tip-1 was filed; ")
    said = of_filed(elsewhere="https://exttest.example.test/ispws", overturned=_CASE)
    assert said == "tell the authority that case-9 was overturned after package tip-1 was filed"


@pytest.mark.parametrize(
    ("receipt", "name"),
    [
        ('{"package":"pack_0a1b.tar","sha256":"00","members":{}}', "pack_0a1b.tar"),
        ('{"sha256":"00"}', "tip-1"),
        ("<ok/>", "tip-1"),
    ],
)
def test_a_package_is_told_by_the_name_that_who_fetched_it_knows(receipt: str, name: str) -> None:
    filing = Filing(tip_id=TipId("tip-1"), state=TipState.FILED, receipt=receipt)
    said = remedy(filing, appealed=None, overturned=_CASE)
    assert said == f"tell the authority that case-9 was overturned after package {name} was filed"


def test_nothing_is_drafted_anew_that_is_reported_here_since() -> None:
    assert of_filed(elsewhere="https://exttest.example.test/ispws") == ""


def test_nothing_is_reported_by_hand_of_a_case_that_was_overturned() -> None:
    said = of_filed(trouble="its filing is cut off", overturned=_CASE, state=TipState.DRAFTED)
    assert "report by hand, but nothing of case-9, which was overturned" in said
