"""A decoder that does what the file says: the worst that code inside a sandbox could try."""

import ctypes
import errno
import hashlib
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from nightlight.adapters.sandbox_messages import Job
from nightlight.ingest.ports import TakesLong
from nightlight.model.media import MediaHashes, Scan, ScanState

#: Numbers of system calls on x86-64, for those that Python has no name for.
_CALLS = {
    "ptrace": 101,
    "mount": 165,
    "add_key": 248,
    "keyctl": 250,
    "unshare": 272,
    "perf_event_open": 298,
    "process_vm_readv": 310,
    "process_vm_writev": 311,
    "memfd_create": 319,
    "bpf": 321,
    "execveat": 322,
    "userfaultfd": 323,
    "io_uring_setup": 425,
    "openat2": 437,
    "pidfd_getfd": 438,
    "a call of the x32 interface": 0x40000000 + 39,
    "a call of the far future": 9999,
}
#: Of a picture, with exact hashes of something else.
_LIE = MediaHashes(md5="0" * 32, sha1="0" * 40, sha256="0" * 64, pdq="0" * 64, pdq_quality=90)


#: A long-running parent hands its link over under any number.
_MOST_DESCRIPTORS = 4096


def warm_up() -> None:
    """Nothing to load."""


def decode(file: BinaryIO, job: Job) -> Scan:
    body = file.read()
    assert len(body) == job.size
    word, _, rest = body.decode().partition(" ")
    if word == "pages" and job.brief_s:
        raise TakesLong
    if word == "digest":
        return _said(hashlib.sha256(body).hexdigest())
    return _DEEDS[word](rest)


def _said(reason: str) -> Scan:
    return Scan(state=ScanState.FAILED, reason=reason)


def _fine(_: str) -> Scan:
    return Scan(state=ScanState.SCANNED, hashes=_LIE)


def _abort(_: str) -> Scan:
    os.abort()


def _read_nowhere(_: str) -> Scan:
    return _said(ctypes.string_at(0).decode())


def _exit_quietly(_: str) -> Scan:
    os._exit(0)


def _raise(_: str) -> Scan:
    raise ZeroDivisionError


def _allocate(mib: str) -> Scan:
    held = bytearray(int(mib) << 20)
    return _said(f"took {len(held) >> 20}")


def _sleep(seconds: str) -> Scan:
    time.sleep(float(seconds))
    return _fine("")


def _spin(_: str) -> Scan:
    resource.setrlimit(resource.RLIMIT_CPU, (1, resource.RLIM_INFINITY))
    while True:
        pass


def _kill_itself(_: str) -> Scan:
    os.kill(os.getpid(), signal.SIGKILL)
    return _sleep("60")


def _answer_raw(text: str) -> Scan:
    for descriptor in range(3, _MOST_DESCRIPTORS):
        try:
            is_link = stat.S_ISSOCK(os.fstat(descriptor).st_mode)
        except OSError:
            continue
        if is_link:
            os.write(descriptor, bytes.fromhex(text))
    return _sleep("60")


def _answer_wrongly(what: str) -> Scan:
    wrong: dict[str, Scan] = {
        "pdq": Scan(state=ScanState.SCANNED, hashes=MediaHashes(pdq="zorbleflux")),
        "quality": Scan(state=ScanState.SCANNED, hashes=MediaHashes(pdq="0" * 64, pdq_quality=101)),
        "state": Scan(state=ScanState.UNREACHABLE, reason="a quibble"),
        "no-reason": Scan(state=ScanState.FAILED),
        "reason": Scan(state=ScanState.FAILED, reason="a\nline"),
        "length": Scan(state=ScanState.FAILED, reason="x" * 10_000),
    }
    return wrong[what]


def _overwrite(_: str) -> Scan:
    looked = changed = 0
    for descriptor in range(3, _MOST_DESCRIPTORS):
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                continue
            looked += 1
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, b"fine")
            changed += 1
        except OSError:
            continue
    return _said(f"{looked} looked at, {changed} changed")


def _process_id(_: str) -> Scan:
    return _said(str(os.getpid()))


def _as_video(deed: str) -> Scan:
    word, _, rest = deed.partition(" ")
    return _DEEDS[word](rest)


def _environment(name: str) -> Scan:
    return _said(str(name in os.environ))


def _threads(_: str) -> Scan:
    done: list[int] = []
    thread = threading.Thread(target=done.append, args=(1,))
    thread.start()
    thread.join()
    return _said(f"{len(done)} done")


def _attempt(name: str) -> Scan:
    try:
        _ATTEMPTS[name]()
    except OSError as error:
        return _said(errno.errorcode[error.errno or 0])
    except ValueError:  # How Python tells of a limit that may not be changed.
        return _said("EPERM")
    return _said("done")


def _call(name: str) -> Scan:
    call = ctypes.CDLL(None, use_errno=True).syscall
    done = call(_CALLS[name], 0, 0, 0, 0, 0)
    return _said("done" if done >= 0 else errno.errorcode[ctypes.get_errno()])


def _open(path: str, flags: int) -> None:
    os.close(os.open(path, flags, 0o600))


_HERE = str(Path(__file__))
_ATTEMPTS: dict[str, Callable[[], object]] = {
    "internet socket": lambda: socket.socket(socket.AF_INET),
    "unix socket": lambda: socket.socket(socket.AF_UNIX),
    "socket pair": socket.socketpair,
    "start a program": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
    "become a program": lambda: os.execv(sys.executable, [sys.executable]),  # noqa: S606  refused
    "fork": os.fork,
    "make a file": lambda: _open("/tmp/nightlight-test-zorbleflux", os.O_WRONLY | os.O_CREAT),  # noqa: S108  refused
    "write to a file": lambda: _open(_HERE, os.O_WRONLY),
    "append to a file": lambda: _open(_HERE, os.O_RDWR | os.O_APPEND),
    "empty a file": lambda: _open(_HERE, os.O_TRUNC),
    "remove a file": lambda: Path("/tmp/nightlight-test-zorbleflux").unlink(),  # noqa: S108  refused
    "rename a file": lambda: Path(_HERE).rename("/tmp/nightlight-test-zorbleflux"),  # noqa: S108  refused
    "make a folder": lambda: Path("/tmp/nightlight-test-folder").mkdir(),  # noqa: S108  refused
    "read the passwords": lambda: _open("/etc/passwd", os.O_RDONLY),
    "read its parent's memory": lambda: _open(f"/proc/{os.getppid()}/mem", os.O_RDONLY),
    "read its parent's environment": lambda: _open(f"/proc/{os.getppid()}/environ", os.O_RDONLY),
    "list the home": lambda: os.listdir("/root" if os.getuid() == 0 else "/home"),  # noqa: PTH208  the call is the point
    "kill its parent": lambda: os.kill(os.getppid(), signal.SIGKILL),
    "signal its parent": lambda: os.kill(os.getppid(), 0),
    "raise its memory": lambda: resource.setrlimit(resource.RLIMIT_DATA, (-1, -1)),
    "raise its file size": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1)),
    "limit its parent": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1)),
    "change its user": lambda: os.setuid(1000),
    "make a nameless file": lambda: _open("/tmp", os.O_TMPFILE | os.O_WRONLY),  # noqa: S108  refused
    "list libraries": lambda: os.listdir(Path(os.__file__).parent),  # noqa: PTH208  the call is the point
    "read a library": lambda: _open(os.__file__, os.O_RDONLY),
}
_DEEDS: dict[str, Callable[[str], Scan]] = {
    "fine": _fine,
    "pages": _fine,
    "abort": _abort,
    "read-nowhere": _read_nowhere,
    "exit-quietly": _exit_quietly,
    "raise": _raise,
    "allocate": _allocate,
    "sleep": _sleep,
    "spin": _spin,
    "kill-itself": _kill_itself,
    "answer-raw": _answer_raw,
    "answer-wrongly": _answer_wrongly,
    "overwrite": _overwrite,
    "process-id": _process_id,
    "OggS": _as_video,
    "environment": _environment,
    "threads": _threads,
    "attempt": _attempt,
    "call": _call,
}
