"""The system calls that a decoder may make; everything else is refused by the kernel.

A list of what is allowed, not of what is feared: a call that a later kernel brings is refused too.
What is left is reading, memory, threads and clocks. Refused calls fail with EPERM, so that a
library which can do without goes on.
"""

import ctypes
import os
import platform
import struct
from collections.abc import Sequence

from msgspec import Struct

#: Calls by name: number on x86-64, number on arm64 (None where the machine has no such call).
_READING = {
    "access": (21, None),
    "close": (3, 57),
    "dup": (32, 23),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "fadvise64": (221, 223),
    "fstat": (5, 80),
    "getcwd": (79, 17),
    "getdents64": (217, 61),
    "lseek": (8, 62),
    "lstat": (6, None),
    "newfstatat": (262, 79),
    "poll": (7, None),
    "ppoll": (271, 73),
    "pread64": (17, 67),
    "preadv": (295, 69),
    "pselect6": (270, 72),
    "read": (0, 63),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "readv": (19, 65),
    "recvfrom": (45, 207),
    "recvmsg": (47, 212),
    "select": (23, None),
    "stat": (4, None),
    "statx": (332, 291),
}
#: Only to what is open already: no file can be opened for writing, no socket be made.
_ANSWERING = {
    "sendmsg": (46, 211),
    "sendto": (44, 206),
    "write": (1, 64),
    "writev": (20, 66),
}
_MEMORY = {
    "brk": (12, 214),
    "madvise": (28, 233),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munmap": (11, 215),
}
_OWN_PROCESS = {
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "futex": (202, 98),
    "get_robust_list": (274, 100),
    "getcpu": (309, 168),
    "getegid": (108, 177),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "getrandom": (318, 278),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "getuid": (102, 174),
    "nanosleep": (35, 101),
    "restart_syscall": (219, 128),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126),
    "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120),
    "sched_yield": (24, 124),
    "set_robust_list": (273, 99),
    "set_tid_address": (218, 96),
    "sigaltstack": (131, 132),
    "sysinfo": (99, 179),
    "time": (201, None),
    "times": (100, 153),
    "uname": (63, 160),
}
_ALWAYS = _READING | _ANSWERING | _MEMORY | _OWN_PROCESS
_CLONE, _CLONE3 = (56, 220), (435, 435)
_FCNTL, _IOCTL, _PRCTL, _PRLIMIT = (72, 25), (16, 29), (157, 167), (302, 261)
_KILL, _TGKILL = (62, 129), (234, 131)
_OPEN, _OPENAT = (2, None), (257, 56)
_SECCOMP = (317, 277)

_AUDIT_ARCH = (0xC000003E, 0xC00000B7)
_MACHINES = {"x86_64": 0, "aarch64": 1, "arm64": 1}
#: x86-64 kernels also answer calls of the x32 interface, numbered from here.
_X32_FROM = 0x40000000

_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000
_EPERM, _ENOSYS = 1, 38

_LOAD, _JUMP_EQUAL, _JUMP_ABOVE, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
#: Where the kernel shows a call's number, machine, and the low and high half of its arguments.
_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT, _HALF = 0, 4, 16, 4

_WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
if hasattr(os, "O_TMPFILE"):  # Not everywhere. Contains the flag with which folders are read.
    _WRITING_FLAGS |= os.O_TMPFILE & ~os.O_DIRECTORY
_CLONE_THREAD = 0x00010000
#: Copy a descriptor; its flags. Not who is sent signals about it.
_FCNTL_COMMANDS = (0, 1, 2, 3, 4, 1030)
#: What Python asks of each file it opens: is it a terminal; close on exec; does it block.
_IOCTL_REQUESTS = (0x5401, 0x5421, 0x5450, 0x5451, 0x541B)
#: Naming a thread, naming memory.
_PRCTL_OPTIONS = (15, 0x53564D41)
_RLIMIT_CPU = 0

_SET_FILTER, _EVERY_THREAD = 1, 1

_Instruction = tuple[int, int, int, int]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


class _Rule(Struct, frozen=True):
    """Calls that are allowed only with certain arguments.

    Attributes:
        test: ends in a return when it allows; what falls through is refused.
    """

    call: tuple[int, int | None]
    test: tuple[_Instruction, ...]


def allow_decoding_only() -> bool:
    """Return whether every thread of this process may, from now on, only make the calls above.

    Must follow ``PR_SET_NO_NEW_PRIVS``. False where the machine or the kernel has no such filter.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None or platform.system() != "Linux":
        return False
    code = b"".join(struct.pack("=HBBI", *one) for one in _program(machine, os.getpid()))
    held = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.addressof(held))
    call = ctypes.CDLL(None, use_errno=True).syscall
    number = _SECCOMP[machine]
    return bool(call(number, _SET_FILTER, _EVERY_THREAD, ctypes.byref(program)) == 0)


def _program(machine: int, own_id: int) -> list[_Instruction]:
    """Return the filter; it is read from the top, and a jump counts instructions to leave out."""
    code: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCH_AT),
        (_JUMP_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        _answer(_KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_JUMP_ABOVE, 0, 1, _X32_FROM),
        _answer(_ERRNO | _EPERM),
    ]
    for call in _ALWAYS.values():
        number = call[machine]
        if number is not None:
            code += [(_JUMP_EQUAL, 0, 1, number), _answer(_ALLOW)]
    for rule in _rules(own_id):
        number = rule.call[machine]
        if number is not None:
            refused = _answer(_ERRNO | _EPERM)
            code += [(_JUMP_EQUAL, 0, len(rule.test) + 1, number), *rule.test, refused]
    # The C library asks for clone3 first and knows how to do without it.
    code += [(_JUMP_EQUAL, 0, 1, _CLONE3[machine]), _answer(_ERRNO | _ENOSYS)]
    return [*code, _answer(_ERRNO | _EPERM)]


def _rules(own_id: int) -> tuple[_Rule, ...]:
    return (
        _Rule(_OPEN, _without(1, _WRITING_FLAGS)),
        _Rule(_OPENAT, _without(2, _WRITING_FLAGS)),
        # A thread, not a process.
        _Rule(_CLONE, (_low(0), (_JUMP_SET, 0, 1, _CLONE_THREAD), _answer(_ALLOW))),
        # abort() signals its own process.
        _Rule(_KILL, _one_of(0, (own_id,))),
        _Rule(_TGKILL, _one_of(0, (own_id,))),
        _Rule(_FCNTL, _one_of(1, _FCNTL_COMMANDS)),
        _Rule(_IOCTL, _one_of(1, _IOCTL_REQUESTS)),
        _Rule(_PRCTL, _one_of(0, _PRCTL_OPTIONS)),
        # Its own limits: to read any, to set the one that is renewed for each file.
        _Rule(
            _PRLIMIT,
            (
                _low(0),
                (_JUMP_EQUAL, 0, 7, 0),
                _low(1),
                (_JUMP_EQUAL, 4, 0, _RLIMIT_CPU),
                _low(2),
                (_JUMP_EQUAL, 0, 3, 0),
                _high(2),
                (_JUMP_EQUAL, 0, 1, 0),
                _answer(_ALLOW),
            ),
        ),
    )


def _without(argument: int, flags: int) -> tuple[_Instruction, ...]:
    return (_low(argument), (_JUMP_SET, 1, 0, flags), _answer(_ALLOW))


def _one_of(argument: int, values: Sequence[int]) -> tuple[_Instruction, ...]:
    code = [_low(argument)]
    for value in values:
        code += [(_JUMP_EQUAL, 0, 1, value), _answer(_ALLOW)]
    return tuple(code)


def _low(argument: int) -> _Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS_AT + 2 * _HALF * argument)


def _high(argument: int) -> _Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS_AT + 2 * _HALF * argument + _HALF)


def _answer(action: int) -> _Instruction:
    return (_RETURN, 0, 0, action)
