"""Who uses which words and hashtags, as it is counted to find words that no list has yet.

A word is content and is kept nowhere; a token is its keyed hash, as that of a link.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nightlight.model.ids import AccountId, EventKey
from nightlight.model.lexicon import TermForm
from nightlight.model.masked import Masked


class Users(StrEnum):
    """Who used a word."""

    SELLERS = "sellers"
    """In an offer, or by an account that was suspended or confirmed."""
    WRITERS = "writers"
    """In a post that names a listed term and is no offer: news, research, help, those harmed."""
    OTHERS = "others"


class Word(Masked, frozen=True, kw_only=True):
    """A hashtag, without its sign, or a word; folded to the letters that it is read as."""

    form: TermForm
    text: str


class WordUse(Struct, frozen=True, kw_only=True):
    """That an account used words in a post; ``event_key`` is where they can be read again."""

    users: Users
    account_id: AccountId
    at: datetime
    event_key: EventKey
    words: tuple[Word, ...]


class Counted(Struct, frozen=True, kw_only=True):
    """How many accounts of each kind used what a token stands for.

    Attributes:
        token: a keyed hash; signed 64 bits.
        event_keys: a few posts by sellers in which it stands.
    """

    token: int
    form: TermForm
    by: Mapping[Users, int]
    event_keys: tuple[EventKey, ...]


class Answer(StrEnum):
    """What a person made of a suggested word."""

    PROPOSED = "proposed"
    """As a term, to a second person; the lexicon's change says what became of that."""
    DECLINED = "declined"


class Answered(Struct, frozen=True, kw_only=True):
    """A suggested word that a person looked at; it is not suggested again."""

    token: int
    answer: Answer
    by: str
    at: datetime
    reason: str
