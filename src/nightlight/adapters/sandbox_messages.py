"""What a sandbox and its children say to one another: length, then a message, then file bytes."""

import re
import socket
from typing import TypeVar

import msgspec
from msgspec import Struct

from nightlight.adapters.picture_limits import PictureLimits
from nightlight.adapters.spool import SharedFile
from nightlight.model.masked import Masked
from nightlight.model.media import Scan, ScanState, VideoHashes

#: Hashes of a very long video, and nothing larger.
MAX_ANSWER_BYTES = 64 << 20
#: Said by a child that has a whole file, before it decodes it: what follows is the file's doing.
BEGUN = b"\x01"
_LENGTH_BYTES = 4
_REASON_LETTERS = 300
_MAX_VIEWS = 100_000
_BEST = 100
_FRAME_BYTES, _QUALITY_AT = 37, 32
_PDQ = re.compile(r"[0-9a-f]{64}", re.ASCII)
_VIEW = re.compile(r"[a-z0-9.+-]{1,80}", re.ASCII)


class Hello(Struct, frozen=True, kw_only=True):
    """A child's first words.

    Attributes:
        walls: the walls that hold around it.
        fault: why it cannot work, "" when it can.
    """

    walls: tuple[str, ...] = ()
    fault: str = ""


class Job(Masked, frozen=True, kw_only=True):
    """One file to decode.

    Attributes:
        size: the number of bytes; they follow, unless a descriptor comes along that holds them.
        wall_s: how long it may take.
        shared: how to read what the descriptor holds, if it is a spooled file.
        for_bank: whether the views are those of a picture that enters a bank.
        is_fast: whether hashes may be a few bits off for less time.
        brief_s: after how much computing a file of several pictures is given up, 0 for never.
    """

    size: int
    wall_s: float
    limits: PictureLimits
    shared: SharedFile | None = None
    for_bank: bool = False
    is_fast: bool = False
    brief_s: float = 0.0


class Answer(Masked, frozen=True, kw_only=True):
    """What became of a file; ``scan`` is None where memory ran out, or it takes long."""

    scan: Scan | None
    takes_long: bool = False


class Broken(Exception):  # noqa: N818  said of the other side, not of an input
    """The other side is gone, or says what no sane one would."""


_T = TypeVar("_T")
_encode = msgspec.msgpack.Encoder().encode


def is_sound(scan: Scan) -> bool:
    """Return whether a scan is one that a decoder in its right mind would answer."""
    if scan.state is ScanState.SCANNED:
        told = not scan.reason
    else:
        told = scan.state is ScanState.FAILED and 0 < len(scan.reason) <= _REASON_LETTERS
    hashes = scan.hashes
    views = hashes.views
    return (
        told
        and scan.reason.isprintable()
        and (hashes.pdq == "" or _is_pdq(hashes.pdq, hashes.pdq_quality))
        and len(views) <= _MAX_VIEWS
        and all(_is_pdq(one.pdq, one.quality) and _is_name(one.view) for one in views)
        and (hashes.video is None or _is_video(hashes.video))
    )


def _is_pdq(pdq: str, quality: int) -> bool:
    return _PDQ.fullmatch(pdq) is not None and 0 <= quality <= _BEST


def _is_name(view: str) -> bool:
    return _VIEW.fullmatch(view) is not None


def _is_video(video: VideoHashes) -> bool:
    frames = video.frames
    return (
        len(frames) % _FRAME_BYTES == 0
        and video.duration_ms >= 0
        # 128 is set where the hash is of a part of the frame.
        and all(quality & 127 <= _BEST for quality in frames[_QUALITY_AT::_FRAME_BYTES])
    )


def send_message(link: socket.socket, message: Struct, *, descriptor: int | None = None) -> None:
    """Send a message, with a descriptor for the other side if one is given."""
    body = _encode(message)
    frame = len(body).to_bytes(_LENGTH_BYTES, "big") + body
    if descriptor is not None:
        sent = socket.send_fds(link, [frame], [descriptor])
        frame = frame[sent:]
    if frame:
        link.sendall(frame)


def receive_message(link: socket.socket, kind: type[_T], *, max_bytes: int) -> _T:
    """Return the next message.

    Raises:
        Broken: the other side is gone or says nonsense.
        TimeoutError: the link has a limit and it is over.
    """
    return _decoded(link, receive_bytes(link, _LENGTH_BYTES), kind, max_bytes)


def receive_with_descriptor(
    link: socket.socket, kind: type[_T], *, max_bytes: int
) -> tuple[_T, int | None]:
    """Return the next message and the descriptor that came with it, if one did.

    Raises:
        Broken: the other side is gone or says nonsense.
    """
    try:
        start, descriptors, _, _ = socket.recv_fds(link, _LENGTH_BYTES, 1)
    except ConnectionError as error:
        raise Broken from error
    if not start:
        raise Broken
    start += receive_bytes(link, _LENGTH_BYTES - len(start))
    message = _decoded(link, start, kind, max_bytes)
    return message, descriptors[0] if descriptors else None


def receive_bytes(link: socket.socket, count: int) -> bytes:
    """Return exactly this many bytes.

    Raises:
        Broken: the other side is gone.
        TimeoutError: the link has a limit and it is over.
    """
    taken = bytearray(count)
    view = memoryview(taken)
    while view:
        try:
            got = link.recv_into(view)
        except ConnectionError as error:
            raise Broken from error
        if not got:
            raise Broken
        view = view[got:]
    return bytes(taken)


def _decoded(link: socket.socket, length: bytes, kind: type[_T], max_bytes: int) -> _T:
    count = int.from_bytes(length, "big")
    if count > max_bytes:
        raise Broken
    try:
        return msgspec.msgpack.decode(receive_bytes(link, count), type=kind)
    except msgspec.MsgspecError as error:
        raise Broken from error
