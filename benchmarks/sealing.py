"""How long a file takes to be sealed, and to be found sealed and whole when it comes in again.

python -m benchmarks.sealing --mib 1024
"""

import argparse
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from nightlight.adapters.keyring_file import FileKeyRing
from nightlight.adapters.vault_directory import DirectoryBlobStore
from nightlight.preserve.vault import Vault

_MIB = 1 << 20


class RandomFile:
    """Random bytes on the disk, with their SHA-256."""

    def __init__(self, path: Path, mib: int) -> None:
        self._path = path
        whole = hashlib.sha256()
        with path.open("wb") as file:
            for _ in range(mib):
                part = os.urandom(_MIB)
                whole.update(part)
                file.write(part)
        self.sha256 = whole.hexdigest()

    def open(self) -> BinaryIO:
        """Return a reader from the start."""
        return self._path.open("rb")


def took(what: str, act: Callable[[], object]) -> None:
    """Say how many seconds something took, and how many of a core."""
    began, used = time.perf_counter(), time.process_time()
    act()
    spent, core = time.perf_counter() - began, time.process_time() - used
    print(f"{what:<12} {spent:8.3f} s   {core:8.3f} s of a core")


def main() -> None:
    """Seal a file twice, and open its beginning."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="How large the file is.")
    parser.add_argument("--folder", type=Path, help="On which disk; a temporary one by default.")
    asked = parser.parse_args()
    with TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        file = RandomFile(folder / "file", asked.mib)
        keys = FileKeyRing(folder / "keys.json")
        vault = Vault(blobs=DirectoryBlobStore(folder / "vault"), keys=keys)
        took("anew", lambda: vault.seal_file(file))
        took("again", lambda: vault.seal_file(file))
        took("beginning", lambda: vault.begins(file.sha256))


if __name__ == "__main__":
    main()
