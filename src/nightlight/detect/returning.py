"""Finds accounts that seem to continue one that was suspended, or confirmed by a person.

It says how much the two share; whether that is enough to act on, policy decides.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from nightlight.detect.predecessors import Candidate, Predecessor, rank
from nightlight.model.context import AccountContext, Context
from nightlight.model.event import AccountCreated, AccountUpdated, Event
from nightlight.model.signal import Fact, Signal, Subject, SubjectKind

_FACTS: Mapping[str, Fact] = MappingProxyType(
    {"returning": False, "return_score": 0.0, "return_ties": 0}
)
#: Below this, what two accounts share is ordinary: a name, or a bio that many copied.
_LEAST = 0.6
_MOST_IN_EVIDENCE = 5


class Returning:
    """Detector of accounts that return after suspension."""

    name = "returning"
    facts = _FACTS

    def __init__(self, *, threshold: float = _LEAST) -> None:
        """Keep how much must be shared, 0.0 to 1.0."""
        self._threshold = threshold

    def detect(self, event: Event, context: Context) -> Sequence[Signal]:
        """Return one signal about the account if it likely continues one that was stopped."""
        if not context.linked:
            return ()
        account = _as_told(event, context)
        candidates = [Candidate(account=one.account, shared=one.shared) for one in context.linked]
        found = [one for one in rank(account, candidates) if one.score >= self._threshold]
        return (self._signal(event, account, found),) if found else ()

    def _signal(
        self, event: Event, account: AccountContext, found: Sequence[Predecessor]
    ) -> Signal:
        best = found[0]
        return Signal(
            detector=self.name,
            event_key=event.key,
            account_id=account.account_id,
            subject=Subject(kind=SubjectKind.ACCOUNT, id=account.account_id),
            confidence=best.score,
            facts={
                "returning": True,
                "return_score": round(best.score, 3),
                "return_ties": len(best.ties),
            },
            evidence={
                "predecessors": [one.account_id for one in found[:_MOST_IN_EVIDENCE]],
                "shared": [tie.kind.value for tie in best.ties],
                "holders": [str(tie.holders) for tie in best.ties],
                "handle_alike": round(best.handle_alike, 3),
            },
        )


def _as_told(event: Event, context: Context) -> AccountContext:
    """Return the account with what this event itself tells; the first one is not known before."""
    data = event.data
    before = context.account or AccountContext(account_id=event.account_id)
    born = before.created_at or (event.time if isinstance(data, AccountCreated) else None)
    handle = data.handle if isinstance(data, AccountCreated | AccountUpdated) else None
    return AccountContext(
        account_id=before.account_id,
        handle=handle or before.handle,
        created_at=born,
        first_seen=before.first_seen or event.time,
    )
