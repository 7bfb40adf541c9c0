"""A statement of reasons for the EU's transparency database: what was restricted, and why.

It is published: it names nobody, quotes nothing and leads nowhere (no ids of the platform, no
addresses), whatever the effect that it is about.
"""

from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct

from nightlight.model.effect import EffectKind
from nightlight.model.ids import EffectId


class ContentKind(StrEnum):
    """What the restricted thing is."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    ACCOUNT = "account"
    OTHER = "other"


class Statement(Struct, frozen=True, kw_only=True):
    """One statement; ``id`` is derived from the effect, so that it is published once.

    Attributes:
        restriction: the effect that restricts; one that restores needs no statement.
        facts: what was found and who decided, in words made for the public.
        illegal: whether a person found what is reported; else it breaks the platform's rules.
        suspected: whether it is thought to be illegal where only the rules are named as ground.
        child_abuse_material: whether the finding is about such material, or offers of it.
        enticement: whether it is about enticing a child.
        content_date: when the content or account came to be.
        applied_on: when the platform carried the restriction out.
        notified: whether somebody reported it, rather than Nightlight finding it.
        found_by_machine: whether a detector found it.
        decided_by_machine: whether no person decided.
        puid: what the public database calls it: keyed, so that nobody can tell from public ids what
            it is about; "" until it is stored, and in one from before.
    """

    id: str
    effect_id: EffectId
    restriction: EffectKind
    facts: str
    illegal: bool
    suspected: bool
    child_abuse_material: bool
    content: tuple[ContentKind, ...]
    content_date: date
    applied_on: date
    notified: bool
    found_by_machine: bool
    decided_by_machine: bool
    enticement: bool = False
    puid: str = ""

    @property
    def published_as(self) -> str:
        """Its ``puid``; in one from before its id, under which the database may know it already."""
        return self.puid or self.id


class StatementState(StrEnum):
    """Where a statement is on its way to the database."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"


class StatementDelivery(Struct, frozen=True, kw_only=True):
    """A statement and what became of it.

    Attributes:
        receipt: the id that the database gave it; "" where it only said that it has it.
        failure: why the newest attempt failed.
    """

    statement: Statement
    state: StatementState
    attempts: int
    made_at: datetime
    next_attempt_at: datetime
    sent_at: datetime | None = None
    receipt: str = ""
    failure: str = ""
