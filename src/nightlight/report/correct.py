"""A person corrects a tip before it is filed: field by field, as types allow. Pure."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from nightlight.errors import InvalidInput
from nightlight.model.cybertip import CyberTip

#: What says who the tip is of, what was sealed, and what the view log has: no person's to rewrite.
_FIXED = re.compile(
    r"(id|case_id|account_id|bundled|destination|unread)(\..*)?"
    r"|files(\.\d+)?"
    r"|files\.\d+\.(evidence_id|digest|content_type|viewed|exif_viewed|match|hashes)(\..*)?"
)
_JSON = re.compile(r"[\[{].*|true|false|null", re.DOTALL)


def corrected(tip: CyberTip, changes: Iterable[tuple[str, str]]) -> CyberTip:
    """Return the tip with other values in these fields.

    A field is a path such as ``narrative``, ``reported.0.bio`` or ``files.1.classification``; one
    past the end of a list adds to it. A value is text, or JSON where the field holds more.

    Raises:
        InvalidInput: a field is unknown or may not be corrected, or a value does not fit it.
    """
    raw: Any = msgspec.to_builtins(tip)
    for field, value in changes:
        if _FIXED.fullmatch(field):
            raise InvalidInput("this is not a person's to correct", field=field)
        _put(raw, field, value)
        try:
            tip = msgspec.convert(raw, CyberTip, strict=False)
        except msgspec.ValidationError:
            # The library's message can quote the value.
            raise InvalidInput("the value does not fit the field", field=field) from None
        # Unknown fields are passed over by the conversion; a correction must not be.
        if not _is_there(msgspec.to_builtins(tip), field):
            raise _unknown(field)
    return tip


def _put(raw: Any, field: str, value: str) -> None:
    *path, last = field.split(".")
    for step in path:
        raw = _step(raw, step, field)
    new = _read(value, field)
    if isinstance(raw, dict):
        raw[last] = new
    elif isinstance(raw, list) and last.isdecimal() and int(last) <= len(raw):
        raw[int(last) : int(last) + 1] = [new]
    else:
        raise _unknown(field)


def _step(raw: Any, step: str, field: str) -> Any:
    if isinstance(raw, dict) and step in raw:
        return _mutable(raw, step)
    if isinstance(raw, list) and step.isdecimal() and int(step) < len(raw):
        return _mutable(raw, int(step))
    raise _unknown(field)


def _mutable(raw: Any, step: Any) -> Any:
    if isinstance(raw[step], tuple):
        raw[step] = list(raw[step])
    return raw[step]


def _read(value: str, field: str) -> Any:
    if not _JSON.fullmatch(value):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        raise InvalidInput("the value is no JSON", field=field) from None


def _is_there(raw: Any, field: str) -> bool:
    for step in field.split("."):
        if isinstance(raw, dict) and step in raw:
            raw = raw[step]
        elif isinstance(raw, list | tuple) and step.isdecimal() and int(step) < len(raw):
            raw = raw[int(step)]
        else:
            return False
    return True


def _unknown(field: str) -> InvalidInput:
    return InvalidInput(
        "there is no such field", field=field, hint="`nightlight report preview` lists the fields"
    )
