"""A folder from which a hotline fetches reports as encrypted, signed packages.

A package is written under another name and renamed when it is whole, so whoever fetches finds it
whole or not at all; writing it again replaces it. Its receipt is written down just before, so that
a package that is not there any more is known to be fetched.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from nightlight.audit.clock import Clock
from nightlight.errors import Unavailable
from nightlight.preserve.package import VERSION, Manifest, Member, Packer, SigningKey


class DirectoryPackageBox:
    """Writes packages for one recipient into one folder."""

    def __init__(
        self, *, folder: Path, recipient: str, packer: Packer, key: SigningKey, clock: Clock
    ) -> None:
        """Keep the parts.

        Raises:
            InvalidInput: nothing can be encrypted to this recipient.
        """
        packer.check_recipient(recipient)
        self._folder = folder
        self._recipient = recipient
        self._packer = packer
        self._key = key
        self._clock = clock

    def put(self, name: str, members: Iterator[tuple[str, Iterator[bytes]]]) -> str:
        """Leave a package of this name, and return its receipt: digests, as JSON.

        Where others see it the name is keyed; the receipt has it. Where the one before was fetched
        already it stays the only one, and its receipt comes back.

        Raises:
            Unavailable: the folder cannot be written.
        """
        if fetched := self.remove(name):
            return fetched
        shown = self._key.name_of(name)
        partial, whole = self._folder / f".{shown}.partial", self._folder / f"{shown}.tar"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise _unwritable(error) from error

        def manifest(packed: tuple[Member, ...]) -> Manifest:
            return Manifest(
                version=VERSION,
                package=shown,
                made_at=self._clock.now(),
                recipient=self._recipient,
                members=packed,
            )

        done = self._packer.pack(
            partial,
            members=members,
            recipient=self._recipient,
            passphrase="",
            manifest=manifest,
            sign=self._key.sign,
        )
        told = {
            "package": whole.name,
            "sha256": done.sha256,
            "members": {one.name: one.sha256 for one in done.manifest.members},
        }
        receipt = msgspec.json.encode(told)
        try:
            self._write_down(shown, receipt)
            partial.replace(whole)
        except OSError as error:
            raise _unwritable(error) from error
        return receipt.decode()

    def remove(self, name: str) -> str:
        """Leave no package under this name; return its receipt if it was fetched before, else "".

        Raises:
            Unavailable: the folder cannot be written.
        """
        shown = self._key.name_of(name)
        partial, written = self._folder / f".{shown}.partial", self._folder / f".{shown}.receipt"
        try:
            self._remove_former(name)
            with suppress(FileNotFoundError):
                # From here on nobody fetches it; if this process dies it is found here again.
                (self._folder / f"{shown}.tar").replace(partial)
            if written.exists() and not partial.exists():
                return written.read_text()
            written.unlink(missing_ok=True)
            partial.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(error) from error
        return ""

    def _write_down(self, shown: str, receipt: bytes) -> None:
        """Let a receipt be found whole, or not at all."""
        draft = self._folder / f".{shown}.receipt.partial"
        with draft.open("wb") as file:
            file.write(receipt)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / f".{shown}.receipt")

    def _remove_former(self, name: str) -> None:
        """Leave nothing under the name in clear, which packages had before."""
        (self._folder / f"{name}.tar").unlink(missing_ok=True)
        (self._folder / f".{name}.partial").unlink(missing_ok=True)


def _unwritable(error: OSError) -> Unavailable:
    return Unavailable(f"the folder of packages cannot be written: {error.strerror}")
