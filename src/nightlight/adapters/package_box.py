"""A folder from which a hotline fetches reports as encrypted, signed packages.

A package is written under another name and renamed when it is whole, so whoever fetches finds it
whole or not at all; writing it again replaces it.
"""

from collections.abc import Iterator
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

        Where others see it the name is keyed; the receipt has it.

        Raises:
            Unavailable: the folder cannot be written.
        """
        shown = self._key.name_of(name)
        partial, whole = self._folder / f".{shown}.partial", self._folder / f"{shown}.tar"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            partial.unlink(missing_ok=True)
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
        try:
            self._remove_former(name)
            partial.replace(whole)
        except OSError as error:
            raise _unwritable(error) from error
        told = {
            "package": whole.name,
            "sha256": done.sha256,
            "members": {one.name: one.sha256 for one in done.manifest.members},
        }
        return msgspec.json.encode(told).decode()

    def remove(self, name: str) -> None:
        """Leave no package under this name.

        Raises:
            Unavailable: the folder cannot be written.
        """
        shown = self._key.name_of(name)
        try:
            self._remove_former(name)
            (self._folder / f"{shown}.tar").unlink(missing_ok=True)
            (self._folder / f".{shown}.partial").unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(error) from error

    def _remove_former(self, name: str) -> None:
        """Leave nothing under the name in clear, which packages had before."""
        (self._folder / f"{name}.tar").unlink(missing_ok=True)
        (self._folder / f".{name}.partial").unlink(missing_ok=True)


def _unwritable(error: OSError) -> Unavailable:
    return Unavailable(f"the folder of packages cannot be written: {error.strerror}")
