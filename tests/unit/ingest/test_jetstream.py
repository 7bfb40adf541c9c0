"""AT Protocol Jetstream lines become events."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nightlight.errors import InvalidInput
from nightlight.ingest.jetstream import parse_jetstream
from nightlight.model.event import (
    AccountUpdated,
    EngagementCreated,
    EventType,
    MediaUploaded,
    PostCreated,
    PostDeleted,
    PostEdited,
)

SAMPLE = Path(__file__).parents[2] / "synthetic" / "streams" / "jetstream.jsonl"
DID = "did:plc:exampleexampleexampleaaa"
POST = "app.bsky.feed.post"
URI = f"at://{DID}/{POST}/3k1"


def message(**fields: object) -> bytes:
    whole = {"did": DID, "time_us": 1_769_860_800_000_001, "kind": "commit", **fields}
    return json.dumps(whole).encode()


def commit(collection: str, record: object, operation: str = "create", **fields: object) -> bytes:
    body = {"rev": "r1", "operation": operation, "collection": collection, "rkey": "3k1"}
    return message(commit={**body, "record": record, "cid": "bafyexample", **fields})


def blob(cid: str, mime_type: str = "image/png") -> dict[str, Any]:
    return {"$type": "blob", "ref": {"$link": cid}, "mimeType": mime_type, "size": 1}


def data_of(line: bytes) -> list[object]:
    return [event.data for event in parse_jetstream(line)]


def test_sample_stream_is_read_whole() -> None:
    types = [
        event.type.value
        for line in SAMPLE.read_bytes().splitlines()
        for event in parse_jetstream(line)
    ]
    assert types == [
        "account.updated",
        "account.updated",
        "media.uploaded",
        "account.updated",
        "media.uploaded",
        "media.uploaded",
        "post.created",
        "media.uploaded",
        "post.created",
        "media.uploaded",
        "post.created",
        "engagement.created",
        "engagement.created",
        "engagement.created",
        "post.edited",
        "post.deleted",
    ]


def test_post_is_named_by_its_address_and_dated_by_the_stream() -> None:
    (event,) = parse_jetstream(commit(POST, {"text": "zorbleflux", "langs": ["en", "de"]}))
    assert event.source == "//jetstream.atproto"
    assert event.time == datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)
    assert event.data == PostCreated(post_id=URI, account_id=DID, text="zorbleflux", language="en")


def test_same_line_gives_the_same_keys() -> None:
    for line in SAMPLE.read_bytes().splitlines():
        assert [e.key for e in parse_jetstream(line)] == [e.key for e in parse_jetstream(line)]


def test_every_event_of_the_sample_has_its_own_key() -> None:
    lines = SAMPLE.read_bytes().splitlines()
    keys = [event.key for line in lines for event in parse_jetstream(line)]
    assert len(set(keys)) == len(keys)


def test_pictures_come_before_the_post_that_names_them() -> None:
    images = [{"alt": "A square.", "image": blob("bafyone")}, {"alt": "", "image": blob("bafytwo")}]
    first, second, post = data_of(commit(POST, {"embed": {"images": images}}))
    assert first == MediaUploaded(
        media_id=f"{DID}/bafyone",
        account_id=DID,
        post_id=URI,
        content_type="image/png",
        description="A square.",
    )
    assert isinstance(second, MediaUploaded)
    assert isinstance(post, PostCreated)
    assert post.media_ids == (first.media_id, second.media_id)


def test_same_picture_twice_in_a_post_keeps_both_descriptions() -> None:
    images = [{"alt": alt, "image": blob("bafyone")} for alt in ("one", "two")]
    events = parse_jetstream(commit(POST, {"embed": {"images": images}}))
    assert len({event.key for event in events}) == 3


def test_video_beside_a_quoted_post_is_announced() -> None:
    embed = {"record": {"uri": URI}, "media": {"video": blob("bafyv", "video/mp4"), "alt": "A dot"}}
    video, post = data_of(commit(POST, {"text": "look", "embed": embed}))
    assert isinstance(video, MediaUploaded)
    assert (video.content_type, video.description) == ("video/mp4", "A dot")
    assert isinstance(post, PostCreated)
    assert post.media_ids == (video.media_id,)


def test_words_outside_the_text_are_read_too() -> None:
    card = {"uri": "https://garden.example.test/", "title": "Garden", "description": "Tea"}
    record = {"text": "zorbleflux", "tags": ["a", "b"], "embed": {"external": card}}
    (post,) = data_of(commit(POST, record))
    assert isinstance(post, PostCreated)
    assert post.text == "zorbleflux\n#a #b\nGarden\nTea\nhttps://garden.example.test/"


def test_picture_of_an_old_record_is_named_by_its_cid() -> None:
    old = {"cid": "bafyold", "mimeType": "image/png"}
    picture, _ = data_of(commit(POST, {"embed": {"images": [{"alt": "", "image": old}]}}))
    assert isinstance(picture, MediaUploaded)
    assert picture.media_id == f"{DID}/bafyold"


def test_reply_names_its_parent() -> None:
    (post,) = data_of(commit(POST, {"text": "yes", "reply": {"parent": {"uri": URI}}}))
    assert isinstance(post, PostCreated)
    assert post.reply_to == URI


def test_update_is_an_edit() -> None:
    assert data_of(commit(POST, {"text": "new"}, "update")) == [
        PostEdited(post_id=URI, account_id=DID, text="new")
    ]


def test_delete_is_by_the_author() -> None:
    body = {"rev": "r2", "operation": "delete", "collection": POST, "rkey": "3k1"}
    assert data_of(message(commit=body)) == [
        PostDeleted(post_id=URI, account_id=DID, deleted_by="author")
    ]


@pytest.mark.parametrize(
    ("collection", "kind"), [("app.bsky.feed.like", "like"), ("app.bsky.feed.repost", "repost")]
)
def test_engagement_names_the_post_and_its_author(collection: str, kind: str) -> None:
    target = "at://did:plc:exampleexampleexamplebbb/app.bsky.feed.post/3k9"
    (data,) = data_of(commit(collection, {"subject": {"uri": target, "cid": "bafyx"}}))
    assert isinstance(data, EngagementCreated)
    assert (data.kind, data.post_id) == (kind, target)
    assert data.target_account_id == "did:plc:exampleexampleexamplebbb"


def test_follow_names_the_followed_account() -> None:
    followed = "did:plc:exampleexampleexamplebbb"
    assert data_of(commit("app.bsky.graph.follow", {"subject": followed})) == [
        EngagementCreated(account_id=DID, kind="follow", target_account_id=followed)
    ]


def test_profile_updates_words_and_announces_its_pictures() -> None:
    record = {"displayName": "Ada", "description": "Tea", "avatar": blob("a"), "banner": blob("b")}
    avatar, banner, profile = data_of(commit("app.bsky.actor.profile", record, "update"))
    assert [type(data) for data in (avatar, banner)] == [MediaUploaded, MediaUploaded]
    assert profile == AccountUpdated(account_id=DID, display_name="Ada", bio="Tea")


def test_deleted_profile_is_empty() -> None:
    line = commit("app.bsky.actor.profile", None, "delete")
    assert data_of(line) == [AccountUpdated(account_id=DID, display_name="", bio="")]


def test_identity_updates_the_handle() -> None:
    identity = {"did": DID, "handle": "ada.example.test", "seq": 5}
    (event,) = parse_jetstream(message(kind="identity", identity=identity))
    assert event.type is EventType.ACCOUNT_UPDATED
    assert event.data == AccountUpdated(account_id=DID, handle="ada.example.test")


@pytest.mark.parametrize(
    "line",
    [
        commit("app.bsky.graph.block", {"subject": 7}),
        commit("app.bsky.feed.like", None, "delete"),
        commit("chat.example.test.record", [1, 2]),
    ],
)
def test_what_is_not_judged_gives_no_event(line: bytes) -> None:
    assert parse_jetstream(line) == ()


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (message(did=""), "did"),
        (message(kind="zorble"), "kind"),
        (message(), "commit"),
        (message(commit=7), "commit"),
        (message(time_us=1 << 62), "time_us"),
        (message(time_us="now"), "time_us"),
        (commit(POST, {"text": 7}), "commit.record.text"),
        (commit(POST, None), "commit.record"),
        (commit(POST, {"embed": {"images": [{"image": {}}]}}), "commit.record"),
        (commit(POST, {"text": "a"}, "explode"), "commit.operation"),
        (commit(POST, {"text": "a"}, rkey="x" * 600), "id"),
        (commit("app.bsky.graph.follow", {"subject": ""}), "data.post_id"),
        (commit("app.bsky.feed.like", {}), "commit.record.subject"),
    ],
)
def test_malformed_message_is_refused(line: bytes, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_jetstream(line)
    assert caught.value.field == field
