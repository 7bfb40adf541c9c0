"""What needs no settings: the clock, hashing and opening files of this machine, packages."""

from collections.abc import Callable
from pathlib import Path

from nightlight.adapters import package_age
from nightlight.adapters.clock import SystemClock
from nightlight.adapters.media_download import DownloadLimits
from nightlight.adapters.sandbox import Sandbox
from nightlight.adapters.sandbox_hasher import SandboxedHasher
from nightlight.adapters.sandbox_walls import Wall
from nightlight.adapters.spool import Spool
from nightlight.audit.clock import Clock
from nightlight.errors import InvalidInput
from nightlight.model.media import Scan
from nightlight.preserve.package import Contents, Manifest

_CHUNK = 1 << 20


def verify_package(path: Path, *, public: str) -> Manifest:
    """Return what a package's manifest truly says; needs no settings.

    Raises:
        InvalidInput: it cannot be read, or the key is none.
        IntegrityFailure: it is cut off or changed, or somebody else signed it.
    """
    return package_age.verify_package(path, public=public)


def open_package(path: Path, *, public: str, to: Path, identity: str, passphrase: str) -> Contents:
    """Return what a package holds, written decrypted into a new folder; needs no settings.

    Raises:
        InvalidInput: it cannot be read, the folder is there, or the identity does not open it.
        IntegrityFailure: it is cut off or changed, or somebody else signed it.
    """
    return package_age.open_package(
        path, public=public, to=to, identity=identity, passphrase=passphrase
    )


def build_clock() -> Clock:
    """Return the machine's clock; needs no settings."""
    return SystemClock()


def build_hasher(*, is_fast: bool = False) -> SandboxedHasher:
    """Return what turns bytes into hashes; needs no settings."""
    return SandboxedHasher(sandbox=Sandbox(is_fast=is_fast))


def missing_walls() -> list[str]:
    """Return what decoders of hostile files are not kept from on this machine; needs no settings.

    Raises:
        Unavailable: no decoder can be started.
    """
    sandbox = Sandbox(workers=1)
    try:
        return sorted(set(Wall) - sandbox.walls())
    finally:
        sandbox.close()


def build_file_scanner(*, for_bank: bool = False) -> Callable[[Path], Scan]:
    """Return what hashes files of this machine, as the files of events are; needs no settings.

    It raises InvalidInput where a file cannot be read. With ``for_bank``, in the views that a bank
    made from media holds.
    """
    hasher, limits = build_hasher(), DownloadLimits()

    def scan(path: Path) -> Scan:
        try:
            with path.open("rb") as file, Spool(max_bytes=limits.max_bytes) as spool:
                while part := file.read(_CHUNK):
                    spool.write(part)
                with spool.finish() as spooled:
                    return hasher.scan_file(spooled, for_bank=for_bank)
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror}", field=str(path)) from error

    return scan
