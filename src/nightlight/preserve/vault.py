"""The vault: evidence under envelope encryption, addressed by what it is.

Every sealed thing has a data key of its own (AES-256-GCM), wrapped by the key ring. Names are a
keyed digest of the content's SHA-256: equal things are kept once, and a list of names says
nothing to someone who holds a list of known hashes.
"""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from nightlight.errors import IntegrityFailure, InvalidInput
from nightlight.preserve.ports import BlobStore, KeyRing

_VERSION = b"NLV1"
_NONCE_BYTES = 12


class Vault:
    """Seals bytes and opens them again for a stated purpose."""

    def __init__(self, *, blobs: BlobStore, keys: KeyRing) -> None:
        self._blobs = blobs
        self._keys = keys

    def seal(self, data: bytes) -> str:
        """Return the SHA-256 (hex) under which ``data`` is now durably sealed."""
        digest = hashlib.sha256(data).hexdigest()
        name = self._name(digest)
        if not self._blobs.has(name):
            self._blobs.put(name, self._encrypt(data, digest))
        return digest

    def has(self, digest: str) -> bool:
        """Return whether something with this SHA-256 is sealed here."""
        return self._blobs.has(self._name(digest))

    def open(self, digest: str, *, purpose: str) -> bytes:
        """Return the sealed bytes; the caller commits an audit entry with the same purpose.

        Raises:
            InvalidInput: no purpose is given.
            NotFound: nothing is sealed under this digest.
            IntegrityFailure: what is stored is not what was sealed.
        """
        if not purpose.strip():
            raise InvalidInput("opening evidence needs a purpose", field="purpose")
        data = self._decrypt(self._blobs.get(self._name(digest)), digest)
        if hashlib.sha256(data).hexdigest() != digest:
            raise IntegrityFailure("the vault holds other bytes than were sealed")
        return data

    def _name(self, digest: str) -> str:
        return hmac.new(self._keys.naming_key(), digest.encode(), hashlib.sha256).hexdigest()

    def _encrypt(self, data: bytes, digest: str) -> bytes:
        data_key = AESGCM.generate_key(256)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        wrapped = self._keys.wrap(data_key)
        sealed = AESGCM(data_key).encrypt(nonce, data, digest.encode())
        return _VERSION + len(wrapped).to_bytes(2, "big") + wrapped + nonce + sealed

    def _decrypt(self, blob: bytes, digest: str) -> bytes:
        if blob[:4] != _VERSION:
            raise IntegrityFailure("a vault file has an unknown format")
        end = 6 + int.from_bytes(blob[4:6], "big")
        data_key = self._keys.unwrap(blob[6:end])
        nonce, sealed = blob[end : end + _NONCE_BYTES], blob[end + _NONCE_BYTES :]
        try:
            return AESGCM(data_key).decrypt(nonce, sealed, digest.encode())
        except (InvalidTag, ValueError) as error:  # ValueError: cut off within the nonce
            raise IntegrityFailure("a vault file was changed after it was sealed") from error
