"""What a bank entry's value is as a hash of its kind, and what a file's hash has to be."""

import numpy as np
from numpy.typing import NDArray

from nightlight.errors import IntegrityFailure, InvalidInput
from nightlight.kernel.hamming import pack
from nightlight.model.bank import HASH_DIGITS, BankEntry, HashKind
from nightlight.model.media import VideoHashes, are_frames


def is_hash(entry: BankEntry) -> bool:
    """Return whether an entry holds a hash of its kind, as the index needs it."""
    try:
        whole = bytes.fromhex(entry.value)
    except ValueError:
        return False
    if 2 * len(whole) != len(entry.value) or not whole:
        return False
    if entry.kind is HashKind.VPDQ:
        return are_frames(whole)
    return len(entry.value) == HASH_DIGITS[entry.kind]


def checked(entry: BankEntry) -> BankEntry:
    """Return the entry.

    Raises:
        IntegrityFailure: it is not a hash of its kind; names the entry, not the hash.
    """
    if not is_hash(entry):
        raise IntegrityFailure(f"bank entry {entry.id} is not a {entry.kind} hash")
    return entry


def video_of(value: str) -> VideoHashes:
    """Return the frames that a video's bank entry holds."""
    frames = bytes.fromhex(value)
    last = int.from_bytes(frames[-4:], "little") if frames else 0
    return VideoHashes(frames=frames, duration_ms=last)


def bytes_of(kind: HashKind, value: str) -> bytes:
    """Return a file's exact hash.

    Raises:
        InvalidInput: it is not hex of the right length; names the field.
    """
    try:
        digest = bytes.fromhex(value)
    except ValueError:
        digest = b""
    if 2 * len(digest) != HASH_DIGITS[kind] or len(value) != HASH_DIGITS[kind]:
        raise InvalidInput(f"not {HASH_DIGITS[kind]} hex digits", field=kind.value)
    return digest


def rows_of(values: list[str]) -> NDArray[np.uint64]:
    """Return PDQ hashes as rows of four words each, shape (n, 4).

    Raises:
        InvalidInput: one is not 64 hex digits.
    """
    try:
        return pack(values)
    except ValueError as error:
        raise InvalidInput("not 64 hex digits", field="pdq") from error
