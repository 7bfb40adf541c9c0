"""Master keys in a file that only its owner can read."""

import base64
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from nightlight.errors import IntegrityFailure, InvalidInput, Unavailable

_NONCE_BYTES = 12
_ID_BYTES = 4
_KEY_BYTES = 32


class _StoredKeys(Struct, frozen=True, kw_only=True):
    """The key file: ``master`` maps key id (8 hex digits) to key (base64), newest last."""

    version: Literal[1]
    master: dict[str, str]
    naming: str
    audit: str


class FileKeyRing:
    """Wraps under the newest master key of a key file, unwraps under any of them."""

    def __init__(self, path: Path) -> None:
        """Read the key file, or make one with fresh keys where there is none.

        Raises:
            InvalidInput: the file is damaged; restore it from its backup, nothing sealed can be
                opened without it.
            Unavailable: the file cannot be read or made.
        """
        try:
            if not path.exists():
                _create(path)
            body = path.read_bytes()
        except OSError as error:
            raise Unavailable(
                f"the key file cannot be read or made: {error.strerror}",
                field=str(path),
                hint="check the permissions of its folder",
            ) from error
        try:
            stored = msgspec.json.decode(body, type=_StoredKeys)
            self._ciphers = {_id(name): AESGCM(_key(key)) for name, key in stored.master.items()}
            self._newest = list(self._ciphers)[-1]
            self._naming = _key(stored.naming)
            self._audit = _key(stored.audit)
        except (msgspec.MsgspecError, ValueError, IndexError) as error:
            raise InvalidInput(
                "the key file is damaged", field=str(path), hint="restore it from its backup"
            ) from error

    def wrap(self, data_key: bytes) -> bytes:
        """Return ``data_key`` encrypted under the newest master key, with the key's id."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._newest + nonce + self._ciphers[self._newest].encrypt(nonce, data_key, None)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return what was wrapped.

        Raises:
            IntegrityFailure: no known master key opens it.
        """
        cipher = self._ciphers.get(wrapped[:_ID_BYTES])
        if cipher is None:
            raise IntegrityFailure(
                "sealed under a master key that the key file lacks",
                hint="restore the key file from its backup",
            )
        nonce = wrapped[_ID_BYTES : _ID_BYTES + _NONCE_BYTES]
        try:
            return cipher.decrypt(nonce, wrapped[_ID_BYTES + _NONCE_BYTES :], None)
        except (InvalidTag, ValueError) as error:  # ValueError: cut off within the nonce
            raise IntegrityFailure("a sealed value was changed after it was sealed") from error

    def naming_key(self) -> bytes:
        """Return the key from which vault names are derived."""
        return self._naming

    def audit_key(self) -> bytes:
        """Return the key that seals anchors of the audit chain."""
        return self._audit


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = _StoredKeys(
        version=1,
        master={secrets.token_hex(_ID_BYTES): _new_key()},
        naming=_new_key(),
        audit=_new_key(),
    )
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(fresh)))
            file.flush()
            os.fsync(file.fileno())
        # Two first starts at once: one wins, both then read the same keys.
        with suppress(FileExistsError):
            os.link(partial, path)
    finally:
        partial.unlink()


def _id(name: str) -> bytes:
    raw = bytes.fromhex(name)
    if len(raw) != _ID_BYTES:
        raise ValueError("a key id has another length")
    return raw


def _key(text: str) -> bytes:
    """Return the key, whole: a shorter one would be used in silence."""
    key = base64.b64decode(text, validate=True)
    if len(key) != _KEY_BYTES:
        raise ValueError("a key has another length")
    return key


def _new_key() -> str:
    return base64.b64encode(AESGCM.generate_key(256)).decode()
