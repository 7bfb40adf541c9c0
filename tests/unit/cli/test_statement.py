"""``nightlight statement`` lists, sends and says with its exit code what is left to do."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from tests.fakes.http_server import LoopbackServer, serve
from tests.ports.builders import ENTRY, make_statement
from typer.testing import CliRunner, Result

from nightlight.bootstrap import build_services
from nightlight.cli.statement import app
from nightlight.errors import InvalidInput, NotFound
from nightlight.settings import read_settings

Run = Callable[..., Result]


@pytest.fixture
def database() -> Iterator[LoopbackServer]:
    with serve() as told:
        yield told


@pytest.fixture
def statement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: LoopbackServer) -> Run:
    """Run ``nightlight statement`` in a folder of its own that has one statement due."""
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NIGHTLIGHT_DSA_URL", f"{database.origin}/api/v1")
    monkeypatch.setenv("NIGHTLIGHT_DSA_TOKEN", "zorble")
    services = build_services(read_settings())
    with services.unit_of_work.begin() as tx:
        tx.statements.put([make_statement("a")], at=services.clock.now() - timedelta(hours=2))
        tx.commit(ENTRY)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return run


def test_statement_that_is_taken_leaves_nothing_to_do(
    statement: Run, database: LoopbackServer
) -> None:
    puid = json.loads(statement("list", "--json").stdout)["statement"]["puid"]
    database.status = 201
    database.body = msgspec.json.encode({"statements": [{"puid": puid, "uuid": "u-1"}]})
    done = statement("send", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"sent": 1, "refused": 0, "waiting": 0})
    [asked] = database.asked
    assert asked.path == "/api/v1/statements"
    assert asked.headers["authorization"] == "Bearer zorble"
    assert json.loads(asked.body)["statements"][0]["puid"] == puid != "sor_a"
    assert json.loads(statement("list", "--json").stdout)["receipt"] == "u-1"


def test_database_that_does_not_take_it_now_leaves_with_3(
    statement: Run, database: LoopbackServer
) -> None:
    database.status = 503
    assert statement("send").exit_code == 3
    shown = statement("list", "--state", "waiting").stdout
    assert "503" in shown


def test_answer_that_is_no_text_leaves_with_3(statement: Run, database: LoopbackServer) -> None:
    database.status, database.body = 201, b'{"statements": "\xff"}'
    assert statement("send").exit_code == 3
    assert "cannot be read" in statement("list", "--state", "waiting").stdout


def test_refused_statement_leaves_with_1_and_is_retried_by_a_person(
    statement: Run, database: LoopbackServer
) -> None:
    database.status = 422
    database.body = b'{"errors": {"statement_0": {"puid": ["The puid format is invalid."]}}}'
    assert statement("send").exit_code == 1
    assert "puid format" in statement("list", "--state", "refused").stdout
    assert statement("retry", "sor_a", "--by", "ana", "--reason", "mended").exit_code == 0
    again = statement("retry", "sor_a", "--by", "ana", "--reason", "mended")
    assert isinstance(again.exception, NotFound)


def test_without_a_database_nothing_can_be_sent(
    statement: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NIGHTLIGHT_DSA_URL")
    assert isinstance(statement("send").exception, InvalidInput)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"statements": []}', b"\xff"])
def test_answer_that_cannot_be_read_is_no_answer(
    statement: Run, database: LoopbackServer, body: bytes
) -> None:
    database.status, database.body = 201, body
    assert statement("send").exit_code == 3
