"""Seeded chance: everything random in the town comes from here, so a seed tells the whole town."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

_T = TypeVar("_T")


def seeded(seed: int, purpose: str) -> Random:
    """Return a generator that depends on the seed and on what it is used for, and on no more."""
    return Random(f"{seed}:{purpose}")  # noqa: S311  reproducible is the point, not secret


def pick(rng: Random, choices: Sequence[_T]) -> _T:
    """Return one of the choices; three times as fast as ``Random.choice``, nearly as even."""
    return choices[int(rng.random() * len(choices))]
