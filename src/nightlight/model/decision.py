"""What was decided about an event, by policy or by a reviewer, with its statement of reasons."""

from datetime import datetime

from msgspec import Struct

from nightlight.model.ids import AccountId, DecisionId, EventKey
from nightlight.model.signal import Subject


class Reason(Struct, frozen=True, kw_only=True):
    """Why: the policy rule that held (or could not be evaluated) and its words."""

    rule: str
    text: str


class Decision(Struct, frozen=True, kw_only=True):
    """One decision about one subject.

    Attributes:
        decided_by: "policy", or the reviewer's name; a reviewer's decision outranks policy.
        asks: names of the effect kinds asked for, in the order in which they must happen.
        severity: 0 (least) to 100 (most urgent); orders the review queue.
        category: the policy's taxonomy entry, such as "known_media" or "advert".
    """

    id: DecisionId
    event_key: EventKey
    account_id: AccountId
    subject: Subject
    decided_by: str
    policy_version: str
    category: str
    severity: int
    asks: tuple[str, ...]
    reasons: tuple[Reason, ...]
    time: datetime
