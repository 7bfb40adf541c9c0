"""The schema that documents must follow today: fetched, kept, and fetched anew when it ages."""

from collections.abc import Callable
from datetime import datetime, timedelta

from nightlight.audit.clock import Clock
from nightlight.errors import InvalidInput, Unavailable
from nightlight.report.ports import CyberTiplineRefusal, SchemaCache
from nightlight.report.schema import Schema, compiled

#: Fetched anew after the first; while it cannot be fetched, good until the second.
FRESH_FOR, GOOD_FOR = timedelta(hours=1), timedelta(hours=24)


class MemorySchemaCache:
    """Keeps the schema for as long as the process lives."""

    def __init__(self) -> None:
        self._kept: tuple[bytes, datetime] | None = None

    def load(self) -> tuple[bytes, datetime] | None:
        """Return the schema and when it was fetched, None where none was."""
        return self._kept

    def save(self, schema: bytes, *, at: datetime) -> None:
        """Keep a schema that was fetched just now."""
        self._kept = (schema, at)


class LiveSchema:
    """Gives the CyberTipline's schema of today."""

    def __init__(
        self, *, fetch: Callable[[], bytes], clock: Clock, cache: SchemaCache | None = None
    ) -> None:
        """Keep the parts; ``fetch`` may raise as every call to the CyberTipline may."""
        self._fetch = fetch
        self._clock = clock
        self._cache = cache or MemorySchemaCache()

    def current(self) -> Schema:
        """Return the schema, at most an hour old; up to a day where it cannot be fetched.

        Raises:
            Unavailable: there is none that is young enough.
            CyberTiplineRefusal: the CyberTipline refused to give it, and none is kept.
        """
        kept = self._cache.load()
        age = self._clock.now() - kept[1] if kept else None
        if kept and age is not None and age < FRESH_FOR:
            return compiled(kept[0])
        try:
            return self.fetched()
        except (Unavailable, CyberTiplineRefusal):
            if kept and age is not None and age < GOOD_FOR:
                return compiled(kept[0])
            raise

    def fetched(self) -> Schema:
        """Return the schema as it is now, and keep it.

        Raises:
            Unavailable: it cannot be had, or is none.
            CyberTiplineRefusal: the CyberTipline refused to give it.
        """
        body = self._fetch()
        try:
            schema = compiled(body)
        except InvalidInput as fault:
            raise Unavailable(f"the CyberTipline's schema is unusable: {fault}") from fault
        self._cache.save(body, at=self._clock.now())
        return schema
