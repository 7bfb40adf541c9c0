"""Vault files: durable once put, never replaced, and told apart from those never put."""

import stat
from pathlib import Path

import pytest

from nightlight.adapters.vault_directory import DirectoryBlobStore
from nightlight.errors import NotFound, Unavailable

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
    assert list((tmp_path / "ab" / "cd").iterdir()) == []


def test_vault_that_cannot_be_read_is_unavailable_rather_than_empty(tmp_path: Path) -> None:
    (tmp_path / "ab" / "cd" / NAME).mkdir(parents=True)
    with pytest.raises(Unavailable, match="cannot be read"):
        DirectoryBlobStore(tmp_path).get(NAME)
