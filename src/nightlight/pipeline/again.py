"""What is different when an event of the log is judged once more, by what came onto the lists."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from nightlight.detect.hunting import HUNT
from nightlight.enforce.plan import human_decisions
from nightlight.model.decision import Decision
from nightlight.model.effect import LIMITING_EFFECTS, EffectKind
from nightlight.model.event import Event
from nightlight.model.ids import DecisionId, EventKey, derive_id
from nightlight.pipeline.judging import Judgement
from nightlight.transaction import Transaction


def as_hunted(judgement: Judgement, hunt_id: str) -> Judgement:
    """Return what a hunt found; the decision is the hunt's own and limits nothing that is gone."""
    signals = tuple(
        replace(signal, evidence={**signal.evidence, HUNT: hunt_id}) for signal in judgement.signals
    )
    decision, post = judgement.decision, judgement.context.post
    if decision is not None:
        asks = decision.asks
        if post is not None and post.deleted_at is not None:
            asks = tuple(ask for ask in asks if EffectKind(ask) not in LIMITING_EFFECTS)
        decision = replace(
            decision, id=DecisionId(derive_id("dec", decision.id, hunt_id)), asks=asks
        )
    return replace(judgement, signals=signals, decision=decision)


def decided_before(tx: Transaction, events: Sequence[Event]) -> Mapping[EventKey, list[Decision]]:
    """Return what was decided of these events, by event."""
    ids: set[str] = {one for event in events for one in (event.post_id, event.media_id) if one}
    ids.update(event.account_id for event in events if not (event.post_id or event.media_id))
    ids.update(m for one in events for m in getattr(one.data, "media_ids", ()))
    found: dict[EventKey, list[Decision]] = {event.key: [] for event in events}
    for one in tx.decisions.about(ids) if ids else ():
        if one.event_key in found:
            found[EventKey(one.event_key)].append(one)
    return found


def is_graver(judgement: Judgement, before: Mapping[EventKey, list[Decision]]) -> bool:
    """Return whether a decision asks for more than those made of this event, and no person did."""
    decision = judgement.decision
    if decision is None or human_decisions(decision, judgement.context)[0]:
        return False
    same = [one for one in before[judgement.event.key] if one.subject == decision.subject]
    asked = {ask for one in same for ask in one.asks}
    severest = max((one.severity for one in same), default=-1)
    return decision.severity > severest or not asked.issuperset(decision.asks)
