"""Vault files: durable once put, never replaced, and told apart from those never put."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nightlight.adapters.vault_directory import DirectoryBlobStore
from nightlight.errors import IntegrityFailure, NotFound, Unavailable

NAME = "abcd" + "0" * 60


def test_what_was_put_is_had_back_after_a_restart(tmp_path: Path) -> None:
    DirectoryBlobStore(tmp_path / "vault").put(NAME, b"sealed")
    store = DirectoryBlobStore(tmp_path / "vault")
    assert store.has(NAME)
    assert store.get(NAME) == b"sealed"


def test_what_is_already_there_stays(tmp_path: Path) -> None:
    store = DirectoryBlobStore(tmp_path)
    store.put(NAME, b"first")
    store.put(NAME, b"second")
    assert store.get(NAME) == b"first"


def test_what_was_never_put_is_not_found(tmp_path: Path) -> None:
    store = DirectoryBlobStore(tmp_path)
    assert not store.has(NAME)
    with pytest.raises(NotFound):
        store.get(NAME)


def test_only_the_owner_may_look_into_the_vault(tmp_path: Path) -> None:
    root = tmp_path / "vault"
    DirectoryBlobStore(root).put(NAME, b"sealed")
    folders = [root, root / "ab", root / "ab" / "cd"]
    assert {stat.S_IMODE(one.stat().st_mode) for one in folders} == {0o700}
    assert stat.S_IMODE((folders[-1] / NAME).stat().st_mode) == 0o600


def test_nothing_is_left_beside_the_file(tmp_path: Path) -> None:
    DirectoryBlobStore(tmp_path).put(NAME, b"sealed")
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert [one.name for one in files] == [NAME]


def test_vault_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "vault").write_text("in the way")
    with pytest.raises(Unavailable, match="cannot be written"):
        DirectoryBlobStore(tmp_path / "vault").put(NAME, b"sealed")


def test_write_that_fails_half_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nightlight.adapters.vault_directory.os.fsync", full)
    (tmp_path / "ab" / "cd").mkdir(parents=True)
    store = DirectoryBlobStore(tmp_path)
    with pytest.raises(Unavailable, match="No space left"):
        store.put(NAME, b"sealed")
    assert not store.has(NAME)
    assert not [one for one in tmp_path.rglob("*") if one.is_file()]


def test_vault_that_cannot_be_read_is_unavailable_rather_than_empty(tmp_path: Path) -> None:
    (tmp_path / "ab" / "cd" / NAME).mkdir(parents=True)
    with pytest.raises(Unavailable, match="cannot be read"):
        DirectoryBlobStore(tmp_path).get(NAME)


def test_file_is_kept_and_read_in_parts(tmp_path: Path) -> None:
    store = DirectoryBlobStore(tmp_path)
    store.put_parts(NAME, iter((b"one ", b"and ", b"two")))
    with store.open(NAME) as file:
        assert (file.read(4), file.read()) == (b"one ", b"and two")


def test_parts_that_break_off_leave_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"zorbleflux"
        raise IntegrityFailure("a quibble")

    store = DirectoryBlobStore(tmp_path)
    with pytest.raises(IntegrityFailure):
        store.put_parts(NAME, broken())
    assert not [one for one in tmp_path.rglob("*") if one.is_file()]


def test_only_files_begun_long_ago_and_never_finished_are_discarded(tmp_path: Path) -> None:
    store = DirectoryBlobStore(tmp_path)
    store.put(NAME, b"sealed")
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for name, age in (("old", timedelta(hours=25)), ("young", timedelta(hours=23))):
        path = tmp_path / "partial" / name
        path.write_bytes(b"half")
        begun = (now - age).timestamp()
        os.utime(path, (begun, begun))
    os.utime(tmp_path / "ab" / "cd" / NAME, (0, 0))
    assert store.discard_partial(before=now - timedelta(days=1)) == 1
    assert [one.name for one in (tmp_path / "partial").iterdir()] == ["young"]
    assert store.get(NAME) == b"sealed"


def test_vault_that_was_never_used_has_nothing_to_discard(tmp_path: Path) -> None:
    store = DirectoryBlobStore(tmp_path / "vault")
    assert store.discard_partial(before=datetime(2026, 3, 1, tzinfo=UTC)) == 0
    assert not (tmp_path / "vault").exists()


OTHER = "0123" + "f" * 60


def test_what_is_destroyed_is_gone_and_the_rest_is_not(tmp_path: Path) -> None:
    store = DirectoryBlobStore(tmp_path)
    for name in (NAME, OTHER):
        store.put(name, b"sealed")
    store.destroy(NAME)
    assert (store.has(NAME), store.get(OTHER)) == (False, b"sealed")
    store.destroy(NAME)
    store.destroy("f" * 64)
    store.put(NAME, b"again")
    assert store.get(NAME) == b"again"


def test_the_beginning_is_overwritten_before_the_name_goes(tmp_path: Path) -> None:
    store = DirectoryBlobStore(tmp_path)
    store.put(NAME, b"wrapped key" * 1000)
    kept = tmp_path / "another-name"
    os.link(next(tmp_path.glob("ab/cd/*")), kept)
    store.destroy(NAME)
    assert kept.stat().st_size == 11_000
    assert b"wrapped key" not in kept.read_bytes()[:4000]


class Killed(BaseException):
    """Stands for kill -9."""


def die(*_: object) -> None:
    raise Killed


@pytest.mark.parametrize(
    "step", ["_sync_directory", "secrets.token_bytes", "os.fsync", "Path.unlink"]
)
def test_whoever_is_killed_while_destroying_leaves_the_whole_file_or_a_free_name(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DirectoryBlobStore(tmp_path)
    store.put(NAME, b"sealed")
    with monkeypatch.context() as killed:
        killed.setattr(f"nightlight.adapters.vault_directory.{step}", die)
        with pytest.raises(Killed):
            store.destroy(NAME)
    assert not store.has(NAME) or store.get(NAME) == b"sealed"
    store.put(NAME, b"sealed")
    assert store.get(NAME) == b"sealed"
    store.destroy(NAME)
    assert not store.has(NAME)
    assert list((tmp_path / "partial").iterdir()) == []


def test_what_somebody_was_killed_while_destroying_is_destroyed_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DirectoryBlobStore(tmp_path)
    store.put(NAME, b"wrapped key" * 1000)
    kept = tmp_path / "another-name"
    os.link(next(tmp_path.glob("ab/cd/*")), kept)
    with monkeypatch.context() as killed:
        killed.setattr("nightlight.adapters.vault_directory.secrets.token_bytes", die)
        with pytest.raises(Killed):
            store.destroy(NAME)
    assert DirectoryBlobStore(tmp_path).discard_partial(before=datetime(2026, 3, 1, tzinfo=UTC))
    assert list((tmp_path / "partial").iterdir()) == []
    assert b"wrapped key" not in kept.read_bytes()[:4000]


def test_replacing_works_in_a_vault_that_was_restored_without_its_empty_folder(
    tmp_path: Path,
) -> None:
    store = DirectoryBlobStore(tmp_path)
    store.put(NAME, b"old")
    (tmp_path / "partial").rmdir()
    store.replace_parts(NAME, (b"new",))
    assert store.get(NAME) == b"new"


def test_replacing_keeps_the_old_or_the_new_whole(tmp_path: Path) -> None:
    store = DirectoryBlobStore(tmp_path)
    store.put(NAME, b"old")

    def broken() -> Iterator[bytes]:
        yield b"ne"
        raise IntegrityFailure("stop")

    with pytest.raises(IntegrityFailure):
        store.replace_parts(NAME, broken())
    assert store.get(NAME) == b"old"
    store.replace_parts(NAME, (b"ne", b"w"))
    assert store.get(NAME) == b"new"
    assert list((tmp_path / "partial").iterdir()) == []


def test_what_was_destroyed_while_it_is_replaced_does_not_come_back(tmp_path: Path) -> None:
    store = DirectoryBlobStore(tmp_path)
    with pytest.raises(NotFound):
        store.replace_parts(NAME, (b"new",))
    store.put(NAME, b"old")

    def parts() -> Iterator[bytes]:
        yield b"new"
        DirectoryBlobStore(tmp_path).destroy(NAME)

    with pytest.raises(NotFound):
        store.replace_parts(NAME, parts())
    assert not store.has(NAME)


def test_names_are_those_that_are_kept_and_no_partial_file(tmp_path: Path) -> None:
    store = DirectoryBlobStore(tmp_path)
    assert list(store.names()) == []
    for name in (NAME, OTHER):
        store.put(name, b"sealed")
    (tmp_path / "partial" / "left-over").write_bytes(b"")
    assert sorted(store.names()) == sorted([NAME, OTHER])
