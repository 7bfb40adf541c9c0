"""Fits offer weights to labelled texts: a logistic regression, on the machine, in seconds.

Penalised logistic regression by Newton's method (Hastie, Tibshirani and Friedman, The Elements of
Statistical Learning, 4.4), with parts left out at random while fitting, so that no single habit of
the fitted texts carries the score (Wager, Wang and Liang, Dropout Training as Adaptive
Regularization, 2013), and scaled afterwards on texts that were not fitted to (Platt, 1999).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from nightlight.detect.offer_weights import DIRECTIONS, PARTS, OfferWeights, score
from nightlight.errors import InvalidInput

#: Fewer of either kind and the weights would be an accident.
LEAST_OF_EACH = 20
_PENALTY = 2.0
#: How much an operator's own selling words count where nothing else is known.
_OWN_WORDS = 3.0
_LEFT_OUT = 0.2
_COPIES = 8
_STEPS = 50
_CLOSE_ENOUGH = 1e-8
#: Every fifth text is kept to scale with and to test on.
_KEPT_EVERY = 5
_DECIMALS = 4
#: Who writes about offers is harmed by being taken for a seller.
_WRONGLY_CALLED = 1 / 1000
_EVEN_ODDS = 0.5
_STRICTEST = 0.99


class Labelled(Struct, frozen=True, kw_only=True):
    """The parts of a text, and whether it is an offer."""

    parts: Mapping[str, float]
    offer: bool


class Fitted(Struct, frozen=True, kw_only=True):
    """What fitting came to; shares are of the texts that were not fitted to.

    Attributes:
        brier: mean squared difference of score and truth there, 0 is best, 0.25 says nothing.
    """

    weights: OfferWeights
    fitted: int
    kept: int
    precision: float
    recall: float
    brier: float


def fit(
    texts: Sequence[Labelled],
    *,
    prior: OfferWeights | None = None,
    seed: int = 0,
    fitted_to: str = "",
) -> Fitted:
    """Return weights fitted to texts; the same texts in the same order give the same weights.

    Args:
        texts: some hundreds; with fewer the weights stay close to ``prior``.
        prior: what counts where the texts say nothing; without it, every part a little in its own
            direction, and the operator's own selling words more.
        seed: which parts are left out, and which texts are kept to test on.
        fitted_to: what the texts are, for people.

    Raises:
        InvalidInput: there are too few texts of either kind.
    """
    offers = sum(one.offer for one in texts)
    for name, count in (("offers", offers), ("others", len(texts) - offers)):
        if count < LEAST_OF_EACH:
            raise InvalidInput(
                f"{count} {name} are too few to fit to",
                field="texts",
                hint=f"label {LEAST_OF_EACH} or more",
            )
    rows, labels = _matrix(texts)
    chance = np.random.default_rng(seed)
    order = chance.permutation(len(texts))
    kept = order[::_KEPT_EVERY]
    used = np.setdiff1d(order, kept)
    copies = np.repeat(rows[used], _COPIES, axis=0)
    copies[:, 1:] *= chance.random(copies[:, 1:].shape) >= _LEFT_OUT
    expected = _expected(prior)
    found = _directed(copies, np.repeat(labels[used], _COPIES), expected)
    sums = np.column_stack([np.ones(len(kept)), rows[kept] @ found])
    scaled = _newton(sums, labels[kept], np.array([0.0, 1.0]), 0.1)
    # A kept part that is told apart without fault would scale without end.
    factor = float(np.clip(scaled[1], 0.5, 2.0))
    found = found * factor
    found[0] += float(np.clip(scaled[0], -2.0, 2.0))
    weights = OfferWeights(
        weights={
            name: round(float(value), _DECIMALS)
            for name, value in zip(PARTS, found[1:], strict=True)
            if abs(value) >= 10**-_DECIMALS
        },
        bias=round(float(found[0]), _DECIMALS),
        fitted_to=fitted_to,
    )
    weights = replace(weights, threshold=_threshold(weights, texts))
    return _told(weights, [texts[int(place)] for place in kept], len(used))


def _matrix(texts: Sequence[Labelled]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = np.array([[1.0, *(one.parts.get(part, 0.0) for part in PARTS)] for one in texts])
    return rows, np.array([float(one.offer) for one in texts])


def _expected(prior: OfferWeights | None) -> NDArray[np.float64]:
    """Return the bias and weights that hold where nothing was seen."""
    if prior is None:
        weights = {part: float(way) for part, way in DIRECTIONS.items()} | {"cues": _OWN_WORDS}
        prior = OfferWeights(weights=weights, bias=0.0)
    return np.array([prior.bias, *(prior.weights.get(part, 0.0) for part in PARTS)])


def _directed(
    rows: NDArray[np.float64], labels: NDArray[np.float64], expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return weights of which none counts the wrong way: those that would, count nothing."""
    ways = np.array([0, *(DIRECTIONS.get(part, 0) for part in PARTS)])
    used = np.ones(len(ways), dtype=bool)
    while True:
        found = np.zeros(len(ways))
        found[used] = _newton(rows[:, used], labels, expected[used], _PENALTY * _COPIES)
        wrong = found * ways < 0
        if not wrong.any():
            return found
        used &= ~wrong


def _newton(
    rows: NDArray[np.float64],
    labels: NDArray[np.float64],
    expected: NDArray[np.float64],
    penalty: float,
) -> NDArray[np.float64]:
    """Return the weights; differing from what is expected costs, except for the bias, the first."""
    found = expected.copy()
    ridge = np.full(rows.shape[1], penalty)
    ridge[0] = 1e-6
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-np.clip(rows @ found, -30, 30)))
        gradient = rows.T @ (labels - likely) - ridge * (found - expected)
        curvature = (rows * (likely * (1 - likely))[:, None]).T @ rows + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        # Far from the answer a whole step may overshoot.
        found = found + step * min(1.0, 5.0 / max(1e-12, float(np.abs(step).max())))
        if float(np.abs(step).max()) < _CLOSE_ENOUGH:
            break
    return found


def _threshold(weights: OfferWeights, texts: Sequence[Labelled]) -> float:
    """Return the least score, from even odds on, that at most 1 in 1,000 of the others reach."""
    others = sorted((score(one.parts, weights) for one in texts if not one.offer), reverse=True)
    allowed = int(len(others) * _WRONGLY_CALLED)
    return round(min(max(_EVEN_ODDS, others[allowed] + 0.01), _STRICTEST), 2)


def _told(weights: OfferWeights, kept: Sequence[Labelled], fitted: int) -> Fitted:
    scores = [score(one.parts, weights) for one in kept]
    pairs = zip(kept, scores, strict=True)
    called = [one.offer for one, likely in pairs if likely >= weights.threshold]
    return Fitted(
        weights=weights,
        fitted=fitted,
        kept=len(kept),
        precision=sum(called) / len(called) if called else 0.0,
        recall=sum(called) / max(1, sum(one.offer for one in kept)),
        brier=sum((likely - one.offer) ** 2 for one, likely in zip(kept, scores, strict=True))
        / len(kept),
    )
