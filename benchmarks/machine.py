"""What the figures were measured on."""

import os
import platform
from pathlib import Path


def describe_machine() -> str:
    """Return processor, cores, load and Python, in one line."""
    load = os.getloadavg()[0]
    python = platform.python_version()
    return f"{_processor()}, {os.cpu_count()} cores, load {load:.1f} at the start, Python {python}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
