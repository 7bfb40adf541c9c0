"""A file on its way: exact, readable anywhere, unreadable on disk, and gone when let go."""

import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightlight.adapters import spool
from nightlight.adapters.spool import SharedFile, Spool, SpooledFile, open_shared
from nightlight.errors import InvalidInput, Unavailable

MARK = b"zorbleflux-quibble-"
LARGE = MARK * 40_000
WIDE = 1 << 40


def spooled(
    data: bytes, *, step: int = 70_001, memory_bytes: int = 1000, folder: Path | None = None
) -> SpooledFile:
    with Spool(max_bytes=WIDE, memory_bytes=memory_bytes, folder=folder) as taking:
        for start in range(0, len(data), step):
            taking.write(data[start : start + step])
        return taking.finish()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  the names are all that is asked


@pytest.fixture
def large() -> Iterator[SpooledFile]:
    with spooled(LARGE) as file:
        yield file


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 1 << 18, (1 << 18) + 1, 700_000])
def test_file_is_read_as_it_was_written(size: int) -> None:
    with spooled(LARGE[:size]) as file:
        assert file.size == size
        assert file.read_all() == LARGE[:size]
        assert file.head(20) == LARGE[: min(20, size)]
        with file.open() as reader:
            assert reader.read() == LARGE[:size]


@pytest.mark.parametrize("memory_bytes", [0, 1 << 30], ids=["on disk", "in memory"])
def test_exact_hashes_are_those_of_the_content(memory_bytes: int) -> None:
    with spooled(LARGE, memory_bytes=memory_bytes) as file:
        assert file.hashes.md5 == hashlib.md5(LARGE).hexdigest()  # noqa: S324  lists hold MD5
        assert file.hashes.sha1 == hashlib.sha1(LARGE).hexdigest()  # noqa: S324  and SHA-1
        assert file.sha256 == file.hashes.sha256 == hashlib.sha256(LARGE).hexdigest()


@settings(deadline=None, max_examples=40)
@given(
    asked=st.lists(
        st.tuples(
            st.sampled_from([0, 1, 2]), st.integers(-800_000, 800_000), st.integers(0, 400_000)
        ),
        max_size=12,
    )
)
def test_reading_anywhere_is_as_reading_from_memory(asked: list[tuple[int, int, int]]) -> None:
    plain = io.BytesIO(LARGE)
    with spooled(LARGE) as file, file.open() as reader:
        for whence, offset, count in asked:
            base = (0, plain.tell(), len(LARGE))[whence]
            if base + offset < 0:
                continue
            assert reader.seek(offset, whence) == plain.seek(offset, whence)
            assert reader.read(count) == plain.read(count)
            assert reader.tell() == plain.tell()


def test_two_readers_keep_places_of_their_own(large: SpooledFile) -> None:
    with large.open() as one, large.open() as other:
        one.seek(300_000)
        assert other.read(10) == LARGE[:10]
        assert one.read(10) == LARGE[300_000:300_010]


def test_file_over_the_limit_is_refused_while_it_comes_in() -> None:
    with Spool(max_bytes=10) as taking:
        taking.write(b"x" * 10)
        with pytest.raises(InvalidInput, match="larger than allowed"):
            taking.write(b"x")


def test_small_file_never_reaches_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "_Disk", None)
    assert spooled(b"x" * 1000, folder=tmp_path).read_all() == b"x" * 1000


def test_large_file_has_no_name_and_its_bytes_are_unreadable(tmp_path: Path) -> None:
    with spooled(LARGE, folder=tmp_path) as file:
        assert list(tmp_path.iterdir()) == []
        shared = file.shared()
        assert shared is not None
        stored = os.pread(shared[0], 1 << 20, 0)
        assert len(stored) >= len(LARGE)
        assert MARK not in stored


def test_process_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from nightlight.adapters.spool import Spool\n"
        "with Spool(max_bytes=1 << 30, memory_bytes=10, folder=Path(sys.argv[1])) as taking:\n"
        "    taking.write(b'zorbleflux' * 100_000)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    env = {"PYTHONPATH": str(Path(spool.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=env, check=False)
    assert done.returncode == -9
    assert list(tmp_path.iterdir()) == []


def test_changed_byte_on_disk_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pread

    def changed(descriptor: int, length: int, offset: int) -> bytes:
        read = bytearray(real(descriptor, length, offset))
        read[5] ^= 1
        return bytes(read)

    with spooled(LARGE, folder=tmp_path) as file:
        monkeypatch.setattr(os, "pread", changed)
        with file.open() as reader, pytest.raises(Unavailable, match="changed"):
            reader.read(1)


def test_exchanged_pieces_on_disk_are_found(
    large: SpooledFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, piece = os.pread, (1 << 18) + 16
    monkeypatch.setattr(os, "pread", lambda fd, length, offset: real(fd, length, piece - offset))
    with large.open() as reader, pytest.raises(Unavailable):
        reader.read(1)


def test_other_reader_can_read_but_not_write(large: SpooledFile) -> None:
    shared = large.shared()
    assert shared is not None
    with open_shared(*shared) as reader:
        reader.seek(400_000)
        assert reader.read(30) == LARGE[400_000:400_030]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.pwrite(shared[0], b"x", 0)


def test_other_reader_without_the_key_reads_nothing(large: SpooledFile) -> None:
    shared = large.shared()
    assert shared is not None
    stranger = SharedFile(key=bytes(32), size=large.size)
    with open_shared(shared[0], stranger) as reader, pytest.raises(Unavailable):
        reader.read(1)


def test_closed_file_keeps_nothing_open() -> None:
    before = descriptors()
    file = spooled(LARGE)
    assert descriptors() > before
    file.close()
    file.close()
    assert descriptors() == before


def test_file_that_is_given_up_half_way_keeps_nothing_open() -> None:
    before = descriptors()
    with Spool(max_bytes=WIDE, memory_bytes=10) as taking:
        taking.write(LARGE)
        assert descriptors() > before
    assert descriptors() == before


def test_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="temporary folder cannot be written"):
        spooled(LARGE, folder=tmp_path / "missing")


def test_printing_shows_no_content_and_no_key(large: SpooledFile) -> None:
    shared = large.shared()
    assert shared is not None
    told = f"{large!r} {large} {shared[1]!r} {shared[1]}"
    assert large.sha256 not in told
    assert repr(shared[1].key) not in told
