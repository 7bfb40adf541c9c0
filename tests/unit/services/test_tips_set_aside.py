"""One tip that cannot be read stops no report of another, and is named with what to do."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.fakes.cybertip_store import HandClock
from tests.fakes.filing_office import FilingOffice, office_home
from tests.synthetic.builders import TEXT, event_of
from typer.testing import CliRunner

from nightlight.cli.doctor import doctor
from nightlight.cli.report import app
from nightlight.errors import IntegrityFailure, Unavailable
from nightlight.model.case import CaseState, CaseStep
from nightlight.model.event import PostCreated
from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import TipId
from nightlight.services.filing import Filers

_FLIP = "UPDATE cybertip SET sealed_tip = CAST(substr(sealed_tip, 1, 60) AS BLOB) WHERE id = ?"
_CUT = "UPDATE cybertip SET filing = substr(filing, 1, 20) WHERE id = ?"


@pytest.fixture(scope="module")
def three_tips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with three tips, to be copied and never used itself."""
    home = office_home(tmp_path_factory.mktemp("three") / "home", "p")
    office = FilingOffice(home)
    for name in ("b", "c"):
        office.take_in(event_of(PostCreated(post_id=f"of-{name}", account_id=name, text=TEXT)))
    for case in office.outcome().cases:
        if case.state is CaseState.OPEN:
            office.decide(case.id, CaseStep.CONFIRM)
    return home


@pytest.fixture
def office(three_tips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilingOffice:
    home = tmp_path / "home"
    shutil.copytree(three_tips, home)
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(home))
    monkeypatch.setenv("NIGHTLIGHT_INDEX_DIRECTORY", "none")
    monkeypatch.setattr("nightlight.cli.doctor.missing_walls", list)
    return FilingOffice(home)


def spoil(office: FilingOffice, how: str) -> TipId:
    """Spoil what is stored of the tip that is due first, and return its name."""
    with office.services.unit_of_work.read() as tx:
        first = tx.tips.due(HandClock().at.replace(year=9999), 1, destination="ncmec")[0]
    run(office, how, first)
    return first


def run(office: FilingOffice, sql: str, *values: object) -> None:
    path = office.services.settings.home / "nightlight.db"
    with sqlite3.connect(path) as connection:
        connection.execute(sql, values)


def rows(office: FilingOffice, sql: str, *values: object) -> list[object]:
    with sqlite3.connect(office.services.settings.home / "nightlight.db") as connection:
        return connection.execute(sql, values).fetchall()


def actions(office: FilingOffice) -> list[str]:
    with office.services.unit_of_work.read() as tx:
        return [one.entry.action for one in tx.audit.entries()]


@pytest.mark.parametrize("how", [_FLIP, _CUT])
def test_others_are_filed_and_it_is_told_of_once(office: FilingOffice, how: str) -> None:
    spoilt = spoil(office, how)
    office.file()
    office.file()
    assert office.states()[TipState.FILED] == 2
    assert len(office.line.in_state("finished")) == 2
    assert actions(office).count("tip.set_aside") == 1
    listed = CliRunner().invoke(app, ["list", "--json"])
    [told] = [one for one in map(json.loads, listed.output.splitlines()) if one["trouble"]]
    assert told["tip_id"] == spoilt
    assert "restore what is stored of it from a backup" in told["to_do"]
    said = CliRunner().invoke(app, ["list"]).output
    assert "set aside" in said


@pytest.mark.parametrize("how", [_FLIP, _CUT])
def test_doctor_names_what_to_do(
    office: FilingOffice, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(office, how)
    office.file()
    with pytest.raises(BaseException, match="1"):
        doctor(json=True)
    found = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    [told] = [one for one in found if "cannot be read" in one["says"]]
    assert told["health"] == "wrong"
    assert "docs/operations/tips.md" in told["mend"]


def test_it_goes_on_by_itself_once_it_is_restored(office: FilingOffice) -> None:
    spoilt = spoil(office, "UPDATE cybertip SET filing = 'x' || filing WHERE id = ?")
    office.file()
    run(office, "UPDATE cybertip SET filing = substr(filing, 2) WHERE id = ?", spoilt)
    office.file()
    assert office.states() == {TipState.FILED: 3}
    with office.services.unit_of_work.read() as tx:
        assert tx.tips.unreadable() == []


def test_late_ones_are_told_of_though_one_cannot_be_read(office: FilingOffice) -> None:
    spoil(office, _CUT)
    run(office, "UPDATE cybertip SET deadline_us = 1")
    assert len(office.services.deadlines.notice()) == 3
    assert actions(office).count("tip.overdue") == 3


def test_how_far_it_came_is_not_taken_for_known_where_it_is_needed(office: FilingOffice) -> None:
    spoilt = spoil(office, _CUT)
    with office.services.unit_of_work.read() as tx, pytest.raises(IntegrityFailure):
        tx.tips.load(spoilt)


def test_what_it_reports_is_kept_while_it_cannot_be_read(office: FilingOffice) -> None:
    spoilt = spoil(office, _CUT)
    with office.services.unit_of_work.begin() as tx:
        standing = tx.custody.standing(tx.tips.listed(spoilt).case_id)
    assert [one.state for one in standing.tips] == [TipState.DRAFTED]


def test_a_destination_that_fails_holds_up_no_other() -> None:
    class Away:
        def run_due(self, _: int) -> list[Filing]:
            raise Unavailable("zorbleflux")

    class There:
        asked = 0

        def run_due(self, _: int) -> list[Filing]:
            self.asked += 1
            return []

    there = There()
    with pytest.raises(Unavailable):
        Filers(Away(), there).run_due(9)
    assert there.asked == 1


def test_the_receipt_of_a_damaged_filing_is_never_written_over(office: FilingOffice) -> None:
    office.file()
    filed = next(one for one in office.tips() if one.case_id == office.first)
    run(office, _CUT, filed.tip_id)
    before = rows(office, "SELECT * FROM cybertip WHERE id = ?", filed.tip_id)
    office.appeal()
    office.decide(office.first, CaseStep.OVERTURN, by="bea")
    assert office.case_state(office.first) is CaseState.OVERTURNED
    assert rows(office, "SELECT * FROM cybertip WHERE id = ?", filed.tip_id) == before
    with office.services.unit_of_work.read() as tx:
        [told] = [one.entry for one in tx.audit.entries() if one.entry.action == "tip.set_aside"]
    assert told.subject == filed.tip_id
    assert "tell the authority" in told.reason
    damaged = replace(filed.filing, revision=filed.filing.revision + 1)
    with office.services.unit_of_work.begin() as tx, pytest.raises(IntegrityFailure):
        tx.tips.save(damaged, at=office.clock.now())


def test_refused_ones_are_retried_though_one_cannot_be_read(office: FilingOffice) -> None:
    office.line.answers["open"] = 4001
    office.file()
    assert office.states() == {TipState.REFUSED: 3}
    with office.services.unit_of_work.read() as tx:
        spoilt = tx.tips.refused()[0].tip_id
    run(office, _FLIP, spoilt)
    done = CliRunner().invoke(app, ["retry", "--all", "--by", "lena", "--reason", "mended"])
    assert done.exit_code == 1
    assert f"{spoilt} stays refused" in done.stderr
    assert "2 of 3 refused tips are due again" in done.stdout
    assert office.states() == {TipState.REFUSED: 1, TipState.DRAFTED: 2}


def test_a_refused_one_is_given_up_though_what_it_says_cannot_be_read(office: FilingOffice) -> None:
    office.line.answers["open"] = 4001
    office.file()
    with office.services.unit_of_work.read() as tx:
        first, second, _ = (one.tip_id for one in tx.tips.refused())
    run(office, _FLIP, first)
    office.tip_desk.abandon(first, by="lena", reason="the key is lost")
    assert office.states() == {TipState.REFUSED: 2, TipState.WITHDRAWN: 1}
    run(office, _CUT, second)
    with pytest.raises(IntegrityFailure):
        office.tip_desk.abandon(second, by="lena", reason="the key is lost")
