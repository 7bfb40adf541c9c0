"""Waits for what another process or thread brings about, however slow the machine is."""

import time
from collections.abc import Callable

_LIMIT_S = 60.0
_PAUSE_S = 0.02


def until(is_so: Callable[[], bool], what: str) -> None:
    """Return once something is so.

    Raises:
        AssertionError: it is not so for a minute; says what was waited for.
    """
    deadline = time.monotonic() + _LIMIT_S
    while not is_so():
        assert time.monotonic() < deadline, f"never came to pass: {what}"
        time.sleep(_PAUSE_S)
