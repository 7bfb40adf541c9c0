"""Whether a video file is there to its end, as far as its own structure tells.

A player shows what there is of a file that was cut off, without a word. Whoever looks for known
media must notice, as the rest may be what matters.
"""

from typing import BinaryIO

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

_BOX_HEAD_BYTES = 16
_LARGE_SIZE = 1
_TO_THE_END = 0
_MOST_BOXES = 100_000
#: The boxes of which an ISO media file consists at its top level.
_BOXES = frozenset(
    {b"ftyp", b"moov", b"mdat", b"moof", b"free", b"skip", b"wide", b"mfra", b"sidx", b"styp"}
    | {b"meta", b"uuid", b"udta", b"emsg", b"prft", b"pdin", b"ssix"}
)
_PARTS_OF_TIME = 3


def ends_within_box(file: BinaryIO) -> bool:
    """Return whether an ISO media file (MP4, MOV) ends before the box does that it ends in."""
    end = file.seek(0, 2)
    at = 0
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(_BOX_HEAD_BYTES)
        kind = head[4:8]
        if kind not in _BOXES:
            return False
        size = int.from_bytes(head[:4])
        if size == _LARGE_SIZE:
            size = int.from_bytes(head[8:16])
        if size == _TO_THE_END:
            return False
        at += max(size, 8)
        if at >= end:
            return at > end
    return False


def declared_ms(container: InputContainer, stream: VideoStream) -> int:
    """Return how long the stream says that it lasts, 0 where it does not say."""
    if stream.disposition & Disposition.attached_pic:
        return 0
    if stream.duration is not None and stream.time_base is not None:
        return round(float(stream.duration * stream.time_base) * 1000)
    tagged = _tagged_ms(stream.metadata.get("DURATION", ""))
    # The file's duration is that of its longest stream, sound included.
    if not tagged and container.duration is not None and not container.streams.audio:
        return round(container.duration / av.time_base * 1000)
    return tagged


def _tagged_ms(tag: str) -> int:
    """Return the milliseconds of a tag such as 00:01:02.500, as Matroska's writers leave, or 0."""
    try:
        hours, minutes, seconds = (float(one) for one in tag.split(":", _PARTS_OF_TIME))
    except ValueError:
        return 0
    total = (hours * 60 + minutes) * 60 + seconds
    return round(total * 1000) if 0 <= total < 2**32 else 0
