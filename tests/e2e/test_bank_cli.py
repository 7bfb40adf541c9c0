"""``nightlight bank`` as a person or a script uses it: real processes, files, exit codes."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nightlight.settings import environment_with

_LIMIT_S = 120
_MD5 = "0a" * 16
_WHO = ("--by", "ana", "--reason", "to see")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def bank(tmp_path: Path) -> Run:
    """Run ``nightlight bank`` in a state folder of its own."""

    def run(*arguments: str, stdout: int = subprocess.PIPE) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "nightlight", "bank", *arguments],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=_LIMIT_S,
            env=environment_with({"NIGHTLIGHT_HOME": str(tmp_path / "home")}),
            check=False,
        )

    return run


@pytest.fixture
def imported(bank: Run, tmp_path: Path) -> Run:
    """A bank of one entry, imported from a file with one bad line."""
    file = tmp_path / "list.ndjson"
    good = {"kind": "md5", "value": _MD5, "id": "entry-1", "classification": "A1"}
    file.write_text(f"{json.dumps(good)}\n{{}}\n")
    done = bank("import", str(file), "--name", "quibble", *_WHO)
    assert (done.returncode, "1 added" in done.stdout) == (1, True), done.stderr
    return bank


def rows(done: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_entry_is_changed_explained_and_withdrawn(imported: Run) -> None:
    assert imported("opinion", "entry-1", "disputed", *_WHO).returncode == 0
    until = ("--until", "2027-01-31T12:00Z")
    assert imported("disable", "entry-1", *until, *_WHO).returncode == 0
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
    ("arguments", "code", "told"),
    [
        (("create", "two words", *_WHO), 2, "not a name"),
        (("create", "zorble", "--threshold", "32", *_WHO), 2, "threshold_bits"),
        (("create", "quibble", *_WHO), 1, "there is a bank"),
        (("set", "nowhere", "--threshold", "1", *_WHO), 2, "no hash bank"),
        (("show", "nowhere"), 2, "no hash bank"),
        (("export", "nowhere", *_WHO), 2, "no hash bank"),
        (("opinion", "nothing", "negative", *_WHO), 2, "no entry"),
        (("disable", "entry-1", "--until", "soon", *_WHO), 2, "not a time"),
        (("release", "1", *_WHO), 2, "no held update"),
        (("release", "1", "--dry-run", *_WHO), 2, "no held update"),
        (("reject", "1", *_WHO), 2, "no held update"),
        (("explain", "entry-1", "--version", "0"), 2, "no entry"),
        (("withdraw", "quibble"), 2, "--by"),
    ],
)
def test_wrong_use_is_told(imported: Run, arguments: tuple[str, ...], code: int, told: str) -> None:
    done = imported(*arguments)
    assert done.returncode == code
    assert told in done.stderr


def test_hashes_go_to_programs_and_files_but_not_to_a_terminal(
    imported: Run, tmp_path: Path
) -> None:
    assert _MD5 in imported("export", "quibble", *_WHO).stdout
    ours, terminal = pty.openpty()
    try:
        refused = imported("export", "quibble", *_WHO, stdout=terminal)
        assert refused.returncode == 2
        assert "not shown on a terminal" in refused.stderr
        output = tmp_path / "out.csv"
        to_file = ("--csv", "--output", str(output))
        assert imported("export", "quibble", *to_file, *_WHO, stdout=terminal).returncode == 0
        assert _MD5.encode() not in os.read(ours, 4096)
    finally:
        os.close(ours)
        os.close(terminal)
    assert output.stat().st_mode & 0o777 == 0o600
    assert f"md5,{_MD5},A1,entry-1" in output.read_text()
    assert imported("export", "quibble", *to_file, *_WHO).returncode == 1, "it is there already"


def test_a_dry_run_stores_nothing(bank: Run, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"kind,value\nmd5,{_MD5}\n")
    (done,) = rows(bank("import", str(file), "--name", "quibble", "--dry-run", "--json", *_WHO))
    assert (done["added"], done["dry_run"]) == (1, True)
    assert rows(bank("list", "--json")) == []


def test_nothing_held_is_said(bank: Run) -> None:
    done = bank("held")
    assert (done.returncode, done.stdout) == (0, "")
    assert "No update is held." in done.stderr
