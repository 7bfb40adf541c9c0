"""What is sealed comes back exactly, or not at all; and its name says nothing."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.blobs import ACCESS, MemoryBlobs, fresh_keys
from tests.synthetic.builders import NOON

from nightlight.errors import IntegrityFailure, InvalidInput, NightlightError, NotFound, Unavailable
from nightlight.model.custody import Access
from nightlight.preserve.vault import Vault

DATA = b"quibble and zorbleflux, sealed"


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def vault(blobs: MemoryBlobs, tmp_path: Path) -> Vault:
    return Vault(blobs=blobs, keys=fresh_keys(tmp_path))


@given(data=st.binary(max_size=2000))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_sealed_is_opened_exactly(vault: Vault, data: bytes) -> None:
    assert vault.open(vault.seal(data), ACCESS) == data


def test_digest_is_that_of_the_content(vault: Vault) -> None:
    assert vault.seal(DATA) == hashlib.sha256(DATA).hexdigest()
    assert vault.has(vault.seal(DATA))


def test_equal_things_are_kept_once(vault: Vault, blobs: MemoryBlobs) -> None:
    assert vault.seal(DATA) == vault.seal(DATA)
    assert len(blobs.kept) == 1


def test_neither_name_nor_file_tells_what_is_in(vault: Vault, blobs: MemoryBlobs) -> None:
    digest = vault.seal(DATA)
    [(name, blob)] = blobs.kept.items()
    assert name not in (digest, hashlib.sha256(digest.encode()).hexdigest())
    assert DATA not in blob
    assert digest.encode() not in blob
    assert bytes.fromhex(digest) not in blob


def test_names_differ_from_vault_to_vault(tmp_path: Path) -> None:
    names = set()
    for number in range(2):
        blobs = MemoryBlobs()
        Vault(blobs=blobs, keys=fresh_keys(tmp_path, f"{number}.json")).seal(DATA)
        names |= set(blobs.kept)
    assert len(names) == 2


@pytest.mark.parametrize("missing", ["", "  \n"])
def test_the_vault_opens_nothing_without_a_person_and_a_purpose(vault: Vault, missing: str) -> None:
    digest = vault.seal(DATA)
    with pytest.raises(InvalidInput, match="needs a purpose"):
        vault.open(digest, Access(person="ana", purpose=missing))
    with pytest.raises(InvalidInput, match="needs a person"):
        vault.open(digest, Access(person=missing, purpose="review"))


def test_what_was_never_sealed_is_not_found(vault: Vault) -> None:
    assert not vault.has("00" * 32)
    with pytest.raises(NotFound):
        vault.open("00" * 32, ACCESS)


def test_another_key_does_not_open(blobs: MemoryBlobs, vault: Vault, tmp_path: Path) -> None:
    digest = vault.seal(DATA)
    keys = fresh_keys(tmp_path, "other.json")
    stranger = Vault(blobs=blobs, keys=keys)
    blobs.kept[stranger._name(digest)] = next(iter(blobs.kept.values()))
    with pytest.raises(IntegrityFailure, match="master key"):
        stranger.open(digest, ACCESS)


def test_every_edited_byte_is_found(vault: Vault, blobs: MemoryBlobs) -> None:
    digest = vault.seal(DATA)
    [(name, blob)] = blobs.kept.items()
    for place in range(len(blob)):
        edited = bytearray(blob)
        edited[place] ^= 1
        blobs.kept[name] = bytes(edited)
        with pytest.raises(IntegrityFailure):
            vault.open(digest, ACCESS)


def test_every_truncation_is_found(vault: Vault, blobs: MemoryBlobs) -> None:
    digest = vault.seal(DATA)
    [(name, blob)] = blobs.kept.items()
    for length in range(len(blob)):
        blobs.kept[name] = blob[:length]
        with pytest.raises(IntegrityFailure):
            vault.open(digest, ACCESS)


def test_bytes_added_to_a_file_are_found(vault: Vault, blobs: MemoryBlobs) -> None:
    digest = vault.seal(DATA)
    [(name, blob)] = blobs.kept.items()
    blobs.kept[name] = blob + b"\0"
    with pytest.raises(IntegrityFailure):
        vault.open(digest, ACCESS)


def test_exchanged_files_are_found(vault: Vault, blobs: MemoryBlobs) -> None:
    one, other = vault.seal(DATA), vault.seal(DATA * 2)
    first, second = blobs.kept
    blobs.kept[first], blobs.kept[second] = blobs.kept[second], blobs.kept[first]
    for digest in (one, other):
        with pytest.raises(IntegrityFailure, match="changed after it was sealed"):
            vault.open(digest, ACCESS)


def test_other_content_under_a_good_seal_is_found(vault: Vault, blobs: MemoryBlobs) -> None:
    digest = vault.seal(DATA)
    [name] = blobs.kept
    blobs.kept[name] = vault._encrypt(b"something else", digest)
    with pytest.raises(IntegrityFailure, match="other bytes than were sealed"):
        vault.open(digest, ACCESS)


def test_what_does_not_open_is_replaced_when_equal_bytes_come_in(
    vault: Vault, blobs: MemoryBlobs
) -> None:
    vault.seal(DATA)
    [(name, blob)] = blobs.kept.items()
    for place in range(0, len(blob), 7):
        blobs.kept[name] = blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]
        digest = vault.seal(DATA)
        assert vault.open(digest, ACCESS) == DATA
        assert vault.mended() == (name,)
        vault.forget_mended((name,))
    assert vault.mended() == ()


def test_what_opens_is_not_written_again(vault: Vault, blobs: MemoryBlobs) -> None:
    vault.seal(DATA)
    before = dict(blobs.kept)
    vault.seal(DATA)
    assert blobs.kept == before
    assert vault.mended() == ()


def test_what_is_under_a_key_that_is_lost_is_sealed_under_one_that_is_there(
    vault: Vault, blobs: MemoryBlobs, tmp_path: Path
) -> None:
    keys = fresh_keys(tmp_path, "other.json")
    after = Vault(blobs=blobs, keys=keys)
    digest = vault.seal(DATA)
    blobs.kept[after.name_of(digest)] = blobs.kept.pop(vault.name_of(digest))
    assert not after.begins(digest)
    after.seal(DATA)
    assert after.open(digest, ACCESS) == DATA


def test_what_is_destroyed_just_before_it_is_replaced_is_sealed_anew(
    vault: Vault, blobs: MemoryBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = vault.seal(DATA)
    [name] = blobs.kept
    blobs.kept[name] = b""
    real = blobs.replace_parts

    def late(name: str, parts: Iterable[bytes]) -> None:
        monkeypatch.undo()
        blobs.destroy(name)
        real(name, parts)

    monkeypatch.setattr(blobs, "replace_parts", late)
    assert vault.seal(DATA) == digest
    assert vault.open(digest, ACCESS) == DATA


def test_a_damaged_file_that_was_replaced_by_one_that_is_no_better_is_mended(
    vault: Vault, blobs: MemoryBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = vault.seal(DATA)
    [name] = blobs.kept
    blobs.kept[name] = b""

    def beaten(*_: object) -> None:
        monkeypatch.undo()
        raise NotFound("the vault holds something else by now")

    monkeypatch.setattr(blobs, "replace_parts", beaten)
    assert vault.seal(DATA) == digest
    assert vault.open(digest, ACCESS) == DATA


def test_wrapping_again_never_puts_a_damaged_file_over_one_that_was_mended_meanwhile(
    vault: Vault, blobs: MemoryBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = vault.seal(DATA)
    [name] = blobs.kept
    blobs.kept[name] = blobs.kept[name][:-1] + b"?"
    fresh_keys(tmp_path).add("aabbccdd", at=NOON)
    real = blobs.replace_parts

    def late(name: str, parts: Iterable[bytes], *, instead_of: BinaryIO | None = None) -> None:
        monkeypatch.undo()
        vault.seal(DATA)
        real(name, parts, instead_of=instead_of)

    monkeypatch.setattr(blobs, "replace_parts", late)
    assert not vault.rewrap(name)
    assert vault.mended() == (name,)
    assert vault.open(digest, ACCESS) == DATA


def test_what_is_replaced_again_and_again_is_wrapped_later(
    vault: Vault, blobs: MemoryBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.seal(DATA)
    [name] = blobs.kept
    fresh_keys(tmp_path).add("aabbccdd", at=NOON)

    def beaten(*_: object, **__: object) -> None:
        raise NotFound("the vault holds something else by now")

    monkeypatch.setattr(blobs, "replace_parts", beaten)
    with pytest.raises(Unavailable, match="again and again"):
        vault.rewrap(name)


def test_a_store_that_does_not_answer_is_not_taken_for_a_damaged_file(
    vault: Vault, blobs: MemoryBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = vault.seal(DATA)

    def away(_: str) -> BinaryIO:
        raise Unavailable("the vault does not answer")

    monkeypatch.setattr(blobs, "open", away)
    for act in (lambda: vault.seal(DATA), lambda: vault.begins(digest)):
        with pytest.raises(Unavailable):
            act()


def test_no_fault_quotes_what_was_sealed(vault: Vault, blobs: MemoryBlobs) -> None:
    digest = vault.seal(DATA)
    [name] = blobs.kept
    for blob in (b"", blobs.kept[name][:-1], DATA):
        blobs.kept[name] = blob
        with pytest.raises(NightlightError) as caught:
            vault.open(digest, ACCESS)
        assert "zorbleflux" not in str(caught.value)
        assert digest not in str(caught.value)
