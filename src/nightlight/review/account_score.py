"""One score an account, 0 to 100, and its parts: an order to look at accounts in. Pure.

Evidence of one kind counts less each time it comes again; evidence of different kinds adds up as
independent chances do. The score decides nothing: policy and people do.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from msgspec import Struct

from nightlight.model.case import STANDING, Case, CaseState
from nightlight.model.signal import Signal

#: How much a detector's finding, were it certain, says about the account.
WEIGHTS = {
    "hash_match": 0.95,
    "offer": 0.7,
    "returning": 0.5,
    "term_match": 0.4,
    "delete_repost": 0.4,
    "behaviour": 0.4,
    "user_report": 0.3,
    "scan_health": 0.05,
}
_OTHER_WEIGHT = 0.3
#: Each further finding of a kind counts this much of the one before it.
_AGAIN = 0.5
_CONFIRMED = 0.99
_TAKEN_BACK = frozenset({CaseState.DISMISSED, CaseState.OVERTURNED})


class Part(Struct, frozen=True, kw_only=True):
    """What one detector's findings add to the score."""

    detector: str
    findings: int
    share: float


class Score(Struct, frozen=True, kw_only=True):
    """An account's score.

    Attributes:
        value: 0 to 100.
        parts: the greatest first.
        confirmed: cases that a person confirmed and nobody contests; one makes it 99 at least.
        left_out: findings that a person dismissed: they count for nothing.
    """

    value: int
    parts: tuple[Part, ...]
    confirmed: int
    left_out: int


def score_of(
    signals: Iterable[Signal], cases: Collection[Case], *, dismissed_events: Collection[str]
) -> Score:
    """Return the score.

    Args:
        signals: everything that detectors found about the account.
        cases: its cases.
        dismissed_events: keys of the events whose findings a person dismissed.
    """
    by_detector: defaultdict[str, list[float]] = defaultdict(list)
    left_out = 0
    for signal in signals:
        if signal.event_key in dismissed_events:
            left_out += 1
        else:
            by_detector[signal.detector].append(signal.confidence)
    parts = [
        Part(detector=name, findings=len(found), share=_share(name, found))
        for name, found in by_detector.items()
    ]
    confirmed = sum(case.state in STANDING for case in cases)
    nothing = 1.0
    for part in parts:
        nothing *= 1 - part.share
    value = max(1 - nothing, _CONFIRMED if confirmed else 0.0)
    return Score(
        value=round(100 * value),
        parts=tuple(sorted(parts, key=lambda part: (-part.share, part.detector))),
        confirmed=confirmed,
        left_out=left_out,
    )


def is_taken_back(case: Case) -> bool:
    """Return whether a person held the case's findings not to be true."""
    return case.state in _TAKEN_BACK


def _share(detector: str, confidences: Iterable[float]) -> float:
    nothing, weight = 1.0, 1.0
    for confidence in sorted(confidences, reverse=True):
        nothing *= 1 - min(max(confidence, 0.0), 1.0) * weight
        weight *= _AGAIN
    return WEIGHTS.get(detector, _OTHER_WEIGHT) * (1 - nothing)
