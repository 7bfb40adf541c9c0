import os
import stat
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nightlight.kernel.arrays_file import open_arrays, write_arrays

ARRAYS: dict[str, NDArray[Any]] = {
    "words": np.arange(12, dtype=np.uint64).reshape(3, 4),
    "bytes": np.arange(5000, dtype=np.uint8),
    "nothing": np.empty((0, 4), np.uint16),
    "shares": np.linspace(0, 1, 7),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "numbers.nl"


@settings(deadline=None, max_examples=30)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=9),
        st.tuples(
            st.sampled_from(["u1", "<i2", "<u4", "<f8", ">u8"]),
            st.lists(st.integers(0, 5), max_size=3).map(tuple),
        ),
        max_size=5,
    ),
    st.dictionaries(st.text(max_size=9), st.text(max_size=9) | st.integers(-(2**60), 2**60)),
)
def test_arrays_and_what_was_said_come_back_as_written(
    tmp_path_factory: pytest.TempPathFactory,
    kinds: dict[str, tuple[str, tuple[int, ...]]],
    meta: dict[str, str | int],
) -> None:
    path = tmp_path_factory.mktemp("files") / "numbers.nl"
    arrays: dict[str, NDArray[Any]] = {
        name: np.arange(np.prod(shape, dtype=int)).astype(kind).reshape(shape)
        for name, (kind, shape) in kinds.items()
    }
    write_arrays(path, arrays, meta)
    file = open_arrays(path)
    assert file.meta == meta
    assert {name: one.tolist() for name, one in file.arrays.items()} == {
        name: one.tolist() for name, one in arrays.items()
    }
    assert all(file.arrays[name].shape == one.shape for name, one in arrays.items())
    file.check_content()


def test_arrays_of_a_file_cannot_be_changed(path: Path) -> None:
    write_arrays(path, ARRAYS, {})
    with pytest.raises(ValueError, match="read-only"):
        open_arrays(path).arrays["words"][0, 0] = 1


def test_open_file_stays_as_it_was_when_it_is_replaced(path: Path) -> None:
    write_arrays(path, {"one": np.arange(4)}, {})
    before = open_arrays(path)
    write_arrays(path, {"one": np.arange(4) + 10}, {})
    path.with_name("numbers.nl.part").write_bytes(b"")
    assert before.arrays["one"].tolist() == [0, 1, 2, 3]
    assert open_arrays(path).arrays["one"].tolist() == [10, 11, 12, 13]


def test_only_the_owner_may_read_a_file(path: Path) -> None:
    write_arrays(path, ARRAYS, {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_writer_that_fails_leaves_the_earlier_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_arrays(path, {"one": np.arange(4)}, {})

    def full(_descriptor: int) -> None:
        raise OSError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no room"):
            write_arrays(path, {"one": np.arange(9)}, {})
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert open_arrays(path).arrays["one"].tolist() == [0, 1, 2, 3]
    write_arrays(path, {"one": np.arange(2)}, {})
    assert open_arrays(path).arrays["one"].tolist() == [0, 1]
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_file_cut_short_anywhere_is_refused(path: Path) -> None:
    write_arrays(path, ARRAYS, {"kind": "numbers"})
    whole = path.read_bytes()
    for length in [0, 1, 8, 19, 20, 100, 4096, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"cut short|damaged"):
            open_arrays(path)


def test_file_that_is_too_long_is_refused(path: Path) -> None:
    write_arrays(path, ARRAYS, {})
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ValueError, match="not as long"):
        open_arrays(path)


def test_any_changed_bit_of_the_header_is_refused(path: Path) -> None:
    write_arrays(path, ARRAYS, {"kind": "numbers"})
    whole = path.read_bytes()
    length = struct.unpack_from("<I", whole, 12)[0]
    for at in range(20 + length):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        with pytest.raises(ValueError, match=r"no file of arrays|format|damaged"):
            open_arrays(path)


def test_changed_content_is_found_when_it_is_checked(path: Path) -> None:
    write_arrays(path, ARRAYS, {})
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 1
    path.write_bytes(whole)
    file = open_arrays(path)
    with pytest.raises(ValueError, match="'shares' has changed"):
        file.check_content()


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n" + b"\0" * 90, b"\x93NUMPY" + b"\0" * 90, b"\x80\x04." * 9]
)
def test_foreign_file_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ValueError, match="no file of arrays"):
        open_arrays(path)


def test_later_format_is_refused_by_its_number(path: Path) -> None:
    write_arrays(path, ARRAYS, {})
    whole = path.read_bytes()
    path.write_bytes(whole[:8] + struct.pack("<I", 2) + whole[12:])
    with pytest.raises(ValueError, match="format 2"):
        open_arrays(path)


@pytest.mark.parametrize(
    "entry",
    [
        '{"name":"a","dtype":"|O8","shape":[1],"at":0,"crc":0}',
        '{"name":"a","dtype":"<i8","shape":[-1],"at":0,"crc":0}',
        '{"name":"a","dtype":"<i8","shape":[99999],"at":0,"crc":0}',
        '{"name":"a","dtype":"<i8","shape":[1],"at":-4096,"crc":0}',
        '{"name":"a","dtype":"<i8","shape":[1],"at":8,"crc":0}',
        '{"name":"a","dtype":"<i8","shape":[4294967296,4294967296],"at":0,"crc":0}',
        '{"name":"a"}',
    ],
)
def test_header_that_describes_no_array_is_refused(path: Path, entry: str) -> None:
    header = f'{{"length":8192,"arrays":[{entry}],"meta":{{}}}}'.encode()
    begin = struct.pack("<8sIII", b"NLARRAYS", 1, len(header), zlib.crc32(header)) + header
    path.write_bytes(begin.ljust(8192, b"\0"))
    with pytest.raises(ValueError, match="damaged"):
        open_arrays(path)


@pytest.mark.parametrize("wrong", [np.array([{}]), np.array(["a"]), np.array([1j])], ids=str)
def test_array_that_is_not_of_numbers_is_not_written(
    path: Path, wrong: NDArray[np.generic]
) -> None:
    with pytest.raises(ValueError, match="not of numbers"):
        write_arrays(path, {"wrong": wrong}, {})
    assert not path.exists()
