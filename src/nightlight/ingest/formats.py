"""Which format a line is in, and the events it says.

A CloudEvents line pays for no detection: a look for its mandatory attribute is enough.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from nightlight.errors import InvalidInput
from nightlight.ingest.decode import DECODE_FAULTS
from nightlight.ingest.envelope import parse_event
from nightlight.ingest.jetstream import parse_jetstream
from nightlight.ingest.mastodon import parse_status, parse_stream_message
from nightlight.model.event import Event
from nightlight.model.masked import Masked

_CLOUDEVENTS_MARK: Final = b'"specversion"'


class Format(StrEnum):
    """The formats that are read; ``AUTO`` finds out for each line."""

    AUTO = "auto"
    CLOUDEVENTS = "cloudevents"
    JETSTREAM = "jetstream"
    MASTODON = "mastodon"


class _Probe(Masked, frozen=True, kw_only=True):
    """The fields by which the formats differ."""

    specversion: Raw | UnsetType = UNSET
    did: Raw | UnsetType = UNSET
    kind: Raw | UnsetType = UNSET
    event: Raw | UnsetType = UNSET
    payload: Raw | UnsetType = UNSET
    account: Raw | UnsetType = UNSET
    created_at: Raw | UnsetType = UNSET


_PROBE: Final = msgspec.json.Decoder(_Probe)


def parse_line(
    line: bytes, source_format: Format = Format.AUTO, *, received_at: datetime | None = None
) -> tuple[Event, ...]:
    """Return the events that one line says.

    Raises:
        InvalidInput: the line is in none of the formats, or wrong in the one that it is in.
    """
    found = source_format
    if found is Format.AUTO:
        found = Format.CLOUDEVENTS if _CLOUDEVENTS_MARK in line else _detect(line)
    # Tests of identity, because matching enum members by value costs a microsecond here.
    if found is Format.CLOUDEVENTS:
        return (parse_event(line),)
    if found is Format.JETSTREAM:
        return parse_jetstream(line)
    if found is Format.MASTODON:
        return _parse_mastodon(line, received_at)
    raise _unknown(line)


def _parse_mastodon(line: bytes, received_at: datetime | None) -> tuple[Event, ...]:
    probe = _probe(line)
    if probe is not None and probe.event is not UNSET:
        return parse_stream_message(line, received_at=received_at)
    return parse_status(line)


def _detect(line: bytes) -> Format:
    """Return the foreign format of a line that is no CloudEvent; AUTO when nothing tells."""
    probe = _probe(line)
    if probe is None:
        return Format.AUTO
    if probe.specversion is not UNSET:
        return Format.CLOUDEVENTS
    if probe.did is not UNSET and probe.kind is not UNSET:
        return Format.JETSTREAM
    if probe.event is not UNSET and probe.payload is not UNSET:
        return Format.MASTODON
    if probe.account is not UNSET and probe.created_at is not UNSET:
        return Format.MASTODON
    return Format.AUTO


def _unknown(line: bytes) -> InvalidInput:
    """Return what is wrong with a line that no format claims: bad JSON first, then its shape."""
    try:
        parse_event(line)
    except InvalidInput as fault:
        if not fault.field:
            return fault
    return InvalidInput(
        "no known format", hint="CloudEvents 1.0, Jetstream or Mastodon JSON, one object a line"
    )


def _probe(line: bytes) -> _Probe | None:
    try:
        return _PROBE.decode(line)
    except DECODE_FAULTS:
        return None
