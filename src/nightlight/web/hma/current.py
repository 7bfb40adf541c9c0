"""The index as it is now: fresh for whoever asks, and changed for whoever has just changed it."""

from datetime import datetime

from nightlight.audit.clock import Clock
from nightlight.detect.bank_index import BankIndex
from nightlight.pipeline import Rules
from nightlight.services.matching import Matcher
from nightlight.web.fresh import Fresh


class Current:
    """Gives the index, brought up to what is stored."""

    def __init__(self, rules: Fresh[Rules], matcher: Matcher, clock: Clock) -> None:
        self._rules = rules
        self._matcher = matcher
        self._clock = clock
        self._seen: tuple[int, datetime] = (-1, clock.now())

    async def index(self) -> BankIndex:
        """Return the index as of less than a second ago.

        Raises:
            Unavailable: what is stored cannot be read.
        """
        await self._rules.get()
        return self._matcher.index

    async def changed(self) -> BankIndex:
        """Return the index as of now, because the lists were just changed."""
        await self._rules.renewed()
        return self._matcher.index

    async def built_to(self) -> int:
        """Return when the index last took in a change, as seconds since 1970."""
        version = (await self.index()).version
        if version != self._seen[0]:
            self._seen = (version, self._clock.now())
        return int(self._seen[1].timestamp())

    @property
    def is_loaded(self) -> bool:
        """Whether the index was ever read."""
        return self._rules.is_read

    @property
    def is_stale(self) -> bool:
        """Whether it can no longer be brought up to what is stored."""
        return self._rules.is_failing
