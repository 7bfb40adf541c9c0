"""Review work: a case, its states, and which step leads from one to the next."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nightlight.errors import Conflict
from nightlight.model.ids import AccountId, CaseId, DecisionId
from nightlight.model.masked import Masked


class CaseState(StrEnum):
    """Where a case is."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    REPORTED = "reported"
    APPEALED = "appealed"
    UPHELD = "upheld"
    OVERTURNED = "overturned"


class CaseStep(StrEnum):
    """What may happen to a case."""

    CONFIRM = "confirm"
    DISMISS = "dismiss"
    REPORT = "report"
    APPEAL = "appeal"
    UPHOLD = "uphold"
    OVERTURN = "overturn"


#: States of a case whose findings a person holds to be true and nobody contests.
STANDING = frozenset({CaseState.CONFIRMED, CaseState.REPORTED, CaseState.UPHELD})

#: The whole state machine: (state, step) -> state. Anything absent is refused.
TRANSITIONS: dict[tuple[CaseState, CaseStep], CaseState] = {
    (CaseState.OPEN, CaseStep.CONFIRM): CaseState.CONFIRMED,
    (CaseState.OPEN, CaseStep.DISMISS): CaseState.DISMISSED,
    (CaseState.CONFIRMED, CaseStep.REPORT): CaseState.REPORTED,
    (CaseState.CONFIRMED, CaseStep.APPEAL): CaseState.APPEALED,
    (CaseState.REPORTED, CaseStep.APPEAL): CaseState.APPEALED,
    (CaseState.APPEALED, CaseStep.UPHOLD): CaseState.UPHELD,
    (CaseState.APPEALED, CaseStep.OVERTURN): CaseState.OVERTURNED,
}


def next_state(state: CaseState, step: CaseStep) -> CaseState:
    """Return the state after ``step``.

    Raises:
        Conflict: the step is not allowed in this state; names the steps that are.
    """
    found = TRANSITIONS.get((state, step))
    if found is None:
        allowed = [s.value for (at, s) in TRANSITIONS if at is state]
        hint = f"allowed now: {', '.join(allowed)}" if allowed else "this state is final"
        raise Conflict(f"a case that is {state.value} cannot {step.value}", hint=hint)
    return found


class Case(Struct, frozen=True, kw_only=True):
    """One account's findings, waiting for a person or decided by one.

    Attributes:
        severity: the highest severity among its decisions; orders the queue.
        decisions: the decisions that a reviewer is asked about, oldest first.
        decided_by: the reviewer, "" while open.
        viewed: ids of the evidence that a person viewed in its entirety, as the view log says;
            storing a case does not store them.
        exif_viewed: ids of those whose metadata a person viewed too.
    """

    id: CaseId
    account_id: AccountId
    state: CaseState
    category: str
    severity: int
    opened_at: datetime
    decisions: tuple[DecisionId, ...]
    decided_by: str = ""
    decided_at: datetime | None = None
    decision_reason: str = ""
    viewed: tuple[str, ...] = ()
    exif_viewed: tuple[str, ...] = ()


class EvidenceKind(StrEnum):
    """What was sealed."""

    POST = "post"
    MEDIA = "media"
    PROFILE = "profile"
    SURROUNDINGS = "surroundings"


class Evidence(Masked, frozen=True, kw_only=True):
    """One sealed thing: where it lies in the vault and what it is, never its bytes.

    Attributes:
        decision_id: the finding that it was sealed for.
        digest: SHA-256 of the sealed plaintext, the content address in the vault.
        content_id: the post or media id it was captured from.
        destroyed_at: None while it is kept; what was destroyed has no digest any more.
    """

    id: str
    case_id: CaseId
    decision_id: DecisionId
    kind: EvidenceKind
    content_id: str
    digest: str
    byte_count: int
    content_type: str
    sealed_at: datetime
    captured_at: datetime
    destroyed_at: datetime | None = None

    def __repr__(self) -> str:
        return f"<Evidence {self.id}: masked>"
