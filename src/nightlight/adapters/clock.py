"""The machine's clock; the only place that reads it."""

from datetime import UTC, datetime


class SystemClock:
    """Tells the machine's time."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware, UTC."""
        return datetime.now(UTC)
