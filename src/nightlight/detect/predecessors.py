"""Ranks which account another one may continue: by what they share, and how few share it. Pure.

A thing shown by two accounts alone ties them; one that sixty show hardly does. Of ``n`` other
holders any may be the one meant, so a thing weighs by one over the root of ``n``: a rule that needs
no count of all accounts and holds on a platform of any size. What is hard to share by chance weighs
more than what is copied or common; different kinds add up, things of one kind do not.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from difflib import SequenceMatcher
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct

from nightlight.detect.folding import skeleton
from nightlight.model.context import AccountContext, Shared
from nightlight.model.ids import AccountId
from nightlight.model.link import LinkKind

#: How far one thing of a kind, shown by nobody else, says that two accounts are one person's.
STRENGTH: Mapping[LinkKind, float] = MappingProxyType(
    {
        LinkKind.PAYMENT: 0.95,
        LinkKind.CONTACT: 0.95,
        LinkKind.OFF_PLATFORM_HANDLE: 0.9,
        LinkKind.LINK_TARGET: 0.85,
        LinkKind.DEVICE: 0.85,
        LinkKind.TEMPLATE: 0.7,
        LinkKind.HANDLE: 0.6,
        LinkKind.MEDIA: 0.5,
        LinkKind.NAME: 0.4,
        LinkKind.BIO: 0.35,
        LinkKind.NETWORK: 0.3,
    }
)
#: Several bands make a likeness; one may be chance.
_IN_BANDS = frozenset({LinkKind.TEMPLATE, LinkKind.BIO})
_CALLED = frozenset({LinkKind.HANDLE, LinkKind.NAME})
_HANDLE_ALIKE_FROM, _HANDLE_ALIKE_WEIGHT = 0.75, 0.35


class Standing(StrEnum):
    """What became of an account that another may continue."""

    CONFIRMED = "confirmed"
    SUSPENDED = "suspended"
    FLAGGED = "flagged"
    SILENT = "silent"
    ACTIVE = "active"


#: How much of what is shared counts: an account that goes on posting needs no successor.
_COUNTS: Mapping[Standing, float] = MappingProxyType(
    {
        Standing.CONFIRMED: 1.0,
        Standing.SUSPENDED: 1.0,
        Standing.FLAGGED: 0.9,
        Standing.SILENT: 0.75,
        Standing.ACTIVE: 0.4,
    }
)


class Candidate(Struct, frozen=True, kw_only=True):
    """An account that came before, and what it shares with the one asked about.

    Attributes:
        flagged: whether a finding about it waits for a person.
        last_at: when it was last heard of, None where that is not known.
    """

    account: AccountContext
    shared: tuple[Shared, ...]
    flagged: bool = False
    last_at: datetime | None = None


class Tie(Struct, frozen=True, kw_only=True):
    """What one kind of shared things comes to; ``holders`` is of the rarest of them."""

    kind: LinkKind
    things: int
    holders: int
    weight: float


class Predecessor(Struct, frozen=True, kw_only=True):
    """An account that another may continue, 0.0 to 1.0, and why, the weightiest first."""

    account_id: AccountId
    score: float
    standing: Standing
    handle_alike: float
    ties: tuple[Tie, ...]


def rank(account: AccountContext, candidates: Iterable[Candidate]) -> list[Predecessor]:
    """Return the accounts that this one may continue, the likeliest first."""
    born = account.created_at or account.first_seen
    found = [
        _weigh(account, one, born)
        for one in candidates
        if one.account.account_id != account.account_id and _came_before(one.account, born)
    ]
    return sorted(found, key=lambda one: (-one.score, -one.handle_alike, one.account_id))


def ties_of(shared: Iterable[Shared]) -> list[Tie]:
    """Return what shared things come to by kind, the weightiest first."""
    by_kind: dict[LinkKind, list[int]] = {}
    for one in shared:
        by_kind.setdefault(one.kind, []).append(one.holders)
    ties = [
        Tie(
            kind=kind,
            things=len(holders),
            holders=min(holders),
            weight=_weight(kind, len(holders), min(holders)),
        )
        for kind, holders in by_kind.items()
    ]
    return sorted(ties, key=lambda one: (-one.weight, one.kind))


def together(weights: Iterable[float]) -> float:
    """Return what independent reasons come to: more than each, never more than 1."""
    nothing = 1.0
    for weight in weights:
        nothing *= 1 - weight
    return 1 - nothing


def _weight(kind: LinkKind, things: int, holders: int) -> float:
    alone = 0.5 if kind in _IN_BANDS and things == 1 else 1.0
    return float(alone * STRENGTH[kind] / max(1, holders - 1) ** 0.5)


def _weigh(account: AccountContext, one: Candidate, born: datetime | None) -> Predecessor:
    ties = ties_of(one.shared)
    alike = handles_alike(account.handle, one.account.handle)
    # Handle and name say the same of two strangers called alike, so only the stronger counts.
    called = [tie.weight for tie in ties if tie.kind in _CALLED]
    if alike >= _HANDLE_ALIKE_FROM:
        called.append(_HANDLE_ALIKE_WEIGHT * alike)
    weights = [tie.weight for tie in ties if tie.kind not in _CALLED]
    weights.append(max(called, default=0.0))
    standing = _standing(one, born)
    return Predecessor(
        account_id=one.account.account_id,
        score=_COUNTS[standing] * together(weights),
        standing=standing,
        handle_alike=alike,
        ties=tuple(ties),
    )


def handles_alike(a: str, b: str) -> float:
    """Return 0.0 to 1.0, how alike two handles look."""
    a, b = (skeleton(one).strip("@_.-") for one in (a, b))
    return SequenceMatcher(None, a, b, autojunk=False).ratio() if a and b else 0.0


def _standing(one: Candidate, born: datetime | None) -> Standing:
    account = one.account
    if account.human_decision == "confirmed":
        return Standing.CONFIRMED
    if account.suspended:
        return Standing.SUSPENDED
    if one.flagged:
        return Standing.FLAGGED
    is_silent = born is not None and one.last_at is not None and one.last_at <= born
    return Standing.SILENT if is_silent else Standing.ACTIVE


def _came_before(account: AccountContext, born: datetime | None) -> bool:
    known = account.created_at or account.first_seen
    return known is None or born is None or known < born
