"""What the list commands have in common: how imports and summaries are printed."""

from collections.abc import Sequence
from pathlib import Path

import typer

from nightlight.cli.console import err, fields_of, out, print_json, print_rows
from nightlight.errors import InvalidInput
from nightlight.exchange.ports import ListSummary
from nightlight.services.lexicons import Imported

_REJECTED_SHOWN = 10


def print_import(done: Imported, *, json: bool) -> None:
    """Print what an import came to; leaves with 1 where lines had to be left out."""
    if json:
        print_json(fields_of(done))
    else:
        same = done.read - done.added - done.changed
        out.print(
            f"{done.name}: {done.added:,} added, {done.changed:,} changed, {same:,} already there"
        )
    print_rejected(done.rejected)
    if done.rejected:
        raise typer.Exit(1)


def print_rejected(reasons: Sequence[str]) -> None:
    """Print why lines were left out, the first of them."""
    for reason in reasons[:_REJECTED_SHOWN]:
        err.print(f"left out: {reason}", markup=False)
    if reasons:
        err.print(f"[yellow]{len(reasons):,} lines were left out[/]")


def print_summaries(summaries: Sequence[ListSummary], *, json: bool, empty: str) -> None:
    """Print what may be shown of lists."""
    if json:
        for one in summaries:
            print_json(fields_of(one))
        return
    print_rows(
        ((one.name, f"{one.entries:,}", one.updated_at or "") for one in summaries),
        columns=("name", "entries", "last grew"),
        empty=empty,
    )


def new_file(path: Path) -> Path:
    """Return the path of a new, empty file that its owner alone may read.

    Raises:
        InvalidInput: it cannot be made, or is there already.
    """
    try:
        path.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise InvalidInput(f"cannot be made: {error.strerror}", field=str(path)) from error
    return path
