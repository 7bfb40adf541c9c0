"""Reads and writes a hash bank as a file: NDJSON, or CSV with a header.

One line is one hash. A bad line becomes a reason that says which line, what is wrong and what to
do, and never shows the hash; the good lines around it still count. Opening the file is the
caller's.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TypeAlias, get_args

import msgspec

from nightlight.errors import InvalidInput
from nightlight.model.bank import HASH_DIGITS, BankEntry, Classification, HashKind
from nightlight.model.ids import derive_id

_REQUIRED = ("kind", "value")
_FIELDS = (*_REQUIRED, "classification", "id")
_HEADER = ",".join(_FIELDS)
_HEX = re.compile("[0-9a-f]*")
_ID = re.compile(r"[!-~]{1,128}")
_CLASSIFICATIONS: tuple[Classification, ...] = get_args(Classification)

_Row: TypeAlias = dict[str, str]
_row_decoder = msgspec.json.Decoder(_Row)


def parse_bank(lines: Iterable[str], *, bank: str) -> tuple[list[BankEntry], list[str]]:
    """Return the entries of every good line, and a reason for every bad one.

    The first line that is not blank decides: an object means NDJSON, anything else is the header
    of a CSV file. Blank lines are passed over. Entries without an id get one that depends on
    bank, kind and hash, so reading a file twice gives the same entries.
    """
    numbered = _lines_with_content(lines)
    first = next(numbered, None)
    if first is None:
        return [], []
    number, line = first
    if line.startswith("{"):
        return _read(chain([first], numbered), _row_of_json, bank)
    try:
        columns = _columns_of_header(line)
    except InvalidInput as error:
        return [], [f"line {number}: {error}"]
    return _read(numbered, lambda text: _row_of_csv(text, columns), bank)


def format_bank(entries: Iterable[BankEntry]) -> Iterator[str]:
    """Yield one NDJSON line an entry, without line ends, that ``parse_bank`` reads back."""
    for entry in entries:
        row = {"kind": entry.kind.value, "value": entry.value, "id": entry.id}
        if entry.classification:
            row["classification"] = entry.classification
        yield msgspec.json.encode(row).decode()


def _read(
    numbered: Iterable[tuple[int, str]], row_of: Callable[[str], _Row], bank: str
) -> tuple[list[BankEntry], list[str]]:
    entries: list[BankEntry] = []
    reasons: list[str] = []
    line_of_id: dict[str, int] = {}
    for number, line in numbered:
        try:
            entry = _entry(row_of(line), bank)
        except InvalidInput as error:
            reasons.append(f"line {number}: {error}")
            continue
        earlier = line_of_id.setdefault(entry.id, number)
        if earlier == number:
            entries.append(entry)
        else:
            told = InvalidInput(f"repeats the hash or id of line {earlier}", hint="remove one")
            reasons.append(f"line {number}: {told}")
    return entries, reasons


def _lines_with_content(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, start=1):
        content = line.removeprefix("\ufeff").strip()
        if content:
            yield number, content


def _row_of_json(line: str) -> _Row:
    hint = 'write one object a line, such as {"kind": "md5", "value": "..."}'
    try:
        row = _row_decoder.decode(line)
    except msgspec.ValidationError as error:
        raise InvalidInput("not an object whose fields are all text", hint=hint) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidInput("not JSON", hint=hint) from error
    if not set(_REQUIRED) <= row.keys() <= set(_FIELDS):
        allowed = "kind and value are needed, classification and id allowed"
        raise InvalidInput("fields are missing or not known", hint=allowed)
    return row


def _columns_of_header(line: str) -> list[str]:
    columns = [cell.strip().lower() for cell in _cells(line)]
    known = set(_REQUIRED) <= set(columns) <= set(_FIELDS)
    if not known or len(columns) != len(set(columns)):
        raise InvalidInput("not an object and not a header", hint=f"begin with {_HEADER}")
    return columns


def _row_of_csv(line: str, columns: list[str]) -> _Row:
    cells = _cells(line)
    if len(cells) != len(columns):
        told = f"{len(cells)} cells where the header names {len(columns)}"
        raise InvalidInput(told, hint="write one cell a column")
    return dict(zip(columns, cells, strict=True))


def _cells(line: str) -> list[str]:
    # Each line for itself, so that a stray quotation mark cannot swallow the lines after it.
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise InvalidInput("not CSV", hint="check its commas and quotation marks") from error


def _entry(row: _Row, bank: str) -> BankEntry:
    kind = _kind(row["kind"].strip().lower())
    value = row["value"].strip().lower()
    digits = HASH_DIGITS[kind]
    if len(value) != digits or not _HEX.fullmatch(value):
        raise InvalidInput(f"not {digits} hex digits", field="value", hint=f"give the {kind} hash")
    return BankEntry(
        id=_id(row.get("id", "").strip(), value) or derive_id("be", bank, kind.value, value),
        bank=bank,
        kind=kind,
        value=value,
        classification=_classification(row.get("classification", "").strip().upper()),
    )


def _kind(text: str) -> HashKind:
    try:
        return HashKind(text)
    except ValueError:
        known = ", ".join(kind.value for kind in HashKind)
        raise InvalidInput("not a hash kind", field="kind", hint=f"one of {known}") from None


def _classification(text: str) -> Classification:
    for known in _CLASSIFICATIONS:
        if text == known:
            return known
    hint = f"one of {', '.join(filter(None, _CLASSIFICATIONS))}, or nothing"
    raise InvalidInput("not a classification", field="classification", hint=hint)


def _id(text: str, value: str) -> str:
    if text and not _ID.fullmatch(text):
        hint = "1 to 128 printable ASCII characters without blanks, or nothing"
        raise InvalidInput("not an id", field="id", hint=hint)
    if value in text.lower():
        # Ids are shown to people and logged; hashes never are.
        raise InvalidInput("the id holds the hash", field="id", hint="leave it out")
    return text
