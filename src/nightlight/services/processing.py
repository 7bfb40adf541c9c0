"""Judging that no single event can stop: what fails again and again is set aside."""

from collections.abc import Sequence

import structlog

from nightlight.errors import IntegrityFailure, Unavailable
from nightlight.model.event import Event
from nightlight.pipeline import Batch, Pipeline

_log = structlog.get_logger("nightlight.processing")

#: How often one event may fail before it is set aside.
_TRIES = 3


class Processor:
    """Runs the pipeline; an event that it cannot judge is held and becomes a case."""

    def __init__(self, *, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def run(self, events: Sequence[Event]) -> list[Batch]:
        """Accept and process events.

        Raises:
            Unavailable: the database does not answer; nothing of this batch is stored.
            IntegrityFailure: what is stored contradicts itself.
        """
        try:
            return self._pipeline.run(events)
        except (Unavailable, IntegrityFailure):
            raise
        except Exception as error:  # noqa: BLE001  a fault in judging must not lose the events
            _log.warning("batch.failed", error=type(error).__name__, events=len(events))
        self._pipeline.accept(events)
        return self.catch_up()

    def process(self, *, limit: int) -> list[Batch]:
        """Process the next events of the log; empty when there are none.

        Raises:
            Unavailable: the database does not answer.
            IntegrityFailure: what is stored contradicts itself.
        """
        try:
            batch = self._pipeline.process(limit=limit)
        except (Unavailable, IntegrityFailure):
            raise
        except Exception as error:  # noqa: BLE001
            _log.warning("batch.failed", error=type(error).__name__, events=limit)
            return self.catch_up()
        return [batch] if batch.events else []

    def catch_up(self) -> list[Batch]:
        """Process one by one until the log is processed."""
        done: list[Batch] = []
        while (batch := self._one()).events:
            done.append(batch)
        return done

    def _one(self) -> Batch:
        why = ""
        for _ in range(_TRIES):
            try:
                return self._pipeline.process(limit=1)
            except (Unavailable, IntegrityFailure):
                raise
            except Exception as error:  # noqa: BLE001
                why = type(error).__name__
        _log.error("event.set_aside", error=why)
        return self._pipeline.set_aside(why=why)
