"""Custody of sealed evidence: who read it, what holds it, and when it was destroyed."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nightlight.errors import InvalidInput


class ReadKind(StrEnum):
    """What a person did with sealed evidence."""

    OPENED = "opened"
    VIEWED = "viewed"
    EXIF_VIEWED = "exif_viewed"


class SeenWhere(StrEnum):
    """Where a person saw what they say to have viewed."""

    VAULT = "vault"
    PLATFORM = "platform"


class EvidenceRead(Struct, frozen=True, kw_only=True):
    """One line of a file's view log.

    Attributes:
        person: who read it; "nightlight" never stands here, for a program views nothing.
        purpose: what for, in the person's words.
        where: VAULT for what this person opened here before; PLATFORM for what they say to have
            seen on the platform.
    """

    id: str
    evidence_id: str
    person: str
    purpose: str
    what: ReadKind
    where: SeenWhere
    at: datetime


class Access(Struct, frozen=True, kw_only=True):
    """Who opens sealed evidence, and what for."""

    person: str
    purpose: str

    def check(self) -> None:
        """Return only if both are told.

        Raises:
            InvalidInput: a person or a purpose is missing.
        """
        if not self.person.strip():
            raise InvalidInput("opening evidence needs a person", field="person")
        if not self.purpose.strip():
            raise InvalidInput("opening evidence needs a purpose", field="purpose")


def is_same_person(one: str, other: str) -> bool:
    """Return whether two names are one person's, whatever their case and spaces."""
    return " ".join(one.casefold().split()) == " ".join(other.casefold().split())
