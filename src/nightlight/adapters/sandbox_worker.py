"""One child of a sandbox as its parent sees it: started, asked, and ended."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from time import monotonic

from nightlight.adapters.sandbox_messages import (
    BEGUN,
    MAX_ANSWER_BYTES,
    Answer,
    Broken,
    Hello,
    Job,
    is_sound,
    receive_bytes,
    receive_message,
    send_message,
)
from nightlight.errors import Unavailable
from nightlight.model.media import Scan
from nightlight.settings import environment_with

_CHILD = "nightlight.adapters.sandbox_child"
_MAX_HELLO_BYTES = 1 << 16
#: What a child may know of its parent's environment: where things lie. No setting, no secret.
_KEPT = frozenset({"HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ", "VIRTUAL_ENV"})
_KEPT_BEGINNINGS = ("LC_", "NUMBA_", "PYTHON")
#: Workers are as many as processors: threads of their own would only take memory.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
_END_S = 1.0
_LEAST_S = 0.001
#: Larger than a kernel grants by itself: fewer turns for a picture's bytes.
_BUFFER_BYTES = 1 << 20
_NONSENSE = "the decoder answered nothing that makes sense about this file"


class LostError(Exception):
    """The child is of no more use.

    Attributes:
        began: whether it had the whole file; otherwise the file may be tried elsewhere.
    """

    def __init__(self, why: str, *, began: bool = True) -> None:
        super().__init__(why)
        self.began = began


class Worker:
    """One child process; used by one thread at a time.

    Attributes:
        files: how many files it was asked to decode.
        leaving: whether another is to take its place.
    """

    def __init__(self, *, decoder: str, memory_mib: int) -> None:
        """Start the process; ``greet`` waits until it is ready.

        The kernel ends the child when the calling thread ends.

        Raises:
            Unavailable: the system starts no process.
        """
        self.files = 0
        self.leaving = False
        self._memory_mib = memory_mib
        self._latest = 0.0
        self._link, theirs = socket.socketpair()
        with theirs:
            for one in (self._link, theirs):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
            descriptor = theirs.fileno()
            about = (str(descriptor), str(os.getpid()), decoder, str(memory_mib))
            try:
                self._process = subprocess.Popen(  # noqa: S603  our own program, no shell
                    [sys.executable, "-P", "-m", _CHILD, *about],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=(descriptor,),
                    env=_environment(),
                    cwd="/",
                    start_new_session=True,
                )
            except OSError as error:
                self._link.close()
                raise Unavailable(f"no decoder can be started: {error.strerror}") from error

    @property
    def process_id(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def greet(self, *, within_s: float) -> frozenset[str]:
        """Return the walls that hold around the child, now that it is ready.

        Raises:
            Unavailable: it is not ready within this time, or cannot work.
        """
        self._link.settimeout(within_s)
        try:
            hello = receive_message(self._link, Hello, max_bytes=_MAX_HELLO_BYTES)
        except TimeoutError as error:
            raise Unavailable(f"the decoder was not ready within {within_s:g} s") from error
        except Broken as error:
            ended = self._ended()
            raise Unavailable(f"the decoder ended while it started (status {ended})") from error
        if hello.fault:
            raise Unavailable(hello.fault)
        return frozenset(hello.walls)

    def ask(self, job: Job, *, data: bytes | None, descriptor: int | None) -> Scan | None:
        """Return what the child makes of one file, None where that takes long.

        Raises:
            LostError: it gave no answer that makes sense in time; it must be ended.
        """
        self.files += 1
        self._latest = monotonic() + job.wall_s
        began = False
        try:
            self._hand_over(job, data, descriptor)
            began = True
            self._link.settimeout(self._left_s())
            answer = receive_message(self._link, Answer, max_bytes=MAX_ANSWER_BYTES)
        except TimeoutError as error:
            raise LostError(_too_long(job)) from error
        except (Broken, OSError) as error:
            raise LostError(self._why_ended(job), began=began) from error
        if answer.takes_long and job.brief_s:
            return None
        if answer.scan is None:
            raise LostError(f"decoding needed more than {self._memory_mib:,} MiB of memory")
        if not is_sound(answer.scan):
            raise LostError(_NONSENSE)
        return answer.scan

    def _hand_over(self, job: Job, data: bytes | None, descriptor: int | None) -> None:
        """Return once the child has the whole file."""
        self._link.settimeout(self._left_s())
        send_message(self._link, job, descriptor=descriptor)
        if data is not None:
            self._link.settimeout(self._left_s())
            self._link.sendall(data)
        self._link.settimeout(self._left_s())
        if receive_bytes(self._link, len(BEGUN)) != BEGUN:
            raise Broken

    def _left_s(self) -> float:
        return max(self._latest - monotonic(), _LEAST_S)

    def kill(self) -> None:
        """Make the process end soon; who uses the worker notices."""
        self._process.kill()

    def end(self) -> None:
        """End the process, whatever it does; it is gone when this returns."""
        self._process.kill()
        self._process.wait()
        self._link.close()

    def _ended(self) -> int | None:
        """Return the exit status, None where the process goes on though it said goodbye."""
        try:
            return self._process.wait(timeout=_END_S)
        except subprocess.TimeoutExpired:
            return None

    def _why_ended(self, job: Job) -> str:
        match self._ended():
            case None | 0:
                return _NONSENSE
            case status if status == -signal.SIGXCPU:
                return _too_long(job)
            case status if status == -signal.SIGKILL:
                return "the decoder was killed over this file"
            case _:
                return "the decoder crashed on this file"


def _too_long(job: Job) -> str:
    return f"decoding took longer than {job.wall_s:g} s"


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in environment_with({}).items()
        if name in _KEPT or name.startswith(_KEPT_BEGINNINGS)
    }
    packages = str(Path(__file__).parents[2])
    known = kept.get("PYTHONPATH", "")
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, (packages, known)))
    return {**kept, **_ONE_THREAD}
