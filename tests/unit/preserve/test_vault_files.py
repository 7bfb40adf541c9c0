"""A large file is sealed in chunks: none can be moved, dropped, repeated, changed or added."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.blobs import ACCESS, MemoryBlobs, fresh_keys

from nightlight.errors import IntegrityFailure, InvalidInput, Unavailable
from nightlight.model.custody import Access
from nightlight.preserve import _chunks
from nightlight.preserve.vault import Vault

CHUNK = 64
SEALED = CHUNK + 16
DATA = bytes(range(256)) + b"quibble"
FIXTURE = [HealthCheck.function_scoped_fixture]


class HeldFile:
    """An ``EvidenceFile`` in memory."""

    def __init__(self, data: bytes, *, told: bytes | None = None) -> None:
        self._data = data
        self._told = data if told is None else told

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self._told).hexdigest()

    def open(self) -> BinaryIO:
        return io.BytesIO(self._data)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_chunks, "CHUNK_BYTES", CHUNK)


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def vault(blobs: MemoryBlobs, tmp_path: Path) -> Vault:
    return Vault(blobs=blobs, keys=fresh_keys(tmp_path))


@given(data=st.binary(max_size=5 * CHUNK))
@settings(deadline=None, suppress_health_check=FIXTURE)
def test_file_that_was_sealed_is_opened_exactly(vault: Vault, data: bytes) -> None:
    digest = vault.seal_file(HeldFile(data))
    assert digest == hashlib.sha256(data).hexdigest()
    assert vault.open(digest, ACCESS) == data


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_file_is_opened_in_parts_no_larger_than_a_chunk(vault: Vault, size: int) -> None:
    digest = vault.seal_file(HeldFile(DATA[:size]))
    parts = list(vault.open_parts(digest, ACCESS))
    assert b"".join(parts) == DATA[:size]
    assert max(len(part) for part in parts) <= CHUNK


def test_same_content_is_kept_once_however_it_was_sealed(vault: Vault, blobs: MemoryBlobs) -> None:
    assert vault.seal(DATA) == vault.seal_file(HeldFile(DATA))
    assert len(blobs.kept) == 1
    assert vault.open(vault.seal(DATA), ACCESS) == DATA


def test_file_that_changed_since_it_was_hashed_is_not_sealed(
    vault: Vault, blobs: MemoryBlobs
) -> None:
    with pytest.raises(IntegrityFailure, match="changed between"):
        vault.seal_file(HeldFile(DATA, told=DATA + b"more"))
    assert blobs.kept == {}


def test_opening_parts_needs_a_purpose(vault: Vault) -> None:
    digest = vault.seal_file(HeldFile(DATA))
    with pytest.raises(InvalidInput, match="purpose"):
        vault.open_parts(digest, Access(person="ana", purpose=" "))


@pytest.mark.parametrize("at", [0.2, 0.6, 0.99])
def test_damage_anywhere_in_a_file_is_mended_when_it_comes_in_again(
    vault: Vault, blobs: MemoryBlobs, at: float
) -> None:
    digest = vault.seal_file(HeldFile(DATA))
    [(name, blob)] = blobs.kept.items()
    place = int(len(blob) * at)
    blobs.kept[name] = blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]
    assert vault.seal_file(HeldFile(DATA)) == digest
    assert vault.open(digest, ACCESS) == DATA
    assert vault.mended() == (name,)


def test_only_the_beginning_is_read_to_say_that_a_file_begins(
    vault: Vault, blobs: MemoryBlobs
) -> None:
    digest = vault.seal_file(HeldFile(DATA))
    [(name, blob)] = blobs.kept.items()
    blobs.kept[name] = blob[:-1] + bytes([blob[-1] ^ 1])
    assert vault.begins(digest)
    blobs.kept[name] = blob[:40]
    assert not vault.begins(digest)
    blobs.destroy(name)
    assert not vault.begins(digest)


def body_of(blob: bytes) -> int:
    """Return where the chunks begin: after version, wrapped key and prefix."""
    return 6 + int.from_bytes(blob[4:6], "big") + _chunks.PREFIX_BYTES


def chunks(blob: bytes) -> tuple[bytes, list[bytes]]:
    start = body_of(blob)
    body = blob[start:]
    return blob[:start], [body[at : at + SEALED] for at in range(0, len(body), SEALED)]


WRONG: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "last chunk cut off": lambda all_: all_[:-1],
    "all chunks cut off": lambda _: [],
    "cut within the last chunk": lambda all_: [*all_[:-1], all_[-1][:-1]],
    "first two exchanged": lambda all_: [all_[1], all_[0], *all_[2:]],
    "last moved to the front": lambda all_: [all_[-1], *all_[:-1]],
    "one left out": lambda all_: [all_[0], *all_[2:]],
    "one repeated": lambda all_: [all_[0], *all_],
    "last repeated": lambda all_: [*all_, all_[-1]],
    "a byte added": lambda all_: [*all_, b"\0"],
    "a whole chunk added": lambda all_: [*all_, bytes(SEALED)],
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("size", [4 * CHUNK, 4 * CHUNK + 5])
def test_rearranged_file_is_found(
    vault: Vault, blobs: MemoryBlobs, change: Callable[[list[bytes]], list[bytes]], size: int
) -> None:
    digest = vault.seal_file(HeldFile(DATA[:128] * 2 + DATA[: size - 256]))
    [(name, blob)] = blobs.kept.items()
    header, parts = chunks(blob)
    blobs.kept[name] = header + b"".join(change(parts))
    with pytest.raises(IntegrityFailure, match="changed after it was sealed"):
        vault.open(digest, ACCESS)


@given(data=st.data())
@settings(deadline=None, max_examples=200, suppress_health_check=FIXTURE)
def test_one_changed_bit_anywhere_is_found(
    vault: Vault, blobs: MemoryBlobs, data: st.DataObject
) -> None:
    digest = vault.seal_file(HeldFile(DATA))
    [(name, blob)] = blobs.kept.items()
    at = data.draw(st.integers(0, len(blob) - 1))
    changed = bytearray(blob)
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    blobs.kept[name] = bytes(changed)
    try:
        with pytest.raises(IntegrityFailure):
            vault.open(digest, ACCESS)
    finally:
        blobs.kept[name] = blob


def test_chunks_of_another_file_under_the_same_key_are_found(
    vault: Vault, blobs: MemoryBlobs
) -> None:
    one, other = (vault.seal_file(HeldFile(DATA * n)) for n in (1, 2))
    first, second = blobs.kept
    blobs.kept[first], blobs.kept[second] = blobs.kept[second], blobs.kept[first]
    for digest in (one, other):
        with pytest.raises(IntegrityFailure, match="changed after it was sealed"):
            vault.open(digest, ACCESS)


class FailingReader(io.BytesIO):
    """Breaks after the first read, as a disk does."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError(5, "Input/output error")
        return super().read(size)


def test_disk_that_breaks_while_reading_is_unavailable(
    vault: Vault, blobs: MemoryBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = vault.seal_file(HeldFile(DATA))
    monkeypatch.setattr(blobs, "open", lambda name: FailingReader(blobs.kept[name]))
    with pytest.raises(Unavailable, match="cannot be read"):
        vault.open(digest, ACCESS)
