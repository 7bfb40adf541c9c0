"""Mastodon statuses and streaming messages become events."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from nightlight.errors import InvalidInput
from nightlight.ingest.mastodon import parse_status, parse_stream_event, parse_stream_message
from nightlight.model.event import (
    AccountUpdated,
    EngagementCreated,
    Event,
    EventType,
    MediaUploaded,
    PostCreated,
    PostDeleted,
    PostEdited,
)

ID = "115990000000000001"
ACCOUNT: dict[str, Any] = {
    "id": "1001",
    "acct": "ada",
    "display_name": "Ada",
    "note": "<p>Grows tea</p>",
    "url": "https://social.example.test/@ada",
}


def status(**fields: object) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "id": ID,
        "created_at": "2026-01-31T12:00:00.000Z",
        "account": ACCOUNT,
        "content": "<p>zorbleflux</p>",
        "language": "en",
        "url": f"https://social.example.test/@ada/{ID}",
        "in_reply_to_id": None,
        "media_attachments": [],
        "reblog": None,
        "edited_at": None,
    }
    return whole | fields


def line(**fields: object) -> bytes:
    return json.dumps(status(**fields)).encode()


def types(events: tuple[Event, ...]) -> list[EventType]:
    return [event.type for event in events]


def test_status_is_its_author_and_its_post() -> None:
    account, post = parse_status(line(in_reply_to_id="9"))
    assert account.source == "//social.example.test"
    assert account.data == AccountUpdated(
        account_id="1001",
        handle="ada",
        display_name="Ada",
        bio="Grows tea",
        profile_url="https://social.example.test/@ada",
    )
    assert post.time == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert post.data == PostCreated(
        post_id=ID,
        account_id="1001",
        text="zorbleflux",
        language="en",
        reply_to="9",
        url=f"https://social.example.test/@ada/{ID}",
    )


def test_attachment_comes_before_the_post_that_names_it() -> None:
    attachment = {"id": "7", "type": "image", "url": "https://social.example.test/7.png"}
    _, media, post = parse_status(
        line(media_attachments=[attachment | {"description": "A square."}])
    )
    assert media.data == MediaUploaded(
        media_id="7",
        account_id="1001",
        post_id=ID,
        url="https://social.example.test/7.png",
        description="A square.",
    )
    assert isinstance(post.data, PostCreated)
    assert post.data.media_ids == ("7",)


def test_attachment_still_in_work_has_its_remote_address_or_none() -> None:
    attachments = [
        {"id": "7", "url": None, "remote_url": "https://far.example.test/7.png"},
        {"id": "8", "url": None},
    ]
    _, first, second, _ = parse_status(line(media_attachments=attachments))
    assert isinstance(first.data, MediaUploaded)
    assert isinstance(second.data, MediaUploaded)
    assert (first.data.url, second.data.url) == ("https://far.example.test/7.png", "")


def test_warning_and_poll_are_read_as_text() -> None:
    poll = {"options": [{"title": "Mint"}, {"title": "Zorble"}]}
    *_, post = parse_status(line(spoiler_text="About tea", poll=poll))
    assert isinstance(post.data, PostCreated)
    assert post.data.text == "About tea\nzorbleflux\nMint\nZorble"


def test_reblog_is_the_inner_post_and_a_repost_of_it() -> None:
    outer = status(id="99", account=ACCOUNT | {"id": "1002"}, reblog=status())
    events = parse_status(json.dumps(outer).encode())
    assert types(events) == [
        EventType.ACCOUNT_UPDATED,
        EventType.ACCOUNT_UPDATED,
        EventType.POST_CREATED,
        EventType.ENGAGEMENT_CREATED,
    ]
    assert events[-1].data == EngagementCreated(
        account_id="1002", kind="repost", post_id=ID, target_account_id="1001"
    )


def test_reblogged_post_has_the_key_that_it_has_alone() -> None:
    outer = json.dumps(status(id="99", reblog=status())).encode()
    assert parse_status(line())[-1].key in {event.key for event in parse_status(outer)}


def test_status_that_was_edited_is_created_and_edited() -> None:
    events = parse_status(line(edited_at="2026-01-31T12:05:00Z"))
    assert types(events)[1:] == [EventType.POST_CREATED, EventType.POST_EDITED]
    assert events[1].key == parse_status(line())[-1].key


def test_status_update_is_an_edit_at_its_time() -> None:
    payload = line(content="<p>new</p>", edited_at="2026-01-31T12:05:00Z")
    _, edit = parse_stream_event("status.update", payload)
    assert edit.time == datetime(2026, 1, 31, 12, 5, tzinfo=UTC)
    assert edit.data == PostEdited(post_id=ID, account_id="1001", text="new", language="en")


def test_two_edits_have_two_keys() -> None:
    first, second = (
        parse_stream_event("status.update", line(edited_at=time))[-1].key
        for time in ("2026-01-31T12:05:00Z", "2026-01-31T12:06:00Z")
    )
    assert first != second


def test_deletion_is_dated_when_it_was_received() -> None:
    received_at = datetime(2026, 2, 1, tzinfo=UTC)
    (event,) = parse_stream_event("delete", ID.encode(), received_at=received_at)
    assert event.time == received_at
    assert event.data == PostDeleted(post_id=ID, account_id="", deleted_by="unknown")


def test_deletion_of_unknown_moment_is_dated_by_the_status_id() -> None:
    made = datetime(2026, 1, 31, 12, tzinfo=UTC)
    post_id = str(int(made.timestamp() * 1000) << 16)
    (event,) = parse_stream_event("delete", post_id.encode())
    assert event.time == made


def test_stream_message_holds_its_payload_as_a_string_or_as_json() -> None:
    as_string = {"stream": ["public"], "event": "update", "payload": json.dumps(status())}
    as_json = {"stream": ["public"], "event": "update", "payload": status()}
    read = [parse_stream_message(json.dumps(whole).encode()) for whole in (as_string, as_json)]
    assert read[0] == read[1] == parse_status(line())


@pytest.mark.parametrize("name", ["notification", "filters_changed", "conversation"])
def test_what_is_not_judged_gives_no_event(name: str) -> None:
    assert parse_stream_event(name, b"{}") == ()


@pytest.mark.parametrize("url", [None, "", "@ada", "https://[bad"])
def test_source_is_general_where_no_host_is_known(url: str | None) -> None:
    account, _ = parse_status(line(url=url, account=ACCOUNT | {"url": url}))
    assert account.source == "//mastodon"


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (line(id=""), "data.post_id"),
        (line(id=7), "id"),
        (line(created_at="2026-01-31T12:00:00"), "created_at"),
        (line(created_at=None), "created_at"),
        (line(account=None), "account"),
        (line(account={}), "account.id"),
        (line(account=ACCOUNT | {"id": ""}), "data.account_id"),
        (line(media_attachments=[{"id": ""}]), "data.media_id"),
        (line(content=7), "content"),
    ],
)
def test_malformed_status_is_refused(raw: bytes, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_status(raw)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("delete", b""),
        ("delete", b"zorble"),
        ("delete", b"9" * 512),
        ("delete", b"9" * 600),
        ("delete", b"\xff"),
        ("update", b"7"),
        ("status.update", b"{"),
        ("zorble", b"{}"),
    ],
)
def test_malformed_stream_event_is_refused(name: str, payload: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_stream_event(name, payload)
