"""Master keys in a file that only its owner can read."""

import base64
import os
import secrets
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from nightlight.errors import IntegrityFailure, InvalidInput

_NONCE_BYTES = 12
_ID_BYTES = 4


class _StoredKeys(Struct, frozen=True, kw_only=True):
    """The key file: ``master`` maps key id (8 hex digits) to key (base64), newest last."""

    version: int
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
        """
        if not path.exists():
            _create(path)
        try:
            stored = msgspec.json.decode(path.read_bytes(), type=_StoredKeys)
            self._ciphers = {
                bytes.fromhex(name): AESGCM(base64.b64decode(key))
                for name, key in stored.master.items()
            }
            self._newest = bytes.fromhex(list(stored.master)[-1])
            self._naming = base64.b64decode(stored.naming)
            self._audit = base64.b64decode(stored.audit)
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
        except InvalidTag as error:
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
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(fresh)))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)  # Two first starts at once: one wins, both then read the same keys.
    except FileExistsError:
        pass
    finally:
        partial.unlink()


def _new_key() -> str:
    return base64.b64encode(AESGCM.generate_key(256)).decode()
