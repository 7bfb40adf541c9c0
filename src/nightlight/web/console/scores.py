"""The newest scorecard, as ``nightlight run --truth`` left it."""

from pathlib import Path

import msgspec
from msgspec import Struct

SCORECARD_NAME = "scorecard.json"


class Score(Struct, frozen=True, kw_only=True):
    """How one detector did."""

    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int
    precision: float | None
    precision_interval: tuple[float, float]
    recall: float | None
    recall_interval: tuple[float, float]


class PartScore(Struct, frozen=True, kw_only=True):
    """So many of so many, with the 95 % interval of the share."""

    count: int
    of: int
    interval: tuple[float, float]


class Scores(Struct, frozen=True, kw_only=True):
    """A scorecard."""

    detectors: dict[str, Score]
    recall_by_disguise: dict[str, PartScore] = {}
    recall_by_edit: dict[str, PartScore] = {}
    lookalikes_acted_on: dict[str, PartScore] = {}
    by_disguise: dict[str, dict[str, PartScore]] = {}
    by_lookalike: dict[str, dict[str, PartScore]] = {}


class Scorecard(Struct, frozen=True, kw_only=True):
    """The scores, or why there are none: ``fault`` is "" where none were ever made."""

    scores: Scores | None
    fault: str = ""


_decoder = msgspec.json.Decoder(Scores)


def read_scorecard(home: Path) -> Scorecard:
    """Return the newest scorecard."""
    try:
        return Scorecard(scores=_decoder.decode((home / SCORECARD_NAME).read_bytes()))
    except FileNotFoundError:
        return Scorecard(scores=None)
    except OSError as error:
        return Scorecard(scores=None, fault=error.strerror or "it cannot be read")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Scorecard(scores=None, fault="it is not a scorecard")


def lowest_precision(scores: Scores | None) -> float | None:
    """Return the precision of the detector that errs most; None where nothing was measured."""
    known = [one.precision for one in scores.detectors.values()] if scores else []
    return min((one for one in known if one is not None), default=None)
