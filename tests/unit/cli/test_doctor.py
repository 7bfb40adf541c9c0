"""``nightlight doctor`` says which safeguards have stopped."""

import contextlib
import json
from pathlib import Path

import pytest
import typer
from tests.fakes.cybertip_store import HandClock
from tests.ports.builders import ENTRY

from nightlight.adapters.keyring_file import FileKeyRing
from nightlight.adapters.sql.database import SqlUnitOfWork, open_engine
from nightlight.bootstrap import build_services
from nightlight.cli.doctor import doctor
from nightlight.settings import read_settings


def said_of_checkpoints(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    with contextlib.suppress(typer.Exit):
        doctor(json=True)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [said] = [one for one in told if one["part"] == "checkpoints"]
    return said["health"], said["says"]


def test_record_that_is_no_longer_signed_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("NIGHTLIGHT_HOME", str(home))
    settings = read_settings()
    services = build_services(settings)
    engine = open_engine(f"sqlite:///{home / 'nightlight.db'}")
    long_ago = SqlUnitOfWork(engine=engine, clock=HandClock(), keys=FileKeyRing(settings.keys_file))
    for is_signed in (True, False):
        with long_ago.begin() as tx:
            tx.commit(ENTRY)
        if is_signed:
            services.record.anchor()
            assert said_of_checkpoints(capsys)[0] == "ok", "nothing came since"
    engine.dispose()
    health, says = said_of_checkpoints(capsys)
    assert (health, "not signed" in says) == ("warning", True)
    services.record.anchor()
    assert said_of_checkpoints(capsys)[0] == "ok"
