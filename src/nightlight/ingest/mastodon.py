"""Mastodon statuses, from REST pages and from streams, become events.

Ids are those of the instance that answered, because its API knows posts and accounts by them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import msgspec

from nightlight.errors import InvalidInput
from nightlight.ingest.bounds import check_id
from nightlight.ingest.decode import check_text, decode_json
from nightlight.ingest.envelope import build_event
from nightlight.ingest.html_text import text_of_html
from nightlight.ingest.mastodon_status import Account, Status, StreamMessage
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

DEFAULT_SOURCE: Final = "//mastodon"
_NOT_JUDGED: Final = frozenset(
    {
        "announcement",
        "announcement.delete",
        "announcement.reaction",
        "conversation",
        "encrypted_message",
        "filters_changed",
        "notification",
        "notifications_merged",
    }
)
STREAM_EVENTS: Final = frozenset({"update", "status.update", "delete"}) | _NOT_JUDGED
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_STATUS = msgspec.json.Decoder(Status)
_MESSAGE = msgspec.json.Decoder(StreamMessage)
_STRING = msgspec.json.Decoder(str)


def parse_status(line: bytes) -> tuple[Event, ...]:
    """Return the events that one REST status says: its author, its media, the post, its edit.

    Raises:
        InvalidInput: the line is no status, or a field of it is out of bounds.
    """
    check_text(line)
    return tuple(_seen(decode_json(_STATUS, line)))


def parse_stream_message(line: bytes, *, received_at: datetime | None = None) -> tuple[Event, ...]:
    """Return the events of one ``{"event": .., "payload": ..}`` message; see parse_stream_event.

    Raises:
        InvalidInput: the line is no such message, or its payload is malformed.
    """
    check_text(line)
    message = decode_json(_MESSAGE, line)
    payload = bytes(message.payload)
    if payload.startswith(b'"'):
        payload = decode_json(_STRING, payload, "payload").encode()
    return parse_stream_event(message.event, payload, received_at=received_at)


def parse_stream_event(
    name: str, payload: bytes, *, received_at: datetime | None = None
) -> tuple[Event, ...]:
    """Return the events of one streaming message; none for what Nightlight does not judge.

    Args:
        name: the streaming event, such as ``update``.
        payload: the status as JSON, or the id of a deleted status.
        received_at: when the message came, which dates a deletion: Mastodon sends no time with
            it. Without it a deletion is dated at its status's creation, the earliest it can be.

    Raises:
        InvalidInput: the payload is malformed.
    """
    match name:
        case "update":
            return parse_status(payload)
        case "status.update":
            check_text(payload)
            status = decode_json(_STATUS, payload, "payload")
            return tuple(_rewritten(status))
        case "delete":
            return (_deleted(payload, received_at),)
        case _ if name in _NOT_JUDGED:
            return ()
        case _:
            raise InvalidInput(
                "is not one of the values known here",
                field="event",
                hint="update, status.update or delete",
            )


def _seen(status: Status) -> Iterator[Event]:
    source = _source(status)
    if status.reblog is not None:
        yield _account(status, source)
        yield from _seen(msgspec.structs.replace(status.reblog, reblog=None))
        yield _repost(status, status.reblog, source)
        return
    yield from _surroundings(status, source)
    yield _created(status, source)
    if status.edited_at is not None:
        # Whoever saw the first version knows "created" already, and needs the words of today.
        yield _edited(status, source)


def _rewritten(status: Status) -> Iterator[Event]:
    source = _source(status)
    yield from _surroundings(status, source)
    yield _edited(status, source)


def _surroundings(status: Status, source: str) -> Iterator[Event]:
    """Yield the author and the media, which the post's own event then names."""
    yield _account(status, source)
    yield from _media(status, source)


def _version(status: Status) -> str:
    """Return what tells this version's events from those of the versions before it."""
    edited = f"edited/{status.edited_at.isoformat()}" if status.edited_at else "created"
    return f"status/{status.id}/{edited}"


def _created(status: Status, source: str) -> Event:
    return build_event(
        source=source,
        event_id=f"status/{status.id}/created",
        event_type=EventType.POST_CREATED,
        time=status.created_at,
        data=PostCreated(
            post_id=status.id,
            account_id=status.account.id,
            text=_text(status),
            language=status.language or "",
            media_ids=_media_ids(status),
            reply_to=status.in_reply_to_id or "",
            url=status.url or "",
        ),
    )


def _edited(status: Status, source: str) -> Event:
    return build_event(
        source=source,
        event_id=f"{_version(status)}/post",
        event_type=EventType.POST_EDITED,
        time=status.edited_at or status.created_at,
        data=PostEdited(
            post_id=status.id,
            account_id=status.account.id,
            text=_text(status),
            language=status.language or "",
            media_ids=_media_ids(status),
        ),
    )


def _deleted(payload: bytes, received_at: datetime | None) -> Event:
    check_text(payload)
    post_id = payload.decode().strip()
    check_id(post_id, "payload")
    return build_event(
        source=DEFAULT_SOURCE,
        event_id=f"status/{post_id}/deleted",
        event_type=EventType.POST_DELETED,
        time=received_at or _birth(post_id),
        data=PostDeleted(post_id=post_id, deleted_by="unknown"),
    )


def _birth(post_id: str) -> datetime:
    """Return when a status was made: the upper bits of its id are milliseconds since 1970."""
    try:
        if post_id.isascii() and post_id.isdigit():
            return _EPOCH + timedelta(milliseconds=int(post_id) >> 16)
    except OverflowError:
        pass
    raise InvalidInput(
        "the id tells no time", field="payload", hint="say when the message was received"
    )


def _account(status: Status, source: str) -> Event:
    account = status.account
    return build_event(
        source=source,
        event_id=f"{_version(status)}/account",
        event_type=EventType.ACCOUNT_UPDATED,
        time=status.edited_at or status.created_at,
        data=AccountUpdated(
            account_id=account.id,
            handle=account.acct,
            display_name=account.display_name,
            bio=None if account.note is None else text_of_html(account.note),
            profile_url=account.url,
        ),
    )


def _media(status: Status, source: str) -> Iterator[Event]:
    for attachment in status.media_attachments:
        yield build_event(
            source=source,
            event_id=f"{_version(status)}/media/{attachment.id}",
            event_type=EventType.MEDIA_UPLOADED,
            time=status.edited_at or status.created_at,
            data=MediaUploaded(
                media_id=attachment.id,
                account_id=status.account.id,
                post_id=status.id,
                url=attachment.url or attachment.remote_url or "",
                description=attachment.description or "",
            ),
        )


def _repost(outer: Status, inner: Status, source: str) -> Event:
    return build_event(
        source=source,
        event_id=f"status/{outer.id}/repost",
        event_type=EventType.ENGAGEMENT_CREATED,
        time=outer.created_at,
        data=EngagementCreated(
            account_id=outer.account.id,
            kind="repost",
            post_id=inner.id,
            target_account_id=inner.account.id,
        ),
    )


def _text(status: Status) -> str:
    """Return every word the author wrote: the warning, the text and the poll's answers."""
    answers = [option.title for option in status.poll.options] if status.poll else []
    parts = [status.spoiler_text or "", text_of_html(status.content), *answers]
    return "\n".join(part for part in parts if part)


def _media_ids(status: Status) -> tuple[str, ...]:
    return tuple(attachment.id for attachment in status.media_attachments)


def _source(status: Status) -> str:
    return _host(status.account) or _host(status) or DEFAULT_SOURCE


def _host(entity: Account | Status) -> str:
    try:
        host = urlsplit(entity.url or "").hostname
    except ValueError:
        return ""
    return f"//{host}" if host else ""
