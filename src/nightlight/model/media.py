"""Media as the core knows it: hashes and the outcome of scanning, never bytes."""

from enum import StrEnum

from nightlight.model.masked import Masked


class MediaHashes(Masked, frozen=True, kw_only=True):
    """The hashes of one file, lower-case hex; "" where a hash is not known.

    Attributes:
        pdq: 64 hex digits, "" where the file is no picture.
        pdq_quality: 0 to 100; hashes under 50 are not matched (PDQ's own convention).
    """

    md5: str = ""
    sha1: str = ""
    sha256: str = ""
    pdq: str = ""
    pdq_quality: int = 0

    def __repr__(self) -> str:
        """Hashes of suspected media are sensitive: printing shows only which kinds are known."""
        known = [name for name in self.__struct_fields__ if getattr(self, name) not in ("", 0)]
        return f"<MediaHashes: {', '.join(known) or 'none'}>"


class ScanState(StrEnum):
    """How far scanning of a media file came."""

    SCANNED = "scanned"
    FAILED = "failed"
    UNREACHABLE = "unreachable"


class Scan(Masked, frozen=True, kw_only=True):
    """The outcome of fetching and hashing one file.

    Attributes:
        reason: why it was not scanned, in words for a reviewer; "" when it was.
        byte_count: size of the file, 0 when unknown.
        sealed_digest: SHA-256 under which the vault holds the file, "" where it was not sealed.
    """

    state: ScanState
    hashes: MediaHashes = MediaHashes()
    byte_count: int = 0
    reason: str = ""
    sealed_digest: str = ""

    def __repr__(self) -> str:
        return f"<Scan {self.state}: masked>"
