"""A person corrects a tip before it is filed: field by field, as types allow. Pure."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from nightlight.errors import InvalidInput
from nightlight.model.cybertip import CyberTip

#: What says who the tip is of, what was sealed, and what the view log has: no person's to rewrite.
_FIXED = re.compile(
    r"(id|case_id|account_id|bundled|destination|unread|unattached)(\..*)?"
    r"|files(\.\d+)?"
    r"|files\.\d+\.(evidence_id|digest|content_type|viewed|exif_viewed|match|hashes)(\..*)?"
)
_JSON = re.compile(r"[\[{].*|true|false|null", re.DOTALL)


def corrected(tip: CyberTip, changes: Iterable[tuple[str, str]]) -> CyberTip:
    """Return the tip with other values in these fields, still about its account.

    A field is a path such as ``narrative``, ``reported.0.bio`` or ``files.1.classification``; one
    past the end of a list adds to it. A value is text, or JSON where the field holds more.

    Raises:
        InvalidInput: a field is unknown or may not be corrected, or a value does not fit it.
    """
    for field, value in changes:
        if _FIXED.fullmatch(field):
            raise InvalidInput(
                "this is not a person's to correct",
                field=field,
                hint=(
                    "`nightlight evidence viewed` says who viewed a file; what a tip is about,"
                    " and its files, by its cases"
                ),
            )
        before, tip = tip, _with(tip, field, value)
        _check_same_account(before, tip, field)
        # Unknown fields are passed over by the conversion; a correction must not be.
        if not _is_there(msgspec.to_builtins(tip), field):
            raise _unknown(field)
    return tip


def _with(tip: CyberTip, field: str, value: str) -> CyberTip:
    """Return a tip with a value in a field: what JSON it is where that fits, otherwise the text."""
    fault = "the value does not fit the field"
    for new in _readings(value):
        raw: Any = msgspec.to_builtins(tip)
        _put(raw, field, new)
        try:
            return msgspec.convert(raw, CyberTip, strict=False)
        except msgspec.ValidationError:
            continue
    if _JSON.fullmatch(value) and len(_readings(value)) == 1:
        fault = "the value is no JSON"
    # The library's message can quote the value.
    raise InvalidInput(fault, field=field)


def _readings(value: str) -> list[Any]:
    """Return what a value may stand for: JSON first, and always the text itself."""
    if not _JSON.fullmatch(value):
        return [value]
    try:
        return [msgspec.json.decode(value), value]
    except msgspec.DecodeError:
        return [value]


def _check_same_account(before: CyberTip, after: CyberTip, field: str) -> None:
    """Return only if the tip goes on to name its account, once, at its service."""
    if not before.account_id:
        return
    was, now = (
        [one.service for one in tip.reported if one.account_id == tip.account_id]
        for tip in (before, after)
    )
    if now != was:
        raise InvalidInput(
            f"the tip is about account {before.account_id}, and goes on to name it once, as it is",
            field=field,
            hint=(
                f"add others as reported.{len(before.reported)}; what is about somebody else is no"
                " correction: nightlight case appeal, then answer it with --overturn"
            ),
        )


def _put(raw: Any, field: str, new: Any) -> None:
    *path, last = field.split(".")
    for step in path:
        raw = _step(raw, step, field)
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
