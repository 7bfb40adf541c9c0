"""Master keys in a file that only its owner can read; in clear, or covered by a key service."""

import base64
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from fcntl import LOCK_EX, flock
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Literal, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct
from msgspec.structs import replace

from nightlight.errors import Conflict, IntegrityFailure, InvalidInput, NotFound, Unavailable
from nightlight.preserve.ports import MasterKey

_NONCE_BYTES = 12
_ID_BYTES = 4
_KEY_BYTES = 32
#: After so long a running process notices that another one changed the key file.
_LOOK_EVERY_S = 1.0


class KeyCover(Protocol):
    """Covers keys so that the file that holds them opens nothing by itself."""

    @property
    def name(self) -> str:
        """What covers them, as the key file says it."""
        ...

    def cover(self, key: bytes) -> str:
        """Return a key as it is kept in the file.

        Raises:
            Unavailable: what covers keys does not answer.
            NotPermitted: it does not let us.
        """
        ...

    def uncover(self, kept: str) -> bytes:
        """Return the key.

        Raises:
            IntegrityFailure: it was not covered by this.
            Unavailable: what covers keys does not answer.
            NotPermitted: it does not let us.
        """
        ...


class PlainCover:
    """Keeps keys as they are, in base64: only the file's permissions protect them."""

    name = ""

    def cover(self, key: bytes) -> str:
        """Return a key as it is kept in the file."""
        return base64.b64encode(key).decode()

    def uncover(self, kept: str) -> bytes:
        """Return the key.

        Raises:
            ValueError: this is none.
        """
        return base64.b64decode(kept, validate=True)


class _StoredKeys(Struct, frozen=True, kw_only=True):
    """The key file: ``master`` maps key id (8 hex digits) to key, newest last.

    Attributes:
        cover: what covers the keys, "" where they are in clear.
        made: when each master key was made, where that is known.
    """

    version: Literal[1]
    master: dict[str, str]
    naming: str
    audit: str
    cover: str = ""
    made: dict[str, datetime] = {}


class _Keys(Struct, frozen=True, kw_only=True):
    """The key file, opened."""

    stored: _StoredKeys
    ciphers: dict[bytes, AESGCM]
    newest: bytes
    naming: bytes
    audit: bytes


class FileKeyRing:
    """Wraps under the newest master key of a key file, unwraps under any of them.

    Keys that another process adds or takes out are noticed within a second. A file that is put in
    its place from before the newest key, or of another home, is never taken up: whoever runs goes
    on with the keys that it has.
    """

    def __init__(self, path: Path, *, cover: KeyCover | None = None) -> None:
        """Read the key file, or make one with fresh keys where there is none.

        Raises:
            InvalidInput: the file is damaged or covered otherwise; restore it from its backup,
                nothing sealed can be opened without it.
            Unavailable: the file cannot be read or made, or what covers it does not answer.
        """
        self._path = path
        self._cover = cover or PlainCover()
        self._lock = Lock()
        self._opened: dict[str, bytes] = {}
        try:
            if not path.exists():
                _create(path, self._cover)
        except OSError as error:
            raise _unusable(path, error) from error
        self._stamp = _stamp(path)
        self._looked = monotonic()
        self._keys = self._read()

    def wrap(self, data_key: bytes) -> bytes:
        """Return ``data_key`` encrypted under the newest master key, with the key's id."""
        self._look()
        keys, nonce = self._keys, os.urandom(_NONCE_BYTES)
        return keys.newest + nonce + keys.ciphers[keys.newest].encrypt(nonce, data_key, None)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return what was wrapped.

        Raises:
            IntegrityFailure: no known master key opens it.
        """
        cipher = self._keys.ciphers.get(wrapped[:_ID_BYTES])
        if cipher is None:
            self._look(now=True)
            cipher = self._keys.ciphers.get(wrapped[:_ID_BYTES])
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
        return self._keys.naming

    def audit_key(self) -> bytes:
        """Return the key that seals anchors of the audit chain."""
        return self._keys.audit

    def key_of(self, wrapped: bytes) -> str:
        """Return the id of the master key under which something is wrapped."""
        return wrapped[:_ID_BYTES].hex()

    def master_keys(self) -> list[MasterKey]:
        """Return every master key, newest last."""
        self._look(now=True)
        stored = self._keys.stored
        return [MasterKey(id=name, made_at=stored.made.get(name)) for name in stored.master]

    def add(self, key_id: str, *, at: datetime) -> None:
        """Make a fresh master key, which wraps from now on; the others still unwrap.

        Raises:
            InvalidInput: that is no key id.
            Conflict: there is a key with this id.
            Unavailable: the file cannot be written, or what covers it does not answer.
        """
        try:
            _id(key_id)
        except ValueError as error:
            raise InvalidInput("a key id is 8 hex digits", field="key") from error
        with self._changing() as stored:
            if key_id in stored.master:
                raise Conflict("there is a master key with this id")
            key = AESGCM.generate_key(256)
            _write(
                self._path,
                replace(
                    stored,
                    master={**stored.master, key_id: self._cover.cover(key)},
                    made={**stored.made, key_id: at},
                ),
            )

    def remove(self, key_id: str) -> None:
        """Take a master key out: what is wrapped under it can never be opened again.

        Raises:
            NotFound: there is none with this id.
            Conflict: it is the one that wraps.
            Unavailable: the file cannot be written.
        """
        with self._changing() as stored:
            if key_id not in stored.master:
                raise NotFound(f"no master key {key_id}", hint="`nightlight keys status`")
            if key_id == list(stored.master)[-1]:
                raise Conflict("that is the master key in use", hint="rotate first")
            _write(
                self._path,
                replace(
                    stored,
                    master={one: key for one, key in stored.master.items() if one != key_id},
                    made={one: at for one, at in stored.made.items() if one != key_id},
                ),
            )

    @contextmanager
    def _changing(self) -> Iterator[_StoredKeys]:
        """Give the file as it is now, while no other process changes it, and read it afterwards."""
        try:
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                flock(folder, LOCK_EX)
                self._look(now=True)
                yield self._keys.stored
            finally:
                os.close(folder)
        except OSError as error:
            raise _unusable(self._path, error) from error
        self._look(now=True)

    def _look(self, *, now: bool = False) -> None:
        """Read the file again if it changed; not looked at more than once a second."""
        if not now and monotonic() - self._looked < _LOOK_EVERY_S:
            return
        with self._lock:
            self._looked = monotonic()
            stamp = _stamp(self._path)
            # A file that is gone meanwhile changes nothing for who has read it.
            if stamp not in (self._stamp, None):
                found, self._stamp = self._read(), stamp
                if _goes_on(self._keys, found):
                    self._keys = found

    def _read(self) -> _Keys:
        try:
            body = self._path.read_bytes()
        except OSError as error:
            raise _unusable(self._path, error) from error
        try:
            stored = msgspec.json.decode(body, type=_StoredKeys)
            if stored.cover != self._cover.name:
                raise InvalidInput(
                    f"the key file is covered by {stored.cover or 'nothing'},"
                    f" the settings name {self._cover.name or 'nothing'}",
                    field=str(self._path),
                    hint="see NIGHTLIGHT_KMS_URL, and `nightlight keys cover`",
                )
            ciphers = {_id(name): AESGCM(self._key(key)) for name, key in stored.master.items()}
            return _Keys(
                stored=stored,
                ciphers=ciphers,
                newest=list(ciphers)[-1],
                naming=self._key(stored.naming),
                audit=self._key(stored.audit),
            )
        except (msgspec.MsgspecError, ValueError, IndexError) as error:
            raise InvalidInput(
                "the key file is damaged", field=str(self._path), hint="restore it from its backup"
            ) from error

    def _key(self, kept: str) -> bytes:
        """Return the key, whole: a shorter one would be used in silence."""
        if kept not in self._opened:
            key = self._cover.uncover(kept)
            if len(key) != _KEY_BYTES:
                raise ValueError("a key has another length")
            self._opened[kept] = key
        return self._opened[kept]


def _goes_on(before: _Keys, after: _Keys) -> bool:
    """Return whether keys are later than those before, or the same: of one home, not outdated."""
    if (before.naming, before.audit) != (after.naming, after.audit):
        return False
    newest, used = list(after.stored.master)[-1], list(before.stored.master)[-1]
    if used in after.stored.master or newest in before.stored.master:
        return used in after.stored.master
    # Either rotated and retired unnoticed, or so old that its newest key was retired before.
    made, since = after.stored.made.get(newest), before.stored.made.get(used)
    return since is None or (made is not None and made > since)


def cover_file(path: Path, *, before: KeyCover, after: KeyCover) -> None:
    """Let the keys in a file be covered otherwise; the keys stay the same.

    Raises:
        InvalidInput: the file is damaged, or covered by something else than ``before``.
        Unavailable: the file cannot be written, or what covers it does not answer.
    """
    ring = FileKeyRing(path, cover=before)
    with ring._changing() as stored:  # noqa: SLF001  the same module

        def again(kept: str) -> str:
            key = ring._key(kept)  # noqa: SLF001
            covered = after.cover(key)
            if after.uncover(covered) != key:
                raise Unavailable("what covers keys does not give them back")
            return covered

        covered = replace(
            stored,
            cover=after.name,
            master={name: again(kept) for name, kept in stored.master.items()},
            naming=again(stored.naming),
            audit=again(stored.audit),
        )
        _write(path, covered)
        ring._cover = after  # noqa: SLF001


def _create(path: Path, cover: KeyCover) -> None:
    fresh = _StoredKeys(
        version=1,
        master={secrets.token_hex(_ID_BYTES): cover.cover(AESGCM.generate_key(256))},
        naming=cover.cover(AESGCM.generate_key(256)),
        audit=cover.cover(AESGCM.generate_key(256)),
        cover=cover.name,
    )
    # Only once there is something to keep, and no folder of it is open to others.
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _partial(path, fresh) as partial, suppress(FileExistsError):
        # Two first starts at once: one wins, both then read the same keys.
        os.link(partial, path)


def _write(path: Path, stored: _StoredKeys) -> None:
    """Put a key file in place of the one that is there: there is the old or the new, whole."""
    with _partial(path, stored) as partial:
        partial.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _partial(path: Path, stored: _StoredKeys) -> Iterator[Path]:
    """Give a file beside the key file, durable, and gone afterwards unless it was renamed."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(stored)))
            file.flush()
            os.fsync(file.fileno())
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when the file does, None where it cannot be seen."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size)


def _unusable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"the key file cannot be read or made: {error.strerror}",
        field=str(path),
        hint="check the permissions of its folder",
    )


def _id(name: str) -> bytes:
    raw = bytes.fromhex(name)
    if len(raw) != _ID_BYTES:
        raise ValueError("a key id has another length")
    return raw
