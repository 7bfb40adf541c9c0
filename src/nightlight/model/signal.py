"""One detector's finding, with evidence and confidence."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from nightlight.model.ids import AccountId, EventKey

Fact: TypeAlias = bool | int | float | str


class SubjectKind(StrEnum):
    """What a signal, decision or effect is about."""

    ACCOUNT = "account"
    POST = "post"
    MEDIA = "media"


class Subject(Struct, frozen=True, kw_only=True):
    """The account, post or media that a finding is about."""

    kind: SubjectKind
    id: str


class Signal(Struct, frozen=True, kw_only=True):
    """One detector's finding about one subject in one event.

    Attributes:
        detector: the detector's name, as in the scorecard and in policy.
        confidence: 0.0 to 1.0, the detector's own estimate that the finding is right.
        facts: typed values for the policy's variables; a detector declares names and types.
        evidence: opaque ids, views and distances that explain the finding to a reviewer; never
            the term, the hash or the content itself.
    """

    detector: str
    event_key: EventKey
    account_id: AccountId
    subject: Subject
    confidence: float
    facts: Mapping[str, Fact]
    evidence: Mapping[str, str | int | float | list[str]] = {}
