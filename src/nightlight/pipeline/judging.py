"""What an event shows and what the policy decides of it; pure."""

from collections.abc import Sequence

from msgspec import Struct

from nightlight.decide.evaluate import Judge
from nightlight.detect.detector import Detector
from nightlight.model.context import Context
from nightlight.model.decision import Decision
from nightlight.model.event import Event
from nightlight.model.signal import Signal


class Judgement(Struct, frozen=True, kw_only=True):
    """What one event showed and what follows from it."""

    event: Event
    context: Context
    signals: tuple[Signal, ...]
    decision: Decision | None


class Rules(Struct, frozen=True, kw_only=True):
    """What events are judged by: the detectors with their lists, and the compiled policy."""

    detectors: tuple[Detector, ...]
    judge: Judge


def judge(
    event: Event, context: Context, detectors: Sequence[Detector], policy: Judge
) -> Judgement:
    """Return what the event shows and what the policy decides; pure."""
    signals: tuple[Signal, ...] = ()
    for detector in detectors:
        found = detector.detect(event, context)
        if found:
            signals += tuple(found)
    decision = policy.decide(event, context, signals) if signals else None
    return Judgement(event=event, context=context, signals=signals, decision=decision)


def listed(signal: Signal, name: str) -> list[str]:
    """Return the names that a signal lists as its evidence, none where it lists none."""
    value = signal.evidence.get(name)
    return value if isinstance(value, list) else []
