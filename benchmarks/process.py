"""Runs ``nightlight`` as a user does, in a process of its own, and tells what it took."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

from msgspec import Struct

_LOOK_EVERY_S = 0.05
_OWN_MEMORY = re.compile(r"^RssAnon:\s+(\d+) kB", re.MULTILINE)


class Took(Struct, frozen=True, kw_only=True):
    """What a process took.

    Attributes:
        peak_bytes: the most memory that it held at once, pages of mapped files included; the
            system takes those back when others need the room.
        own_peak_bytes: the most memory of its own, as seen a few times a second; 0 where the
            system does not tell.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    own_peak_bytes: int
    stderr: str


def nightlight(arguments: Sequence[str], *, home: Path) -> Took:
    """Return what ``nightlight`` took, with its state in ``home``.

    Raises:
        RuntimeError: it failed; with what it said.
    """
    started = time.perf_counter()
    with TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "nightlight", *arguments],
            env=_environment(home),
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        own_peak = 0
        # Not subprocess's own wait: only this one tells what this child alone took.
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            own_peak = max(own_peak, _own_memory(process.pid))
            time.sleep(_LOOK_EVERY_S)
        _, status, usage = ended
        wall_s = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        stderr = said.read().decode()
    if process.returncode != 0:
        raise RuntimeError(f"nightlight {arguments[0]} failed: {stderr[-2000:]}")
    return Took(
        wall_s=wall_s,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_bytes=usage.ru_maxrss * 1024,  # Linux tells kibibytes
        own_peak_bytes=own_peak,
        stderr=stderr,
    )


def output_of(arguments: Sequence[str], *, home: Path) -> str:
    """Return what ``nightlight`` printed."""
    return subprocess.run(
        [sys.executable, "-m", "nightlight", *arguments],
        env=_environment(home),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def _own_memory(pid: int) -> int:
    try:
        found = _OWN_MEMORY.search(Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def _environment(home: Path) -> dict[str, str]:
    """Return this environment without other settings, and with cached bytecode as users have."""
    left = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("NIGHTLIGHT_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return {**left, "NIGHTLIGHT_HOME": str(home)}
