"""Authenticated encryption of a file too large for memory, in chunks that cannot be rearranged.

Each chunk is AES-256-GCM under one fresh key; its nonce holds its number and whether it is the
last (the STREAM construction), so a chunk that is moved, dropped, repeated or added is found.
"""

from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from nightlight.errors import IntegrityFailure

CHUNK_BYTES = 1 << 20
PREFIX_BYTES = 7
_TAG_BYTES = 16


def sealed_chunks(
    plain: BinaryIO, key: bytes, prefix: bytes, associated: bytes
) -> Iterator[tuple[bytes, bytes]]:
    """Yield each chunk of a file, plain and sealed; an empty file has one empty chunk."""
    cipher = AESGCM(key)
    number, chunk = 0, plain.read(CHUNK_BYTES)
    while True:
        following = plain.read(CHUNK_BYTES)
        nonce = _nonce(prefix, number, last=not following)
        yield chunk, cipher.encrypt(nonce, chunk, associated)
        if not following:
            return
        number, chunk = number + 1, following


def opened_chunks(
    sealed: BinaryIO, key: bytes, prefix: bytes, associated: bytes
) -> Iterator[bytes]:
    """Yield the plain chunks, each as it was sealed and in its place.

    Raises:
        IntegrityFailure: the file was changed, cut short or added to; what came before is true.
    """
    cipher = AESGCM(key)
    number, chunk = 0, sealed.read(CHUNK_BYTES + _TAG_BYTES)
    while True:
        following = sealed.read(CHUNK_BYTES + _TAG_BYTES)
        nonce = _nonce(prefix, number, last=not following)
        try:
            yield cipher.decrypt(nonce, chunk, associated)
        except (InvalidTag, ValueError) as error:  # ValueError: shorter than a tag
            raise IntegrityFailure("a vault file was changed after it was sealed") from error
        if not following:
            return
        number, chunk = number + 1, following


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])
