"""Reads and writes a hash bank as a file: NDJSON, or CSV with a header.

One line is one hash. A bad line becomes a reason that says which line, what is wrong and what to
do, and never shows the hash; the good lines around it still count. The hash of a video is that of
its frames, 74 hex digits each: 32 bytes PDQ, 1 quality, 4 time in milliseconds (little-endian).
Opening the file is the caller's.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from itertools import chain
from typing import Any, TypeAlias, TypeVar, get_args

import msgspec
from msgspec import Struct

from nightlight.errors import InvalidInput
from nightlight.exchange.seen import Seen
from nightlight.model.bank import (
    HASH_DIGITS,
    BankEntry,
    Classification,
    EntryState,
    HashKind,
    Opinion,
)
from nightlight.model.ids import derive_id
from nightlight.model.media import are_frames

_REQUIRED = ("kind", "value")
#: What a line may leave open: for a known entry that takes nothing away.
_OPINIONS = ("classification", "opinion")
_FIELDS = (
    *(*_REQUIRED, "classification", "id", "opinion", "state"),
    *("source", "source_ref", "note", "view", "quality"),
)
_TEXTS = ("source", "source_ref", "note", "view")
_HEADER = ",".join((*_REQUIRED, "classification", "id"))
_HEX = re.compile("[0-9a-f]*")
_ID = re.compile(r"[!-~]{1,128}")
_FRAME_DIGITS = 74
_LONGEST_TEXT = 1_000
_BEST_QUALITY = 100
_CLASSIFICATIONS: tuple[Classification, ...] = get_args(Classification)

_Row: TypeAlias = dict[str, str]
_row_decoder = msgspec.json.Decoder(dict[str, str | int])
_Choice = TypeVar("_Choice", bound=StrEnum)
_KINDS = {kind.value: kind for kind in HashKind}


class Line(Struct, frozen=True, kw_only=True):
    """A line that was read, or the reason why it was not.

    Attributes:
        silent: of classification and opinion, those that the line says nothing about.
        has_made_id: whether the id was made here, of bank, kind and hash.
    """

    entry: BankEntry | None = None
    reason: str = ""
    silent: tuple[str, ...] = ()
    has_made_id: bool = False


def read_bank(lines: Iterable[str], *, bank: str) -> Iterator[Line]:
    """Yield what each line holds, in order, keeping none of them.

    The first line that is not blank decides: an object means NDJSON, anything else is the header
    of a CSV file. Blank lines are passed over. Entries without an id get one that depends on
    bank, kind and hash, so reading a file twice gives the same entries.
    """
    numbered = _lines_with_content(lines)
    first = next(numbered, None)
    if first is None:
        return
    number, line = first
    row_of: Callable[[str], _Row] = _row_of_json
    if line.startswith("{"):
        numbered = chain([first], numbered)
    else:
        try:
            columns = _columns_of_header(line)
        except InvalidInput as error:
            yield Line(reason=f"line {number}: {error}")
            return
        row_of = lambda text: _row_of_csv(text, columns)  # noqa: E731  closes over the header
    seen = Seen()
    for number, line in numbered:
        yield _line(number, line, row_of, bank, seen)


def parse_bank(lines: Iterable[str], *, bank: str) -> tuple[list[BankEntry], list[str]]:
    """Return the entries of every good line, and a reason for every bad one."""
    entries: list[BankEntry] = []
    reasons: list[str] = []
    for line in read_bank(lines, bank=bank):
        if line.entry is None:
            reasons.append(line.reason)
        else:
            entries.append(line.entry)
    return entries, reasons


def format_bank(entries: Iterable[BankEntry]) -> Iterator[str]:
    """Yield one NDJSON line an entry, without line ends, that ``parse_bank`` reads back."""
    for entry in entries:
        row: dict[str, str | int] = {k: v for k, v in _fields(entry).items() if v != ""}
        yield msgspec.json.encode({"value": "", **row}).decode()


def format_bank_csv(entries: Iterable[BankEntry]) -> Iterator[str]:
    """Yield a header and one CSV line an entry, without line ends."""
    yield ",".join(_FIELDS)
    for entry in entries:
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(_fields(entry).values())
        yield line.getvalue()


def _fields(entry: BankEntry) -> dict[str, str | int]:
    return {
        "kind": entry.kind.value,
        "value": entry.value,
        "classification": entry.classification,
        "id": entry.id,
        "opinion": entry.opinion.value,
        # Until when an entry is disabled does not travel: it comes in disabled for good.
        "state": entry.state.value,
        "source": entry.source,
        "source_ref": entry.source_ref,
        "note": " ".join(entry.note.splitlines()),
        "view": entry.view,
        "quality": entry.quality,
    }


def _line(number: int, line: str, row_of: Callable[[str], _Row], bank: str, seen: Seen) -> Line:
    try:
        row = row_of(line)
        entry = _entry(row, bank)
    except InvalidInput as error:
        return Line(reason=f"line {number}: {error}")
    earlier = seen.before(entry.id, number)
    if earlier is not None:
        told = InvalidInput(f"repeats the hash or id of line {earlier}", hint="remove one")
        return Line(reason=f"line {number}: {told}")
    return Line(
        entry=entry,
        silent=tuple(name for name in _OPINIONS if name not in row),
        has_made_id=not row.get("id"),
    )


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
        allowed = f"kind and value are needed, {', '.join(_FIELDS[2:])} allowed"
        raise InvalidInput("fields are missing or not known", hint=allowed)
    if any(isinstance(value, int) for name, value in row.items() if name != "quality"):
        raise InvalidInput("not an object whose fields are all text", hint=hint)
    return {name: str(value) for name, value in row.items()}


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
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as error:
        hint = "check its commas and quotation marks; write long videos as NDJSON"
        raise InvalidInput("not CSV", hint=hint) from error


def _entry(row: _Row, bank: str) -> BankEntry:
    # Ten million lines come through here: what a line does not name is not looked into.
    kind = _KINDS.get(row["kind"]) or _choice(HashKind, row["kind"], "kind")
    value = row["value"].strip().lower()
    state = EntryState.ACTIVE
    if row.get("state"):
        state = _choice(EntryState, row["state"], "state", state)
    entry_id = _id(row["id"].strip(), value) if "id" in row else ""
    if value or state is not EntryState.WITHDRAWN or not entry_id:
        _check_value(kind, value)
    told: dict[str, Any] = {name: _text(row, name, value) for name in _TEXTS if name in row}
    if row.get("quality"):
        told["quality"] = _quality(row["quality"].strip())
    if row.get("classification"):
        told["classification"] = _classification(row["classification"].strip().upper())
    if row.get("opinion"):
        told["opinion"] = _choice(Opinion, row["opinion"], "opinion", Opinion.POSITIVE)
    return BankEntry(
        id=entry_id or derive_id("be", bank, kind.value, value),
        bank=bank,
        kind=kind,
        value="" if state is EntryState.WITHDRAWN else value,
        state=state,
        **told,
    )


def _check_value(kind: HashKind, value: str) -> None:
    if kind is HashKind.VPDQ:
        if not value or len(value) % _FRAME_DIGITS or not _HEX.fullmatch(value):
            told = f"not {_FRAME_DIGITS} hex digits a frame"
            raise InvalidInput(told, field="value", hint="see the format of video hashes")
        if not are_frames(bytes.fromhex(value)):
            told = "the quality of a frame is over 100"
            raise InvalidInput(told, field="value", hint="see the format of video hashes")
        return
    digits = HASH_DIGITS[kind]
    if len(value) != digits or not _HEX.fullmatch(value):
        raise InvalidInput(f"not {digits} hex digits", field="value", hint=f"give the {kind} hash")


def _choice(
    choices: type[_Choice], text: str, field: str, default: _Choice | None = None
) -> _Choice:
    text = text.strip().lower()
    if not text and default is not None:
        return default
    try:
        return choices(text)
    except ValueError:
        told = "not a hash kind" if field == "kind" else "not one that is known"
        known = ", ".join(one.value for one in choices)
        raise InvalidInput(told, field=field, hint=f"one of {known}") from None


def _classification(text: str) -> Classification:
    for known in _CLASSIFICATIONS:
        if text == known:
            return known
    hint = f"one of {', '.join(filter(None, _CLASSIFICATIONS))}, or nothing"
    raise InvalidInput("not a classification", field="classification", hint=hint)


def _quality(text: str) -> int:
    if not text:
        return _BEST_QUALITY
    if not text.isascii() or not text.isdigit() or not int(text[:4]) <= _BEST_QUALITY:
        raise InvalidInput("not 0 to 100", field="quality", hint="leave it out if unknown")
    return int(text)


def _text(row: _Row, field: str, value: str) -> str:
    text = row[field].strip()
    if len(text) > _LONGEST_TEXT:
        raise InvalidInput("too long", field=field, hint=f"at most {_LONGEST_TEXT} characters")
    if value and value in text.lower():
        raise InvalidInput("holds the hash", field=field, hint="leave it out")
    return text


def _id(text: str, value: str) -> str:
    if text and not _ID.fullmatch(text):
        hint = "1 to 128 printable ASCII characters without blanks, or nothing"
        raise InvalidInput("not an id", field="id", hint=hint)
    if value and value in text.lower():
        # Ids are shown to people and logged; hashes never are.
        raise InvalidInput("the id holds the hash", field="id", hint="leave it out")
    return text
