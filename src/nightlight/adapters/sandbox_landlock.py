"""The files that a decoder may read: the programs' own; nothing may be written (Landlock).

Keys, databases and other people's files stay out of reach of a decoder that was taken over, even
where its user could read them.
"""

import ctypes
import os
import platform
from collections.abc import Callable, Iterable
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_ASK_VERSION = 1
_BENEATH = 1

_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
#: How many kinds of access to files each version of Landlock knows, the newest last.
_KINDS_OF_ACCESS = (13, 14, 15, 15, 16)
_NETWORK_SINCE, _NETWORK = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def read_only_below(folders: Iterable[Path]) -> bool:
    """Return whether this thread, and those it starts, may now only read, and only below these.

    Must follow ``PR_SET_NO_NEW_PRIVS``. False where the kernel cannot do that.
    """
    if platform.system() != "Linux":
        return False
    call = ctypes.CDLL(None, use_errno=True).syscall
    version = call(_CREATE, None, ctypes.c_size_t(0), _ASK_VERSION)
    if version < 1:
        return False
    kinds = _KINDS_OF_ACCESS[min(version, len(_KINDS_OF_ACCESS)) - 1]
    attributes = _Ruleset(
        files=(1 << kinds) - 1,
        network=_NETWORK if version >= _NETWORK_SINCE else 0,
        scopes=_SCOPES if version >= _SCOPES_SINCE else 0,
    )
    length = ctypes.c_size_t(ctypes.sizeof(attributes))
    ruleset = call(_CREATE, ctypes.byref(attributes), length, 0)
    if ruleset < 0:
        return False
    try:
        for folder in {one.resolve() for one in folders if one.is_dir()}:
            _allow(call, ruleset, folder)
        return bool(call(_RESTRICT, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(call: Callable[..., int], ruleset: int, folder: Path) -> None:
    descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _Beneath(allowed=_READ_FILE | _READ_FOLDER, folder=descriptor)
        # One that is refused only makes less readable.
        call(_ADD, ruleset, _BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)
