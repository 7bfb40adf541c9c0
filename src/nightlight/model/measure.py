"""Measured figures, each with what it was counted from."""

from math import sqrt

from msgspec import Struct

#: 97.5 % quantile of the normal distribution: two-sided 95 % intervals.
_Z_95 = 1.959963984540054


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a proportion; (0, 1) when nothing was tried.

    Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    if trials == 0:
        return (0.0, 1.0)
    share = successes / trials
    spread = _Z_95 * sqrt(share * (1 - share) / trials + _Z_95**2 / (4 * trials**2))
    centre = share + _Z_95**2 / (2 * trials)
    scale = 1 + _Z_95**2 / trials
    return (max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale))


class Confusion(Struct, frozen=True, kw_only=True):
    """How a detector's findings compare with the truth."""

    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int

    @property
    def precision(self) -> float | None:
        """Share of findings that are right; None when nothing was found."""
        found = self.true_positives + self.false_positives
        return self.true_positives / found if found else None

    @property
    def recall(self) -> float | None:
        """Share of what was there that was found; None when nothing was there."""
        there = self.true_positives + self.false_negatives
        return self.true_positives / there if there else None

    @property
    def precision_interval(self) -> tuple[float, float]:
        """The 95 % interval of the precision."""
        return wilson_interval(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall_interval(self) -> tuple[float, float]:
        """The 95 % interval of the recall."""
        return wilson_interval(self.true_positives, self.true_positives + self.false_negatives)
