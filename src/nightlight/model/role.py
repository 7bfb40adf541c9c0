"""What part an account had in confirmed material, and what its acts show about knowledge."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nightlight.model.ids import AccountId, EventKey, PostId


class Role(StrEnum):
    """An account's part, the gravest first."""

    CREATOR = "creator"  # uploaded material that no list knew
    DISTRIBUTOR = "distributor"  # uploaded or posted known material
    ADVERTISER = "advertiser"  # offered it
    AUTHOR = "author"  # wrote it: words alone, in which nothing was found to be offered
    ENGAGER = "engager"  # liked, reposted, bookmarked, answered an offer to buy, followed a seller
    BYSTANDER = "bystander"  # was there, or reported it


class Knowledge(StrEnum):
    """What an act says about whether the account knew what it did; a person weighs it."""

    EDITED_COPY = "edited_copy"  # the file was changed, as is done to get past matching
    DISGUISED = "disguised"  # the words were spelled so that plain matching misses them
    OFFERED = "offered"  # it asked for money or contact beside the listed words
    POSTED_AGAIN = "posted_again"  # it deleted the post and posted the same again
    SHOWED_ON = "showed_on"  # it showed the post to its own followers
    KEPT = "kept"  # it kept the post to come back to
    ASKED = "asked"  # its answer asks to buy, or itself carries listed words or an offer
    AGAIN_AND_AGAIN = "again_and_again"  # three such acts or more
    SEVERAL_SOURCES = "several_sources"  # with material of more than one account
    ANSWER_NOT_KNOWN = "answer_not_known"  # it replied; what it said is not known: proves nothing
    ONCE = "once"  # a single act, which may be a slip: speaks against knowledge
    REPORTED_IT = "reported_it"  # it told the platform: speaks against


#: What speaks against knowledge, or for nothing.
SPEAKS_AGAINST = frozenset({Knowledge.ANSWER_NOT_KNOWN, Knowledge.ONCE, Knowledge.REPORTED_IT})


class Material(Struct, frozen=True, kw_only=True):
    """A post or file that a person confirmed.

    Attributes:
        subject: the post's or file's id.
        post_id: the post itself, or the one that shows the file; "" where none is known.
        event_key: the event that brought it.
        is_offer: it offers material rather than being it.
        is_known: a hash bank knew it.
        is_text: it is words alone: no file belongs to it.
        knowledge: what its findings say about the author's knowledge.
    """

    subject: str
    post_id: PostId
    account_id: AccountId
    event_key: EventKey
    at: datetime
    is_offer: bool
    is_known: bool
    is_text: bool = False
    knowledge: tuple[Knowledge, ...] = ()


class Act(Struct, frozen=True, kw_only=True):
    """One event that shows a role.

    Attributes:
        what: "uploaded", "posted", "offered", "wrote", or an engagement.
        subject: the material concerned, or the account that was followed.
        owner: whose material it is.
    """

    role: Role
    what: str
    subject: str
    owner: AccountId
    event_key: EventKey
    at: datetime
    knowledge: tuple[Knowledge, ...] = ()


class AccountRole(Struct, frozen=True, kw_only=True):
    """An account's part, the events that show it, and what speaks for and against knowledge."""

    account_id: AccountId
    role: Role
    acts: tuple[Act, ...]
    knowledge_for: tuple[Knowledge, ...]
    knowledge_against: tuple[Knowledge, ...]
