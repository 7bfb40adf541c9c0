"""Measures video: ``python -m benchmarks.video [--data PATH] [--json]``.

Speed is seconds of video hashed in one second of one core, beside `vpdq` on the same file in the
same run. Recall and false matches are over drawn films, their edits and their look-alikes, beside
vPDQ's own hashes and rule (80 % of the query's frames found), at one frame a second, as it
is used by default, and with every frame.
"""

import argparse
import importlib
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
from msgspec import Struct

from benchmarks.machine import describe_machine
from benchmarks.video_drawn import Drawn, encode, film, moving_shot
from benchmarks.video_edits import edits, look_alikes
from nightlight.adapters.video_hasher import hash_video
from nightlight.detect.video_index import VideoIndex
from nightlight.kernel.hamming import pack
from nightlight.kernel.video import Frames, unpack_frames, vpdq_shares
from nightlight.model.media import VideoHashes

#: Only the environment for benchmarks has it, and it has no types.
vpdq: Any = importlib.import_module("vpdq")
_PEER_SHARE = 0.8


class Speed(Struct, frozen=True, kw_only=True):
    """Seconds of video hashed in a second of one core."""

    what: str
    nightlight: float
    vpdq: float
    decoding: float
    hashes: int
    frames: int

    @property
    def ratio(self) -> float:
        return self.nightlight / self.vpdq


class Found(Struct, frozen=True, kw_only=True):
    """How many of the videos with one edit were found, by whom, and how they were found."""

    edit: str
    videos: int
    nightlight: int
    vpdq: int
    vpdq_every_frame: int
    hows: dict[str, int]


class Wrong(Struct, frozen=True, kw_only=True):
    """How many pairs of different videos matched."""

    what: str
    pairs: int
    nightlight: int
    vpdq: int | None
    vpdq_every_frame: int | None
    hows: dict[str, int]


class Sides(Struct, frozen=True):
    """One file in the three forms that are compared."""

    ours: VideoHashes
    second: Frames
    every: Frames


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the arguments name, and print it."""
    parser = argparse.ArgumentParser(description="Measure hashing and matching of videos.")
    parser.add_argument("--films", type=int, default=6, help="films that are edited")
    parser.add_argument("--others", type=int, default=120, help="unrelated films beside them")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the films are")
    parser.add_argument("--data", type=Path, help="a folder of videos of one thing: all must match")
    parser.add_argument("--part", choices=("all", "speed", "edits", "data"), default="all")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    options = parser.parse_args(arguments)
    if not options.json:
        print(describe_machine())
    for line in _lines(options):
        print(json.dumps(msgspec.to_builtins(line)) if options.json else _row(line))
        sys.stdout.flush()


def _lines(options: argparse.Namespace) -> Iterator[Speed | Found | Wrong]:
    if options.part in ("all", "speed"):
        yield from speeds(options.seconds)
    if options.data and options.part in ("all", "data"):
        yield from folder(options.data)
    if options.part in ("all", "edits"):
        yield from robustness(options.films, options.others, options.seconds)


def speeds(seconds: float) -> Iterator[Speed]:
    """Yield the speed on moving scenes of 720p, and on a still of it."""
    random = np.random.default_rng(3)
    shots = [moving_shot(random, 5, (1280, 720), 30) for _ in range(round(seconds / 5))]
    yield speed("720p, moving", encode(Drawn(np.concatenate(shots), 30), preset="medium", crf=23))
    still = np.repeat(shots[0][:1], round(seconds * 30), axis=0)
    yield speed("720p, still", encode(Drawn(still, 30), preset="medium", crf=23))


def speed(what: str, data: bytes) -> Speed:
    """Return how fast one file is hashed; compiling is not counted."""
    hash_video(BytesIO(data))
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(data)
        file.flush()
        # Interleaved, and the best of each: the machine has other things to do as well.
        ours, peers, floor = [], [], []
        for _ in range(3):
            begin = time.process_time()
            with Path(file.name).open("rb") as source:
                video = hash_video(source)
            ours.append(time.process_time() - begin)
            begin = time.process_time()
            features = vpdq.computeHash(file.name, seconds_per_hash=0, thread_count=1)
            peers.append(time.process_time() - begin)
            begin = time.process_time()
            _decode(data)
            floor.append(time.process_time() - begin)
    duration = video.duration_ms / 1000
    return Speed(
        what=what,
        nightlight=duration / min(ours),
        vpdq=duration / min(peers),
        decoding=duration / min(floor),
        hashes=len(unpack_frames(video.frames)),
        frames=len(features),
    )


def _decode(data: bytes) -> None:
    with av.open(BytesIO(data), "r") as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        for _ in container.decode(stream):
            pass


def folder(path: Path) -> Iterator[Found | Wrong]:
    """Yield whether the videos of a folder match one another, and drawn ones do not."""
    paths = sorted(path.glob("*.mp4"))
    both = [sides(one.read_bytes()) for one in paths]
    videos = [one.ours for one in both]
    for number, (one, video) in enumerate(zip(paths, videos, strict=True)):
        index = VideoIndex()
        index.add_all((n, other) for n, other in enumerate(videos) if n != number)
        found = index.match(video)
        others = [(both[number], other) for n, other in enumerate(both) if n != number]
        yield Found(
            edit=one.name,
            videos=len(videos) - 1,
            nightlight=len(found),
            vpdq=sum(_peer(a.second, b.second) for a, b in others),
            vpdq_every_frame=sum(_peer(a.every, b.every) for a, b in others),
            hows=Counter(match.how for match in found),
        )
    index = VideoIndex()
    index.add_all(enumerate(videos))
    random = np.random.default_rng(77)
    asked = [hash_video(BytesIO(encode(film(random, 8)))) for _ in range(12)]
    asked += [hash_video(BytesIO(data)) for _, group in look_alikes(random) for data in group]
    wrong = [match.how for one in asked for match in index.match(one)]
    yield Wrong(
        what="drawn videos against the folder",
        pairs=len(asked) * len(videos),
        nightlight=len(wrong),
        vpdq=None,
        vpdq_every_frame=None,
        hows=Counter(wrong),
    )


def robustness(films: int, others: int, seconds: float) -> Iterator[Found | Wrong]:
    """Yield what is found of each edit, and what matches though it should not."""
    random = np.random.default_rng(11)
    drawn = [film(random, seconds) for _ in range(films)]
    known = [sides(encode(one)) for one in drawn]
    index = VideoIndex()
    index.add_all(enumerate(one.ours for one in known))
    unrelated = [hash_video(BytesIO(encode(film(random, 10)))) for _ in range(others)]
    index.add_all(enumerate(unrelated, start=films))
    counts: dict[str, Counter[str]] = {}
    strangers: Counter[str] = Counter()
    asked = 0
    for number, one in enumerate(drawn):
        for name, data in edits(one, random):
            edited = sides(data)
            asked += 1
            of_edit = counts.setdefault(name, Counter())
            of_edit["videos"] += 1
            for match in index.match(edited.ours):
                if match.number == number:
                    of_edit["nightlight"] += 1
                    of_edit[f"how {match.how}"] += 1
                else:
                    strangers[match.how] += 1
            of_edit["vpdq"] += _peer(edited.second, known[number].second)
            of_edit["vpdq_every_frame"] += _peer(edited.every, known[number].every)
    yield from (_found(name, of_edit) for name, of_edit in counts.items())
    for number, video in enumerate(unrelated, start=films):
        strangers.update(match.how for match in index.match(video) if match.number != number)
    pairs = asked * (len(known) - 1 + others) + others * (films + others - 1)
    yield Wrong(
        what="unrelated",
        pairs=pairs,
        nightlight=strangers.total(),
        vpdq=None,
        vpdq_every_frame=None,
        hows=strangers,
    )
    yield from _look_alikes(random, max(2, films // 2))


def _look_alikes(random: np.random.Generator, rounds: int) -> Iterator[Wrong]:
    totals: dict[str, Counter[str]] = {}
    for name, group in chain.from_iterable(look_alikes(random) for _ in range(rounds)):
        videos = [sides(data) for data in group]
        total = totals.setdefault(name, Counter())
        for at, one in enumerate(videos):
            index = VideoIndex()
            index.add_all((n, other.ours) for n, other in enumerate(videos) if n != at)
            for match in index.match(one.ours):
                total["nightlight"] += 1
                total[f"how {match.how}"] += 1
            for other in (other for n, other in enumerate(videos) if n != at):
                total["pairs"] += 1
                total["vpdq"] += _peer(one.second, other.second)
                total["vpdq_every_frame"] += _peer(one.every, other.every)
    for name, total in totals.items():
        yield Wrong(
            what=name,
            pairs=total["pairs"],
            nightlight=total["nightlight"],
            vpdq=total["vpdq"],
            vpdq_every_frame=total["vpdq_every_frame"],
            hows=_hows(total),
        )


def sides(data: bytes) -> Sides:
    """Return a file hashed by both."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(data)
        file.flush()
        features = vpdq.computeHash(file.name, seconds_per_hash=0)
    every = Frames(
        pack([one.hex for one in features]),
        np.array([one.quality for one in features], np.uint8),
        np.array([round(one.timestamp * 1000) for one in features], np.int64),
        np.zeros(len(features), np.bool_),
    )
    _, seconds = np.unique(every.times_ms // 1000, return_index=True)
    return Sides(hash_video(BytesIO(data)), every.taken(seconds), every)


def _peer(query: Frames, bank: Frames) -> bool:
    return vpdq_shares(query, bank)[0] >= _PEER_SHARE


def _found(name: str, counts: Mapping[str, int]) -> Found:
    return Found(
        edit=name,
        videos=counts["videos"],
        nightlight=counts["nightlight"],
        vpdq=counts["vpdq"],
        vpdq_every_frame=counts["vpdq_every_frame"],
        hows=_hows(counts),
    )


def _hows(counts: Mapping[str, int]) -> dict[str, int]:
    return {key[4:]: count for key, count in counts.items() if key.startswith("how ")}


def _row(line: Speed | Found | Wrong) -> str:
    match line:
        case Speed():
            return (
                f"{line.what}: {line.nightlight:.1f} s of video a second and core, vpdq"
                f" {line.vpdq:.1f}: {line.ratio:.1f} times; decoding alone {line.decoding:.1f};"
                f" {line.hashes} hashes of {line.frames} frames"
            )
        case Found():
            return (
                f"{line.edit:32} {line.nightlight:4} of {line.videos:4}"
                f"   vpdq {line.vpdq:4}, every frame {line.vpdq_every_frame:4}   {line.hows or ''}"
            )
        case Wrong():
            return (
                f"WRONG {line.what:34} {line.nightlight:4} of {line.pairs:6} pairs"
                f"   vpdq {line.vpdq}, every frame {line.vpdq_every_frame}   {line.hows or ''}"
            )


if __name__ == "__main__":
    main()
