"""Fetches exchanges and sends opinions beside the judging, which never waits for a partner."""

from threading import Event as Stop
from threading import Thread

import structlog

from nightlight.errors import NightlightError
from nightlight.exchange.registry import VoteState
from nightlight.services.exchanges import Exchanges

_log = structlog.get_logger("nightlight.worker")


class ExchangeLoop(Thread):
    """A thread that does what is due, round after round, until told to stop.

    Attributes:
        failed: whether it ended by an error that nobody foresaw.
    """

    def __init__(self, *, exchanges: Exchanges, stop: Stop, pause_s: float = 5.0) -> None:
        super().__init__(name="exchanges", daemon=True)
        self._exchanges = exchanges
        self._stop_asked = stop
        self._pause_s = pause_s
        self.failed = True

    def run(self) -> None:
        """Work until told to stop."""
        while not self._stop_asked.is_set():
            try:
                self.round()
            except NightlightError as error:
                _log.error("exchanges.failed", code=error.code, error=str(error))
            self._stop_asked.wait(self._pause_s)
        self.failed = False

    def round(self) -> None:
        """Do what is due now."""
        for done in self._exchanges.fetch_due(stop=self._stop_asked.is_set):
            _log.info(
                "exchange.fetched",
                exchange=done.name,
                pages=done.pages,
                added=done.added,
                changed=done.changed,
                withdrawn=done.withdrawn,
                held=done.held,
                quarantined=done.rejected,
                failure=done.failure or done.missing,
            )
        for vote in self._exchanges.send_votes():
            level = _log.warning if vote.state is VoteState.REFUSED else _log.info
            level(
                "exchange.opinion",
                exchange=vote.exchange,
                entry=vote.entry_id,
                state=vote.state.value,
                failure=vote.failure,
            )
