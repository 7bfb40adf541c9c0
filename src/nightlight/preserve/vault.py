"""The vault: evidence under envelope encryption, addressed by what it is.

Every sealed thing has a data key of its own (AES-256-GCM), wrapped by the key ring. Names are a
keyed digest of the content's SHA-256: equal things are kept once, and a list of names says
nothing to someone who holds a list of known hashes.

There are two formats: NLV1 seals bytes in one piece, NLV2 a file of any size in chunks.

A name is no proof that its file still opens. Whoever seals what is there already has it opened to
its end, and what does not open is replaced while the bytes are in hand.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import closing, suppress
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from nightlight.errors import IntegrityFailure, NotFound, Unavailable
from nightlight.model.custody import Access
from nightlight.preserve._chunks import CHUNK_BYTES, PREFIX_BYTES, opened_chunks, sealed_chunks
from nightlight.preserve.ports import BlobStore, EvidenceFile, KeyRing

_WHOLE = b"NLV1"
_CHUNKED = b"NLV2"
_NONCE_BYTES = 12
#: How often what was replaced meanwhile is looked at anew.
_TRIES = 3


class _ReplacedError(Exception):
    """What was read is not what is kept by now."""


def vault_name(digest: str, keys: KeyRing) -> str:
    """Return the name under which the vault keeps what has this SHA-256."""
    return hmac.new(keys.naming_key(), digest.encode(), hashlib.sha256).hexdigest()


class Vault:
    """Seals bytes and opens them again for a person who says what for."""

    def __init__(self, *, blobs: BlobStore, keys: KeyRing) -> None:
        self._blobs = blobs
        self._keys = keys
        self._mended: dict[str, None] = {}

    def seal(self, data: bytes) -> str:
        """Return the SHA-256 (hex) under which ``data`` is now durably sealed, and opens."""
        digest = hashlib.sha256(data).hexdigest()
        self._keep(digest, lambda: (self._encrypt(data, digest),))
        return digest

    def seal_file(self, file: EvidenceFile) -> str:
        """Return the SHA-256 (hex) under which the file is now durably sealed, and opens.

        Raises:
            IntegrityFailure: the file's bytes are not those of its SHA-256; nothing is sealed.
        """
        digest = file.sha256
        self._keep(digest, lambda: self._encrypt_file(file, digest))
        return digest

    def mended(self) -> tuple[str, ...]:
        """Return the names under which something was found that did not open, and was replaced."""
        return tuple(self._mended)

    def forget_mended(self, names: Collection[str]) -> None:
        """Forget names that ``mended`` gave: the record knows of them."""
        for name in names:
            self._mended.pop(name, None)

    def has(self, digest: str) -> bool:
        """Return whether something is kept here under this SHA-256; it may not open."""
        return self._blobs.has(self._name(digest))

    def begins(self, digest: str) -> bool:
        """Return whether what is kept under this SHA-256 begins to open: its key, its first MiB.

        For who must not wait for the whole. One that is cut short later on is not found by it.

        Raises:
            Unavailable: the store does not answer.
        """
        return self._opens(self._name(digest), digest, whole=False)

    def name_of(self, digest: str) -> str:
        """Return the keyed digest that stands for this SHA-256 where it may be seen."""
        return self._name(digest)

    def destroy(self, digest: str) -> None:
        """Keep nothing under this SHA-256 any more.

        Raises:
            Unavailable: the store does not answer: try again.
            IntegrityFailure: the store says that it is gone, and has it still.
        """
        self.destroy_named(self._name(digest))

    def destroy_named(self, name: str) -> None:
        """Keep nothing under this name any more.

        Raises:
            Unavailable: the store does not answer: try again.
            IntegrityFailure: the store says that it is gone, and has it still.
        """
        self._blobs.destroy(name)
        if self._blobs.has(name):
            raise IntegrityFailure("the vault still holds what was destroyed")

    def probe(self) -> None:
        """Return if the vault takes, gives back and destroys: tried with random bytes.

        Raises:
            Unavailable: the store does not answer, or is not the vault that is in use.
            NotPermitted: it does not let us.
            IntegrityFailure: it gives back something else, or keeps what was destroyed.
        """
        probe = secrets.token_bytes(_NONCE_BYTES)
        digest = self.seal(probe)
        try:
            self.open(digest, Access(person="nightlight", purpose="to see that the vault works"))
        finally:
            self.destroy(digest)

    def open(self, digest: str, access: Access) -> bytes:
        """Return the sealed bytes; the caller commits an audit entry of the same access.

        Raises:
            InvalidInput: no person or no purpose is given.
            NotFound: nothing is sealed under this digest.
            IntegrityFailure: what is stored is not what was sealed.
        """
        return b"".join(self.open_parts(digest, access))

    def open_parts(self, digest: str, access: Access) -> Iterator[bytes]:
        """Return the sealed bytes in parts, each of which is as it was sealed.

        The whole is what was sealed only once the last part came without an error.

        Raises:
            InvalidInput: no person or no purpose is given.
            NotFound: nothing is sealed under this digest.
            IntegrityFailure: what is stored is not what was sealed; also raised between parts.
        """
        access.check()
        return self._checked(self._decrypt(self._name(digest), digest), digest)

    def names(self) -> Iterator[str]:
        """Yield the name of everything that is sealed here."""
        return self._blobs.names()

    def key_of(self, name: str) -> str:
        """Return the id of the master key that opens what is kept under a name.

        Raises:
            NotFound: nothing is kept under it, or not any more.
            IntegrityFailure: it is no vault file.
        """
        try:
            with self._blobs.open(name) as blob:
                return self._keys.key_of(_header_of(blob)[1])
        except OSError as error:
            raise Unavailable(f"the vault cannot be read: {error.strerror}") from error

    def rewrap(self, name: str) -> bool:
        """Wrap the data key of a vault file under the newest master key; return if it was not.

        The file's content stays sealed as it is. There is the old file or the new, whole.

        Raises:
            NotFound: nothing is kept under it, or not any more.
            IntegrityFailure: no known master key opens it.
            Unavailable: the store does not answer.
        """
        for _ in range(_TRIES):
            with suppress(_ReplacedError):
                return self._rewrapped(name)
        raise Unavailable("a vault file is replaced again and again", hint="try again later")

    def _rewrapped(self, name: str) -> bool:
        """Do what ``rewrap`` does, unless another file has taken the place of the one read."""
        try:
            with self._blobs.open(name) as blob:
                version, wrapped = _header_of(blob)
                if self._keys.key_of(wrapped) == self._keys.master_keys()[-1].id:
                    return False
                again = self._keys.wrap(self._keys.unwrap(wrapped))
                try:
                    parts = _parts(version, again, blob)
                    self._blobs.replace_parts(name, parts, instead_of=blob)
                except NotFound as error:
                    # Destroyed meanwhile: then it is not found again. Mended: this one is old.
                    raise _ReplacedError from error
        except OSError as error:
            raise Unavailable(f"the vault cannot be read: {error.strerror}") from error
        return True

    def _keep(self, digest: str, parts: Callable[[], Iterable[bytes]]) -> None:
        """Let a file that opens be kept under a digest: the one that is there, or a new one."""
        name = self._name(digest)
        for _ in range(_TRIES):
            if not self._blobs.has(name):
                break
            if self._opens(name, digest, whole=True):
                return
            with suppress(NotFound):  # destroyed or replaced meanwhile: looked at anew
                self._blobs.replace_parts(name, parts())
                self._mended[name] = None
                return
        self._blobs.put_parts(name, parts())

    def _opens(self, name: str, digest: str, *, whole: bool) -> bool:
        """Return whether a file opens, to its end or its first part.

        Each part is bound to its digest and its place, so that no other hash of it is taken.
        """
        try:
            with closing(self._decrypt(name, digest)) as parts:
                for _ in parts:
                    if not whole:
                        return True
        except (IntegrityFailure, NotFound):
            return False
        return True

    def _checked(self, parts: Iterator[bytes], digest: str) -> Iterator[bytes]:
        whole = hashlib.sha256()
        for part in parts:
            whole.update(part)
            yield part
        if whole.hexdigest() != digest:
            raise IntegrityFailure("the vault holds other bytes than were sealed")

    def _name(self, digest: str) -> str:
        return vault_name(digest, self._keys)

    def _encrypt(self, data: bytes, digest: str) -> bytes:
        data_key, header = self._header(_WHOLE)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + AESGCM(data_key).encrypt(nonce, data, digest.encode())

    def _encrypt_file(self, file: EvidenceFile, digest: str) -> Iterator[bytes]:
        data_key, header = self._header(_CHUNKED)
        prefix = secrets.token_bytes(PREFIX_BYTES)
        yield header + prefix
        whole = hashlib.sha256()
        with file.open() as plain:
            for chunk, sealed in sealed_chunks(plain, data_key, prefix, digest.encode()):
                whole.update(chunk)
                yield sealed
        if whole.hexdigest() != digest:
            raise IntegrityFailure("a file changed between hashing and sealing")

    def _header(self, version: bytes) -> tuple[bytes, bytes]:
        """Return a fresh data key, and what a vault file begins with."""
        data_key = AESGCM.generate_key(256)
        wrapped = self._keys.wrap(data_key)
        return data_key, version + len(wrapped).to_bytes(2, "big") + wrapped

    def _decrypt(self, name: str, digest: str) -> Generator[bytes]:
        try:
            with self._blobs.open(name) as blob:
                yield from self._decrypt_blob(blob, digest.encode())
        except OSError as error:
            raise Unavailable(f"the vault cannot be read: {error.strerror}") from error

    def _decrypt_blob(self, blob: BinaryIO, associated: bytes) -> Iterator[bytes]:
        version, wrapped = _header_of(blob)
        data_key = self._keys.unwrap(wrapped)
        if version == _CHUNKED:
            yield from opened_chunks(blob, data_key, blob.read(PREFIX_BYTES), associated)
            return
        nonce, sealed = blob.read(_NONCE_BYTES), blob.read()
        try:
            yield AESGCM(data_key).decrypt(nonce, sealed, associated)
        except (InvalidTag, ValueError) as error:  # ValueError: cut off within the nonce
            raise IntegrityFailure("a vault file was changed after it was sealed") from error


def _header_of(blob: BinaryIO) -> tuple[bytes, bytes]:
    """Return version and wrapped data key, read from the start of a vault file."""
    version = blob.read(len(_WHOLE))
    if version not in (_WHOLE, _CHUNKED):
        raise IntegrityFailure("a vault file has an unknown format")
    return version, blob.read(int.from_bytes(blob.read(2), "big"))


def _parts(version: bytes, wrapped: bytes, rest: BinaryIO) -> Iterator[bytes]:
    yield version + len(wrapped).to_bytes(2, "big") + wrapped
    while part := rest.read(CHUNK_BYTES):
        yield part
