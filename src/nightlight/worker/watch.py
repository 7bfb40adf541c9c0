"""The worker verifies the record by itself, beside its other work, and is never silent about it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Thread

from nightlight.audit.clock import Clock
from nightlight.audit.verification import Verification
from nightlight.errors import NightlightError, Unavailable
from nightlight.services.record import Record


def _beside(work: Callable[[], None]) -> None:
    """Do something in a thread that does not hold the end of the process up."""
    Thread(target=work, name="verify", daemon=True).start()


class RecordWatch:
    """Verifies what is new of the record when that is due, and all of it less often.

    A record that was found broken is verified whole until it is found intact.
    """

    def __init__(
        self,
        record: Record,
        clock: Clock,
        *,
        every: timedelta,
        whole_every: timedelta,
        start: Callable[[Callable[[], None]], None] = _beside,
    ) -> None:
        """Keep the parts; ``start`` does work beside what goes on."""
        self._record = record
        self._clock = clock
        self._every = every
        self._whole_every = whole_every
        self._start = start
        self._next: datetime | None = None
        self._is_running = False
        self._found: list[Verification | NightlightError] = []

    def look(self) -> Verification | None:
        """Begin to verify if that is due; return what was found, once; None while there is nothing.

        Raises:
            NightlightError: the record could not be read.
        """
        now = self._clock.now()
        if not self._is_running and (self._next is None or now >= self._next):
            self._next, self._is_running = now + self._every, True
            verified = self._record.verified()
            whole = (
                verified is None
                or bool(verified.broken)
                or now - verified.whole_at >= self._whole_every
            )
            self._start(lambda: self._verify(since_last=not whole))
        if not self._found:
            return None
        self._is_running = False
        found = self._found.pop()
        if isinstance(found, NightlightError):
            raise found
        return found

    def _verify(self, *, since_last: bool) -> None:
        try:
            self._found.append(self._record.verify(since_last=since_last))
        except NightlightError as error:
            self._found.append(error)
        except Exception as error:  # noqa: BLE001  a thread that ends in silence would alarm nobody
            self._found.append(Unavailable(f"verifying failed: {type(error).__name__}"))
