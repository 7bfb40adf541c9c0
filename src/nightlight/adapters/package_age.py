"""Packages as plain tar files of age files: age and tar open them, without Nightlight.

A member is ``NAME.age``, encrypted to the recipient's X25519 key. With a passphrase the members are
encrypted to a fresh key, which lies beside them in ``identity.age``, encrypted to the passphrase by
scrypt. ``manifest.json`` lists the members; ``manifest.sig`` is its Ed25519 signature.
"""

import hashlib
import io
import os
import re
import secrets
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec
import pyrage

from nightlight.errors import IntegrityFailure, InvalidInput, NightlightError, Unavailable
from nightlight.preserve.package import (
    CONTENTS,
    VERSION,
    Contents,
    Manifest,
    Member,
    Packed,
    is_signed,
)

_MANIFEST, _SIGNATURE, _IDENTITY = "manifest.json", "manifest.sig", "identity.age"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,120}\.age")
_SMALL = 64 << 20
_CHUNK = 1 << 20
_SIGNATURE_BYTES = 64


class AgePacker:
    """Writes packages."""

    def check_recipient(self, recipient: str) -> None:
        """Return only if something can be encrypted to this public key.

        Raises:
            InvalidInput: it is no public key.
        """
        _recipient(recipient)

    def pack(
        self,
        to: Path,
        *,
        members: Iterator[tuple[str, Iterator[bytes]]],
        recipient: str,
        passphrase: str,
        manifest: Callable[[tuple[Member, ...]], Manifest],
        sign: Callable[[bytes], bytes],
    ) -> Packed:
        """Write a package to a new file that only its owner can read; whole, or not at all.

        Raises:
            InvalidInput: the file is there, or cannot be made.
            Unavailable: the disk cannot be written.
        """
        with _new_file(to) as file:
            try:
                with tarfile.open(fileobj=file, mode="w") as tar:
                    identity = None if recipient else pyrage.x25519.Identity.generate()
                    key = identity.to_public() if identity else _recipient(recipient)
                    done: list[Member] = []
                    if identity is not None:
                        kept = pyrage.passphrase.encrypt(f"{identity}\n".encode(), passphrase)
                        done.append(_add(tar, _IDENTITY, io.BytesIO(kept)))
                    for name, parts in members:
                        with _scratch(to.parent) as sealed:
                            _encrypt(parts, sealed, key)
                            done.append(_add(tar, f"{name}.age", sealed))
                    made = manifest(tuple(done))
                    body = msgspec.json.format(msgspec.json.encode(made))
                    _add(tar, _MANIFEST, io.BytesIO(body))
                    _add(tar, _SIGNATURE, io.BytesIO(sign(body)))
                file.flush()
                os.fsync(file.fileno())
            except OSError as error:
                raise Unavailable(f"the package cannot be written: {error.strerror}") from error
            return Packed(manifest=made, sha256=_digest(file)[0])


def verify_package(path: Path, *, public: str) -> Manifest:
    """Return what a package's manifest says, which is true of what lies beside it.

    Nothing is opened.

    Raises:
        InvalidInput: it cannot be read, or the key is none.
        IntegrityFailure: it is cut off or changed, or somebody else signed it.
    """
    with _tar(path) as tar:
        return _checked(tar, public)


def open_package(
    path: Path, *, public: str, to: Path, identity: str = "", passphrase: str = ""
) -> Contents:
    """Return what a package holds, written decrypted into a new folder, and found right.

    Raises:
        InvalidInput: it cannot be read, the folder is there, or the identity does not open it.
        IntegrityFailure: it is cut off or changed, or somebody else signed it.
    """
    with _tar(path) as tar:
        manifest = _checked(tar, public)
        key = _identity(tar, identity, passphrase)
        held = io.BytesIO()
        _decrypt(tar, f"{CONTENTS}.age", held, key)
        try:
            contents = msgspec.json.decode(held.getvalue(), type=Contents)
        except msgspec.MsgspecError as error:
            raise IntegrityFailure("the package's contents cannot be read") from error
        listed = {one.name for one in manifest.members}
        try:
            to.mkdir(mode=0o700)
            (to / CONTENTS).write_bytes(held.getvalue())
            for one in contents.evidence:
                if f"{one.member}.age" not in listed:
                    raise IntegrityFailure(f"the package lacks {one.member}")
                descriptor = os.open(to / one.member, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w+b") as file:
                    _decrypt(tar, f"{one.member}.age", file, key)
                    if _digest(file) != (one.sha256, one.byte_count):
                        raise IntegrityFailure(f"{one.member} is not what was sealed")
        except OSError as error:
            raise InvalidInput(f"cannot be written: {error.strerror}", field=str(to)) from error
    return contents


def _checked(tar: tarfile.TarFile, public: str) -> Manifest:
    members = tar.getmembers()
    names = [one.name for one in members]
    if len(set(names)) != len(names) or not all(one.isreg() for one in members):
        raise IntegrityFailure("the package holds a member twice, or one that is no file")
    if names[-2:] != [_MANIFEST, _SIGNATURE]:
        raise IntegrityFailure("the package has no signed manifest: it is cut off, or none of ours")
    body, signature = _small(tar, _MANIFEST), _small(tar, _SIGNATURE)
    if len(signature) != _SIGNATURE_BYTES or not is_signed(body, signature, public):
        raise IntegrityFailure("the manifest was changed, or signed with another key")
    try:
        manifest = msgspec.json.decode(body, type=Manifest)
    except msgspec.MsgspecError as error:
        raise IntegrityFailure("the manifest cannot be read") from error
    if manifest.version != VERSION:
        raise IntegrityFailure("the package has a version that this Nightlight does not know")
    if [one.name for one in manifest.members] != names[:-2]:
        raise IntegrityFailure("the package holds other members than its manifest lists")
    for one in manifest.members:
        if not _NAME.fullmatch(one.name):
            raise IntegrityFailure("a member has a name that no member has")
        if _digest(_file(tar, one.name)) != (one.sha256, one.byte_count):
            raise IntegrityFailure(f"{one.name} was changed")
    _check_nothing_between(tar, members)
    return manifest


def _check_nothing_between(tar: tarfile.TarFile, members: list[tarfile.TarInfo]) -> None:
    """Return only if the package holds its members and, between and after them, nothing but zeros.

    Raises:
        IntegrityFailure: it holds more, or ends elsewhere than the tar format does.
    """
    file = tar.fileobj
    if file is None:
        raise IntegrityFailure("the package is cut off, or no package")
    reached = 0
    for one in members:
        if one.offset != reached:
            raise IntegrityFailure(f"something was put in before {one.name}")
        end = one.offset_data + one.size
        reached = _whole(end, tarfile.BLOCKSIZE)
        file.seek(end)
        if any(file.read(reached - end)):
            raise IntegrityFailure(f"something was put in after {one.name}")
    file.seek(reached)
    padding = _whole(reached + 2 * tarfile.BLOCKSIZE, tarfile.RECORDSIZE) - reached
    # One byte more than there may be: what follows is found, however much it is.
    if file.read(padding + 1) != bytes(padding):
        raise IntegrityFailure("something was put in after the package's end, or it is cut off")


def _whole(size: int, of: int) -> int:
    return -(-size // of) * of


def _identity(tar: tarfile.TarFile, identity: str, passphrase: str) -> pyrage.x25519.Identity:
    try:
        if passphrase:
            identity = pyrage.passphrase.decrypt(_small(tar, _IDENTITY), passphrase).decode()
        lines = [line for line in identity.splitlines() if line and not line.startswith("#")]
        return pyrage.x25519.Identity.from_str(lines[0].strip())
    except (pyrage.DecryptError, pyrage.IdentityError, IndexError, UnicodeDecodeError) as error:
        # Without its cause: it may quote the key.
        del error
        raise InvalidInput("this does not open the package", field="identity") from None


def _encrypt(parts: Iterator[bytes], to: BinaryIO, key: pyrage.x25519.Recipient) -> None:
    reader = _Reader(parts)
    try:
        pyrage.encrypt_io(reader, to, [key])
    except pyrage.EncryptError as error:
        # The library wraps what the reader raised; who asked for the package is to know it.
        raise reader.failure or Unavailable("the package cannot be written") from error


def _decrypt(tar: tarfile.TarFile, name: str, to: BinaryIO, key: pyrage.x25519.Identity) -> None:
    try:
        pyrage.decrypt_io(_file(tar, name), to, [key])
    except pyrage.DecryptError as error:
        raise InvalidInput("this key does not open the package", field="identity") from error
    except OSError as error:
        raise IntegrityFailure(f"{name} cannot be decrypted whole") from error


def _recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise InvalidInput(
            "not a public key of age", field="recipient", hint="it begins with age1"
        ) from error


def _add(tar: tarfile.TarFile, name: str, data: BinaryIO) -> Member:
    digest, size = _digest(data)
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    data.seek(0)
    tar.addfile(info, data)
    return Member(name=name, byte_count=size, sha256=digest)


def _digest(file: BinaryIO) -> tuple[str, int]:
    """Return SHA-256 and size of a file, read from its start."""
    file.seek(0)
    whole, size = hashlib.sha256(), 0
    try:
        while part := file.read(_CHUNK):
            whole.update(part)
            size += len(part)
    except tarfile.ReadError as error:
        raise IntegrityFailure("the package is cut off") from error
    return whole.hexdigest(), size


def _small(tar: tarfile.TarFile, name: str) -> bytes:
    try:
        info = tar.getmember(name)
    except KeyError as error:
        raise InvalidInput("the package was not encrypted to a passphrase") from error
    if info.size > _SMALL:
        raise IntegrityFailure(f"{name} is too large")
    return _file(tar, name).read()


def _file(tar: tarfile.TarFile, name: str) -> BinaryIO:
    try:
        found = tar.extractfile(name)
    except KeyError as error:
        raise IntegrityFailure(f"the package lacks {name}") from error
    if found is None:
        raise IntegrityFailure(f"the package lacks {name}")
    return found  # type: ignore[return-value]  # it reads like any binary file


@contextmanager
def _tar(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, mode="r:") as tar:
            yield tar
    except tarfile.TarError as error:
        raise IntegrityFailure("the package is cut off, or no package") from error
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", field=str(path)) from error


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Give a new file for its owner alone, which is gone again if anything fails."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InvalidInput(f"cannot be made: {error.strerror}", field=str(path)) from error
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def _scratch(folder: Path) -> Iterator[BinaryIO]:
    """Give a nameless file; what is written into it is encrypted already."""
    path = folder / f".{secrets.token_hex(8)}"
    with _new_file(path) as file:
        with suppress(OSError):
            path.unlink()
        yield file


class _Reader(io.RawIOBase):
    """Parts as a file that is read once."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._left = b""
        self.failure: NightlightError | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, b"" at the end."""
        while not self._left:
            try:
                part = next(self._parts, None)
            except NightlightError as error:
                self.failure = error
                raise
            if part is None:
                return b""
            self._left = part
        size = len(self._left) if size < 0 else size
        found, self._left = self._left[:size], self._left[size:]
        return found
