"""JSON Schemas (2020-12) of every event type and of the envelope, drawn from the types themselves.

What msgspec does not know, the bounds of ids, counts and hashes, comes from the same tables that
parsing uses. The schemas are a contract for senders; parsing itself does not read them.
"""

import inspect
from typing import Any, Final

import msgspec

from nightlight.ingest.bounds import (
    HASH_DIGITS,
    MACHINE_FIELDS,
    MAX_ID_CHARS,
    MAX_MACHINE_CHARS,
    MAX_PDQ_QUALITY,
    MAX_VIEWS,
    OPTIONAL_IDS,
    REQUIRED_IDS,
)
from nightlight.model.event import (
    DATA_TYPES,
    EngagementCreated,
    EventType,
    MediaUploaded,
    PostCreated,
    PostEdited,
    UserReportCreated,
    ViewsCounted,
)

Schema = dict[str, Any]

ENVELOPE: Final = "envelope"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_NO_CONTROL: Final = r"^[^\u0000-\u001f\u007f]*$"
_ID: Final[Schema] = {"minLength": 1, "maxLength": MAX_ID_CHARS, "pattern": _NO_CONTROL}
_OPTIONAL_ID: Final[Schema] = {"maxLength": MAX_ID_CHARS, "pattern": _NO_CONTROL}
_ZONED: Final = r"(Z|z|[+-][0-9]{2}:?[0-9]{2})$"


def schemas() -> dict[str, Schema]:
    """Return the schema of each event type's ``data``, by type, and the envelope's."""
    named: dict[str, Schema] = {
        event_type.value: _data_schema(event_type) for event_type in DATA_TYPES
    }
    return named | {ENVELOPE: _envelope_schema(named)}


def file_name(name: str) -> str:
    """Return the name of the file that holds a schema."""
    return f"{name}.schema.json"


def file_content(schema: Schema) -> str:
    """Return what that file holds."""
    return msgspec.json.format(msgspec.json.encode(schema).decode(), indent=2) + "\n"


def _schema_id(name: str) -> str:
    return f"urn:nightlight:event:{name}"


def _data_schema(event_type: EventType) -> Schema:
    data_type = DATA_TYPES[event_type]
    _, components = msgspec.json.schema_components([data_type])
    schema: Schema = components[data_type.__name__]
    _bound(data_type, schema)
    return {
        "$schema": _DIALECT,
        "$id": _schema_id(event_type),
        **schema,
        "title": f"Data of {event_type}",
        "description": inspect.cleandoc(schema["description"]),
    }


def _bound(data_type: type[msgspec.Struct], schema: Schema) -> None:
    """Add to a schema what parsing checks beyond types."""
    fields: dict[str, Schema] = schema["properties"]
    for name in REQUIRED_IDS[data_type]:
        fields[name] |= _ID
    for name in OPTIONAL_IDS[data_type]:
        fields[name] |= _OPTIONAL_ID
    for name in MACHINE_FIELDS.get(data_type, ()):
        fields[name] |= {"maxLength": MAX_MACHINE_CHARS}
    if data_type in (PostCreated, PostEdited):
        fields["media_ids"]["items"] |= _ID
        if data_type is PostCreated:
            fields["recipients"]["items"] |= _ID
    elif data_type is ViewsCounted:
        fields["views"] |= {"minimum": 0, "maximum": MAX_VIEWS}
    elif data_type is MediaUploaded:
        fields["pdq_quality"] |= {"minimum": 0, "maximum": MAX_PDQ_QUALITY}
        for name, digits in HASH_DIGITS.items():
            fields[name] |= {"pattern": f"^([0-9a-fA-F]{{{digits}}})?$"}
    elif data_type in (EngagementCreated, UserReportCreated):
        schema["anyOf"] = [
            {"required": [name], "properties": {name: {"minLength": 1}}}
            for name in ("post_id", "target_account_id")
        ]


def _envelope_schema(named: dict[str, Schema]) -> Schema:
    return {
        "$schema": _DIALECT,
        "$id": _schema_id(ENVELOPE),
        "title": "Event",
        "description": "A CloudEvents 1.0 event in JSON, as Nightlight reads it.",
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "description": "Unique within the source.", **_ID},
            "source": {"type": "string", "description": "The platform or part of it.", **_ID},
            "type": {"enum": list(named)},
            "time": {
                "type": "string",
                "format": "date-time",
                "pattern": _ZONED,
                "description": "When it happened, RFC 3339 with a zone.",
            },
            "data": {"type": "object"},
            "data_base64": False,
        },
        "allOf": [
            {
                "if": {"properties": {"type": {"const": name}}},
                "then": {"properties": {"data": {"$ref": schema["$id"]}}},
            }
            for name, schema in named.items()
        ],
        "$defs": named,
    }
