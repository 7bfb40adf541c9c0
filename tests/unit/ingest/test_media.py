"""A file is fetched, hashed, sealed where it must be, and let go, whatever happens."""

import hashlib
import io
from collections.abc import Callable
from threading import Barrier
from typing import BinaryIO, Self

import pytest

from nightlight.errors import InvalidInput, NightlightError, NotPermitted, Unavailable
from nightlight.ingest.media import MediaIntake
from nightlight.ingest.ports import MediaFile
from nightlight.model.event import MediaUploaded
from nightlight.model.media import MediaHashes, Scan, ScanState, VideoHashes

DATA = b"quibble"


class HeldFile:
    """A ``MediaFile`` in memory that tells whether it was closed."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.closed = False

    @property
    def size(self) -> int:
        return len(self._data)

    @property
    def hashes(self) -> MediaHashes:
        return MediaHashes(sha256=self.sha256)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self._data).hexdigest()

    def head(self, count: int) -> bytes:
        return self._data[:count]

    def open(self) -> BinaryIO:
        return io.BytesIO(self._data)

    def read_all(self) -> bytes:
        return self._data

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Surroundings:
    """Source, hasher and vault in one; each does as it is told and remembers."""

    def __init__(self) -> None:
        self.file = HeldFile(DATA)
        self.faults: list[NightlightError] = []
        self.asked: list[str] = []
        self.state = ScanState.SCANNED
        self.found = MediaHashes()
        self.is_wanted = False
        self.vault_is_full = False
        self.sealed: list[str] = []

    def fetch(self, url: str) -> MediaFile:
        self.asked.append(url)
        if self.faults:
            raise self.faults.pop(0)
        return self.file

    def scan(self, data: bytes) -> Scan:
        raise AssertionError(f"{len(data)} bytes were read into memory")

    def takes_long(self, file: MediaFile) -> bool:
        raise AssertionError(f"asked of {file.size} bytes")

    def scan_file(
        self,
        file: MediaFile,
        *,
        for_bank: bool = False,
        until_s: float | None = None,
        briefly: bool = False,
    ) -> Scan:
        assert not self.file.closed
        assert not for_bank
        assert not briefly
        assert until_s is None
        reason = "" if self.state is ScanState.SCANNED else "a quibble"
        return Scan(state=self.state, hashes=self.found, byte_count=file.size, reason=reason)

    def seal(self, file: MediaFile) -> str:
        assert not self.file.closed
        if self.vault_is_full:
            raise Unavailable("the vault is full")
        self.sealed.append(file.sha256)
        return file.sha256

    def intake(self) -> MediaIntake:
        return MediaIntake(
            source=self, hasher=self, wanted=lambda _: self.is_wanted, seal=self.seal
        )


@pytest.fixture
def around() -> Surroundings:
    return Surroundings()


def upload(
    url: str = "a.png", *, md5: str = "", pdq: str = "", content_type: str = ""
) -> MediaUploaded:
    return MediaUploaded(
        media_id="media-1",
        account_id="account-1",
        url=url,
        md5=md5,
        pdq=pdq,
        content_type=content_type,
    )


def take_in(around: Surroundings) -> Scan:
    return around.intake().take_in(upload())


def seal_now(around: Surroundings) -> Scan:
    return around.intake().seal_now("a.png")


def test_ordinary_file_is_hashed_and_not_kept(around: Surroundings) -> None:
    found = take_in(around)
    assert (found.state, found.byte_count) == (ScanState.SCANNED, len(DATA))
    assert (found.sealed_digest, around.sealed) == ("", [])


@pytest.mark.parametrize("why", ["matches", "cannot be decoded"])
def test_file_that_a_person_must_see_is_sealed(around: Surroundings, why: str) -> None:
    around.is_wanted = why == "matches"
    around.state = ScanState.FAILED if why == "cannot be decoded" else ScanState.SCANNED
    found = take_in(around)
    assert around.sealed == [around.file.sha256] == [found.sealed_digest]


def test_file_is_sealed_when_it_is_asked_for_whatever_it_is(around: Surroundings) -> None:
    assert seal_now(around).sealed_digest == around.file.sha256


@pytest.mark.parametrize("step", [take_in, seal_now])
def test_file_is_let_go_at_the_end(
    around: Surroundings, step: Callable[[Surroundings], Scan]
) -> None:
    step(around)
    assert around.file.closed


@pytest.mark.parametrize("step", [take_in, seal_now])
def test_vault_that_is_full_leaves_a_reason_and_no_digest(
    around: Surroundings, step: Callable[[Surroundings], Scan]
) -> None:
    around.is_wanted = around.vault_is_full = True
    found = step(around)
    assert (found.sealed_digest, "not sealed: the vault is full" in found.reason) == ("", True)
    assert around.file.closed


def test_file_that_is_unavailable_for_a_moment_is_asked_for_again(around: Surroundings) -> None:
    around.faults = [Unavailable("a quibble"), Unavailable("a quibble")]
    assert take_in(around).state is ScanState.SCANNED
    assert len(around.asked) == 3


def test_file_that_stays_unavailable_is_unreachable(around: Surroundings) -> None:
    around.faults = [Unavailable("a quibble")] * 9
    found = take_in(around)
    assert (found.state, found.reason) == (ScanState.UNREACHABLE, "a quibble")
    assert len(around.asked) == 3


@pytest.mark.parametrize("fault", [NotPermitted("a quibble"), InvalidInput("a quibble")])
def test_file_that_may_not_be_fetched_is_unreachable_at_once(
    around: Surroundings, fault: NightlightError
) -> None:
    around.faults = [fault] * 9
    assert take_in(around).state is ScanState.UNREACHABLE
    assert len(around.asked) == 1


def test_files_are_taken_in_at_the_same_time_and_answered_in_order(around: Surroundings) -> None:
    both = Barrier(2, timeout=30)

    class Meeting(Surroundings):
        """Lets nobody go on before there are two."""

        def fetch(self, url: str) -> MediaFile:
            both.wait()
            return HeldFile(url.encode())

    names = ["a", "bb", "ccc", "dddd"]
    found = Meeting().intake().take_in_all([upload(name) for name in names])
    assert [scan.byte_count for scan in found] == [1, 2, 3, 4]
    assert around.intake().take_in_all([]) == []


def test_hashes_that_the_platform_tells_stand_where_there_is_no_file(around: Surroundings) -> None:
    found = around.intake().take_in(upload("", md5="AB" * 16))
    assert (found.state, found.hashes.md5) == (ScanState.SCANNED, "ab" * 16)
    assert around.asked == []


def test_picture_hash_of_the_platform_stands_where_decoding_failed(around: Surroundings) -> None:
    around.state = ScanState.FAILED
    found = around.intake().take_in(upload(pdq="AB" * 32))
    assert (found.state, found.hashes.pdq) == (ScanState.FAILED, "ab" * 32)


def test_what_could_be_decoded_stands_beside_the_picture_hash_of_the_platform(
    around: Surroundings,
) -> None:
    around.state = ScanState.FAILED
    around.found = MediaHashes(pdq="cd" * 32, pdq_quality=80)
    found = around.intake().take_in(upload(pdq="AB" * 32)).hashes
    assert found.pdq == "ab" * 32
    assert [(one.view, one.pdq, one.quality) for one in found.views] == [
        ("as-decoded", "cd" * 32, 80)
    ]


@pytest.mark.parametrize(
    ("content_type", "video"),
    [
        ("image/gif", VideoHashes(frames=bytes(37), duration_ms=1)),
        ("Image/JPEG", None),
        ("video/mp4", None),
    ],
)
def test_file_that_does_not_show_what_it_is_said_to_be_is_held(
    around: Surroundings, content_type: str, video: VideoHashes | None
) -> None:
    around.found = MediaHashes(video=video)
    scan = around.intake().take_in(upload(content_type=content_type, pdq="d" * 64))
    assert (scan.state, scan.hashes.video) == (ScanState.FAILED, video)
    assert "shows none" in scan.reason
    assert scan.hashes.pdq == "d" * 64, "what the platform said of it still counts"
    assert around.sealed == [around.file.sha256]


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        ("image/jpeg", MediaHashes(pdq="d" * 64)),
        ("video/mp4", MediaHashes(video=VideoHashes(frames=bytes(37), duration_ms=1))),
        ("audio/mpeg", MediaHashes()),
        ("", MediaHashes()),
    ],
)
def test_file_that_shows_what_it_is_said_to_be_is_scanned(
    around: Surroundings, content_type: str, found: MediaHashes
) -> None:
    around.found = found
    scan = around.intake().take_in(upload(content_type=content_type))
    assert (scan.state, scan.reason) == (ScanState.SCANNED, "")
