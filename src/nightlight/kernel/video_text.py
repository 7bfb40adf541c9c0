"""Frames as text, in both forms in which vPDQ's are exchanged; parts of frames stay here.

The `vpdq` tool writes a line a frame: number, quality, hash, seconds. ThreatExchange's signal is a
JSON list of strings: hash, quality, seconds.
"""

import msgspec
import numpy as np

from nightlight.kernel.hamming import pack, unpack
from nightlight.kernel.video import Frames

_BEST = 100
_MOST_S = 2**32 / 1000 - 1


def read_vpdq(text: str) -> Frames:
    """Return the frames of a text in either form, in order of time.

    Raises:
        ValueError: it is in neither form; says which frame is wrong, never what it was.
    """
    found = [_fields(one, place) for place, one in enumerate(_listed(text))]
    found.sort(key=lambda one: one[2])
    return Frames(
        pack([one[0] for one in found]),
        np.array([one[1] for one in found], np.uint8),
        np.array([one[2] for one in found], np.int64),
        np.zeros(len(found), np.bool_),
    )


def write_vpdq_signal(frames: Frames) -> str:
    """Return whole frames as a ThreatExchange vPDQ signal."""
    return msgspec.json.encode(
        [f"{one},{quality},{seconds}" for one, quality, seconds in _columns(frames)]
    ).decode()


def write_vpdq_lines(frames: Frames) -> str:
    """Return whole frames as the `vpdq` tool writes them."""
    return "".join(
        f"{number},{quality},{one},{seconds}\n"
        for number, (one, quality, seconds) in enumerate(_columns(frames))
    )


def _columns(frames: Frames) -> list[tuple[str, int, str]]:
    whole = frames.taken(~frames.is_part)
    seconds = [f"{time / 1000:.3f}" for time in whole.times_ms.tolist()]
    return list(zip(unpack(whole.rows), whole.quality.tolist(), seconds, strict=True))


def _listed(text: str) -> list[str]:
    if not text.lstrip().startswith("["):
        return [line for line in text.splitlines() if line.strip()]
    try:
        return msgspec.json.decode(text, type=list[str])
    except msgspec.MsgspecError as error:
        raise ValueError("the vPDQ signal is not a JSON list of texts") from error


def _fields(frame: str, place: int) -> tuple[str, int, int]:
    """Return a frame's hash, quality and time in ms."""
    fields = frame.strip().split(",")
    # Where a number goes before the hash, the hash comes behind its quality.
    order = {3: (0, 1, 2), 4: (2, 1, 3)}.get(len(fields), ())
    try:
        row, quality, seconds = (fields[one] for one in order)
        pack([row])
        read = row.lower(), int(quality), float(seconds)
        is_in_range = 0 <= read[1] <= _BEST and 0 <= read[2] <= _MOST_S
    except ValueError:
        is_in_range = False
    if not is_in_range:
        # Without the error behind it, whose text may show what was read.
        raise ValueError(f"frame {place} of the vPDQ hashes is not as vPDQ writes it")
    return read[0], read[1], round(read[2] * 1000)
