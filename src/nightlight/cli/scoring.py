"""Scores for ``run --truth``: as JSON for programs, as a table for people."""

from pathlib import Path

import msgspec
from rich.table import Table

from nightlight.cli.console import err
from nightlight.measure.scorecard import Scorecard, Share, as_json, score
from nightlight.measure.truth import Truth
from nightlight.services import Services

#: Where the console looks for the newest scores.
SCORECARD_NAME = "scorecard.json"


def write_scorecard(services: Services, truth: Truth, path: Path | None) -> Scorecard:
    """Return the scores of everything stored so far, now also in ``path`` and for the console."""
    with services.unit_of_work.read() as tx:
        counts = tx.figures.figures().events
        card = score(
            truth,
            signalled=tx.figures.signalled(),
            acted_on=tx.figures.acted_on(),
            posts=counts.get("post.created", 0),
            media_files=counts.get("media.uploaded", 0),
        )
    body = msgspec.json.format(msgspec.json.encode(as_json(card)), indent=2) + b"\n"
    (services.settings.home / SCORECARD_NAME).write_bytes(body)
    if path is not None:
        path.write_bytes(body)
    return card


def print_scorecard(card: Scorecard) -> None:
    """Print the scores as tables on stderr."""
    table = Table(title="against the answer sheet", title_justify="left", box=None, pad_edge=False)
    for column in ("detector", "right", "wrong", "missed", "precision [95 %]", "recall [95 %]"):
        table.add_column(column, justify="left" if column == "detector" else "right")
    for name, one in card.detectors.items():
        table.add_row(
            name,
            f"{one.true_positives:,}",
            f"{one.false_positives:,}",
            f"{one.false_negatives:,}",
            _percent(one.precision, one.precision_interval),
            _percent(one.recall, one.recall_interval),
        )
    err.print()
    err.print(table)
    _print_by_detector("adverts found, by spelling", card.by_disguise)
    _print_by_detector(
        "look-alikes found, by kind (terms may stand in them, offers do not)", card.by_lookalike
    )
    _print_shares("known files found, by edit", card.recall_by_edit)
    _print_shares("look-alikes wrongly limited", card.lookalikes_acted_on)


def _print_by_detector(title: str, by_detector: dict[str, dict[str, Share]]) -> None:
    kinds = sorted({kind for shares in by_detector.values() for kind in shares})
    if not kinds:
        return
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    for detector in by_detector:
        table.add_column(detector, justify="right")
    for kind in kinds:
        shares = [each.get(kind) for each in by_detector.values()]
        table.add_row(kind, *(f"{one.count:,}/{one.of:,}" if one else "-" for one in shares))
    err.print()
    err.print(table)


def _print_shares(title: str, shares: dict[str, Share]) -> None:
    shown = ", ".join(f"{name} {one.count}/{one.of}" for name, one in shares.items())
    err.print(f"{title}: {shown or 'none'}", markup=False)


def _percent(value: float | None, interval: tuple[float, float]) -> str:
    if value is None:
        return "-"
    low, high = interval
    return f"{value:.1%} \\[{low:.1%}, {high:.1%}]"
