"""Shares come with the interval that their small numbers deserve."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlight.model.measure import Confusion, wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 0, 0.0, 1.0),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_interval_is_wilsons(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10**6), st.data())
def test_interval_holds_the_share_and_stays_in_bounds(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    low, high = wilson_interval(successes, trials)
    assert 0.0 <= low <= high <= 1.0
    assert low - 1e-9 <= successes / trials <= high + 1e-9


def confusion(tp: int, fp: int, fn: int) -> Confusion:
    return Confusion(true_positives=tp, false_positives=fp, false_negatives=fn, true_negatives=0)


def test_precision_and_recall_are_shares_of_found_and_of_there() -> None:
    found = confusion(6, 2, 3)
    assert found.precision == 0.75
    assert found.recall == pytest.approx(2 / 3)
    assert found.precision_interval == wilson_interval(6, 8)
    assert found.recall_interval == wilson_interval(6, 9)


def test_nothing_found_and_nothing_there_is_no_share() -> None:
    nothing = confusion(0, 0, 0)
    assert nothing.precision is None
    assert nothing.recall is None
    assert nothing.recall_interval == (0.0, 1.0)
