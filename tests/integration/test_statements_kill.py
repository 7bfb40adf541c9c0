"""Sending statements of reasons, killed between two steps, loses none and publishes each once."""

import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.fakes.desk import Desk
from tests.fakes.simulators import Simulator
from tests.ports.builders import ENTRY, make_statement

from nightlight.model.statement import StatementDelivery, StatementState

TOKEN = "zorble-token"
COUNT = 150  # two batches
#: A program that sends, and kills itself at a named moment.
SENDER = """
import os, signal, sys
from nightlight.adapters.dsa_http import HttpStatementDatabase
from nightlight.adapters.sql.statements import SqlStatementStore
from nightlight.adapters.sql.transaction import SqlTransaction
from nightlight.cli.main import main

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def around(owner, name, *, before=False):
    act = getattr(owner, name)
    def acting(*given, **named):
        if before:
            die()
        act(*given, **named)
        die()
    setattr(owner, name, acting)

moment = sys.argv.pop(1)
if moment == "claimed":
    around(HttpStatementDatabase, "submit", before=True)
elif moment == "taken":
    around(HttpStatementDatabase, "submit")
elif moment == "settled":
    around(SqlStatementStore, "settle")
elif moment == "recorded":
    around(SqlTransaction, "commit")
main()
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator("dsa", "--token", TOKEN) as simulator:
        yield simulator


@pytest.mark.parametrize("moment", ["claimed", "taken", "settled", "recorded"])
def test_killed_at_any_step_every_statement_is_published_once(
    moment: str,
    running: Simulator,
    tmp_path: Path,
    command_environment: Callable[..., dict[str, str]],
) -> None:
    home = tmp_path / "home"
    desk = Desk(home, lists=False)
    statements = [make_statement(f"{moment}-{number}") for number in range(COUNT)]
    with desk.services.unit_of_work.begin() as tx:
        tx.statements.put(statements, at=desk.services.clock.now())
        ours = {one.statement.published_as for one in tx.statements.newest(1_000)}
        tx.commit(ENTRY)
    environment = command_environment(
        NIGHTLIGHT_HOME=str(home),
        NIGHTLIGHT_INDEX_DIRECTORY="none",
        NIGHTLIGHT_DSA_URL=f"{running.url}/api/v1",
        NIGHTLIGHT_DSA_TOKEN=TOKEN,
    )

    def send(moment: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", SENDER, moment, "statement", "send"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    killed = send(moment)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    # As if the lease of the killed one were over.
    with sqlite3.connect(home / "nightlight.db") as connection:
        connection.execute("UPDATE statement SET next_us = 0 WHERE state = 'waiting'")
    connection.close()
    done = send("never")
    assert done.returncode == 0, done.stderr
    held = Counter(
        one["puid"]
        for one in httpx.get(f"{running.url}/_state").json()["statements"]
        if one["puid"] in ours
    )
    assert held == Counter(ours), "each once"
    with desk.services.unit_of_work.read() as tx:
        stored: list[StatementDelivery] = tx.statements.newest(1_000)
        told = [
            name
            for chained in tx.audit.entries()
            if chained.entry.action == "statement.sent"
            for name in chained.entry.detail["ids"]  # type: ignore[union-attr]
        ]
    assert {one.state for one in stored} == {StatementState.SENT}
    assert sorted(told) == sorted(one.id for one in statements), (
        "the record says of each, once, that it was sent"
    )
    assert desk.services.record.verify().intact
