"""Reads and writes a lexicon as a file: newline-delimited JSON, or CSV with a header.

What is wrong with a line is said by its number and remedy, never with its text.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TypeAlias

import msgspec

from nightlight.errors import InvalidInput
from nightlight.model.ids import derive_id
from nightlight.model.lexicon import Term, TermKind

_Row: TypeAlias = Mapping[str, object] | InvalidInput

_FIELDS = ("text", "kind", "severity", "language", "id", "variants")
_DEFAULT_SEVERITY = 50
_MOST_SEVERE = 100
_LONGEST_TEXT = 200
_MOST_VARIANTS = 50
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_DERIVED_ID = re.compile(r"tm_[0-9a-f]{24}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_BYTE_ORDER_MARK = "\ufeff"


def parse_lexicon(lines: Iterable[str], *, name: str) -> tuple[list[Term], list[str]]:
    """Return the terms of the lexicon ``name``, and what is wrong with each line left out."""
    terms: dict[str, Term] = {}
    faults: list[str] = []
    for number, row in _rows(lines):
        try:
            term = _term(row, name)
        except InvalidInput as fault:
            faults.append(f"line {number}: {fault}")
            continue
        if terms.setdefault(term.id, term) is not term:
            faults.append(f"line {number}: repeats an earlier line (remove one of the two)")
    return list(terms.values()), faults


def format_lexicon(terms: Iterable[Term]) -> Iterator[str]:
    """Yield one line of JSON a term, line end included; ``parse_lexicon`` reads them back."""
    for term in terms:
        row = {field: getattr(term, field) for field in _FIELDS}
        yield msgspec.json.encode(row).decode() + "\n"


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, _Row]]:
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
        hint = f"start with a header line of {', '.join(_FIELDS)}, or write one JSON object a line"
        yield first[0], InvalidInput("is no header with a text column", hint=hint)
        return
    for number, line in filled:
        yield number, _csv_row(line, columns)


def _json_row(line: str) -> _Row:
    try:
        return msgspec.json.decode(line, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeEncodeError):
        return InvalidInput("is no JSON object", hint='write one {"text": ...} a line')


def _csv_row(line: str, columns: list[str]) -> _Row:
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


def _term(row: _Row, name: str) -> Term:
    if isinstance(row, InvalidInput):
        raise row
    if not row.keys() <= set(_FIELDS):
        hint = f"the fields are {', '.join(_FIELDS)}"
        raise InvalidInput("has a field that terms do not have", hint=hint)
    kind = _kind(row.get("kind", TermKind.TERM.value))
    text = _text(row.get("text", ""))
    return Term(
        id=_id(row.get("id"), text) or derive_id("tm", name, kind.value, text),
        kind=kind,
        text=text,
        severity=_severity(row.get("severity", _DEFAULT_SEVERITY)),
        language=_language(row.get("language", "")),
        variants=_variants(row.get("variants", ())),
    )


def _text(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    # A letter, digit or symbol such as an emoji: what is left once a text is normalised.
    if not any(unicodedata.category(char)[0] in "LNS" for char in text):
        hint = "give at least one letter, digit or emoji"
        raise InvalidInput("has nothing to look for", field="text", hint=hint)
    if len(text) > _LONGEST_TEXT:
        hint = f"shorten it to {_LONGEST_TEXT} characters"
        raise InvalidInput("is too long for a term", field="text", hint=hint)
    return text


def _variants(value: object) -> tuple[str, ...]:
    """Return other spellings: a list in JSON, parted by "|" in CSV."""
    if isinstance(value, str):
        value = [one for one in value.split("|") if one.strip()]
    if not isinstance(value, list | tuple) or len(value) > _MOST_VARIANTS:
        hint = f"list up to {_MOST_VARIANTS} spellings, in CSV with | between them"
        raise InvalidInput("are no list of spellings", field="variants", hint=hint)
    try:
        return tuple(dict.fromkeys(map(_text, value)))
    except InvalidInput as fault:
        hint = "give each spelling a letter, digit or emoji, and at most 200 characters"
        raise InvalidInput("hold no spelling", field="variants", hint=hint) from fault


def _kind(value: object) -> TermKind:
    for kind in TermKind:
        if isinstance(value, str) and value.strip().lower() == kind.value:
            return kind
    hint = f"write one of {', '.join(TermKind)}"
    raise InvalidInput("is no kind of term", field="kind", hint=hint)


def _severity(value: object) -> int:
    number = value.strip() if isinstance(value, str) else value
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) <= 3:  # noqa: PLR2004  100 has three digits
        number = int(number)
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= _MOST_SEVERE:
        return number
    hint = f"write 0 to {_MOST_SEVERE}, or leave it out for {_DEFAULT_SEVERITY}"
    raise InvalidInput("is no whole number in range", field="severity", hint=hint)


def _language(value: object) -> str:
    language = value.strip() if isinstance(value, str) else None
    if language is None or (language and not _LANGUAGE.fullmatch(language)):
        hint = "write a BCP 47 tag such as en, or leave it out for any"
        raise InvalidInput("is no language tag", field="language", hint=hint)
    return language


def _id(value: object, text: str) -> str:
    """Return the given id, "" where none is given; ids are shown, so they may not tell the text."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        hint = "use up to 64 letters, digits and . _ : -, or leave it out"
        raise InvalidInput("is no id", field="id", hint=hint)
    if not _DERIVED_ID.fullmatch(value) and text.casefold() in value.casefold():
        raise InvalidInput("tells the term", field="id", hint="use an opaque id, or leave it out")
    return value
