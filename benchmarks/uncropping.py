"""How far guessing what a crop cut off can find it: ``python -m benchmarks.uncropping``.

A list of plain PDQ hashes knows nothing but the whole picture. What a crop of 5 % a side leaves is
put back into its place, the rest is guessed in several ways, and the distance to the hash of the
whole is counted: at most 31 bits would be found. Upper bounds, since the place is given.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks import robustness_corpus as corpus
from nightlight.kernel import pdq, views
from nightlight.kernel._pdq_reference import KEPT, SIDE, frequencies

_FOUND_BITS = 31
_FOLDS = 5
_LONGEST = 0.1
_GUESSES = (1, 16, 128, 1024)

Floats: TypeAlias = NDArray[np.float64]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the share that each way of guessing finds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=150)
    parser.add_argument("--folder", type=Path, help="photographs; drawn pictures stand in")
    parser.add_argument("--share", type=float, default=0.05, help="cut off of every side")
    options = parser.parse_args(arguments)
    pairs = list(islice(_pairs(options.folder, options.share), options.pictures))
    whole = np.array([_coefficients(own, np.eye(SIDE)) for own, _ in pairs])
    left = np.array([cut for _, cut in pairs])
    truth = _bits(whole)
    print(f"{len(pairs)} pictures, {100 * options.share:g} % off every side")
    guesses: dict[str, Floats] = {}
    for name, extended in _WAYS.items():
        guesses[name] = np.array([_coefficients(cut, extended(options.share)) for cut in left])
        _say(name, (_bits(guesses[name]) != truth).sum(axis=1))
    together = [(_bits(guess) != truth).sum(axis=1) for guess in guesses.values()]
    _say("the best of these", np.min(together, axis=0))
    for tried, far in _varied(whole, guesses["towards the mean"], truth).items():
        _say(f"the best of {tried} with likely errors added", far)


def _say(name: str, far: NDArray[np.int64]) -> None:
    print(f"{name:<46}{far.mean():6.1f} bits{100 * (far <= _FOUND_BITS).mean():7.1f} %")


def _pairs(folder: Path | None, share: float) -> Iterator[tuple[Floats, Floats]]:
    """Yield the samples of pictures that can be matched, whole and cropped; photographs first."""
    files = (corpus.load(path) for path in corpus.file_pictures(folder)) if folder else iter(())
    same = corpus.Sameness()
    for picture in (*files, *map(corpus.drawn, range(200))):
        if picture is None or same.is_known(picture):
            continue
        luma = np.ascontiguousarray(np.asarray(picture.convert("L")))
        if pdq.hash_luma(luma)[1] < views.LEAST_QUALITY or not views.has_detail(luma):
            continue
        same.remember(picture)
        down, across = (round(side * share) for side in luma.shape)
        cut = luma[down : luma.shape[0] - down, across : luma.shape[1] - across]
        yield _samples(luma), _samples(np.ascontiguousarray(cut))


def _samples(luma: NDArray[np.uint8]) -> Floats:
    return pdq.samples(luma).astype(np.float64)


def _coefficients(samples: Floats, extended: Floats) -> Floats:
    rows = frequencies().astype(np.float64) @ extended
    return np.asarray((rows @ samples @ rows.T).ravel())


def _bits(coefficients: Floats) -> NDArray[np.bool_]:
    middle = np.sort(coefficients, axis=1)[:, KEPT * KEPT // 2 - 1]
    return np.asarray(coefficients > middle[:, None])


def _at(share: float, turned: Callable[[Floats], Floats]) -> Floats:
    """Return what each sample of the whole takes of those that are left."""
    own = (np.arange(SIDE) + 0.5) / SIDE
    place = turned((own - share) / (1 - 2 * share) * SIDE - 0.5).clip(0, SIDE - 1.001)
    first = place.astype(np.int64)
    taken = np.zeros((SIDE, SIDE))
    taken[np.arange(SIDE), first] = 1 - (place - first)
    taken[np.arange(SIDE), first + 1] = place - first
    return taken


def _mirrored(place: Floats) -> Floats:
    place = np.where(place < -0.5, -1 - place, place)
    return np.where(place > SIDE - 0.5, 2 * SIDE - 1 - place, place)


def _likeliest(share: float) -> Floats:
    """Return the best linear guess where likeness falls with distance (kriging)."""
    inside = share + (np.arange(SIDE) + 0.5) / SIDE * (1 - 2 * share)
    own = (np.arange(SIDE) + 0.5) / SIDE
    alike = np.exp(-np.abs(inside[:, None] - inside) / _LONGEST) + 1e-3 * np.eye(SIDE)
    inverse = np.linalg.inv(alike)
    weights = np.exp(-np.abs(own[:, None] - inside) / _LONGEST) @ inverse
    mean = inverse.sum(axis=0) / inverse.sum()
    return np.asarray(weights + np.outer(1 - weights.sum(axis=1), mean))


_WAYS: dict[str, Callable[[float], Floats]] = {
    "edges repeated (what views do)": lambda share: _at(share, lambda place: place),
    "mirrored": lambda share: _at(share, _mirrored),
    "towards the mean": _likeliest,
}


def _varied(whole: Floats, guess: Floats, truth: NDArray[np.bool_]) -> dict[int, NDArray[np.int64]]:
    """Return how far the best is of guesses varied by the commonest errors of other pictures."""
    random = np.random.default_rng(0)
    scale = guess.std(axis=1, keepdims=True)
    errors = (whole - guess) / scale
    fold = random.integers(0, _FOLDS, len(whole))
    best = {tried: np.zeros(len(whole), np.int64) for tried in _GUESSES}
    for place in range(len(whole)):
        others = errors[fold != fold[place]]
        _, sizes, kinds = np.linalg.svd(others, full_matrices=False)
        drawn = random.standard_normal((max(_GUESSES), KEPT)) * 0.75
        drawn[0] = 0
        added = (drawn * sizes[:KEPT] / np.sqrt(len(others))) @ kinds[:KEPT]
        far = (_bits(guess[place] / scale[place] + added) != truth[place]).sum(axis=1)
        for tried in _GUESSES:
            best[tried][place] = far[:tried].min()
    return best


if __name__ == "__main__":
    main()
