"""``nightlight report`` about a tip whose report may have been finished, and is gone."""

import contextlib
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from msgspec.structs import replace
from tests.fakes.cybertipline import Trouble
from tests.fakes.filing_office import FilingOffice, office_home
from tests.fakes.in_process import BEARER, TOKEN, client_of
from typer.testing import CliRunner, Result

from nightlight.cli.doctor import doctor
from nightlight.cli.report import app
from nightlight.errors import Conflict, InvalidInput, NotFound
from nightlight.model.case import CaseState, CaseStep
from nightlight.model.filing import Filing, TipState

_WHO = ("--by", "lena", "--reason", "NCMEC said so on the telephone")
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def lone_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a tip about one case, to be copied and never used itself."""
    return office_home(tmp_path_factory.mktemp("alone") / "home", "p")


@pytest.fixture
def office(lone_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilingOffice:
    """The office of the home that the commands here are about."""
    home = tmp_path / "home"
    shutil.copytree(lone_home, home)
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(home))
    monkeypatch.setenv("NIGHTLIGHT_INDEX_DIRECTORY", "none")
    # Looking whether decoders are walled in takes seconds, and other tests do.
    monkeypatch.setattr("nightlight.cli.doctor.missing_walls", list)
    return FilingOffice(home)


@pytest.fixture
def report() -> Run:
    """Run ``nightlight report``."""
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def filing(office: FilingOffice) -> Filing:
    [tip] = office.tips()
    return tip.filing


def lost(office: FilingOffice) -> Filing:
    """Lose the answer to finishing, and then the report."""
    office.line.meanwhile["finish"] = lambda: office.line.suffers(Trouble.LOST_BEFORE)
    office.file()
    office.line.expire()
    office.file()
    assert filing(office).state is TipState.REFUSED
    return filing(office)


def told(done: Result, kind: type[Exception]) -> str:
    assert isinstance(done.exception, kind), done.output
    return str(done.exception)


def test_what_ncmec_never_had_is_filed_anew_and_once(office: FilingOffice, report: Run) -> None:
    before = lost(office)
    done = report("refile", before.tip_id, "--report", before.remote_id, *_WHO)
    assert done.exit_code == 0, done.output
    assert f"asked about report {before.remote_id} once more" in done.output
    office.file()
    office.file()
    assert office.filed() == {office.first: 1}


def test_what_ncmec_has_is_filed_by_its_word_with_its_case_and_on_the_record(
    office: FilingOffice, report: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    before = lost(office)
    done = report("found", before.tip_id, "--report", before.remote_id, *_WHO)
    assert done.exit_code == 0, done.output
    assert f"{before.tip_id} is filed as report {before.remote_id}" in done.output
    after = filing(office)
    assert (after.state, after.remote_id) == (TipState.FILED, before.remote_id)
    assert "NCMEC said so on the telephone" in after.receipt
    assert office.case_state(office.first) is CaseState.REPORTED
    assert office.actions()[-1] == "tip.found"
    assert mends(capsys) == []
    assert office.file() == []
    said = told(report("found", before.tip_id, "--report", before.remote_id, *_WHO), Conflict)
    assert said.startswith("the tip is filed, and no report of it is lost")


def test_of_what_was_overturned_nothing_is_said_to_be_filed_anew(
    office: FilingOffice, report: Run
) -> None:
    lost(office)
    office.appeal()
    office.decide(office.first, CaseStep.OVERTURN, by="bea")
    office.file()
    before = filing(office)
    assert before.state is TipState.REFUSED
    done = report("refile", before.tip_id, "--report", before.remote_id, *_WHO)
    assert "none is opened of what is taken back" in done.output
    office.file()
    assert filing(office).state is TipState.WITHDRAWN


def test_a_tip_that_is_not_lost_is_not_filed_anew_and_it_is_said_what_becomes_of_it(
    office: FilingOffice, report: Run
) -> None:
    tip_id = filing(office).tip_id
    refile = ("refile", tip_id, "--report", "7000001", *_WHO)
    said = told(report(*refile), Conflict)
    assert said == (
        "the tip is drafted, and no report of it is lost"
        " (nothing is to be done: it goes on by itself)"
    )
    office.line.answers["finish"] = 5101
    office.file()
    said = told(report(*refile), Conflict)
    assert f"nightlight report retry {tip_id} --by WHO --reason WHY lets it go on" in said
    del office.line.answers["finish"]
    assert report("retry", tip_id, *_WHO).exit_code == 0
    office.file()
    office.file()
    said = told(report(*refile), Conflict)
    assert said.startswith("the tip is filed, and no report of it is lost")
    assert office.filed() == {office.first: 1}


def test_another_report_than_the_lost_one_is_not_denied(office: FilingOffice, report: Run) -> None:
    before = lost(office)
    said = told(report("refile", before.tip_id, "--report", "1", *_WHO), InvalidInput)
    assert said == (
        f"report: the report that may have been finished is {before.remote_id}, not 1"
        f" (ask NCMEC about {before.remote_id}, and give that number)"
    )
    assert filing(office) == before


@pytest.mark.parametrize(("by", "reason", "field"), [(" ", "why", "by"), ("lena", "", "reason")])
def test_nothing_is_filed_anew_without_a_person_and_what_ncmec_said(
    office: FilingOffice, report: Run, by: str, reason: str, field: str
) -> None:
    before = lost(office)
    who = ("--by", by, "--reason", reason)
    for command in (
        ("refile", before.tip_id, "--report", before.remote_id),
        ("retry", before.tip_id),
    ):
        said = told(report(*command, *who), InvalidInput)
        assert said == f"--{field}: it must not be empty: it stands in the record"
    assert filing(office) == before


@pytest.mark.parametrize("left_out", ["--report", "--by", "--reason"])
def test_what_is_left_out_of_the_command_is_named(report: Run, left_out: str) -> None:
    given = {"--report": "7000001", "--by": "lena", "--reason": "so"}
    del given[left_out]
    done = report("refile", "tip-1", *(part for pair in given.items() for part in pair))
    assert done.exit_code == 2
    assert f"Missing option '{left_out}'" in done.output


def test_an_unknown_tip_is_said_to_be_unknown(office: FilingOffice, report: Run) -> None:
    del office
    said = told(report("refile", "nowhere", "--report", "7000001", *_WHO), NotFound)
    assert said == "no tip nowhere (`nightlight report list` shows the tips)"


def mends(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str, str]]:
    """Return what ``doctor`` says of tips, and how it is mended."""
    capsys.readouterr()
    with contextlib.suppress(typer.Exit):
        doctor(json=True)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [(one["health"], one["says"], one["mend"]) for one in found if one["part"] == "tips"]


def listed(report: Run) -> dict[str, Any]:
    [one] = [json.loads(line) for line in report("list", "--json").stdout.splitlines()]
    found: dict[str, Any] = one
    return found


def page(office: FilingOffice) -> str:
    with client_of(office.services) as client:
        client.get("/", params={"token": TOKEN})
        return client.get("/reports", headers=BEARER).text


def test_list_doctor_and_page_say_with_the_command_what_to_do_about_a_lost_report(
    office: FilingOffice, report: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    before = lost(office)
    command = f"nightlight report refile {before.tip_id} --report {before.remote_id} --by WHO"
    said = mends(capsys)
    assert [(health, says) for health, says, _ in said] == [
        ("wrong", "1 tips were refused"),
        ("wrong", "1 tips are refused and may be filed already"),
    ]
    assert command in said[1][2]
    assert command in listed(report)["to_do"]
    assert command in report("list").output
    assert command in page(office)


def test_list_doctor_and_page_tell_of_an_appeal_and_of_what_was_filed_in_vain(
    office: FilingOffice, report: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    office.line.meanwhile["finish"] = lambda: office.line.suffers(Trouble.LOST_AFTER)
    office.file()
    office.appeal()
    command = f"nightlight case answer {office.first} --uphold (or --overturn)"
    [(health, says, mend)] = mends(capsys)
    assert (health, says) == ("warning", "1 tips wait for the end of an appeal")
    for said in (mend, listed(report)["to_do"], page(office)):
        assert command in said
    assert "Dropped there unless finished" in page(office)
    office.file()
    assert mends(capsys) == [], "it is known to be filed"
    office.decide(office.first, CaseStep.OVERTURN, by="bea")
    [(health, says, mend)] = mends(capsys)
    assert (health, says) == ("warning", "1 tips were filed of cases that were overturned lately")
    for said in (mend, listed(report)["to_do"], page(office)):
        assert f"tell the authority that {office.first} was overturned" in said
    assert "Dropped there unless finished" not in page(office)


def test_a_report_that_is_open_for_most_of_a_day_is_told_of_before_it_is_dropped(
    office: FilingOffice, report: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    del report
    office.clock.at -= timedelta(hours=22)
    office.line.answers["finish"] = 1000
    with office.services.unit_of_work.begin() as tx:
        due = replace(filing(office), next_attempt_at=None, revision=1)
        tx.tips.save(due, at=office.clock.at)
        tx.commit_unrecorded()
    office.file()
    assert filing(office).state is TipState.FINISHING
    [(health, says, mend)] = mends(capsys)
    assert (health, says) == (
        "wrong",
        "1 tips have a report open, unfinished for over 20 hours: NCMEC drops it after 24",
    )
    assert "nightlight report file goes on with them" in mend


def test_what_is_corrected_may_stand_in_a_file_that_no_shell_keeps(
    office: FilingOffice, report: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTLIGHT_REPORTER_EMAIL", "desk@example.test")
    tip_id = filing(office).tip_id
    (tmp_path / "said").write_text("[Name withheld] offered it.\n")
    assert report("correct", tip_id, "--set-from", f"narrative={tmp_path / 'said'}", *_WHO).output
    command = ["correct", tip_id, "--set-from", "high_priority=-", "--set", "incident_note=x"]
    done = CliRunner().invoke(app, [*command, *_WHO], input="now\n")
    assert "corrected in 2 field(s)" in done.stdout
    with office.services.unit_of_work.read() as tx:
        tip, _ = tx.tips.load(tip_id)
    assert (tip.narrative, tip.high_priority) == ("[Name withheld] offered it.", "now")
    (tmp_path / "bad").write_bytes(b"\xff")
    wrong: list[tuple[str, ...]] = [
        (),
        ("--set", "narrative"),
        *(("--set-from", f"narrative={tmp_path / name}") for name in ("none", "bad")),
    ]
    for more in wrong:
        assert isinstance(report("correct", tip_id, *more, *_WHO).exception, InvalidInput)
    twice = ("--note", "x", "--note-from", str(tmp_path / "said"))
    done = report("supplement", tip.case_id, *twice, *_WHO)
    assert isinstance(done.exception, InvalidInput)
    done = report("supplement", tip.case_id, *twice[2:], *_WHO)
    assert isinstance(done.exception, Conflict)


def test_refused_tips_are_listed_by_state_and_retried_together(
    office: FilingOffice, report: Run
) -> None:
    office.line.answers["finish"] = 5101
    office.file()
    del office.line.answers["finish"]
    assert report("list", "--state", "filed", "--json").output == ""
    assert json.loads(report("list", "--state", "refused", "--json").output)["tip_id"]
    assert isinstance(report("retry", *_WHO).exception, InvalidInput)
    done = report("retry", "--all", *_WHO)
    assert "1 of 1 refused tips are due again" in done.output
    office.file()
    office.file()
    assert office.states() == {TipState.FILED: 1}


def test_a_correction_that_was_not_held_against_the_schema_says_so(
    office: FilingOffice, report: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTLIGHT_REPORTER_EMAIL", "desk@example.test")
    done = report("correct", filing(office).tip_id, "--set", "narrative=A quibble.", *_WHO)
    assert done.exit_code == 0
    assert "Not held against the schema: no CyberTipline is configured" in done.stderr
