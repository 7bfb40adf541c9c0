"""What was filed at another line than the one in force is no report where reports go now."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.fakes.filing_office import FilingOffice, office_home
from tests.synthetic.builders import TEXT, event_of
from typer.testing import CliRunner

from nightlight.adapters.schema_file import FileSchemaCache
from nightlight.cli.doctor import doctor
from nightlight.cli.report import app
from nightlight.errors import Conflict
from nightlight.model.case import CaseState, CaseStep
from nightlight.model.event import PostCreated
from nightlight.model.filing import Line, TipState
from nightlight.model.ids import CaseId

TEST, EARNEST = "http://127.0.0.1:9/test", "http://127.0.0.1:9/earnest"
_WHO = ("--by", "lena", "--reason", "a quibble")


@pytest.fixture(scope="module")
def tried_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a tip that was filed at a test service, to be copied and never used itself."""
    home = office_home(tmp_path_factory.mktemp("lines") / "home", "p")
    office = FilingOffice(home, at=f"{TEST}/")
    office.file()
    assert office.states() == {TipState.FILED: 1}
    return home


@pytest.fixture
def home(tried_out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(tried_out, tmp_path / "home")
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NIGHTLIGHT_INDEX_DIRECTORY", "none")
    monkeypatch.setenv("NIGHTLIGHT_CYBERTIPLINE_USER", "sim")
    monkeypatch.setenv("NIGHTLIGHT_CYBERTIPLINE_PASSWORD", "sim")
    monkeypatch.setattr("nightlight.cli.doctor.missing_walls", list)
    return tmp_path / "home"


def counted(office: FilingOffice) -> tuple[int, int, int]:
    total = office.services.report_decisions.reconcile().total
    return total.suspended, total.reported, total.reported_elsewhere


def documents(office: FilingOffice) -> list[str]:
    return [one.document.decode() for one in office.line.in_state("finished")]


def test_it_counts_at_the_line_where_it_was_filed_and_at_no_other(home: Path) -> None:
    assert counted(FilingOffice(home, at=TEST)) == (1, 1, 0)
    assert counted(FilingOffice(home, at=EARNEST)) == (1, 0, 1)
    assert counted(FilingOffice(home)) == (1, 1, 0), "nothing is told apart without a line"


def test_a_report_at_another_line_is_not_named_as_one_before(home: Path) -> None:
    office = FilingOffice(home, at=EARNEST)
    office.take_in(event_of(PostCreated(post_id="q", account_id="a", text=TEXT), minutes=9))
    [case] = [one for one in office.outcome().cases if one.state is CaseState.OPEN]
    office.decide(case.id, CaseStep.CONFIRM)
    office.file()
    [document] = documents(office)
    assert "priorCTReports" not in document
    assert "reported before" not in document


def test_a_tip_drafted_while_another_line_was_in_force_names_no_report_there(home: Path) -> None:
    office = FilingOffice(home, at=TEST)
    office.take_in(event_of(PostCreated(post_id="q", account_id="a", text=TEXT), minutes=9))
    [case] = [one for one in office.outcome().cases if one.state is CaseState.OPEN]
    office.decide(case.id, CaseStep.CONFIRM)
    office = FilingOffice(home, at=EARNEST)
    office.file()
    [document] = documents(office)
    assert "priorCTReports" not in document
    assert "reported before" not in document


def test_it_is_filed_here_on_a_persons_order_and_counts_then(home: Path) -> None:
    office = FilingOffice(home, at=EARNEST)
    with pytest.raises(Conflict, match="nothing about this case is filed yet"):
        office.tip_desk.supplement(office.first, "more", by="lena", reason="r")
    said = CliRunner().invoke(
        app, ["draft", office.first, *_WHO], env={"NIGHTLIGHT_CYBERTIPLINE_URL": EARNEST}
    )
    assert said.exit_code == 0, said.output
    office.file()
    assert len(office.line.in_state("finished")) == 1
    assert counted(office) == (1, 1, 0)
    with office.services.unit_of_work.read() as tx:
        entries = [one.entry for one in tx.audit.entries() if one.entry.action == "tip.filed"]
    assert [one.detail["line"] for one in entries] == [TEST, EARNEST]


def test_list_doctor_and_reconciliation_say_so(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del home
    monkeypatch.setenv("NIGHTLIGHT_CYBERTIPLINE_URL", EARNEST)
    listed = json.loads(CliRunner().invoke(app, ["list", "--json"]).output)
    assert (listed["elsewhere"], listed["filing"]["line"]) == (TEST, TEST)
    assert f"filed at {TEST}" in listed["to_do"]
    assert f"nightlight report draft {listed['case_id']}" in listed["to_do"]
    assert (
        "at another line than the one in force: 1" in CliRunner().invoke(app, ["reconcile"]).output
    )
    with pytest.raises(BaseException, match="1"):
        doctor(json=True)
    found = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    [told] = [one for one in found if "filed at another line" in one["says"]]
    assert told["health"] == "warning"


def undrafted(office: FilingOffice) -> list[tuple[CaseId | None, ...]]:
    """Return what is to be drafted anew as it is listed, and as it is counted."""
    with office.services.unit_of_work.read() as tx:
        counted = [one.undrafted for one in tx.tips.filed_elsewhere()]
    return [tuple(one.undrafted for one in office.tips() if one.elsewhere), tuple(counted)]


def test_nothing_is_ordered_of_it_once_its_case_has_a_tip_here(home: Path) -> None:
    office = FilingOffice(home, at=EARNEST)
    assert undrafted(office) == [(office.first,), (office.first,)]
    office.tip_desk.order(office.first, None, by="lena", reason="r")
    assert undrafted(office) == [(None,), ()], "drafted"
    office.file()
    assert undrafted(office) == [(None,), ()], "filed"
    there = FilingOffice(home, at="http://127.0.0.1:9/third")
    assert undrafted(there) == [(there.first,) * 2, (there.first,) * 2]


def test_nothing_is_drafted_anew_of_a_case_that_was_overturned(home: Path) -> None:
    office = FilingOffice(home, at=EARNEST)
    office.appeal()
    office.decide(office.first, CaseStep.OVERTURN, by="bea")
    assert undrafted(office) == [(None,), ()]


def test_a_report_that_is_open_elsewhere_is_left_to_expire_and_filed_here(tmp_path: Path) -> None:
    home = office_home(tmp_path / "home", "p")
    office = FilingOffice(home, at=TEST)
    office.line.answers["finish"] = 1000
    office.file()
    assert office.states() == {TipState.FINISHING: 1}
    with sqlite3.connect(home / "nightlight.db") as connection:
        connection.execute(
            "UPDATE cybertip SET state = 'opened', filing = json_set(filing, '$.state', 'opened',"
            " '$.finish_asked', json('false'))"
        )
    there = FilingOffice(home, at=EARNEST)
    there.clock.at = office.clock.at
    there.file()
    assert there.states() == {TipState.FILED: 1}
    assert len(there.line.in_state("finished")) == 1


def test_what_may_be_finished_elsewhere_waits_for_a_person(tmp_path: Path) -> None:
    home = office_home(tmp_path / "home", "p")
    office = FilingOffice(home, at=TEST)
    office.line.answers["finish"] = 1000
    office.file()
    there = FilingOffice(home, at=EARNEST)
    there.clock.at = office.clock.at
    there.file()
    assert there.states() == {TipState.REFUSED: 1}
    assert "open" not in there.line.calls
    [tip] = there.tips()
    assert TEST in tip.filing.failure
    there.tip_desk.refile(tip.tip_id, tip.filing.remote_id, by="lena", reason="they said so")
    there.file()
    assert there.states() == {TipState.FILED: 1}
    assert "finish" in there.line.calls[-1]


def test_what_was_filed_before_lines_were_kept_is_noted_as_filed_at_the_one_now(home: Path) -> None:
    with sqlite3.connect(home / "nightlight.db") as connection:
        connection.execute(
            "UPDATE cybertip SET line = NULL, filing = json_set(filing, '$.line', '')"
        )
    assert counted(FilingOffice(home, at=EARNEST)) == (1, 1, 0), "not known to differ"
    FilingOffice(home, at=TEST).file()
    office = FilingOffice(home, at=EARNEST)
    assert counted(office) == (1, 0, 1)
    with office.services.unit_of_work.read() as tx:
        assert [one.entry.action for one in tx.audit.entries()].count("tip.line_noted") == 1


@pytest.mark.parametrize(("remote_id", "noted"), [("", 0), ("7000001", 1)])
def test_a_tip_that_was_refused_before_it_was_opened_was_at_no_line(
    home: Path, remote_id: str, noted: int
) -> None:
    office = FilingOffice(home, at=TEST)
    office.tip_desk.supplement(office.first, "more", by="lena", reason="r")
    [tip] = [one for one in office.tips() if one.filing.state is TipState.DRAFTED]
    refused = replace(
        tip.filing, state=TipState.REFUSED, remote_id=remote_id, revision=tip.filing.revision + 1
    )
    with office.services.unit_of_work.begin() as tx:
        tx.tips.save(refused, at=office.clock.now())
        tx.commit_unrecorded()
    with office.services.unit_of_work.begin() as tx:
        assert tx.tips.note_line() == noted


def test_another_address_of_the_same_line_is_the_same_line() -> None:
    line = Line(address=EARNEST, formerly=(f"{TEST}/",))
    assert all(line.has(one) for one in (TEST, f"{EARNEST}/", ""))
    assert not line.has("http://127.0.0.1:9/else")


def test_the_schema_of_one_line_is_not_held_against_documents_for_another(tmp_path: Path) -> None:
    at = FilingOffice(office_home(tmp_path / "home", "p")).clock.at
    FileSchemaCache(tmp_path / "schema", line=TEST).save(b"<xsd/>", at=at)
    assert FileSchemaCache(tmp_path / "schema", line=TEST).load() == (b"<xsd/>", at)
    assert FileSchemaCache(tmp_path / "schema", line=EARNEST).load() is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("'$.receipt', 'forged'", "its receipt is not the one that was filed"),
        ("'$.remote_id', '999'", "its report id is not the one that was filed"),
        ("'$.line', 'http://127.0.0.1:9/x'", "its line is not the one that was filed"),
    ],
)
def test_a_receipt_that_was_changed_is_found_and_named(
    home: Path, change: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert CliRunner().invoke(app, ["receipts"]).exit_code == 0
    with sqlite3.connect(home / "nightlight.db") as connection:
        connection.execute(f"UPDATE cybertip SET filing = json_set(filing, {change})")
    done = CliRunner().invoke(app, ["receipts", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout.splitlines()[0])["says"] == says
    with pytest.raises(BaseException, match="1"):
        doctor()
    assert "report receipts" in capsys.readouterr().out


def test_a_tip_that_is_no_longer_filed_or_was_never_is_found(home: Path) -> None:
    with sqlite3.connect(home / "nightlight.db") as connection:
        for name in ("cybertip_stays_filed", "cybertip_kept"):
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE cybertip SET id = 'tip_other'")
    done = CliRunner().invoke(app, ["receipts"])
    assert "the record says that it was filed, and it is not" in done.output
    assert "tip_other: it is stored as filed, and the record does not say so" in done.output
