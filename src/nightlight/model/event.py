"""What happened on the platform.

An event's ``data`` is one Struct per type. Text and profile fields are personal data: the
Structs that hold them mask their ``repr``.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from nightlight.model.ids import AccountId, EventKey, MediaId, PostId
from nightlight.model.masked import Masked


class EventType(StrEnum):
    """The CloudEvents ``type`` of every event Nightlight reads."""

    ACCOUNT_CREATED = "account.created"
    ACCOUNT_UPDATED = "account.updated"
    ACCOUNT_SIGNED_IN = "account.signed_in"
    POST_CREATED = "post.created"
    POST_EDITED = "post.edited"
    POST_DELETED = "post.deleted"
    MEDIA_UPLOADED = "media.uploaded"
    ENGAGEMENT_CREATED = "engagement.created"
    VIEWS_COUNTED = "views.counted"
    USER_REPORT_CREATED = "user_report.created"


DeletedBy: TypeAlias = Literal["author", "platform", "unknown"]
EngagementKind: TypeAlias = Literal["like", "repost", "reply", "follow", "bookmark"]

#: Of so many sign-ins of an account, the newest, the machine is kept.
KEPT_SIGN_INS: Final = 20


class AccountCreated(Masked, frozen=True, kw_only=True):
    """An account as it was registered.

    ``device`` and ``network`` are by whatever names the platform knows the machine and the network
    of the sender; before an event is stored they are replaced by keyed hashes. ``country`` is two
    letters (ISO 3166-1), by which a policy may choose where the account is reported.
    """

    account_id: str
    handle: str
    display_name: str = ""
    bio: str = ""
    profile_url: str = ""
    country: str = ""
    device: str = ""
    network: str = ""


class AccountUpdated(Masked, frozen=True, kw_only=True):
    """Profile fields that changed; a field left out is unchanged."""

    account_id: str
    handle: str | None = None
    display_name: str | None = None
    bio: str | None = None
    profile_url: str | None = None
    country: str | None = None
    device: str = ""
    network: str = ""


class AccountSignedIn(Masked, frozen=True, kw_only=True):
    """Somebody signed in to an account, from this machine and network.

    Nothing is judged by it: a report of the account names the newest ones.
    """

    account_id: str
    device: str = ""
    network: str = ""


class PostCreated(Masked, frozen=True, kw_only=True):
    """A post as published; ``media_ids`` name media announced by ``media.uploaded``.

    ``recipients`` are the accounts that it was sent to, where it was not public.
    """

    post_id: str
    account_id: str
    text: str = ""
    language: str = ""
    media_ids: tuple[str, ...] = ()
    reply_to: str = ""
    recipients: tuple[str, ...] = ()
    url: str = ""
    device: str = ""
    network: str = ""


class PostEdited(Masked, frozen=True, kw_only=True):
    """The whole text and media of a post after an edit."""

    post_id: str
    account_id: str
    text: str = ""
    language: str = ""
    media_ids: tuple[str, ...] = ()


class PostDeleted(Struct, frozen=True, kw_only=True):
    """A post was taken away, and by whom; ``account_id`` is its author where known."""

    post_id: str
    account_id: str = ""
    deleted_by: DeletedBy = "unknown"


class MediaUploaded(Masked, frozen=True, kw_only=True):
    """Media arrived at the platform; ``url`` says where Nightlight may fetch it.

    ``url`` is absolute (its origin must be one the operator allows) or relative to the media
    root the operator names. ``md5``, ``sha1``, ``sha256`` (hex) and ``pdq`` (64 hex digits) may be
    given where the platform hashes by itself.
    """

    media_id: str
    account_id: str
    post_id: str = ""
    url: str = ""
    content_type: str = ""
    description: str = ""
    md5: str = ""
    sha1: str = ""
    sha256: str = ""
    pdq: str = ""
    pdq_quality: int = 100


class EngagementCreated(Struct, frozen=True, kw_only=True):
    """``account_id`` liked, reposted, replied to or bookmarked a post, or followed an account."""

    account_id: str
    kind: EngagementKind
    post_id: str = ""
    target_account_id: str = ""


class ViewsCounted(Struct, frozen=True, kw_only=True):
    """The total number of views of a post so far (a running total, so repeats do no harm)."""

    post_id: str
    views: int
    account_id: str = ""


class UserReportCreated(Masked, frozen=True, kw_only=True):
    """``account_id`` reported a post or another account to the platform.

    ``harmed`` says that it is the one who was harmed, or whom it was meant for.
    """

    user_report_id: str
    account_id: str
    post_id: str = ""
    target_account_id: str = ""
    reason: str = ""
    note: str = ""
    harmed: bool = False


EventData: TypeAlias = (
    AccountCreated
    | AccountUpdated
    | AccountSignedIn
    | PostCreated
    | PostEdited
    | PostDeleted
    | MediaUploaded
    | EngagementCreated
    | ViewsCounted
    | UserReportCreated
)

DATA_TYPES: dict[EventType, type[Struct]] = {
    EventType.ACCOUNT_CREATED: AccountCreated,
    EventType.ACCOUNT_UPDATED: AccountUpdated,
    EventType.ACCOUNT_SIGNED_IN: AccountSignedIn,
    EventType.POST_CREATED: PostCreated,
    EventType.POST_EDITED: PostEdited,
    EventType.POST_DELETED: PostDeleted,
    EventType.MEDIA_UPLOADED: MediaUploaded,
    EventType.ENGAGEMENT_CREATED: EngagementCreated,
    EventType.VIEWS_COUNTED: ViewsCounted,
    EventType.USER_REPORT_CREATED: UserReportCreated,
}


class Machine(Masked, frozen=True, kw_only=True):
    """From which machine and network something was sent, by whatever names the platform told.

    Kept sealed alone, apart from the event, which holds keyed hashes of them.
    """

    device: str = ""
    network: str = ""


class Event(Struct, frozen=True, kw_only=True):
    """One thing that happened, parsed and ready to judge.

    Attributes:
        key: derived from CloudEvents source and id; an event is processed once per key.
        time: when it happened on the platform, timezone-aware, UTC.
        data: the Struct of ``DATA_TYPES[type]``.
    """

    key: EventKey
    source: str
    id: str
    type: EventType
    time: datetime
    data: EventData

    @property
    def account_id(self) -> AccountId:
        """The account that acted or is described; the key by which order matters. May be ""."""
        return AccountId(self.data.account_id)

    @property
    def post_id(self) -> PostId:
        """The post that the event is about, or ""."""
        return PostId(getattr(self.data, "post_id", ""))

    @property
    def media_id(self) -> MediaId:
        """The media that the event announces, or ""."""
        return MediaId(getattr(self.data, "media_id", ""))
