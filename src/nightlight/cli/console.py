"""How commands speak: results on stdout, narration on stderr, JSON where asked for."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any
from unicodedata import category

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nightlight.errors import InvalidInput

_CONTROL = frozenset({"Cc", "Cf", "Cs"})
#: Narration: progress, summaries, warnings.
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 110)
#: Results for people.
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line, for programs.")]


def _said(param: typer.CallbackParam, value: str) -> str:
    """Return what stands in the record, only if it says something."""
    if not value.strip():
        raise InvalidInput("it must not be empty: it stands in the record", field=param.opts[0])
    return value


Actor = Annotated[
    str,
    typer.Option(
        "--by", help="Who does this; stands in the record.", show_default=False, callback=_said
    ),
]
Reason = Annotated[
    str,
    typer.Option("--reason", help="Why; stands in the record.", show_default=False, callback=_said),
]


def print_json(value: object) -> None:
    """Print one JSON object on a line of stdout."""
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


def print_rows(rows: Iterable[Sequence[object]], *, columns: Sequence[str], empty: str) -> None:
    """Print a table for people, or say what to do where it would be empty."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_shown(cell) for cell in row))
    if table.row_count:
        out.print(table)
    else:
        err.print(empty)


def printable(text: str) -> str:
    """Return text without control and format characters: what others wrote moves no cursor."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if category(one) in _CONTROL and one != "\n" else one
        for one in text
    )


def _shown(cell: object) -> str:
    """Return a table cell; what comes from outside is not read as markup."""
    text = f"{cell:%Y-%m-%d %H:%M:%S}" if isinstance(cell, datetime) else str(cell)
    return escape(printable(text))


def fields_of(value: msgspec.Struct) -> dict[str, Any]:
    """Return a value's fields for JSON output."""
    found: dict[str, Any] = msgspec.to_builtins(value)
    return found
