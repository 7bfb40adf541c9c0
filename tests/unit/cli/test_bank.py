"""``nightlight bank`` says what it did, and shows no hash to a person."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from nightlight.cli.bank import app
from nightlight.errors import Conflict, InvalidInput, NightlightError, NotFound

_MD5 = "0a" * 16
_WHO = ("--by", "ana", "--reason", "to see")
_WRONG_USE = 2

Run = Callable[..., Result]


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``nightlight bank`` in a state folder of its own."""
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NIGHTLIGHT_INDEX_DIRECTORY", "none")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return run


@pytest.fixture
def imported(bank: Run, tmp_path: Path) -> Run:
    """A bank of one entry, imported from a file with one bad line."""
    file = tmp_path / "list.ndjson"
    good = {"kind": "md5", "value": _MD5, "id": "entry-1", "classification": "A1"}
    file.write_text(f"{json.dumps(good)}\n{{}}\n")
    done = bank("import", str(file), "--name", "quibble", *_WHO)
    assert (done.exit_code, "1 added" in done.stdout) == (1, True), done.stderr
    return bank


def rows(done: Result) -> list[dict[str, Any]]:
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_entry_is_changed_explained_and_withdrawn(imported: Run) -> None:
    assert imported("opinion", "entry-1", "disputed", *_WHO).exit_code == 0
    until = ("--until", "2027-01-31T12:00Z")
    assert imported("disable", "entry-1", *until, *_WHO).exit_code == 0
    (shown,) = rows(imported("show", "quibble", "--json"))
    assert shown["entries"] == {"disabled": 1}
    assert [one["changed"] for one in shown["versions"]] == [1, 1, 0]
    (then,) = rows(imported("explain", "entry-1", "--version", "1", "--json"))
    assert (then["entry"]["opinion"], then["entry"]["state"]) == ("positive", "active")
    assert then["bank"]["threshold_bits"] == 31
    assert "value" not in then["entry"]
    (done,) = rows(imported("withdraw", "quibble", "--entry", "entry-1", "--json", *_WHO))
    assert done == {"bank": "quibble", "withdrawn": 1}


def test_settings_are_made_and_changed(bank: Run) -> None:
    (made,) = rows(bank("create", "zorble", "--purpose", "negative", "--json", *_WHO))
    assert (made["purpose"], made["threshold_bits"]) == ("negative", 31)
    (changed,) = rows(bank("set", "zorble", "--threshold", "9", "--ratio", "0.5", "--json", *_WHO))
    assert (changed["purpose"], changed["threshold_bits"]) == ("negative", 9)
    (listed,) = rows(bank("list", "--json"))
    assert listed["bank"] == changed
    table = bank("list").stdout
    assert "zorble" in table
    assert "negative" in table


@pytest.mark.parametrize(
    ("arguments", "refusal", "told"),
    [
        (("create", "two words", *_WHO), InvalidInput, "not a name"),
        (("create", "zorble", "--threshold", "32", *_WHO), InvalidInput, "threshold_bits"),
        (("create", "quibble", *_WHO), Conflict, "there is a bank"),
        (("set", "nowhere", "--threshold", "1", *_WHO), NotFound, "no hash bank"),
        (("show", "nowhere"), NotFound, "no hash bank"),
        (("export", "nowhere", *_WHO), NotFound, "no hash bank"),
        (("opinion", "nothing", "negative", *_WHO), NotFound, "no entry"),
        (("disable", "entry-1", "--until", "soon", *_WHO), InvalidInput, "not a time"),
        (("release", "1", *_WHO), NotFound, "no held update"),
        (("release", "1", "--dry-run", *_WHO), NotFound, "no held update"),
        (("reject", "1", *_WHO), NotFound, "no held update"),
        (("explain", "entry-1", "--version", "0"), NotFound, "no entry"),
    ],
)
def test_wrong_use_is_told(
    imported: Run, arguments: tuple[str, ...], refusal: type[NightlightError], told: str
) -> None:
    done = imported(*arguments)
    assert isinstance(done.exception, refusal)
    assert told in str(done.exception)


@pytest.mark.parametrize(
    "arguments", [("withdraw", "quibble"), ("export", "quibble", "--by", "ana"), ("release", "x")]
)
def test_who_and_why_must_be_said(bank: Run, arguments: tuple[str, ...]) -> None:
    assert bank(*arguments).exit_code == _WRONG_USE


def test_hashes_go_to_programs_and_to_new_files(imported: Run, tmp_path: Path) -> None:
    (line,) = rows(imported("export", "quibble", *_WHO))
    assert line["value"] == _MD5
    output = tmp_path / "out.csv"
    to_file = ("export", "quibble", "--csv", "--output", str(output), *_WHO)
    done = imported(*to_file)
    assert (done.exit_code, _MD5 in done.output) == (0, False)
    assert output.stat().st_mode & 0o777 == 0o600
    assert f"md5,{_MD5},A1,entry-1" in output.read_text()
    assert isinstance(imported(*to_file).exception, Conflict), "it is there already"


def test_a_held_update_is_shown_and_released(imported: Run, tmp_path: Path) -> None:
    file = tmp_path / "held.ndjson"
    held = {"kind": "md5", "value": "0b" * 16, "id": "entry-2", "state": "held"}
    file.write_text(json.dumps(held))
    assert imported("import", str(file), "--name", "quibble", *_WHO).exit_code == 0
    assert "quibble" in imported("held").stdout
    enabled = imported("enable", "entry-2", *_WHO)
    assert ("nothing to change" in enabled.stdout, "bank held" in enabled.stderr) == (True, True)
    (update,) = rows(imported("held", "--json"))
    version = str(update["version"])
    (tried,) = rows(imported("release", version, "--dry-run", "--json", *_WHO))
    assert (tried["entries"], tried["dry_run"]) == (1, True)
    assert "1 entries act from now on" in imported("release", version, *_WHO).stdout
    assert rows(imported("held", "--json")) == []


def test_a_dry_run_stores_nothing(bank: Run, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"kind,value\nmd5,{_MD5}\n")
    (done,) = rows(bank("import", str(file), "--name", "quibble", "--dry-run", "--json", *_WHO))
    assert (done["added"], done["dry_run"]) == (1, True)
    assert rows(bank("list", "--json")) == []


def test_nothing_held_is_said(bank: Run) -> None:
    done = bank("held")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "No update is held." in done.stderr
