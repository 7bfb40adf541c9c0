"""``nightlight report`` says what became of every suspension, and takes a person's word."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import text
from tests.fakes.desk import KNOWN_MD5, Desk
from tests.synthetic.builders import event_of
from typer.testing import CliRunner, Result

from nightlight.adapters.sql.database import open_engine
from nightlight.cli.doctor import doctor
from nightlight.cli.policy import app as policy_app
from nightlight.cli.report import app
from nightlight.errors import InvalidInput
from nightlight.model.event import MediaUploaded
from nightlight.services.rules import default_policy

_WHO = ("--by", "ana", "--reason", "a quibble")
Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A state folder in which the policy locked one account."""
    media = MediaUploaded(media_id="media-1", account_id="ada", md5=KNOWN_MD5)
    Desk(tmp_path).take_in(event_of(media))
    return tmp_path


@pytest.fixture
def report(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``nightlight report`` over that folder."""
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(home))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return run


def rows(done: Result) -> list[dict[str, Any]]:
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def action_of(report: Run) -> str:
    [one] = rows(report("undecided", "--json"))
    name: str = one["id"]
    return name


def test_reconciliation_has_the_documented_shape(report: Run) -> None:
    [found] = rows(report("reconcile", "--json"))
    month = found["months"][0].pop("month")
    assert month == found["at"][:7]
    assert found["months"][0].pop("explained_by_reason") == found["explained_by_reason"]
    assert found["months"] == [found["total"]]
    assert found["total"] == {
        "suspended": 1,
        "reported": 0,
        "explained": 0,
        "undecided": 1,
        "unexplained": 0,
        "oldest_undecided_days": 0,
        "overdue": 0,
        "reported_elsewhere": 0,
        "undecided_ages": {
            "under_1_day": 1,
            "under_7_days": 0,
            "under_30_days": 0,
            "older": 0,
        },
    }
    assert (found["explained_by_reason"], found["overdue"]) == ({}, 0)
    assert "in all" in report("reconcile").stdout


def test_person_explains_and_everybody_can_see_why(report: Run) -> None:
    action = action_of(report)
    assert "a person" in report("undecided").stdout
    [after] = rows(report("decide", action, "--report", "--json", *_WHO))
    assert (after["decision"]["state"], after["decision"]["says"]) == ("undecided", "report")
    [waiting] = rows(report("undecided", "--json"))
    assert waiting["waits_for"]["what"] == "a tip, once its case is confirmed"
    command = f"{action}: {waiting['waits_for']['command']}"
    assert command in report("undecided").stdout
    assert command in report("decide", action, "--report", *_WHO).stdout
    done = report("decide", action, "--not", "wrong_account", *_WHO)
    assert "is explained: wrong_account" in done.stdout
    [told] = rows(report("decision", action, "--json"))
    assert [one["version"] for one in told["decisions"]] == [1, 2, 3, 4]
    assert "a quibble" in report("decision", action).stdout
    assert report("reconcile").stdout.split("explained by")[1].split()[1] == "wrong_account"


@pytest.mark.parametrize("answer", [(), ("--report", "--not", "wrong_account")])
def test_one_answer_is_needed(report: Run, answer: tuple[str, ...]) -> None:
    done = report("decide", "act_x", *answer, *_WHO)
    assert isinstance(done.exception, InvalidInput)


def test_reasons_are_those_of_the_policy(report: Run) -> None:
    assert "wrong_account" in {one["name"] for one in rows(report("reasons", "--json"))}
    assert "no apparent violation" in report("reasons").stdout


def test_threshold_to_come_is_tried_out_without_being_in_force(report: Run, home: Path) -> None:
    file = home / "policy.toml"
    known = default_policy().decode().replace("other_matters = []", 'other_matters = ["x"]')
    file.write_text(known.replace('\nversion = "1"', '\nversion = "2"'))
    assert rows(report("reconsider", "--dry-run", "--policy", str(file), "--json")) == []
    assert report("reconsider", "--dry-run").exit_code == 0
    assert isinstance(report("reconsider", "--policy", str(file)).exception, InvalidInput)
    gone = report("reconsider", "--dry-run", "--policy", str(home / "none.toml"))
    assert isinstance(gone.exception, InvalidInput)
    assert rows(report("reconsider", "--json", *_WHO)) == []
    done = CliRunner().invoke(policy_app, ["activate", str(file), *_WHO, "--json"])
    assert json.loads(done.stdout)["threshold"] == "own-material@2"


def test_activating_says_who_would_be_decided_otherwise(report: Run, home: Path) -> None:
    rows(report("decide", action_of(report), "--report", "--json", *_WHO))
    file = home / "policy.toml"
    other = (
        default_policy().decode().replace("other_matters = []", 'other_matters = ["known_media"]')
    )
    file.write_text(other.replace('\nversion = "1"', '\nversion = "2"'))
    done = CliRunner().invoke(policy_app, ["activate", str(file), *_WHO])
    assert "would report 0 past account actions that were not, and not 1 that were" in done.stdout
    assert "no longer" in report("reconsider", "--dry-run").stdout
    [flip] = rows(report("reconsider", "--dry-run", "--json"))
    assert (flip["is_reportable"], flip["now"]["reason"]) == (False, "other_matter")


def test_unexplained_suspension_is_wrong_wherever_it_is_looked_for(
    report: Run, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = open_engine(f"sqlite:///{home / 'nightlight.db'}")
    with engine.connect() as connection:
        connection.execute(text("DROP TRIGGER account_action_effect_kept"))
        connection.execute(text("DELETE FROM account_action_effect"))
        connection.commit()
    engine.dispose()
    done = report("reconcile", "--json")
    assert (done.exit_code, json.loads(done.stdout)["total"]["unexplained"]) == (1, 1)
    with pytest.raises(typer.Exit):
        doctor(json=True)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [said] = [one for one in told if one["part"] == "suspensions"]
    assert said["health"] == "wrong"


@pytest.mark.parametrize("who", [("--by", " ", "--reason", "x"), ("--by", "ana", "--reason", "")])
@pytest.mark.parametrize(
    "command",
    [
        (app, "supplement", "case_x", "--note", "x"),
        (app, "retry", "tip_x"),
        (policy_app, "activate", "policy.toml"),
    ],
)
def test_nothing_is_done_by_nobody_or_for_no_reason(
    command: tuple[typer.Typer, str], who: tuple[str, ...]
) -> None:
    wanted, *arguments = command
    assert isinstance(wanted, typer.Typer)
    done = CliRunner().invoke(wanted, [*map(str, arguments), *who])
    assert isinstance(done.exception, InvalidInput)
    assert done.exception.field == ("--by" if who[1] == " " else "--reason")
