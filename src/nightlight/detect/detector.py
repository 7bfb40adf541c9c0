"""What a detector is: declared facts, and a pure function from event and context to signals."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from nightlight.model.context import Context
from nightlight.model.event import Event
from nightlight.model.signal import Fact, Signal


class Detector(Protocol):
    """Code that emits signals.

    ``facts`` declares every fact its signals may carry, with the value that holds when it found
    nothing; a policy rule can use exactly these names, with the type of that value.
    """

    @property
    def name(self) -> str:
        """The detector's name, as in signals, policy and the scorecard."""
        ...

    @property
    def facts(self) -> Mapping[str, Fact]:
        """Fact names with their neutral values."""
        ...

    def detect(self, event: Event, context: Context) -> Sequence[Signal]:
        """Return what this event shows, given what was known before it; same in, same out."""
        ...
