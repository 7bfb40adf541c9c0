"""CloudEvents 1.0 JSON becomes an event.

The hot path: one decode for the envelope and one, typed, for its data.
"""

from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from nightlight.errors import InvalidInput
from nightlight.ingest.bounds import check_data, check_id, without_nul
from nightlight.ingest.decode import check_text, decode_json
from nightlight.model.event import DATA_TYPES, Event, EventData, EventType
from nightlight.model.ids import event_key
from nightlight.model.masked import Masked


class _Envelope(Masked, frozen=True, kw_only=True):
    """The CloudEvents attributes that Nightlight reads; extension attributes are ignored."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: EventType
    time: datetime
    data: Raw | UnsetType = UNSET
    data_base64: Raw | UnsetType = UNSET


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_DATA: Final[dict[EventType, msgspec.json.Decoder[Any]]] = {
    event_type: msgspec.json.Decoder(data_type) for event_type, data_type in DATA_TYPES.items()
}


def parse_event(line: bytes) -> Event:
    """Return the event that one CloudEvents JSON object says.

    Raises:
        InvalidInput: naming the field and the remedy, never quoting content.
    """
    check_text(line)
    envelope = decode_json(_ENVELOPE, line)
    if envelope.data_base64 is not UNSET:
        raise InvalidInput(
            "binary data is not read", field="data_base64", hint="send data as a JSON object"
        )
    if envelope.data is UNSET:
        raise InvalidInput("is missing", field="data", hint="send data as a JSON object")
    data: EventData = decode_json(_DATA[envelope.type], envelope.data, "data")
    if b"\\u0000" in line:
        data = without_nul(data)
    return _build(envelope.source, envelope.id, envelope.type, envelope.time, data)


def build_event(
    *, source: str, event_id: str, event_type: EventType, time: datetime, data: EventData
) -> Event:
    """Return an event made from a foreign format, held to the same bounds as any other.

    Raises:
        InvalidInput: naming the field at fault.
    """
    return _build(source, event_id, event_type, time, without_nul(data))


def _build(
    source: str, event_id: str, event_type: EventType, time: datetime, data: EventData
) -> Event:
    check_id(source, "source")
    check_id(event_id, "id")
    return Event(
        key=event_key(source, event_id),
        source=source,
        id=event_id,
        type=event_type,
        time=_in_utc(time),
        data=check_data(data),
    )


def _in_utc(time: datetime) -> datetime:
    if time.tzinfo is UTC:
        return time
    hint = "RFC 3339 with a zone, such as 2026-01-31T12:00:00Z"
    if time.tzinfo is None:
        raise InvalidInput("has no zone", field="time", hint=hint)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise InvalidInput("is out of range in UTC", field="time", hint=hint) from None
