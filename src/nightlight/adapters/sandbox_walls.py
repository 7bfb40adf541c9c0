"""The walls around a decoder: what the operating system keeps it from, best effort by system.

Each wall that holds is named, so that an operator sees which do. They are put up in the child,
after everything it needs is loaded.
"""

import ctypes
import os
import platform
import resource
import signal
import sys
from contextlib import suppress
from enum import StrEnum
from math import ceil
from pathlib import Path

from nightlight.adapters.sandbox_landlock import read_only_below
from nightlight.adapters.sandbox_seccomp import allow_decoding_only

_OPEN_FILES = 64
_SET_PARENT_DEATH_SIGNAL, _SET_DUMPABLE, _SET_NO_NEW_PRIVILEGES = 1, 4, 38
_SPARE_CPU_S = 2
_MIB = 1 << 20


class Wall(StrEnum):
    """What keeps a decoder in; the words are for operators."""

    MEMORY = "memory limit"
    CPU = "processor time limit"
    NO_CORE = "no memory dumps"
    NO_WRITING = "no file growth"
    FEW_FILES = "few open files"
    NO_PROCESSES = "no other processes"
    PARENT = "ends with its parent"
    PRIVILEGES = "no new privileges"
    CALLS = "few system calls, no network"
    FILES = "no files but the programs' own"


def end_with_parent(parent: int) -> bool:
    """Return whether the kernel ends this process when its parent's starting thread ends.

    Ends this process at once where the parent, named by its id, is gone already.
    """
    held = _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)
    return held


def put_up_walls(*, memory_mib: int) -> frozenset[Wall]:
    """Return the walls that hold from now on.

    Args:
        memory_mib: how much more memory may be taken than is in use now.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    holds = {
        Wall.MEMORY: _limit_memory(memory_mib),
        Wall.CPU: True,
        Wall.NO_CORE: _limit(resource.RLIMIT_CORE, 0),
        Wall.NO_WRITING: _limit(resource.RLIMIT_FSIZE, 0),
        Wall.FEW_FILES: _limit(resource.RLIMIT_NOFILE, _OPEN_FILES),
        Wall.PRIVILEGES: _prctl(_SET_NO_NEW_PRIVILEGES, 1),
        Wall.FILES: read_only_below(_own_folders()),
        Wall.CALLS: False,
        Wall.NO_PROCESSES: False,
    }
    holds[Wall.NO_CORE] = _prctl(_SET_DUMPABLE, 0) or holds[Wall.NO_CORE]
    if platform.system() != "Linux":
        # Linux counts threads, and those of the same user elsewhere, as processes.
        holds[Wall.NO_PROCESSES] = _limit(resource.RLIMIT_NPROC, 0)
    if allow_decoding_only():
        holds[Wall.CALLS] = holds[Wall.NO_PROCESSES] = True
    return frozenset(wall for wall, holding in holds.items() if holding)


def allow_cpu(wall_s: float) -> None:
    """Let the kernel end this process when a file takes far more than its time on every core."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cores = os.cpu_count() or 1
    latest = ceil(used.ru_utime + used.ru_stime + wall_s * cores) + _SPARE_CPU_S
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (latest, resource.RLIM_INFINITY))


def _limit_memory(memory_mib: int) -> bool:
    """Limit what is written to: programs reserve far more address space than they ever use."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return False
    [line] = [one for one in status.splitlines() if one.startswith("VmData:")]
    return _limit(resource.RLIMIT_DATA, int(line.split()[1]) * 1024 + memory_mib * _MIB)


def _limit(kind: int, value: int) -> bool:
    try:
        resource.setrlimit(kind, (value, value))
    except (OSError, ValueError):
        return False
    return True


def _prctl(option: int, value: int) -> bool:
    if platform.system() != "Linux":
        return False
    return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)


def _own_folders() -> tuple[Path, ...]:
    """Return where programs and libraries lie; some are only loaded when they are needed."""
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    package = Path(__file__).parents[1]
    return (*map(Path, sorted(prefixes)), package, *map(Path, ("/usr/lib", "/lib", "/lib64")))
