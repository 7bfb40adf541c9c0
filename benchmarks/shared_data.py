"""Checks the published example files: ``python -m benchmarks.shared_data FOLDER``.

FOLDER holds the pictures, films and hashes that Meta publishes with the ThreatExchange repository
(BSD License): ``pdq/bridge-mods``, ``pdq/dih``, ``pdq/haystack.txt``, ``pdq/needles.txt``,
``videos``.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nightlight.bootstrap import build_file_scanner
from nightlight.detect.bank_index import BankIndex
from nightlight.detect.video_index import VideoIndex
from nightlight.detect.video_stills import stills_of
from nightlight.kernel import hamming
from nightlight.kernel.hash_index import HashIndex
from nightlight.model.bank import BankEntry, HashKind
from nightlight.model.media import Scan, VideoHashes

_Scan = Callable[[Path], Scan]
_MATCH_BITS = 31
_HASH_LISTS = ("haystack", "needles")


def main(arguments: Sequence[str] | None = None) -> None:
    """Check each claim, and print what was expected beside what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    scan = build_file_scanner()
    print(f"{'check':<52}{'expected':>9}{'found':>9}")
    mods = sorted((folder / "pdq" / "bridge-mods").glob("*.jpg"))
    turns = sorted((folder / "pdq" / "dih").glob("*.jpg"))
    distances = _distances(mods, scan)
    _say("edits of the bridge found", len(mods), sum(one <= _MATCH_BITS for one in distances))
    _say("bits apart, the farthest edit", _MATCH_BITS, max(distances))
    distances = _distances(turns, scan)
    _say("turns of the bridge found", len(turns), sum(one <= _MATCH_BITS for one in distances))
    _say("bits apart, the farthest turn", 8, max(distances))
    _say("pairs of needles and haystack", 250, _pairs(folder))
    films = sorted((folder / "videos").glob("*.mp4"))
    right, wrong = _films(films, [*mods, *turns], scan)
    _say("films that find another of the five", len(films) * (len(films) - 1), right)
    _say("pictures that match a film", 0, wrong)
    _say("frames of films that match a picture", 0, _frames_found(folder, films, scan))


def _say(check: str, expected: int, found: int) -> None:
    print(f"{check:<52}{expected:>9}{found:>9}")


def _distances(files: Sequence[Path], scan: _Scan) -> list[int]:
    """Return how near each file comes to a bank that holds the first one's plain hash."""
    known = scan(files[0]).hashes.pdq
    index = BankIndex([BankEntry(id="first", bank="b", kind=HashKind.PDQ, value=known)])
    return [
        min((match.distance_bits for match in index.match(scan(path).hashes)), default=256)
        for path in files
    ]


def _pairs(folder: Path) -> int:
    haystack, needles = (_rows(folder / "pdq" / f"{name}.txt") for name in _HASH_LISTS)
    index = HashIndex(background=False)
    index.add(np.arange(len(haystack)), haystack)
    return len(index.search(needles, _MATCH_BITS)[0])


def _rows(path: Path) -> NDArray[np.uint64]:
    lines = path.read_text(encoding="ascii").split()
    return hamming.pack([line.split(",")[0] for line in lines])


def _films(films: Sequence[Path], pictures: Sequence[Path], scan: _Scan) -> tuple[int, int]:
    """Return how many ordered pairs of films match, and how many pictures match any film."""
    videos = [scan(path).hashes.video for path in films]
    index = VideoIndex()
    right = 0
    for number, video in enumerate(videos):
        if video is not None:
            index.add(number, video)
    for number, video in enumerate(videos):
        found = {match.number for match in index.match(video)} if video else set()
        right += len(found - {number})
    stills = [scan(path).hashes.video for path in pictures]
    return right, sum(bool(index.match(one)) for one in stills if isinstance(one, VideoHashes))


def _frames_found(folder: Path, films: Sequence[Path], scan: _Scan) -> int:
    """Return how many frames of the films, asked about as pictures, match a published hash."""
    rows = np.concatenate([_rows(folder / "pdq" / f"{name}.txt") for name in _HASH_LISTS])
    index = HashIndex(background=False)
    index.add(np.arange(len(rows)), rows)
    videos = [scan(path).hashes.video for path in films]
    return sum(len(index.search(stills_of(one)[1], _MATCH_BITS)[0]) for one in videos if one)


if __name__ == "__main__":
    main()
