"""The decision about an event that could not be judged: held, and a person looks. Pure."""

from nightlight.model.decision import Decision, Reason
from nightlight.model.effect import EffectKind
from nightlight.model.event import Event
from nightlight.model.ids import DecisionId, derive_id
from nightlight.model.signal import Subject, SubjectKind

#: Category of cases that exist because judging failed, not because of what was found.
UNKNOWN_CATEGORY = "unknown"
UNKNOWN_SEVERITY = 50


def unjudged(event: Event, *, policy_version: str, why: str) -> Decision:
    """Return the decision to hold what an event is about because judging it failed."""
    return Decision(
        id=DecisionId(derive_id("dec", event.key, policy_version)),
        event_key=event.key,
        account_id=event.account_id,
        subject=_about(event),
        decided_by="policy",
        policy_version=policy_version,
        category=UNKNOWN_CATEGORY,
        severity=UNKNOWN_SEVERITY,
        asks=(EffectKind.PRESERVE, EffectKind.HOLD, EffectKind.REVIEW),
        reasons=(Reason(rule="unjudged", text=f"The event could not be judged: {why}."),),
        time=event.time,
    )


def _about(event: Event) -> Subject:
    if event.media_id:
        return Subject(kind=SubjectKind.MEDIA, id=event.media_id)
    if event.post_id:
        return Subject(kind=SubjectKind.POST, id=event.post_id)
    return Subject(kind=SubjectKind.ACCOUNT, id=event.account_id)
