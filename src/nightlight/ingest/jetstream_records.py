"""The parts of AT Protocol Jetstream messages and records that Nightlight reads.

Everything else in them is ignored, so a new field upstream breaks nothing.
"""

from typing import Literal

from msgspec import Raw, field

from nightlight.model.masked import Masked


class Link(Masked, frozen=True, kw_only=True):
    """A link to content by its CID."""

    cid: str = field(name="$link")


class Blob(Masked, frozen=True, kw_only=True):
    """A stored file; ``cid`` stands in place of ``ref`` in old records."""

    ref: Link | None = None
    cid: str = ""
    mime_type: str = field(name="mimeType", default="")


class Image(Masked, frozen=True, kw_only=True):
    """A picture in a post, with its author's description."""

    image: Blob
    alt: str = ""


class External(Masked, frozen=True, kw_only=True):
    """A link card, whose words the post's author chooses."""

    uri: str = ""
    title: str = ""
    description: str = ""
    thumb: Blob | None = None


class Embed(Masked, frozen=True, kw_only=True):
    """What a post carries: pictures, a video, a card, or a quoted post with one of them."""

    images: tuple[Image, ...] = ()
    video: Blob | None = None
    alt: str = ""
    external: External | None = None
    media: "Embed | None" = None


class PostRef(Masked, frozen=True, kw_only=True):
    """A reference to a post."""

    uri: str


class Reply(Masked, frozen=True, kw_only=True):
    """Which post a post answers."""

    parent: PostRef


class PostRecord(Masked, frozen=True, kw_only=True):
    """``app.bsky.feed.post``."""

    text: str = ""
    langs: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    embed: Embed | None = None
    reply: Reply | None = None


class SubjectRecord(Masked, frozen=True, kw_only=True):
    """``app.bsky.feed.like`` and ``app.bsky.feed.repost``."""

    subject: PostRef


class FollowRecord(Masked, frozen=True, kw_only=True):
    """``app.bsky.graph.follow``: the DID of the followed account."""

    subject: str


class ProfileRecord(Masked, frozen=True, kw_only=True):
    """``app.bsky.actor.profile``."""

    display_name: str = field(name="displayName", default="")
    description: str = ""
    avatar: Blob | None = None
    banner: Blob | None = None


class Commit(Masked, frozen=True, kw_only=True):
    """One change to one record."""

    operation: Literal["create", "update", "delete"]
    collection: str
    rkey: str
    rev: str = ""
    record: Raw = Raw(b"null")
    cid: str = ""


class Identity(Masked, frozen=True, kw_only=True):
    """A change of handle."""

    handle: str | None = None
    seq: int = 0


class AccountState(Masked, frozen=True, kw_only=True):
    """A change of an account's state; only that it happened is read."""

    seq: int = 0


class Message(Masked, frozen=True, kw_only=True):
    """One line of the stream."""

    did: str
    time_us: int
    kind: str
    commit: Commit | None = None
    identity: Identity | None = None
    account: AccountState | None = None
