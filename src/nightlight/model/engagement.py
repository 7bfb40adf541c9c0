"""Who engaged with whose post or account, and how: kept so that roles can be told later."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nightlight.model.ids import AccountId, EventKey, PostId


class Engaged(StrEnum):
    """What somebody did with a post or an account that is not their own."""

    LIKE = "like"
    REPOST = "repost"
    REPLY = "reply"
    FOLLOW = "follow"
    BOOKMARK = "bookmark"
    USER_REPORT = "user_report"


class Engagement(Struct, frozen=True, kw_only=True):
    """One such act.

    Attributes:
        post_id: the post concerned, "" where it was an account.
        target_id: the account concerned, "" where the event did not name it.
        reply_id: the post in which somebody replied, "" where it is not known.
    """

    event_key: EventKey
    account_id: AccountId
    kind: Engaged
    post_id: PostId
    target_id: AccountId
    at: datetime
    reply_id: PostId = PostId("")
