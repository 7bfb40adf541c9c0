"""A change asked for, as data; an effect never calls anybody by itself."""

from enum import StrEnum

from msgspec import Struct

from nightlight.model.ids import CaseId, DecisionId, EffectId
from nightlight.model.signal import Subject


class EffectKind(StrEnum):
    """What Nightlight may ask of the platform, or of itself (``preserve``, ``review``)."""

    LIMIT_REACH = "limit_reach"
    HIDE = "hide"
    REMOVE = "remove"
    RESTORE = "restore"
    HOLD = "hold"
    LOCK = "lock"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    PRESERVE = "preserve"
    REVIEW = "review"


#: Effects on the account of the subject rather than on the subject itself.
ACCOUNT_EFFECTS = frozenset(
    {EffectKind.LOCK, EffectKind.SUSPEND, EffectKind.REINSTATE},
)
#: Effects that close an account to its owner: each belongs to an account action, which has a report
#: decision; the database refuses them otherwise.
CLOSING_EFFECTS = frozenset({EffectKind.LOCK, EffectKind.SUSPEND})
#: Effects by which content is seen less or no more.
LIMITING_EFFECTS = frozenset(
    {EffectKind.HOLD, EffectKind.LIMIT_REACH, EffectKind.HIDE, EffectKind.REMOVE},
)
#: Effects that the platform never hears of: Nightlight carries them out in the same transaction.
INTERNAL_EFFECTS = frozenset({EffectKind.PRESERVE, EffectKind.REVIEW})
#: Effects that destroy or withdraw something and so need sealed evidence first.
DESTRUCTIVE_EFFECTS = frozenset({EffectKind.REMOVE, EffectKind.SUSPEND})


class DeliveryState(StrEnum):
    """Where an effect is on its way to the platform."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class Effect(Struct, frozen=True, kw_only=True):
    """One change asked of the platform; ``id`` is its idempotency key on every attempt."""

    id: EffectId
    decision_id: DecisionId
    kind: EffectKind
    subject: Subject
    case_id: CaseId | None = None
