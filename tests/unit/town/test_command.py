"""``nightlight town`` on the command line."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from nightlight.cli.town import town
from nightlight.errors import InvalidInput

SMALL = ("--accounts", "200", "--posts", "600")
PROGRAM = """
import typer
from nightlight.cli.town import town
app = typer.Typer()
app.command()(town)
app()
"""


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(town)
    return app


def test_events_materials_and_truth_stand_beside_each_other(
    app: typer.Typer, tmp_path: Path
) -> None:
    told = CliRunner().invoke(app, [*SMALL, "--out", str(tmp_path / "events.ndjson")])
    assert told.exit_code == 0
    truth = json.loads((tmp_path / "events.truth.json").read_text())
    assert list(truth) == [
        "version",
        "seed",
        "events",
        "bank",
        "lexicon",
        "media",
        "posts",
        "media_files",
        "accounts",
    ]
    assert truth["events"] == (tmp_path / "events.ndjson").read_bytes().count(b"\n")
    assert (tmp_path / truth["media"]).is_dir()
    assert (tmp_path / truth["bank"]).is_file()
    assert (tmp_path / truth["lexicon"]).is_file()
    assert f"{truth['events']} events, 600 posts" in told.stderr
    assert told.stdout == ""


def test_truth_in_another_folder_still_finds_the_materials(
    app: typer.Typer, tmp_path: Path
) -> None:
    (tmp_path / "answers").mkdir()
    truth_path = tmp_path / "answers" / "truth.json"
    arguments = [*SMALL, "--no-media", "--out", str(tmp_path / "e.ndjson")]
    assert CliRunner().invoke(app, [*arguments, "--truth", str(truth_path)]).exit_code == 0
    truth = json.loads(truth_path.read_text())
    assert (truth_path.parent / truth["lexicon"]).is_file()
    assert truth["media"] == ""


def test_a_dash_streams_to_standard_output(app: typer.Typer, tmp_path: Path) -> None:
    arguments = [*SMALL, "--no-media", "--out", "-", "--truth", str(tmp_path / "t.json")]
    told = CliRunner().invoke(app, arguments)
    lines = told.stdout.splitlines()
    assert len(lines) == json.loads((tmp_path / "t.json").read_text())["events"]
    assert json.loads(lines[-1])["specversion"] == "1.0"
    assert (tmp_path / "t.lexicon.ndjson").is_file()


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["--posts", "3", "--out", "e.ndjson"], "--posts"),
        (["--accounts", "3", "--out", "e.ndjson"], "--accounts"),
        (["--rate", "-1", "--out", "e.ndjson"], "--rate"),
        (["--out", "-"], "--truth"),
        (["--out", "missing/folder/e.ndjson", "--truth", "t.json"], "--out"),
        (["--out", "e.ndjson", "--truth", "missing/folder/t.json"], "--truth"),
    ],
)
def test_an_error_names_the_option_and_the_remedy(
    app: typer.Typer, arguments: list[str], option: str
) -> None:
    refused = CliRunner().invoke(app, arguments).exception
    assert isinstance(refused, InvalidInput)
    assert refused.field == option
    assert refused.hint


def test_a_place_that_cannot_be_written_is_named_by_its_option(
    app: typer.Typer, tmp_path: Path
) -> None:
    (tmp_path / "e.ndjson").mkdir()
    arguments = [*SMALL, "--no-media", "--out", str(tmp_path / "e.ndjson")]
    refused = CliRunner().invoke(app, arguments).exception
    assert isinstance(refused, InvalidInput)
    assert refused.field == "--out"


def test_ctrl_c_leaves_whole_lines_and_their_truth(tmp_path: Path) -> None:
    arguments = [*SMALL, "--no-media", "--rate", "50", "--out", "-"]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments, "--truth", str(tmp_path / "t.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        os.kill(process.pid, signal.SIGINT)
        rest, told = process.communicate(timeout=60)
    assert process.returncode == 130
    written = first + rest
    assert written.endswith(b"\n")
    lines = written.splitlines()
    assert all(json.loads(line)["type"] == "account.created" for line in lines)
    assert len(lines) == json.loads((tmp_path / "t.json").read_text())["events"]
    assert b"stopped early" in told


def test_a_reader_who_has_had_enough_is_no_failure(tmp_path: Path) -> None:
    arguments = [*SMALL, "--no-media", "--out", "-", "--truth", str(tmp_path / "t.json")]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
    assert process.returncode == 0
    assert b"Traceback" not in told
