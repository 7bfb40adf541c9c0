"""The published JSON Schemas are current and agree with parsing."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from nightlight.errors import InvalidInput
from nightlight.ingest.envelope import parse_event
from nightlight.ingest.schemas import ENVELOPE, file_content, file_name, schemas
from nightlight.model.event import EventType

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "reference" / "events"
LINES = (ROOT / "tests" / "synthetic" / "streams" / "events.jsonl").read_bytes().splitlines()
SAMPLES: dict[str, dict[str, Any]] = {
    event["type"]: event for event in (json.loads(line) for line in LINES)
}
VALIDATOR = Draft202012Validator(schemas()[ENVELOPE])


def changed(event_type: str, field: str, value: object) -> dict[str, Any]:
    sample = SAMPLES[event_type]
    return {**sample, "data": {**sample["data"], field: value}}


def test_there_is_a_schema_and_a_sample_for_every_event_type() -> None:
    assert set(schemas()) == {*EventType, ENVELOPE}
    assert set(SAMPLES) == set(EventType)


def test_committed_files_are_current() -> None:
    written = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.schema.json")}
    assert written == {file_name(name): file_content(each) for name, each in schemas().items()}


@pytest.mark.parametrize("name", [*EventType, ENVELOPE])
def test_schema_is_valid_and_described(name: str) -> None:
    schema = schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:nightlight:event:{name}"
    assert schema["title"]
    assert schema["description"]


@pytest.mark.parametrize("event_type", list(EventType))
def test_sample_is_accepted_by_schema_and_parsing(event_type: str) -> None:
    sample = SAMPLES[event_type]
    VALIDATOR.validate(sample)
    Draft202012Validator(schemas()[event_type]).validate(sample["data"])
    assert parse_event(json.dumps(sample).encode()).type == event_type


@pytest.mark.parametrize("event_type", list(EventType))
def test_sample_with_a_field_of_the_future_is_accepted(event_type: str) -> None:
    VALIDATOR.validate(changed(event_type, "mood", "sunny") | {"traceparent": "00-1"})


BROKEN = [
    changed("account.created", "account_id", ""),
    changed("account.created", "handle", 7),
    changed("account.updated", "account_id", "a\x1fb"),
    changed("account.signed_in", "account_id", ""),
    changed("account.signed_in", "network", ["192.0.2.7"]),
    changed("account.signed_in", "device", "x" * 1025),
    changed("post.created", "network", "x" * 1025),
    {**SAMPLES["account.signed_in"], "time": "yesterday"},
    changed("post.created", "post_id", "x" * 513),
    changed("post.created", "media_ids", [""]),
    changed("post.edited", "text", None),
    changed("post.deleted", "deleted_by", "zorble"),
    changed("media.uploaded", "md5", "zorble"),
    changed("media.uploaded", "pdq_quality", 101),
    changed("engagement.created", "kind", "zorble"),
    {
        **SAMPLES["engagement.created"],
        "data": {"account_id": "a", "kind": "like"},
    },
    changed("views.counted", "views", -1),
    changed("user_report.created", "user_report_id", ""),
    {**SAMPLES["views.counted"], "specversion": "0.3"},
    {**SAMPLES["views.counted"], "type": "zorble"},
    {**SAMPLES["views.counted"], "time": "2026-01-31T12:00:00"},
    {**SAMPLES["views.counted"], "data_base64": "QQ=="},
    {name: value for name, value in SAMPLES["views.counted"].items() if name != "data"},
]


@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
def test_broken_event_is_refused_by_schema_and_parsing(broken: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(broken)
    with pytest.raises(InvalidInput):
        parse_event(json.dumps(broken).encode())
