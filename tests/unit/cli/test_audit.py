"""``nightlight audit settle``: what is lost is shown first, then settled by a person."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nightlight.bootstrap import build_services
from nightlight.cli.audit import app
from nightlight.model.audit import AuditEntry
from nightlight.settings import read_settings

Run = Callable[..., Result]


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``nightlight audit`` over a record that was verified, and brought back from 4 to 2."""
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(tmp_path / "home"))
    services = build_services(read_settings())
    for _ in range(4):
        with services.unit_of_work.begin() as tx:
            tx.commit(AuditEntry(actor="a", action="test.acted", subject="s"))
    assert services.record.verify().intact
    with sqlite3.connect(services.settings.home / "nightlight.db") as database:
        database.execute("DELETE FROM audit_entry WHERE seq > 2")
        database.execute(
            "UPDATE audit_head SET seq = 2, hash = (SELECT hash FROM audit_entry WHERE seq = 2)"
        )
    database.close()

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return run


def test_what_would_be_settled_is_shown_and_nothing_changed(audit: Run) -> None:
    assert audit("verify").exit_code == 1
    shown = audit("settle", "--dry-run")
    assert "dry run: would be settled: entries 1 to 4 are lost; 0 anchors would be" in shown.stdout
    assert audit("verify").exit_code == 1


def test_a_settled_record_is_intact_and_says_who_settled_it(audit: Run) -> None:
    assert audit("settle", "--json").exit_code != 0
    done = audit("settle", "--by", "ana", "--reason", "restored", "--json")
    told = json.loads(done.stdout)
    assert (told["lost_from"], told["lost_to"], told["settled"]) == (1, 4, True)
    assert audit("verify").exit_code == 0
    newest = json.loads(audit("list", "--limit", "1", "--json").stdout)
    assert newest["entry"]["action"] == "record.settled"
    assert audit("settle", "--by", "ana", "--reason", "again").exit_code != 0


def test_nothing_lost_is_said_so(audit: Run, tmp_path: Path) -> None:
    assert audit("settle", "--by", "ana", "--reason", "restored").exit_code == 0
    with (tmp_path / "home" / "audit" / "anchors.ndjson").open("ab") as file:
        file.write(b"torn")
    settled = audit("settle", "--by", "ana", "--reason", "a power cut")
    assert "no entry is known to be lost; 1 anchors laid aside" in settled.stdout
