"""CloudEvents JSON becomes an event, or an error that says where and what to do."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from nightlight.errors import InvalidInput
from nightlight.ingest.bounds import MAX_ID_CHARS, MAX_LINE_BYTES
from nightlight.ingest.envelope import parse_event
from nightlight.model.event import AccountUpdated, EventType, MediaUploaded, PostCreated
from nightlight.model.ids import event_key

POST: dict[str, Any] = {"post_id": "post-1", "account_id": "acc-1"}


def envelope(data: object = None, **attributes: object) -> dict[str, Any]:
    whole = {
        "specversion": "1.0",
        "id": "e1",
        "source": "//town.example.test",
        "type": "post.created",
        "time": "2026-01-31T12:00:00Z",
        "data": POST if data is None else data,
    }
    return whole | attributes


def line(data: object = None, **attributes: object) -> bytes:
    return json.dumps(envelope(data, **attributes)).encode()


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in envelope().items() if key != name}).encode()


def fault(raw: bytes) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        parse_event(raw)
    return caught.value


def test_a_post_becomes_an_event_with_typed_data() -> None:
    event = parse_event(line({**POST, "text": "zorbleflux", "media_ids": ["m1", "m2"]}))
    assert event.type is EventType.POST_CREATED
    assert event.key == event_key("//town.example.test", "e1")
    assert event.time == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert event.data == PostCreated(
        post_id="post-1", account_id="acc-1", text="zorbleflux", media_ids=("m1", "m2")
    )


def test_unknown_attributes_and_data_fields_are_ignored() -> None:
    event = parse_event(line({**POST, "mood": {"sunny": [1]}}, traceparent="00-1", subject="x"))
    assert event == parse_event(line())


def test_attributes_may_come_in_any_order() -> None:
    turned = json.dumps(dict(reversed(envelope().items()))).encode()
    assert parse_event(turned) == parse_event(line())


def test_time_is_normalised_to_utc() -> None:
    event = parse_event(line(time="2026-01-31T12:00:00+02:00"))
    assert event.time == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert event.time.tzinfo is UTC


def test_profile_field_that_is_left_out_stays_unchanged() -> None:
    event = parse_event(line({"account_id": "a", "bio": ""}, type="account.updated"))
    assert event.data == AccountUpdated(account_id="a", bio="")


def test_hashes_are_kept_in_lower_case() -> None:
    event = parse_event(
        line({"media_id": "m", "account_id": "a", "md5": "AB" * 16}, type="media.uploaded")
    )
    assert isinstance(event.data, MediaUploaded)
    assert event.data.md5 == "ab" * 16


def test_nul_in_text_becomes_the_replacement_character() -> None:
    event = parse_event(line({**POST, "text": "zor\x00ble"}))
    assert isinstance(event.data, PostCreated)
    assert event.data.text == "zor\N{REPLACEMENT CHARACTER}ble"


def test_id_of_the_longest_length_is_taken() -> None:
    assert parse_event(line(id="x" * MAX_ID_CHARS)).id == "x" * MAX_ID_CHARS


def test_id_with_rare_but_printable_characters_is_taken() -> None:
    assert parse_event(line(id="a\u2003b")).id == "a\u2003b"


SIGN_IN = {"account_id": "a"}


def media(**fields: object) -> bytes:
    return line({"media_id": "m", "account_id": "a", **fields}, type="media.uploaded")


@pytest.mark.parametrize(
    ("raw", "field", "says"),
    [
        (without("specversion"), "specversion", "missing"),
        (without("id"), "id", "missing"),
        (without("source"), "source", "missing"),
        (without("type"), "type", "missing"),
        (without("time"), "time", "missing"),
        (without("data"), "data", "missing"),
        (line(specversion="0.3"), "specversion", '"1.0"'),
        (line(type="post.exploded"), "type", "post.created"),
        (line(id=""), "id", "empty"),
        (line(id=7), "id", "Expected `str`"),
        (line(id="x" * (MAX_ID_CHARS + 1)), "id", "too long"),
        (line(id="a\x1fb"), "id", "control character"),
        (line(source=""), "source", "empty"),
        (line(time="2026-01-31T12:00:00"), "time", "zone"),
        (line(time="yesterday"), "time", "RFC 3339"),
        (line(time=1769860800), "time", "RFC 3339"),
        (line(time="0001-01-01T00:00:00+12:00"), "time", "out of range"),
        (line([]), "data", "Expected `object`"),
        (line("text"), "data", "Expected `object`"),
        (line({"account_id": "a"}), "data.post_id", "missing"),
        (line({"post_id": "p"}), "data.account_id", "missing"),
        (line({**POST, "post_id": ""}), "data.post_id", "empty"),
        (line({**POST, "account_id": ""}), "data.account_id", "empty"),
        (line({**POST, "post_id": "x" * 513}), "data.post_id", "too long"),
        (line({**POST, "post_id": "a\nb"}), "data.post_id", "control character"),
        (line({**POST, "reply_to": "x" * 513}), "data.reply_to", "too long"),
        (line({**POST, "device": "x" * 1025}), "data.device", "too long"),
        (line({**POST, "network": "x" * 1025}), "data.network", "too long"),
        (line(SIGN_IN | {"device": "x" * 1025}, type="account.signed_in"), "data.device", "1024"),
        (line(SIGN_IN | {"network": "x" * 1025}, type="account.updated"), "data.network", "1024"),
        (
            line(SIGN_IN | {"handle": "q", "device": "x" * 1025}, type="account.created"),
            "data.device",
            "too long",
        ),
        (line({**POST, "media_ids": ["m", ""]}), "data.media_ids", "empty"),
        (line({**POST, "media_ids": "m"}), "data.media_ids", "Expected `array`"),
        (line({**POST, "text": None}), "data.text", "Expected `str`"),
        (line({"post_id": "p", "views": -1}, type="views.counted"), "data.views", "0 or more"),
        (line({"post_id": "p", "views": 1 << 63}, type="views.counted"), "data.views", "range"),
        (line({"post_id": "p", "views": 1.5}, type="views.counted"), "data.views", "Expected"),
        (media(md5="ab"), "data.md5", "32 hex digits"),
        (media(pdq="g" * 64), "data.pdq", "64 hex digits"),
        (media(pdq_quality=101), "data.pdq_quality", "0 to 100"),
        (
            line({"account_id": "a", "kind": "wave", "post_id": "p"}, type="engagement.created"),
            "data.kind",
            "not one of",
        ),
        (
            line({"account_id": "a", "kind": "like"}, type="engagement.created"),
            "data.post_id",
            "target_account_id",
        ),
        (
            line({"account_id": "a", "user_report_id": "r"}, type="user_report.created"),
            "data.post_id",
            "target_account_id",
        ),
        (
            json.dumps({**envelope(), "data_base64": "QQ=="}).encode(),
            "data_base64",
            "JSON object",
        ),
        (line({**POST, "text": "ab"}).replace(b"ab", rb"\ud83d"), "", "surrogate"),
        (line({**POST, "text": "ab"}).replace(b"ab", rb"\ud83dx"), "", "surrogate"),
        (line({**POST, "text": "ab"}).replace(b"ab", rb"\ude00"), "", "surrogate"),
        (line({**POST, "text": "ab"}).replace(b"ab", b"\xff"), "", "UTF-8"),
        (line({**POST, "mood": "ab"}).replace(b"ab", b"\xed\xa0\x80"), "", "UTF-8"),
        (line()[:-2], "", "truncated"),
        (line() + b"x", "", "malformed"),
        (b"", "", "truncated"),
        (b"[]", "", "Expected `object`"),
        (b'{"a":' * 100_000, "", "nested"),
        (line({**POST, "text": "x" * MAX_LINE_BYTES}), "", "longer than"),
    ],
)
def test_bad_line_is_refused_with_field_and_remedy(raw: bytes, field: str, says: str) -> None:
    refused = fault(raw)
    assert refused.field == field
    assert refused.hint
    assert says in str(refused)


@pytest.mark.parametrize(
    "raw",
    [
        line(type="zorbleflux"),
        line(specversion="zorbleflux"),
        line(time="zorbleflux"),
        line("zorbleflux"),
        line({**POST, "post_id": "zorbleflux\n"}),
        line({"account_id": "a", "kind": "zorbleflux"}, type="engagement.created"),
        media(md5="zorbleflux"),
        line({**POST, "text": "zorbleflux"})[:-2],
    ],
)
def test_error_never_quotes_what_it_read(raw: bytes) -> None:
    refused = fault(raw)
    assert "zorbleflux" not in f"{refused} {refused!r} {refused.hint}"
    assert refused.__cause__ is None
    assert refused.__suppress_context__ or refused.__context__ is None
