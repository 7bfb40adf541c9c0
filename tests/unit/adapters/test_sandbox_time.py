"""Slow files take no more than their time, and never every decoder."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import pytest
from tests.fakes.patience import until

from nightlight.adapters.sandbox import Sandbox
from nightlight.adapters.sandbox_hasher import SandboxedHasher
from nightlight.adapters.spool import Spool, SpooledFile
from nightlight.ingest.ports import TakesLong
from nightlight.model.media import Scan, ScanState

ROOT = Path(__file__).parents[3]
HOSTILE = "tests.fakes.hostile_decoder"
#: To the sandbox this is a video; the decoder that is asked does as it says.
SLOW_VIDEO = b"OggS sleep 600"
SOON_S = 2.0


class Asked:
    """A hasher, and what is under way on it."""

    def __init__(self, workers: int) -> None:
        self.sandbox = Sandbox(decoder=HOSTILE, workers=workers, memory_mib=200)
        self.hasher = SandboxedHasher(sandbox=self.sandbox)
        self.threads = ThreadPoolExecutor(8)

    def scan(self, data: bytes, *, until_s: float | None = None) -> Scan:
        with spooled(data) as file:
            return self.hasher.scan_file(file, until_s=until_s)

    def begin(self, *files: bytes) -> list["Future[Scan]"]:
        """Let files be decoded, and return once every decoder that they may have is at it."""
        return [self.threads.submit(self.scan, data) for data in files]

    @property
    def long(self) -> int:
        return len(self.sandbox._crew._long)


def spooled(data: bytes) -> SpooledFile:
    with Spool(max_bytes=1 << 20) as spool:
        spool.write(data)
        return spool.finish()


@pytest.fixture
def asked() -> Iterator[Callable[[int], Asked]]:
    made: list[Asked] = []

    def make(workers: int) -> Asked:
        made.append(Asked(workers))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        yield make
        for one in made:
            one.hasher.close()
            one.threads.shutdown()


def test_pictures_are_answered_while_more_slow_videos_wait_than_there_are_decoders(
    asked: Callable[[int], Asked],
) -> None:
    two = asked(2)
    videos = two.begin(*(SLOW_VIDEO + b" " * n for n in range(3)))
    until(lambda: two.long == 1, "a video is being decoded")
    found = [two.scan(picture).state for picture in (b"fine", b"fine and dandy")]
    assert found == [ScanState.SCANNED] * 2
    assert not any(video.done() for video in videos)
    assert two.long == 1


def test_a_video_is_decoded_once_another_is_over(asked: Callable[[int], Asked]) -> None:
    two = asked(2)
    videos = two.begin(b"OggS sleep 0.2", b"OggS sleep 0.1", b"OggS fine")
    assert [video.result(60).state for video in videos] == [ScanState.SCANNED] * 3


def test_a_file_that_is_not_decoded_in_time_is_not_scanned(asked: Callable[[int], Asked]) -> None:
    two = asked(2)
    assert two.scan(b"fine").state is ScanState.SCANNED
    found = two.scan(SLOW_VIDEO, until_s=monotonic() + SOON_S)
    assert found.state is ScanState.FAILED
    assert "took longer" in found.reason
    assert two.scan(b"OggS fine").state is ScanState.SCANNED


def test_a_file_that_no_decoder_is_free_for_in_time_is_not_scanned(
    asked: Callable[[int], Asked],
) -> None:
    two = asked(2)
    two.begin(SLOW_VIDEO)
    until(lambda: two.long == 1, "a video is being decoded")
    found = two.scan(b"OggS fine", until_s=monotonic() + SOON_S)
    assert (found.state, found.reason) == (ScanState.FAILED, "no decoder was free in time")
    assert found.hashes.sha256
    late = two.scan(b"fine", until_s=monotonic())
    assert (late.state, late.reason) == (ScanState.FAILED, "no time was left to decode it")


def test_a_picture_that_takes_long_is_told_of_and_goes_on_as_a_video_does(
    asked: Callable[[int], Asked],
) -> None:
    two = asked(2)
    with spooled(b"pages many") as file:
        before = two.hasher.takes_long(file)
        with pytest.raises(TakesLong):
            two.hasher.scan_file(file, briefly=True)
        assert (before, two.hasher.takes_long(file)) == (False, True)
        workers = {one.process_id for one in two.sandbox._crew._all}
        assert two.hasher.scan_file(file, briefly=True).state is ScanState.SCANNED
    assert two.scan(b"pages some").state is ScanState.SCANNED, "asked for without haste"
    assert {one.process_id for one in two.sandbox._crew._all} == workers, "none was ended over it"


def test_nothing_is_begun_that_could_not_be_finished_as_files_go(
    asked: Callable[[int], Asked],
) -> None:
    two = asked(2)
    assert two.scan(b"fine").state is ScanState.SCANNED
    workers = {one.process_id for one in two.sandbox._crew._all}
    two.sandbox._usual_s[False] = 1.0  # as measured of files before
    late = two.scan(b"sleep 600", until_s=monotonic() + SOON_S)
    assert (late.state, late.reason) == (ScanState.FAILED, "no time was left to decode it")
    assert two.scan(b"fine and dandy").state is ScanState.SCANNED
    assert {one.process_id for one in two.sandbox._crew._all} == workers


def test_what_waited_until_files_take_longer_than_it_has_left_is_not_begun(
    asked: Callable[[int], Asked],
) -> None:
    two = asked(2)
    (first,) = two.begin(b"OggS sleep 1")
    until(lambda: two.long == 1, "a video is being decoded")
    workers = {one.process_id for one in two.sandbox._crew._all}
    waiting = two.threads.submit(two.scan, SLOW_VIDEO, until_s=monotonic() + 4)
    two.sandbox._usual_s[True] = 10.0  # as measured of files meanwhile
    assert waiting.result(60).reason in {
        "no decoder was free in time",
        "no time was left to decode it",
    }
    assert first.result(60).state is ScanState.SCANNED
    assert workers <= {one.process_id for one in two.sandbox._crew._all}


def test_what_is_usual_follows_what_files_take(asked: Callable[[int], Asked]) -> None:
    two = asked(2)
    two.scan(b"sleep 0.05")
    two.scan(b"OggS fine")
    assert two.sandbox._usual_s[False] > 0.0
    assert two.sandbox._usual_s[True] > 0.0


def test_what_takes_long_is_told_by_how_a_file_begins(asked: Callable[[int], Asked]) -> None:
    hasher = asked(1).hasher
    with spooled(SLOW_VIDEO) as video, spooled(b"\x89PNG fine") as picture:
        assert (hasher.takes_long(video), hasher.takes_long(picture)) == (True, False)
