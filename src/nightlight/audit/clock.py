"""Where the time comes from."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; the only way for the core to learn it."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware, UTC."""
        ...
