"""What was known when an event was judged: a snapshot keyed by account and content.

``detect/known.py`` folds each event into it, so replaying the same events in the same order per
account gives the same context.
"""

from datetime import datetime

from msgspec import Struct

from nightlight.model.ids import AccountId, MediaId, PostId
from nightlight.model.link import LinkKind
from nightlight.model.masked import Masked
from nightlight.model.media import Scan


class AccountContext(Masked, frozen=True, kw_only=True):
    """What is known of an account.

    Attributes:
        country: two letters, "" where the platform did not tell it.
        profile_at: time of the newest event that told the profile; older news does not overwrite.
        first_seen: time of the earliest event of the account.
        suspended: whether Nightlight asked for suspension and no one has reinstated it.
        human_decision: "confirmed" or "dismissed" by the last person who decided a case, or "".
    """

    account_id: AccountId
    handle: str = ""
    display_name: str = ""
    bio: str = ""
    profile_url: str = ""
    country: str = ""
    created_at: datetime | None = None
    profile_at: datetime | None = None
    first_seen: datetime | None = None
    posts: int = 0
    deletions: int = 0
    user_reports: int = 0
    suspended: bool = False
    human_decision: str = ""

    def __repr__(self) -> str:
        return f"<AccountContext {self.account_id}: masked>"


class PostContext(Masked, frozen=True, kw_only=True):
    """What is known of a post, whichever of its events came first.

    Attributes:
        text_at: time of the newest event that told the text (creation or edit).
        fingerprint: sketch of the text for near-duplicates (``detect/near_duplicate.py``), b""
            where the text is too short to compare.
        event_key: the event that told the text; evidence is read back through it.
        flagged: whether any signal ever fired on it.
        reposted_as: on a deleted post, the post in which its author posted it again.
        text: what it said, only where a judgement compares it with another; never stored here.
    """

    post_id: PostId
    account_id: AccountId
    posted_at: datetime | None = None
    text_at: datetime | None = None
    deleted_at: datetime | None = None
    deleted_by: str = ""
    fingerprint: bytes = b""
    media_ids: tuple[str, ...] = ()
    event_key: str = ""
    views: int = 0
    engagements: int = 0
    flagged: bool = False
    human_decision: str = ""
    reposted_as: str = ""
    text: str = ""

    def __repr__(self) -> str:
        return f"<PostContext {self.post_id}: masked>"


class MediaContext(Masked, frozen=True, kw_only=True):
    """A media file that was announced, and what scanning it found."""

    media_id: MediaId
    account_id: AccountId
    scan: Scan
    uploaded_at: datetime
    url: str = ""
    content_type: str = ""
    description: str = ""
    event_key: str = ""
    human_decision: str = ""

    def __repr__(self) -> str:
        return f"<MediaContext {self.media_id}: masked>"


class Shared(Struct, frozen=True):
    """A thing that two accounts have in common, and how many accounts show it, those two too."""

    kind: LinkKind
    holders: int


class Activity(Struct, frozen=True, kw_only=True):
    """What an account did until the event that is judged, the event itself with it.

    Attributes:
        posts_hour, posts_day: posts within the hour and the day before.
        deleted_soon_day, deleted_soon_week: posts that their author took away within a day of
            publishing them, by when they were taken away.
        profile_changes: how often within the week handle, name or bio became what they never were.
    """

    posts_hour: int = 0
    posts_day: int = 0
    deleted_soon_day: int = 0
    deleted_soon_week: int = 0
    profile_changes: int = 0


class LinkedAccount(Struct, frozen=True, kw_only=True):
    """Another account, and what it has in common with the one that is judged."""

    account: AccountContext
    shared: tuple[Shared, ...]


class Context(Struct, frozen=True, kw_only=True):
    """Everything besides the event and the policy that a judgement may depend on.

    Attributes:
        account: the author or actor, or None where the event names none.
        post: the post as it was before this event, or None.
        media: the media that the event announces or its post carries.
        tombstones: the account's own deleted posts with a fingerprint, newest deletion first.
        later_posts: where the event is a deletion that arrives late, the account's own posts that
            were published after it.
        linked: accounts that were suspended or confirmed and have something in common with this
            one, where it is new or tells its profile.
        template_accounts: how many other accounts posted in the wording of this post within the
            week before it.
        contacts: the kinds of ways to reach or pay the author that this event shows.
        activity: what the account did lately, None where the event is no act of its own.
    """

    account: AccountContext | None = None
    post: PostContext | None = None
    media: tuple[MediaContext, ...] = ()
    tombstones: tuple[PostContext, ...] = ()
    later_posts: tuple[PostContext, ...] = ()
    linked: tuple[LinkedAccount, ...] = ()
    template_accounts: int = 0
    contacts: tuple[LinkKind, ...] = ()
    activity: Activity | None = None
