"""Master keys: made once, kept to the owner, and never guessed at when damaged."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from nightlight.adapters.keyring_file import FileKeyRing
from nightlight.errors import IntegrityFailure, InvalidInput, Unavailable

DATA_KEY = b"quibble-data-key-of-32-bytes-len"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "keys.json"


def stored(path: Path) -> dict[str, Any]:
    FileKeyRing(path)
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_wrapped_key_is_unwrapped_after_a_restart(path: Path) -> None:
    wrapped = FileKeyRing(path).wrap(DATA_KEY)
    assert FileKeyRing(path).unwrap(wrapped) == DATA_KEY
    assert DATA_KEY not in wrapped


def test_only_the_owner_may_read_the_keys(path: Path) -> None:
    FileKeyRing(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_first_start_leaves_nothing_but_the_key_file(path: Path) -> None:
    FileKeyRing(path)
    assert list(path.parent.iterdir()) == [path]


def test_two_first_starts_at_once_get_the_same_keys(tmp_path: Path) -> None:
    for attempt in range(10):
        path = tmp_path / str(attempt) / "keys.json"
        with ThreadPoolExecutor(8) as threads:
            rings = list(threads.map(FileKeyRing, [path] * 8))
        wrapped = rings[0].wrap(DATA_KEY)
        assert {ring.unwrap(wrapped) for ring in rings} == {DATA_KEY}
        assert len({ring.naming_key() for ring in rings}) == 1


def test_keys_differ_from_each_other_and_from_those_of_another_start(tmp_path: Path) -> None:
    one, other = FileKeyRing(tmp_path / "a.json"), FileKeyRing(tmp_path / "b.json")
    keys = {one.naming_key(), one.audit_key(), other.naming_key(), other.audit_key()}
    assert len(keys) == 4


def test_newest_key_wraps_and_older_ones_still_unwrap(path: Path) -> None:
    before = FileKeyRing(path).wrap(DATA_KEY)
    keys = stored(path)
    [old] = keys["master"].values()
    keys["master"]["0a0b0c0d"] = keys["naming"]
    path.write_text(json.dumps(keys))
    ring = FileKeyRing(path)
    assert ring.unwrap(before) == DATA_KEY
    assert ring.wrap(DATA_KEY)[:4] == bytes.fromhex("0a0b0c0d")
    assert old in path.read_text()


def test_key_that_the_file_lacks_is_an_integrity_failure(tmp_path: Path) -> None:
    wrapped = FileKeyRing(tmp_path / "a.json").wrap(DATA_KEY)
    with pytest.raises(IntegrityFailure, match="restore the key file"):
        FileKeyRing(tmp_path / "b.json").unwrap(wrapped)


@pytest.mark.parametrize("place", [0, 3, 4, 10, 16, 30, -1])
def test_edited_wrapping_is_an_integrity_failure(path: Path, place: int) -> None:
    ring = FileKeyRing(path)
    wrapped = bytearray(ring.wrap(DATA_KEY))
    wrapped[place] ^= 1
    with pytest.raises(IntegrityFailure):
        ring.unwrap(bytes(wrapped))


@pytest.mark.parametrize("length", [0, 3, 4, 7, 15, 16, 20, 40])
def test_truncated_wrapping_is_an_integrity_failure(path: Path, length: int) -> None:
    ring = FileKeyRing(path)
    with pytest.raises(IntegrityFailure):
        ring.unwrap(ring.wrap(DATA_KEY)[:length])


DAMAGE: dict[str, dict[str, Any]] = {
    "another version": {"version": 2},
    "no master key": {"master": {}},
    "short master key": {"master": {"0a0b0c0d": "c2hvcnQ="}},
    "short key id": {"master": {"0a": "A" * 43 + "="}},
    "key id is no hex": {"master": {"quibble!": "A" * 43 + "="}},
    "foreign characters": {"naming": "!" + "A" * 43 + "="},
    "no naming key": {"naming": ""},
    "no audit key": {"audit": ""},
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_key_file_is_refused(path: Path, damage: dict[str, Any]) -> None:
    path.write_text(json.dumps({**stored(path), **damage}))
    with pytest.raises(InvalidInput, match=r"damaged \(restore it from its backup\)"):
        FileKeyRing(path)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"null"])
def test_overwritten_key_file_is_refused_and_left_as_it_is(path: Path, body: bytes) -> None:
    stored(path)
    path.write_bytes(body)
    with pytest.raises(InvalidInput, match="damaged"):
        FileKeyRing(path)
    assert path.read_bytes() == body


def test_damage_is_told_without_telling_keys(path: Path) -> None:
    keys = stored(path)
    path.write_text(json.dumps({**keys, "version": 9}))
    with pytest.raises(InvalidInput) as caught:
        FileKeyRing(path)
    assert keys["naming"] not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"


def test_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable, match="cannot be read or made"):
        FileKeyRing(tmp_path / "file" / "keys.json")
