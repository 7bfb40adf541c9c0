"""Media comes in: fetched, hashed and, where wanted, sealed before its bytes are let go."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec.structs import replace

from nightlight.errors import InvalidInput, NotPermitted, Unavailable
from nightlight.ingest.ports import Hasher, MediaFile, MediaSource
from nightlight.model.event import MediaUploaded
from nightlight.model.media import MediaHashes, Scan, ScanState, ViewHash


class MediaIntake:
    """Fetches and scans a file once; bytes leave only towards the vault."""

    def __init__(
        self,
        *,
        source: MediaSource,
        hasher: Hasher,
        wanted: Callable[[MediaHashes], bool],
        seal: Callable[[MediaFile], str],
        tries: int = 3,
        at_once: int = 4,
    ) -> None:
        """Keep the parts.

        Args:
            source: where files are fetched.
            hasher: what turns them into hashes.
            wanted: whether a file with these hashes is evidence.
            seal: keeps a file in the vault and returns its digest.
            tries: how often an unavailable file is asked for.
            at_once: how many files are fetched and scanned at the same time.
        """
        self._source = source
        self._hasher = hasher
        self._wanted = wanted
        self._seal = seal
        self._tries = tries
        self._at_once = at_once

    def take_in(self, media: MediaUploaded) -> Scan:
        """Return the outcome of scanning a file; what could not be scanned says why.

        A file that matches, or that could not be decoded, is sealed before its bytes are let go.
        """
        told = _told_hashes(media)
        if not media.url:
            if told != MediaHashes():
                return Scan(state=ScanState.SCANNED, hashes=told)
            return Scan(state=ScanState.UNREACHABLE, reason="the event names no place to fetch it")
        fetched = self._fetch(media.url)
        if isinstance(fetched, Scan):
            return replace(fetched, hashes=told)
        with fetched as file:
            scan = as_claimed(self._hasher.scan_file(file), media.content_type)
            scan = _completed(scan, told)
            if scan.state is not ScanState.SCANNED or self._wanted(scan.hashes):
                return self._sealed(scan, file)
        return scan

    def take_in_all(self, uploads: Sequence[MediaUploaded]) -> list[Scan]:
        """Return the outcomes, in order, of scanning several files at the same time."""
        if len(uploads) <= 1:
            return [self.take_in(one) for one in uploads]
        with ThreadPoolExecutor(min(self._at_once, len(uploads))) as threads:
            return list(threads.map(self.take_in, uploads))

    def seal_now(self, url: str) -> Scan:
        """Fetch a file and seal it whatever it is; ``sealed_digest`` tells whether that worked."""
        fetched = self._fetch(url) if url else Scan(state=ScanState.UNREACHABLE)
        if isinstance(fetched, Scan):
            return fetched
        with fetched as file:
            return self._sealed(self._hasher.scan_file(file), file)

    def _sealed(self, scan: Scan, file: MediaFile) -> Scan:
        try:
            return replace(scan, sealed_digest=self._seal(file))
        except Unavailable as error:
            return replace(scan, reason=f"{scan.reason} not sealed: {error}".strip())

    def _fetch(self, url: str) -> MediaFile | Scan:
        reason = ""
        for _ in range(self._tries):
            try:
                return self._source.fetch(url)
            except Unavailable as error:
                reason = str(error)
            except (NotPermitted, InvalidInput) as error:
                return Scan(state=ScanState.UNREACHABLE, reason=str(error))
        return Scan(state=ScanState.UNREACHABLE, reason=reason)


def as_claimed(scan: Scan, content_type: str) -> Scan:
    """Return the scan; a file said to be a picture or video that shows none was not scanned."""
    if scan.state is not ScanState.SCANNED or scan.hashes.pdq:
        return scan
    kind = content_type.strip().lower().partition("/")[0]
    if kind == "image":
        return replace(scan, state=ScanState.FAILED, reason="said to be a picture, and shows none")
    if kind == "video" and scan.hashes.video is None:
        return replace(scan, state=ScanState.FAILED, reason="said to be a video, and shows none")
    return scan


def _completed(scan: Scan, told: MediaHashes) -> Scan:
    """Return the scan, with what only the platform knows: its own hash of an undecodable file."""
    if scan.state is ScanState.SCANNED or not told.pdq:
        return scan
    found, views = scan.hashes, scan.hashes.views
    if found.pdq:
        views += (ViewHash(view="as-decoded", pdq=found.pdq, quality=found.pdq_quality),)
    hashes = replace(found, pdq=told.pdq, pdq_quality=told.pdq_quality, views=views)
    return replace(scan, hashes=hashes)


def _told_hashes(media: MediaUploaded) -> MediaHashes:
    return MediaHashes(
        md5=media.md5.lower(),
        sha1=media.sha1.lower(),
        sha256=media.sha256.lower(),
        pdq=media.pdq.lower(),
        pdq_quality=media.pdq_quality if media.pdq else 0,
    )
