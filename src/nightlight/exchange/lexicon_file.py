"""Reads and writes a lexicon as a file: newline-delimited JSON, or CSV with a header.

What is wrong with a line is said by its number and remedy, never with its text.
"""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import chain

import msgspec

from nightlight.errors import InvalidInput
from nightlight.exchange.term_row import FIELDS, Row, cells_of, term_of
from nightlight.model.lexicon import Term

_BYTE_ORDER_MARK = "\ufeff"


def parse_lexicon(lines: Iterable[str], *, name: str) -> tuple[list[Term], list[str]]:
    """Return the terms of the lexicon ``name``, and what is wrong with each line left out."""
    terms: dict[str, Term] = {}
    faults: list[str] = []
    for number, row in _rows(lines):
        try:
            term = term_of(row, name)
        except InvalidInput as fault:
            faults.append(f"line {number}: {fault}")
            continue
        if terms.setdefault(term.id, term) is not term:
            faults.append(f"line {number}: repeats an earlier line (remove one of the two)")
    return list(terms.values()), faults


def format_lexicon(terms: Iterable[Term]) -> Iterator[str]:
    """Yield one line of JSON a term, line end included; ``parse_lexicon`` reads them back."""
    for term in terms:
        yield msgspec.json.encode(term).decode() + "\n"


def format_lexicon_csv(terms: Iterable[Term]) -> Iterator[str]:
    """Yield a header and one line of CSV a term, line ends included."""
    for row in chain([FIELDS], map(cells_of, terms)):
        line = StringIO()
        csv.writer(line, lineterminator="\n").writerow(row)
        yield line.getvalue()


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, Row]]:
    """Yield line numbers with their fields, or with the fault that kept them from being read."""
    numbered = enumerate((line.removeprefix(_BYTE_ORDER_MARK) for line in lines), start=1)
    filled = ((number, line.strip()) for number, line in numbered if line.strip())
    first = next(filled, None)
    if first is None:
        return
    if first[1].startswith(("{", "[")):
        for number, line in chain([first], filled):
            yield number, _json_row(line)
        return
    header = _csv_cells(first[1])
    columns = [] if isinstance(header, InvalidInput) else [cell.strip().lower() for cell in header]
    if "text" not in columns:
        hint = f"start with a header line of {', '.join(FIELDS)}, or write one JSON object a line"
        yield first[0], InvalidInput("is no header with a text column", hint=hint)
        return
    for number, line in filled:
        yield number, _csv_row(line, columns)


def _json_row(line: str) -> Row:
    try:
        return msgspec.json.decode(line, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeEncodeError):
        return InvalidInput("is no JSON object", hint='write one {"text": ...} a line')


def _csv_row(line: str, columns: list[str]) -> Row:
    cells = _csv_cells(line)
    if isinstance(cells, InvalidInput):
        return cells
    if len(cells) != len(columns):
        hint = "quote a cell that holds a comma"
        return InvalidInput(f"has {len(cells)} cells under {len(columns)} columns", hint=hint)
    # An empty cell says nothing, as a field left out of a JSON object does.
    return {column: cell for column, cell in zip(columns, cells, strict=True) if cell.strip()}


def _csv_cells(line: str) -> list[str] | InvalidInput:
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        hint = "close the quotes on the same line, and double a quote inside a cell"
        return InvalidInput("is not readable as CSV", hint=hint)
