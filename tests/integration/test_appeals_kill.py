"""Appeals of a tip whose filing was killed while the CyberTipline had it in hand."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from tests.fakes.filing_office import office_home
from tests.fakes.simulators import Simulator
from tests.integration.launcher import Launcher

from nightlight.adapters.sql.database import open_engine
from nightlight.bootstrap import build_services
from nightlight.model.case import CaseStep
from nightlight.model.filing import TipState
from nightlight.review.resolve import Resolution
from nightlight.settings import read_settings
from nightlight.transaction import StoredTip

_LATE_S = 60.0
_DAY_S = 25 * 3600
_ENDS = [(CaseStep.UPHOLD, "finished"), (CaseStep.OVERTURN, "withdrawn")]


@pytest.fixture(scope="module")
def lone_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a tip about one case, to be copied and never used itself."""
    return office_home(tmp_path_factory.mktemp("alone") / "home", "p")


@pytest.fixture(scope="module")
def launcher(command_environment: Callable[..., dict[str, str]]) -> Iterator[Launcher]:
    started = Launcher(command_environment())
    yield started
    started.close()


class Filing:
    """Commands that file a tip with a simulated CyberTipline, and a reviewer beside them."""

    def __init__(
        self, home: Path, line: Simulator, launcher: Launcher, environment: dict[str, str]
    ) -> None:
        self.line = line
        self._launcher = launcher
        self._output = home / "output.txt"
        self._environment = environment | {
            "NIGHTLIGHT_HOME": str(home),
            "NIGHTLIGHT_CYBERTIPLINE_URL": f"{line.url}/ispws",
            "NIGHTLIGHT_CYBERTIPLINE_USER": "sim",
            "NIGHTLIGHT_CYBERTIPLINE_PASSWORD": "sim",
            "NIGHTLIGHT_REPORTER_EMAIL": "reporter@zorbleflux.example.test",
        }
        self.services = build_services(read_settings(self._environment))
        self._engine = open_engine(f"sqlite:///{home / 'nightlight.db'}")

    def close(self) -> None:
        self._engine.dispose()

    def run(self, *arguments: str) -> str:
        """Run a command to its end, an hour later, and return what it said."""
        self._output.write_bytes(b"")
        self._let_time_pass()
        self._launcher.start(*arguments, environment=self._environment, output=self._output).wait()
        return self._output.read_text()

    def kill_while(self, state: str) -> None:
        """File, and kill the process once the line has a report in this state."""
        self._let_time_pass()
        command = self._launcher.start(
            "report", "file", environment=self._environment, output=self._output
        )
        while not self.reports()[state]:
            assert command.poll() is None, self._output.read_text()
        command.kill()
        assert command.wait() < 0

    def _let_time_pass(self) -> None:
        with self._engine.begin() as connection:
            connection.execute(text("UPDATE cybertip SET next_us = 0"))

    def fault(self, path: str, kind: str) -> None:
        fault = {"path": path, "kind": kind, "delay_s": _LATE_S}
        self.line.post("/_faults", msgspec.json.encode(fault)).raise_for_status()

    def reports(self) -> Counter[str]:
        return Counter(one["state"] for one in self.all_reports())

    def all_reports(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self.line.state()["reports"]
        return told

    def tip(self) -> StoredTip:
        with self.services.unit_of_work.read() as tx:
            [found] = tx.tips.newest(9)
        return found

    def decide(self, step: CaseStep, by: str = "bea") -> None:
        resolution = Resolution(step=step, reviewer=by, reason="r")
        self.services.review.decide(self.tip().case_id, resolution)


@pytest.fixture
def filing(
    lone_home: Path,
    tmp_path: Path,
    launcher: Launcher,
    command_environment: Callable[..., dict[str, str]],
) -> Iterator[Filing]:
    home = tmp_path / "home"
    shutil.copytree(lone_home, home)
    with Simulator("cybertipline", "--strict") as line:
        opened = Filing(home, line, launcher, command_environment())
        yield opened
        opened.close()


def test_a_report_that_was_finished_when_its_filer_was_killed_is_known_under_appeal(
    filing: Filing,
) -> None:
    filing.fault("/finish", "delay")
    filing.kill_while("finished")
    assert filing.tip().filing.state is TipState.FINISHING
    filing.decide(CaseStep.APPEAL)
    filing.run("report", "file")
    tip = filing.tip()
    assert tip.filing.state is TipState.FILED
    assert "5102" in tip.filing.receipt
    filing.decide(CaseStep.OVERTURN)
    assert f"tell the authority that {tip.case_id} was overturned" in filing.run("report", "list")
    assert filing.reports() == {"finished": 1}


@pytest.mark.parametrize(("step", "becomes"), _ENDS)
def test_a_report_that_was_retracted_when_its_filer_was_killed_is_filed_anew_only_if_upheld(
    filing: Filing, step: CaseStep, becomes: str
) -> None:
    filing.fault("/finish", "drop_request")
    filing.run("report", "file")
    filing.decide(CaseStep.APPEAL)
    filing.fault("/retract", "delay")
    filing.kill_while("retracted")
    assert filing.tip().filing.state is TipState.RETRACTING
    filing.decide(step)
    filing.run("report", "file")
    upheld = becomes == "finished"
    assert filing.tip().filing.state is (TipState.FILED if upheld else TipState.WITHDRAWN)
    assert filing.reports() == Counter({"retracted": 1}) + Counter({becomes: int(upheld)})


def test_a_report_that_expired_while_nobody_filed_is_asked_about_and_then_filed_once(
    filing: Filing,
) -> None:
    filing.fault("/finish", "drop_request")
    filing.run("report", "file")
    filing.decide(CaseStep.APPEAL)
    filing.line.post("/_clock", {"seconds": _DAY_S})
    filing.run("report", "file")
    tip_id, remote_id = filing.tip().tip_id, filing.tip().filing.remote_id
    assert filing.tip().filing.state is TipState.REFUSED
    refile = f"report refile {tip_id} --report {remote_id}"
    assert f"nightlight {refile} --by WHO" in filing.run("report", "list")
    said = filing.run(*refile.split(), "--by", "lena", "--reason", "they said so")
    assert f"{tip_id} is due again" in said
    filing.run("report", "file")
    assert filing.tip().filing.state is TipState.DRAFTED
    assert filing.reports() == {}
    filing.decide(CaseStep.UPHOLD)
    filing.run("report", "file")
    assert filing.tip().filing.state is TipState.FILED
    [report] = filing.all_reports()
    assert report["state"] == "finished"
