"""Turns files into hashes with the decoding done in a sandbox; a ``Hasher``.

The exact hashes are computed here, before a decoder sees the file: whatever it does, they stand.
"""

import hashlib
from collections import OrderedDict
from functools import partial
from threading import Lock

from msgspec.structs import replace

from nightlight.adapters.file_kind import HEAD_BYTES, is_video_or_sound
from nightlight.adapters.sandbox import Sandbox
from nightlight.adapters.spool import SharedFile, SpooledFile
from nightlight.errors import InvalidInput, Unavailable
from nightlight.ingest.ports import MediaFile, TakesLong
from nightlight.model.media import MediaHashes, Scan, ScanState

_MIB = 1 << 20
_LONGEST_S = 1800.0


class SandboxedHasher:
    """Scans files; remembers the outcome by SHA-256, so a repeated file is decoded once.

    May be called from several threads; decodes as many files at once as there are processors, and
    pictures also while videos wait for each other.
    """

    def __init__(
        self,
        *,
        sandbox: Sandbox,
        remembered: int = 4096,
        wall_s: float = 20.0,
        video_wall_s_per_mib: float = 2.0,
    ) -> None:
        """Keep the sandbox, which is closed with this.

        Args:
            sandbox: where files are decoded.
            remembered: of how many files, the latest asked for, the outcome is kept.
            wall_s: how long decoding may take.
            video_wall_s_per_mib: how much longer for each MiB of a video, up to half an hour.
        """
        self._sandbox = sandbox
        self._remembered = remembered
        self._wall_s = wall_s
        self._video_wall_s_per_mib = video_wall_s_per_mib
        self._scans: OrderedDict[tuple[str, bool], Scan] = OrderedDict()
        self._long: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    @property
    def sandbox(self) -> Sandbox:
        """Where files are decoded."""
        return self._sandbox

    def scan(self, data: bytes) -> Scan:
        """Return the outcome; a file that cannot be decoded is a failed scan, never an error."""
        hashes = MediaHashes(
            md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
            sha1=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
            sha256=hashlib.sha256(data).hexdigest(),
        )
        return self._scan(hashes, len(data), head=data[:HEAD_BYTES], data=data)

    def takes_long(self, file: MediaFile) -> bool:
        """Return whether decoding a file may take much longer than a picture takes, or did."""
        try:
            return self._took_long(file.hashes) or is_video_or_sound(file.head(HEAD_BYTES))
        except Unavailable:
            return False

    def scan_file(
        self,
        file: MediaFile,
        *,
        for_bank: bool = False,
        until_s: float | None = None,
        briefly: bool = False,
    ) -> Scan:
        """Return the outcome as ``scan`` does, without holding a large file in memory.

        Raises:
            TakesLong: asked for ``briefly``, it turned out to take long.
        """
        shared = file.shared() if isinstance(file, SpooledFile) else None
        try:
            data = file.read_all() if shared is None else None
            head = file.head(HEAD_BYTES)
        except Unavailable as error:
            return _failed(str(error), file.hashes, file.size)
        return self._scan(
            file.hashes,
            file.size,
            head=head,
            data=data,
            shared=shared,
            for_bank=for_bank,
            until_s=until_s,
            briefly=briefly,
        )

    def close(self) -> None:
        """End the sandbox."""
        self._sandbox.close()

    def _scan(
        self,
        exact: MediaHashes,
        size: int,
        *,
        head: bytes,
        data: bytes | None,
        shared: tuple[int, SharedFile] | None = None,
        for_bank: bool = False,
        until_s: float | None = None,
        briefly: bool = False,
    ) -> Scan:
        remembered = (exact.sha256, for_bank)
        with self._lock:
            known = self._scans.get(remembered)
            if known is not None:
                self._scans.move_to_end(remembered)
                return known
        wall_s, is_video = self._wall_s, is_video_or_sound(head)
        if is_video:
            more_s = round(size / _MIB * self._video_wall_s_per_mib)
            wall_s = min(wall_s + more_s, max(wall_s, _LONGEST_S))
        decode = partial(
            self._sandbox.decode,
            size=size,
            wall_s=wall_s,
            data=data,
            shared=shared,
            for_bank=for_bank,
            until_s=until_s,
        )
        try:
            try:
                found = decode(is_long=is_video or self._took_long(exact))
            except TakesLong:
                self._note_long(exact)
                if briefly:
                    raise
                found = decode(is_long=True)
        except (InvalidInput, Unavailable) as error:
            return _failed(str(error), exact, size)
        hashes = replace(found.hashes, md5=exact.md5, sha1=exact.sha1, sha256=exact.sha256)
        scan = replace(found, hashes=hashes, byte_count=size, sealed_digest="")
        # A failure may be passing (memory ran short), so only success is remembered.
        if scan.state is ScanState.SCANNED:
            self._remember(remembered, scan)
        return scan

    def _took_long(self, exact: MediaHashes) -> bool:
        with self._lock:
            return exact.sha256 in self._long

    def _note_long(self, exact: MediaHashes) -> None:
        with self._lock:
            self._long[exact.sha256] = None
            while len(self._long) > self._remembered:
                self._long.popitem(last=False)

    def _remember(self, asked: tuple[str, bool], scan: Scan) -> None:
        with self._lock:
            self._scans[asked] = scan
            while len(self._scans) > self._remembered:
                self._scans.popitem(last=False)


def _failed(reason: str, exact: MediaHashes, size: int) -> Scan:
    return Scan(state=ScanState.FAILED, hashes=exact, byte_count=size, reason=reason)
