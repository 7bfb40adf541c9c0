"""What ties accounts to one another: things that more than one of them shows.

A mark is such a thing as it was read; it is content and is kept nowhere. A token is its keyed
hash: equal for equal marks in one installation, and to anybody without the key it says nothing.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nightlight.model.ids import AccountId
from nightlight.model.masked import Masked


class LinkKind(StrEnum):
    """What kind of thing accounts have in common."""

    TEMPLATE = "template"
    HANDLE = "handle"
    NAME = "name"
    BIO = "bio"
    LINK_TARGET = "link_target"
    OFF_PLATFORM_HANDLE = "off_platform_handle"
    PAYMENT = "payment"
    CONTACT = "contact"
    DEVICE = "device"
    NETWORK = "network"
    MEDIA = "media"


class LinkMark(Masked, frozen=True, kw_only=True):
    """A thing that an account showed, normalised so that equal things are equal texts."""

    kind: LinkKind
    text: str


class LinkToken(Struct, frozen=True, kw_only=True):
    """The keyed hash of a mark; ``value`` is a signed 64-bit number that depends on the kind."""

    kind: LinkKind
    value: int


class Link(Struct, frozen=True, kw_only=True):
    """That an account showed what a token stands for.

    Attributes:
        first_at, last_at: the earliest and the latest event that showed it.
        count: how many events did.
    """

    token: LinkToken
    account_id: AccountId
    first_at: datetime
    last_at: datetime
    count: int = 1
