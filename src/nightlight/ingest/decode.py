"""JSON bytes become typed values, and every way that fails becomes one kind of error.

The error names the field and the remedy, and never what stood in it.
"""

import re
from typing import Final, TypeVar

import msgspec

from nightlight.errors import InvalidInput
from nightlight.ingest.bounds import MAX_LINE_BYTES
from nightlight.model.event import EventType

T = TypeVar("T")

# What msgspec can raise on hostile bytes; deep nesting ends in RecursionError.
DECODE_FAULTS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_AT_PATH = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `([^`]*)`$")
_HALF_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])")
_FIELD_HINTS: Final = {
    "specversion": 'write "specversion": "1.0"',
    "type": "one of " + ", ".join(EventType),
    "time": "RFC 3339 with a zone, such as 2026-01-31T12:00:00Z",
}
_HINT = "docs/reference/events lists the fields of each event type"


def decode_json(decoder: msgspec.json.Decoder[T], raw: bytes | msgspec.Raw, within: str = "") -> T:
    """Return what the bytes say, as the decoder's type.

    Raises:
        InvalidInput: the bytes are not JSON in UTF-8, or not of that type.
    """
    try:
        return decoder.decode(raw)
    except DECODE_FAULTS as fault:
        # "from None": the original may quote what it read.
        raise explain(fault, bytes(raw), within) from None


def check_text(raw: bytes) -> None:
    """Hold when ``raw`` is short enough to parse and is UTF-8 throughout.

    Raises:
        InvalidInput: it is not. msgspec skips fields it does not know without reading them.
    """
    if len(raw) > MAX_LINE_BYTES:
        raise InvalidInput(
            f"longer than {MAX_LINE_BYTES} bytes", hint="one event a line, each 1 MiB at most"
        )
    if not raw.isascii():
        try:
            raw.decode()
        except UnicodeDecodeError as fault:
            raise explain(fault, raw) from None


def explain(fault: Exception, raw: bytes, within: str = "") -> InvalidInput:
    """Return the fault as an error that says where and what to do, without quoting content."""
    if isinstance(fault, UnicodeDecodeError):
        return InvalidInput("text is not valid UTF-8", hint="send UTF-8")
    if isinstance(fault, RecursionError):
        return InvalidInput("JSON is nested too deeply", hint=_HINT)
    if isinstance(fault, msgspec.ValidationError):
        return _explain_validation(str(fault), within)
    # At the end of a text msgspec calls half a pair "truncated".
    if "surrogate" in str(fault) or _HALF_PAIR.search(raw):
        return InvalidInput(
            "JSON holds half a surrogate pair", hint="escape whole characters, or send UTF-8"
        )
    return InvalidInput(str(fault), field=within, hint="one JSON object a line")


def _explain_validation(message: str, within: str) -> InvalidInput:
    found = _AT_PATH.search(message)
    path = found[1] if found else ""
    what = message[: found.start()] if found else message
    if missing := _MISSING.match(what):
        path = f"{path}.{missing[1]}" if path else missing[1]
        what = "is missing"
    elif what.startswith("Invalid enum value"):
        what = "is not one of the values allowed here"
    field = ".".join(part for part in (within, path) if part)
    return InvalidInput(what, field=field, hint=_FIELD_HINTS.get(field, _HINT))
