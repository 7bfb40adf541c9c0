"""Named NumPy arrays in one file, written whole or not at all, and read by mapping it into memory.

Several processes that open a file share one copy of it in memory. The file holds numbers and a
JSON header only: nothing in it is ever executed. Owns the format; leaves what the arrays mean,
and whether they fit one another, to the caller.

Format 1, little-endian: 8 bytes magic, then format, length of the header and its CRC-32 as three
uint32, the header as JSON, and each array on a page of its own, as the header says.
"""

import fcntl
import math
import mmap
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Meta: TypeAlias = Mapping[str, str | int]

_MAGIC = b"NLARRAYS"
_FORMAT = 1
_START = struct.Struct("<8sIII")
_PAGE = 4096
_LARGEST_HEADER = 1 << 24
_AT_ONCE = 1 << 26
_OWNER_ONLY = 0o600
#: Ends the name of a file that is not whole yet.
_PART = ".part"
#: Kinds of number that a file may hold, little-endian: never objects.
_KINDS = frozenset(["|u1", "|i1", "<u2", "<i2", "<f2", "<u4", "<i4", "<f4", "<u8", "<i8", "<f8"])


class _Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an array is, of which type and shape, and the CRC-32 of its bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    at: int
    crc: int


class _Header(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds, how long it is, and what the writer said about it."""

    length: int
    arrays: tuple[_Entry, ...]
    meta: dict[str, str | int]


class ArraysFile(Struct, frozen=True, kw_only=True):
    """The arrays of an open file, read-only, and what its writer said about them.

    They stay valid, and unchanged, if the file is replaced or removed.
    """

    arrays: Mapping[str, NDArray[Any]]
    meta: Meta
    checksums: Mapping[str, int]

    def check_content(self) -> None:
        """Return if every byte is what was written; reads the whole file.

        Raises:
            ValueError: an array is not what was written.
        """
        for name, array in self.arrays.items():
            if _checksum(array) != self.checksums[name]:
                raise ValueError(f"the file is damaged: the content of {name!r} has changed")


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], meta: Meta) -> None:
    """Replace ``path`` by a file of these arrays, durable, and readable by its owner only.

    Whatever happens meanwhile, ``path`` is either what it was or the whole new file. Writers of
    files in one folder wait for one another.

    Raises:
        ValueError: an array is of a kind that a file may not hold.
    """
    plain = {name: _plain(name, array) for name, array in arrays.items()}
    start, entries, length = _layout(plain, dict(meta))
    part = path.with_name(f"{path.name}{_PART}")
    with _alone_in(path.parent) as folder:
        # A part that a killed writer left behind is overwritten here.
        try:
            # Not Path.open, which cannot say who may read a new file.
            with open(part, "wb", opener=_open_private) as file:
                file.write(start)
                for entry in entries:
                    _write_array(file, entry.at, plain[entry.name])
                file.truncate(length)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        os.fsync(folder)


def discard_parts(folder: Path, suffix: str) -> None:
    """Remove what killed writers left of files with this suffix; nothing while somebody writes."""
    with suppress(BlockingIOError), _alone_in(folder, at_once=True):
        for part in folder.glob(f"*{suffix}{_PART}"):
            part.unlink(missing_ok=True)


def open_arrays(path: Path) -> ArraysFile:
    """Return the arrays of a file, mapped into memory and so loaded when they are read.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no file of arrays, of another format, cut short, or its header is damaged.
    """
    with path.open("rb") as file:
        header = _read_header(file)
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return ArraysFile(
        arrays={entry.name: _array(mapped, entry) for entry in header.arrays},
        meta=header.meta,
        checksums={entry.name: entry.crc for entry in header.arrays},
    )


def _plain(name: str, array: NDArray[Any]) -> NDArray[Any]:
    little = array.dtype.newbyteorder("<")
    if little.str not in _KINDS:
        raise ValueError(f"the array {name!r} is not of numbers")
    return np.ascontiguousarray(array, dtype=little).reshape(array.shape)


def _layout(
    arrays: Mapping[str, NDArray[Any]], meta: dict[str, str | int]
) -> tuple[bytes, tuple[_Entry, ...], int]:
    """Return the bytes before the first array, where each array goes, and the file's length."""
    checksums = {name: _checksum(array) for name, array in arrays.items()}
    room, length, encoded = 0, 0, b""
    # Longer offsets make a longer header, which moves the arrays: repeat until both agree.
    while not encoded or _START.size + len(encoded) > room:
        room = _next_page(_START.size + len(encoded) + _PAGE // 2)
        at, entries = room, []
        for name, array in arrays.items():
            entries.append(
                _Entry(
                    name=name,
                    dtype=array.dtype.str,
                    shape=array.shape,
                    at=at,
                    crc=checksums[name],
                )
            )
            at = _next_page(at + array.nbytes)
        length = max([room, *(one.at + arrays[one.name].nbytes for one in entries)])
        encoded = msgspec.json.encode(_Header(length=length, arrays=tuple(entries), meta=meta))
    start = _START.pack(_MAGIC, _FORMAT, len(encoded), zlib.crc32(encoded)) + encoded
    return start.ljust(room, b"\0"), tuple(entries), length


def _read_header(file: BinaryIO) -> _Header:
    begin = file.read(_START.size)
    if len(begin) != _START.size:
        raise ValueError("this is no file of arrays, or one that was cut short")
    magic, form, length, crc = _START.unpack(begin)
    if magic != _MAGIC:
        raise ValueError("this is no file of arrays")
    if form != _FORMAT:
        raise ValueError(f"the file is of format {form}, this program reads format {_FORMAT}")
    encoded = file.read(min(length, _LARGEST_HEADER))
    if len(encoded) != length or zlib.crc32(encoded) != crc:
        raise ValueError("the file is damaged: its header is not what was written")
    try:
        header = msgspec.json.decode(encoded, type=_Header)
    except msgspec.MsgspecError as error:
        raise ValueError("the file is damaged: its header cannot be read") from error
    if os.fstat(file.fileno()).st_size != header.length:
        raise ValueError("the file is damaged: it is not as long as its header says")
    for entry in header.arrays:
        _check_entry(entry, header.length)
    return header


def _check_entry(entry: _Entry, length: int) -> None:
    """Return if the entry describes numbers that lie within the file."""
    right = entry.dtype in _KINDS and min(entry.shape, default=0) >= 0
    right = right and entry.at >= 0 and entry.at % _PAGE == 0
    if not right or entry.at + _bytes_of(entry) > length:
        raise ValueError("the file is damaged: its header describes no array")


def _bytes_of(entry: _Entry) -> int:
    return math.prod(entry.shape, start=int(entry.dtype[2:]))


def _array(mapped: mmap.mmap, entry: _Entry) -> NDArray[Any]:
    kind = np.dtype(entry.dtype)
    count = _bytes_of(entry) // kind.itemsize
    if count == 0:
        return np.empty(entry.shape, kind)
    return np.frombuffer(mapped, kind, count, entry.at).reshape(entry.shape)


def _checksum(array: NDArray[Any]) -> int:
    return zlib.crc32(_bytes(array))


def _write_array(file: BinaryIO, at: int, array: NDArray[Any]) -> None:
    file.seek(at)
    content = _bytes(array)
    # In pieces, because one write has a limit.
    file.writelines(content[begin : begin + _AT_ONCE] for begin in range(0, len(content), _AT_ONCE))


def _bytes(array: NDArray[Any]) -> memoryview:
    return memoryview(array.reshape(-1).view(np.uint8).data)


def _next_page(length: int) -> int:
    return -(-length // _PAGE) * _PAGE


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, _OWNER_ONLY)


@contextmanager
def _alone_in(folder: Path, *, at_once: bool = False) -> Iterator[int]:
    """Return while no other process or thread writes a file of arrays in this folder.

    Raises:
        BlockingIOError: somebody writes one, and this was to be ``at_once``.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (fcntl.LOCK_NB if at_once else 0))
        yield descriptor
    finally:
        os.close(descriptor)
