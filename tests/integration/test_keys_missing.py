"""A start that is refused for missing or other keys changes nothing on disk."""

import hashlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Nightlight = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def nightlight(command_environment: Callable[..., dict[str, str]], tmp_path: Path) -> Nightlight:
    database = f"sqlite:///{tmp_path / 'elsewhere' / 'nightlight.db'}"

    def run(*arguments: str, home: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        named = {"NIGHTLIGHT_DATABASE_URL": database, "NIGHTLIGHT_INDEX_DIRECTORY": "none"}
        home_of = str(tmp_path / home)
        environment = command_environment(**named | settings, NIGHTLIGHT_HOME=home_of)
        command = [sys.executable, "-m", "nightlight", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


def everything(folder: Path) -> dict[str, str]:
    """Return every file and folder there is, with what each file holds."""
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        )
        for path in sorted(folder.rglob("*"))
    }


def test_no_key_file_is_made_for_a_database_that_was_sealed_before(
    nightlight: Nightlight, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    bank = tmp_path / "bank.ndjson"
    bank.write_text('{"kind": "md5", "value": "11111111111111111111111111111111"}\n')
    who = ("--by", "ana", "--reason", "test")
    done = nightlight("bank", "import", str(bank), "--name", "quibble", *who, home="home")
    assert done.returncode == 0, done.stderr
    # As an older version left it: nothing says under which keys it was sealed.
    with sqlite3.connect(tmp_path / "elsewhere" / "nightlight.db") as connection:
        assert connection.execute("DELETE FROM counter WHERE name = 'keys'").rowcount == 1
    connection.close()
    away = tmp_path / "keys-away"
    shutil.move(tmp_path / "home" / "keys", away)
    before = everything(tmp_path)
    for home in ("home", "another-home"):
        refused = nightlight("audit", "verify", home=home)
        assert refused.returncode == 2
        assert "keys of this home are missing" in refused.stderr
        assert everything(tmp_path) == before
    shutil.move(away, tmp_path / "home" / "keys")
    assert nightlight("audit", "verify", home="home").returncode == 0
    with sqlite3.connect(tmp_path / "elsewhere" / "nightlight.db") as connection:
        [(mark,)] = connection.execute("SELECT value FROM counter WHERE name = 'keys'").fetchall()
    connection.close()
    assert mark > 0
    own = f"sqlite:///{tmp_path / 'new.db'}"
    made = nightlight("audit", "key", home="third", NIGHTLIGHT_DATABASE_URL=own)
    assert made.returncode == 0
    before = everything(tmp_path)
    refused = nightlight("audit", "verify", home="third")
    assert (refused.returncode, everything(tmp_path)) == (2, before)
    assert "other keys" in refused.stderr
