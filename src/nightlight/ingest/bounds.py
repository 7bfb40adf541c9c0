"""What an event's fields must keep to beyond their types.

Owns sizes, identifiers, counts and hash lengths; the JSON Schemas are drawn from the same tables.
Leaves types to msgspec and meaning to the detectors.
"""

import re
import string
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

from nightlight.errors import InvalidInput
from nightlight.model.event import (
    AccountCreated,
    AccountSignedIn,
    AccountUpdated,
    EngagementCreated,
    EventData,
    MediaUploaded,
    PostCreated,
    PostDeleted,
    PostEdited,
    UserReportCreated,
    ViewsCounted,
)

MAX_LINE_BYTES: Final = 1 << 20
MAX_ID_CHARS: Final = 512
MAX_MACHINE_CHARS: Final = 1024
MAX_VIEWS: Final = (1 << 63) - 1
MAX_PDQ_QUALITY: Final = 100
HASH_DIGITS: Final = {"md5": 32, "sha1": 40, "sha256": 64, "pdq": 64}

REQUIRED_IDS: Final[dict[type[msgspec.Struct], tuple[str, ...]]] = {
    AccountCreated: ("account_id",),
    AccountUpdated: ("account_id",),
    AccountSignedIn: ("account_id",),
    PostCreated: ("post_id", "account_id"),
    PostEdited: ("post_id", "account_id"),
    PostDeleted: ("post_id",),
    MediaUploaded: ("media_id", "account_id"),
    EngagementCreated: ("account_id",),
    ViewsCounted: ("post_id",),
    UserReportCreated: ("user_report_id", "account_id"),
}
OPTIONAL_IDS: Final[dict[type[msgspec.Struct], tuple[str, ...]]] = {
    AccountCreated: (),
    AccountUpdated: (),
    AccountSignedIn: (),
    PostCreated: ("reply_to",),
    PostEdited: (),
    PostDeleted: ("account_id",),
    MediaUploaded: ("post_id",),
    EngagementCreated: ("post_id", "target_account_id"),
    ViewsCounted: ("account_id",),
    UserReportCreated: ("post_id", "target_account_id"),
}
#: What names the sender's machine and network.
MACHINE_FIELDS: Final[dict[type[msgspec.Struct], tuple[str, ...]]] = dict.fromkeys(
    (AccountCreated, AccountUpdated, AccountSignedIn, PostCreated), ("device", "network")
)

# Nightlight derives its own ids by joining these with a control character.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HEX_DIGITS = frozenset(string.hexdigits)
_MACHINE_HINT = f"at most {MAX_MACHINE_CHARS} characters: an id or an address, no description"
_ID_HINT = f"1 to {MAX_ID_CHARS} characters, none of them a control character"


def check_id(value: str, field: str) -> None:
    """Hold when ``value`` can name something.

    Raises:
        InvalidInput: it is empty, too long, or holds a control character.
    """
    # isprintable answers fast for nearly every id; it also refuses rare characters that may stay.
    if 0 < len(value) <= MAX_ID_CHARS and value.isprintable():
        return
    if not value:
        raise InvalidInput("the id is empty", field=field, hint=_ID_HINT)
    if len(value) > MAX_ID_CHARS:
        raise InvalidInput("the id is too long", field=field, hint=_ID_HINT)
    if _CONTROL.search(value):
        raise InvalidInput("the id holds a control character", field=field, hint=_ID_HINT)


def check_data(data: EventData) -> EventData:
    """Return ``data`` when its fields keep to the bounds, its hashes in lower case.

    Raises:
        InvalidInput: naming the field at fault.
    """
    data_type = type(data)
    for name, field in _REQUIRED[data_type]:
        check_id(getattr(data, name), field)
    for name, field in _OPTIONAL[data_type]:
        if value := getattr(data, name):
            check_id(value, field)
    for name, field in _MACHINE.get(data_type, ()):
        if len(getattr(data, name)) > MAX_MACHINE_CHARS:
            raise InvalidInput("the name is too long", field=field, hint=_MACHINE_HINT)
    check = _FURTHER_CHECKS.get(data_type)
    return data if check is None else check(data)


def without_nul(data: EventData) -> EventData:
    """Return ``data`` with U+FFFD for every NUL, which some stores cannot hold in text."""
    changed = {
        name: value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
        for name in data.__struct_fields__
        if isinstance(value := getattr(data, name), str) and "\x00" in value
    }
    return msgspec.structs.replace(data, **changed) if changed else data


def _check_post(data: PostCreated | PostEdited) -> EventData:
    for media_id in data.media_ids:
        check_id(media_id, "data.media_ids")
    if isinstance(data, PostCreated):
        for account_id in data.recipients:
            check_id(account_id, "data.recipients")
    return data


def _check_target(data: EngagementCreated | UserReportCreated) -> EventData:
    if not data.post_id and not data.target_account_id:
        raise InvalidInput(
            "nothing says what this is about",
            field="data.post_id",
            hint="give post_id or target_account_id",
        )
    return data


def _check_views(data: ViewsCounted) -> EventData:
    if not 0 <= data.views <= MAX_VIEWS:
        raise InvalidInput(
            "the count is out of range",
            field="data.views",
            hint="the total number of views so far, 0 or more",
        )
    return data


def _check_media(data: MediaUploaded) -> EventData:
    if not 0 <= data.pdq_quality <= MAX_PDQ_QUALITY:
        raise InvalidInput(
            "the quality is out of range", field="data.pdq_quality", hint="a whole number, 0 to 100"
        )
    lowered: dict[str, str] = {}
    for name, digits in HASH_DIGITS.items():
        value = cast("str", getattr(data, name))
        if not value:
            continue
        if len(value) != digits or not _HEX_DIGITS.issuperset(value):
            raise InvalidInput(
                "the hash is malformed", field=f"data.{name}", hint=f"{digits} hex digits, or none"
            )
        if value != value.lower():
            lowered[name] = value.lower()
    return msgspec.structs.replace(data, **lowered) if lowered else data


def _with_fields(
    table: dict[type[msgspec.Struct], tuple[str, ...]],
) -> dict[type[msgspec.Struct], tuple[tuple[str, str], ...]]:
    """Return each name with the field that an error about it names."""
    return {
        data_type: tuple((name, f"data.{name}") for name in names)
        for data_type, names in table.items()
    }


# Made ready once, for the hot path.
_REQUIRED: Final = _with_fields(REQUIRED_IDS)
_OPTIONAL: Final = _with_fields(OPTIONAL_IDS)
_MACHINE: Final = _with_fields(MACHINE_FIELDS)
_FURTHER_CHECKS: Final[dict[type[msgspec.Struct], Callable[[Any], EventData]]] = {
    PostCreated: _check_post,
    PostEdited: _check_post,
    MediaUploaded: _check_media,
    EngagementCreated: _check_target,
    UserReportCreated: _check_target,
    ViewsCounted: _check_views,
}
