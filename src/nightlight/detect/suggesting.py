"""Ranks words that sellers use and others do not: what no list has yet, for a person to look at.

A word is scored by the log-likelihood ratio G2 of how many accounts of sellers and of others use it
(Dunning, "Accurate Methods for the Statistics of Surprise and Coincidence", Computational
Linguistics 19, 1993), which holds for rare words, where other tests are far off. It is suggested
only where several sellers use it, hardly anybody else does, and those who write about the trade
use it less: words of news, help and those who were harmed stand beside listed terms, too. Pure.
"""

from collections.abc import Iterable, Mapping
from math import log

from msgspec import Struct

from nightlight.model.word_use import Counted, Users

#: Accounts of sellers that use a word, at least: one seller's habit is nobody's code.
LEAST_SELLERS = 3
#: G2 of a coincidence that one word in 10,000 shows by chance (Rayson, Berridge, Francis, 2004).
_LEAST_SCORE = 15.13
#: What more of all others use than this is a word like another.
_MOST_COMMON = 0.05
#: How much more often sellers use it than others, and than those who write about the trade.
_TIMES_OTHERS, _TIMES_WRITERS = 4.0, 2.0


class Suggested(Struct, frozen=True, kw_only=True):
    """A word that may be a term, not yet read; ``score`` is its G2."""

    counted: Counted
    score: float


def rank(counted: Iterable[Counted], totals: Mapping[Users, int]) -> list[Suggested]:
    """Return what may be terms, the likeliest first."""
    found = [
        Suggested(counted=one, score=score)
        for one in counted
        if (score := _score(one, totals)) >= _LEAST_SCORE
    ]
    return sorted(found, key=lambda one: (-one.score, one.counted.token))


def _score(one: Counted, totals: Mapping[Users, int]) -> float:
    """Return the G2 of a word, 0.0 where it must not be suggested."""
    sellers, others = one.by[Users.SELLERS], one.by[Users.OTHERS]
    if sellers < LEAST_SELLERS:
        return 0.0
    usual = _share(others, totals[Users.OTHERS])
    in_sales = sellers / totals[Users.SELLERS]
    told = one.by[Users.WRITERS]
    is_told = told and in_sales < _TIMES_WRITERS * told / totals[Users.WRITERS]
    if is_told or (others and others / totals[Users.OTHERS] > _MOST_COMMON):
        return 0.0
    if in_sales < _TIMES_OTHERS * usual:
        return 0.0
    return g2(sellers, totals[Users.SELLERS], others, totals[Users.OTHERS])


def _share(count: int, total: int) -> float:
    """Return the share, not quite nothing where none of a few use it."""
    return (count + 0.5) / (total + 1)


def g2(a: int, of_a: int, b: int, of_b: int) -> float:
    """Return how much likelier two shares ``a``/``of_a``, ``b``/``of_b`` are than one for both."""
    both = (a + b) / (of_a + of_b)
    return 2 * (
        _likelihood(a, of_a, a / of_a)
        + (_likelihood(b, of_b, b / of_b) if of_b else 0.0)
        - _likelihood(a, of_a, both)
        - _likelihood(b, of_b, both)
    )


def _likelihood(count: int, total: int, share: float) -> float:
    """Return the logarithm of how likely so many of a total are at a share."""
    rest = total - count
    return (count * log(share) if count else 0.0) + (rest * log(1 - share) if rest else 0.0)
