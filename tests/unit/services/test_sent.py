"""What was sent of a tip is kept, and is what its preview shows from then on."""

import hashlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.fakes.filing_office import FilingOffice, office_home
from typer.testing import CliRunner

from nightlight.cli.report import app
from nightlight.model.filing import TipState


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a tip, to be copied and never used itself."""
    return office_home(tmp_path_factory.mktemp("sent") / "home", "p")


@pytest.fixture
def office(drafted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilingOffice:
    shutil.copytree(drafted, tmp_path / "home")
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NIGHTLIGHT_INDEX_DIRECTORY", "none")
    return FilingOffice(tmp_path / "home")


def test_a_later_report_does_not_change_what_the_first_one_said(office: FilingOffice) -> None:
    office.file()
    [first] = office.tips()
    office.tip_desk.supplement(office.first, "more", by="ana", reason="r")
    office.file()
    assert office.states() == {TipState.FILED: 2}
    for tip in office.tips():
        shown = office.tip_desk.preview(tip.tip_id)
        assert hashlib.sha256(shown.document).hexdigest() == tip.filing.document
        assert shown.document == office.line.reports[tip.filing.remote_id].document
        assert shown.fault == ""
    done = CliRunner().invoke(app, ["preview", first.tip_id])
    assert "As it was sent" in done.output
    assert "reported before" not in done.output
    documents = CliRunner().invoke(app, ["preview", first.tip_id, "--xml"]).output
    assert documents.startswith("<?xml")


def test_it_is_kept_before_the_call_that_sends_it(office: FilingOffice) -> None:
    office.line.answers["open"] = 1000
    office.file()
    [tip] = office.tips()
    assert tip.filing.state is TipState.OPENING
    with office.services.unit_of_work.read() as tx:
        sent = tx.tips.sent(tip.tip_id)
    assert sent is not None
    assert hashlib.sha256(sent.documents[0]).hexdigest() == tip.filing.document


def test_what_is_not_sent_yet_is_shown_as_it_would_be(office: FilingOffice) -> None:
    [tip] = office.tips()
    assert office.tip_desk.preview(tip.tip_id).sent == ()


def test_it_is_sealed_and_what_was_changed_is_told(office: FilingOffice) -> None:
    office.file()
    [tip] = office.tips()
    with office.services.unit_of_work.begin() as tx:
        kept = tx.tips.sent(tip.tip_id)
        assert kept is not None
        tx.tips.keep_sent(kept.tip, (b"<report/>",), first=0)
        tx.commit_unrecorded()
    assert "its digest differs" in office.tip_desk.preview(tip.tip_id).fault
    with sqlite3.connect(office.services.settings.home / "nightlight.db") as connection:
        rows = connection.execute("SELECT sealed_document FROM sent_document").fetchall()
    assert not any(b"<report/>" in row[0] for row in rows)


def test_of_a_report_from_before_it_was_kept_later_files_alone_say_nothing(
    office: FilingOffice,
) -> None:
    office.line.answers["finish"] = 1000
    office.file()
    [tip] = office.tips()
    with sqlite3.connect(office.services.settings.home / "nightlight.db") as connection:
        connection.execute("DELETE FROM sent_document")
    with office.services.unit_of_work.begin() as tx:
        stored, _ = tx.tips.load(tip.tip_id)
        tx.tips.keep_sent(stored, (b"<fileDetails/>",), first=1)
        tx.commit_unrecorded()
    with office.services.unit_of_work.read() as tx:
        assert tx.tips.sent(tip.tip_id) is None
    assert office.tip_desk.preview(tip.tip_id).sent == ()
