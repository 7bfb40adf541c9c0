"""The parts of Mastodon's entities that Nightlight reads; everything else is ignored."""

from datetime import datetime
from typing import Annotated, TypeAlias

from msgspec import Meta, Raw

from nightlight.model.masked import Masked

Zoned: TypeAlias = Annotated[datetime, Meta(tz=True)]


class Account(Masked, frozen=True, kw_only=True):
    """The author of a status."""

    id: str
    acct: str | None = None
    display_name: str | None = None
    note: str | None = None
    url: str | None = None


class Attachment(Masked, frozen=True, kw_only=True):
    """A file attached to a status; ``url`` is null while the server still works on it."""

    id: str
    url: str | None = None
    remote_url: str | None = None
    description: str | None = None


class PollOption(Masked, frozen=True, kw_only=True):
    """One answer that a poll offers."""

    title: str = ""


class Poll(Masked, frozen=True, kw_only=True):
    """A poll in a status."""

    options: tuple[PollOption, ...] = ()


class Status(Masked, frozen=True, kw_only=True):
    """A post, or with ``reblog`` the repost of one."""

    id: str
    created_at: Zoned
    account: Account
    content: str = ""
    spoiler_text: str | None = None
    edited_at: Zoned | None = None
    language: str | None = None
    in_reply_to_id: str | None = None
    url: str | None = None
    media_attachments: tuple[Attachment, ...] = ()
    poll: Poll | None = None
    reblog: "Status | None" = None


class StreamMessage(Masked, frozen=True, kw_only=True):
    """One message of the streaming API; the payload is mostly JSON inside a JSON string."""

    event: str
    payload: Raw = Raw(b"null")
