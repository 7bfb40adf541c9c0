"""AT Protocol Jetstream lines become events.

Ids come from the record's address and content, so the same line from any Jetstream host gives
the same keys. Media has no URL here: Nightlight fetches only from where the operator says.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import msgspec

from nightlight.errors import InvalidInput
from nightlight.ingest.bounds import check_id
from nightlight.ingest.decode import check_text, decode_json
from nightlight.ingest.envelope import build_event
from nightlight.ingest.jetstream_records import (
    Blob,
    Commit,
    Embed,
    FollowRecord,
    Message,
    PostRecord,
    ProfileRecord,
    SubjectRecord,
)
from nightlight.model.event import (
    AccountUpdated,
    EngagementCreated,
    EngagementKind,
    Event,
    EventData,
    EventType,
    MediaUploaded,
    PostCreated,
    PostDeleted,
    PostEdited,
)

SOURCE: Final = "//jetstream.atproto"
_POST: Final = "app.bsky.feed.post"
_PROFILE: Final = "app.bsky.actor.profile"
_FOLLOW: Final = "app.bsky.graph.follow"
_SUBJECT_KINDS: Final[dict[str, EngagementKind]] = {
    "app.bsky.feed.like": "like",
    "app.bsky.feed.repost": "repost",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MESSAGE = msgspec.json.Decoder(Message)
_POST_RECORD = msgspec.json.Decoder(PostRecord)
_SUBJECT_RECORD = msgspec.json.Decoder(SubjectRecord)
_FOLLOW_RECORD = msgspec.json.Decoder(FollowRecord)
_PROFILE_RECORD = msgspec.json.Decoder(ProfileRecord)

# An event before it has a source and a time: its id, type and data.
_Draft: TypeAlias = tuple[str, EventType, EventData]


def parse_jetstream(line: bytes) -> tuple[Event, ...]:
    """Return the events that one Jetstream line says; none for what Nightlight does not judge.

    Raises:
        InvalidInput: the line is no Jetstream message, or its record is malformed.
    """
    check_text(line)
    message = decode_json(_MESSAGE, line)
    check_id(message.did, "did")
    time = _time(message.time_us)
    return tuple(
        build_event(source=SOURCE, event_id=event_id, event_type=event_type, time=time, data=data)
        for event_id, event_type, data in _drafts(message)
    )


def _time(time_us: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=time_us)
    except OverflowError:
        raise InvalidInput(
            "is out of range", field="time_us", hint="microseconds since 1970"
        ) from None


def _drafts(message: Message) -> Iterator[_Draft]:
    did = message.did
    match message.kind:
        case "commit":
            if message.commit is None:
                raise InvalidInput("is missing", field="commit", hint="a commit says what changed")
            yield from _commit(did, message.commit)
        case "identity":
            handle = message.identity.handle if message.identity else None
            number = message.identity.seq if message.identity else 0
            yield (
                f"{did}/identity/{number or message.time_us}",
                EventType.ACCOUNT_UPDATED,
                AccountUpdated(account_id=did, handle=handle),
            )
        case "account":
            number = message.account.seq if message.account else 0
            yield (
                f"{did}/account/{number or message.time_us}",
                EventType.ACCOUNT_UPDATED,
                AccountUpdated(account_id=did),
            )
        case _:
            raise InvalidInput(
                "is not one of the values known here",
                field="kind",
                hint="commit, identity or account",
            )


def _commit(did: str, commit: Commit) -> Iterator[_Draft]:
    version = commit.cid or commit.rev
    event_id = f"{did}/{commit.collection}/{commit.rkey}/{commit.operation}/{version}"
    if commit.collection == _POST:
        yield from _post(did, commit, event_id)
    elif commit.collection == _PROFILE:
        yield from _profile(did, commit, event_id)
    elif commit.operation != "delete":
        # Taking back a like, a repost or a follow changes nothing that Nightlight counts.
        yield from _engagement(did, commit, event_id)


def _post(did: str, commit: Commit, event_id: str) -> Iterator[_Draft]:
    post_id = f"at://{did}/{commit.collection}/{commit.rkey}"
    if commit.operation == "delete":
        gone = PostDeleted(post_id=post_id, account_id=did, deleted_by="author")
        yield event_id, EventType.POST_DELETED, gone
        return
    record = decode_json(_POST_RECORD, commit.record, "commit.record")
    media = tuple(_media_of(record.embed))
    for number, (blob, description) in enumerate(media):
        media_event_id = f"{event_id}/media/{number}"
        yield _media(did, blob, media_event_id, post_id=post_id, description=description)
    text = _text(record)
    language = record.langs[0] if record.langs else ""
    media_ids = tuple(_media_id(did, blob) for blob, _ in media)
    if commit.operation == "update":
        yield (
            event_id,
            EventType.POST_EDITED,
            PostEdited(
                post_id=post_id, account_id=did, text=text, language=language, media_ids=media_ids
            ),
        )
        return
    yield (
        event_id,
        EventType.POST_CREATED,
        PostCreated(
            post_id=post_id,
            account_id=did,
            text=text,
            language=language,
            media_ids=media_ids,
            reply_to=record.reply.parent.uri if record.reply else "",
        ),
    )


def _profile(did: str, commit: Commit, event_id: str) -> Iterator[_Draft]:
    if commit.operation == "delete":
        profile = ProfileRecord()
    else:
        profile = decode_json(_PROFILE_RECORD, commit.record, "commit.record")
    for name, blob in (("avatar", profile.avatar), ("banner", profile.banner)):
        if blob is not None:
            yield _media(did, blob, f"{event_id}/{name}")
    yield (
        event_id,
        EventType.ACCOUNT_UPDATED,
        AccountUpdated(account_id=did, display_name=profile.display_name, bio=profile.description),
    )


def _engagement(did: str, commit: Commit, event_id: str) -> Iterator[_Draft]:
    if kind := _SUBJECT_KINDS.get(commit.collection):
        subject = decode_json(_SUBJECT_RECORD, commit.record, "commit.record").subject.uri
        data = EngagementCreated(
            account_id=did, kind=kind, post_id=subject, target_account_id=_owner(subject)
        )
        yield event_id, EventType.ENGAGEMENT_CREATED, data
    elif commit.collection == _FOLLOW:
        followed = decode_json(_FOLLOW_RECORD, commit.record, "commit.record").subject
        data = EngagementCreated(account_id=did, kind="follow", target_account_id=followed)
        yield event_id, EventType.ENGAGEMENT_CREATED, data


def _text(record: PostRecord) -> str:
    """Return the text and, on lines of their own, the extra tags and the link card's words."""
    parts = [record.text, " ".join(f"#{tag}" for tag in record.tags or ())]
    for embed in _embeds(record.embed):
        if card := embed.external:
            parts += [card.title, card.description, card.uri]
    return "\n".join(part for part in parts if part)


def _embeds(embed: Embed | None) -> Iterator[Embed]:
    while embed is not None:
        yield embed
        embed = embed.media


def _media_of(embed: Embed | None) -> Iterator[tuple[Blob, str]]:
    for part in _embeds(embed):
        for image in part.images:
            yield image.image, image.alt
        if part.video is not None:
            yield part.video, part.alt
        if part.external is not None and part.external.thumb is not None:
            yield part.external.thumb, ""


def _media(
    did: str, blob: Blob, event_id: str, *, post_id: str = "", description: str = ""
) -> _Draft:
    data = MediaUploaded(
        media_id=_media_id(did, blob),
        account_id=did,
        post_id=post_id,
        content_type=blob.mime_type,
        description=description,
    )
    return event_id, EventType.MEDIA_UPLOADED, data


def _media_id(did: str, blob: Blob) -> str:
    """Return the account and the CID: a blob can be had only by both."""
    cid = blob.ref.cid if blob.ref else blob.cid
    if not cid:
        raise InvalidInput(
            "a blob names no content", field="commit.record", hint="a blob has ref.$link"
        )
    return f"{did}/{cid}"


def _owner(uri: str) -> str:
    """Return the account in an ``at://`` address, or "" where there is none."""
    return uri.removeprefix("at://").partition("/")[0] if uri.startswith("at://") else ""
