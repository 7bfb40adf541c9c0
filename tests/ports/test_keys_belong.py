"""A database is opened with the keys that it was sealed under, and with no others."""

from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.fakes.blobs import MemoryBlobs, fresh_keys
from tests.fakes.cybertip_store import NOON, HandClock
from tests.fakes.evidence_room import WHO
from tests.ports.builders import ENTRY

from nightlight.adapters.keyring_file import FileKeyRing
from nightlight.adapters.sql.database import SqlUnitOfWork, open_engine
from nightlight.adapters.sql.whose_keys import check_keys, check_unsealed, remember_keys
from nightlight.errors import InvalidInput, Unavailable
from nightlight.ingest.ports import Quarantined
from nightlight.preserve.vault import Vault
from nightlight.services.keys import Keys


def commit(engine: Engine, keys: FileKeyRing, *, sealed: bool) -> None:
    """Let the record have an entry, and perhaps something sealed, as an older version did."""
    with SqlUnitOfWork(engine=engine, clock=HandClock(), keys=keys).begin() as tx:
        if sealed:
            one = Quarantined(
                id="one",
                origin="a test",
                line_number=1,
                reason="unreadable",
                received_at=NOON,
                raw=b"zorbleflux",
            )
            tx.events.quarantine([one])
        tx.commit(ENTRY)


def test_other_keys_than_the_first_are_refused(engine: Engine, tmp_path: Path) -> None:
    keys = fresh_keys(tmp_path)
    remember_keys(engine, keys)
    check_keys(engine, keys)
    for refuse in (check_keys, remember_keys):
        with pytest.raises(InvalidInput, match="other keys") as caught:
            refuse(engine, fresh_keys(tmp_path, "made-anew.json"))
        assert "backup" in caught.value.hint
    remember_keys(engine, keys)


def test_a_key_file_from_before_the_last_rotation_is_refused(
    engine: Engine, tmp_path: Path
) -> None:
    keys, path = fresh_keys(tmp_path), tmp_path / "keys.json"
    remember_keys(engine, keys)
    outdated = path.read_bytes()
    work = SqlUnitOfWork(engine=engine, clock=HandClock(), keys=keys)
    vault = Vault(blobs=MemoryBlobs(), keys=keys)
    rotated = Keys(unit_of_work=work, keys=keys, vault=vault, clock=HandClock()).rotate(**WHO)
    newest = path.read_bytes()
    path.write_bytes(outdated)
    for refuse in (check_keys, remember_keys):
        with pytest.raises(InvalidInput, match=f"outdated: it lacks master key {rotated}"):
            refuse(engine, FileKeyRing(path))
    path.write_bytes(newest)
    check_keys(engine, FileKeyRing(path))
    remember_keys(engine, FileKeyRing(path))


def test_a_start_remembers_a_rotation_that_was_killed_before_it_could(
    engine: Engine, tmp_path: Path
) -> None:
    keys, path = fresh_keys(tmp_path), tmp_path / "keys.json"
    remember_keys(engine, keys)
    outdated = path.read_bytes()
    keys.add("0badcafe", at=NOON)
    remember_keys(engine, keys)
    path.write_bytes(outdated)
    with pytest.raises(InvalidInput, match="0badcafe"):
        check_keys(engine, FileKeyRing(path))


def test_other_keys_are_refused_where_only_what_is_sealed_tells(
    engine: Engine, tmp_path: Path
) -> None:
    keys = fresh_keys(tmp_path)
    commit(engine, keys, sealed=True)
    check_keys(engine, keys)
    with pytest.raises(InvalidInput, match="other keys"):
        check_keys(engine, fresh_keys(tmp_path, "made-anew.json"))


def test_keys_are_made_only_for_a_database_that_holds_nothing(
    engine: Engine, tmp_path: Path
) -> None:
    check_unsealed(engine)
    keys = fresh_keys(tmp_path)
    commit(engine, keys, sealed=False)
    with pytest.raises(InvalidInput, match="are missing") as caught:
        check_unsealed(engine)
    assert "backup" in caught.value.hint


def test_a_database_that_remembers_its_keys_holds_something(engine: Engine, tmp_path: Path) -> None:
    remember_keys(engine, fresh_keys(tmp_path))
    with pytest.raises(InvalidInput, match="are missing"):
        check_unsealed(engine)


def test_keys_are_made_for_a_database_without_any_table(blank_url: str, tmp_path: Path) -> None:
    blank = open_engine(blank_url)
    check_unsealed(blank)
    check_keys(blank, fresh_keys(tmp_path))
    assert not (tmp_path / "blank.db").exists()
    blank.dispose()


def test_no_keys_are_made_while_the_database_does_not_answer() -> None:
    down = open_engine("postgresql://quibble@127.0.0.1:9/nightlight?connect_timeout=2")
    with pytest.raises(Unavailable):
        check_unsealed(down)
