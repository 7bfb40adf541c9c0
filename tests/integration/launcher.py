"""Starts ``python -m nightlight`` again and again without importing it again each time.

Run as a process it imports Nightlight once and then forks: each command is a process of its own,
with its own environment and files, that can be killed like any other; only the seconds of
importing are saved. One JSON request a line on standard input; for each, the process id and then
the exit status, a line each, on standard output.
"""

import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol


class Command(Protocol):
    """One running command: the part of ``subprocess.Popen`` that a test needs."""

    @property
    def pid(self) -> int:
        """The process."""
        ...

    def kill(self) -> None:
        """Kill the command without warning (SIGKILL)."""
        ...

    def poll(self) -> int | None:
        """Return the exit status, None while the command runs."""
        ...

    def wait(self) -> int:
        """Return the exit status once there is one; minus the signal for a killed command."""
        ...


class Starter(Protocol):
    """What starts commands."""

    def start(self, *arguments: str, environment: dict[str, str], output: Path) -> Command:
        """Return ``python -m nightlight ARGUMENTS``, now running and writing to ``output``."""
        ...

    def close(self) -> None:
        """End what serves to start commands."""
        ...


class ColdStarter:
    """Starts each command as a shell would."""

    def start(self, *arguments: str, environment: dict[str, str], output: Path) -> Command:
        """Return ``python -m nightlight ARGUMENTS``, now running and writing to ``output``."""
        with output.open("ab") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "nightlight", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )

    def close(self) -> None:
        """End nothing."""


class ForkedCommand:
    """One command that the launcher forked."""

    def __init__(self, answers: IO[bytes]) -> None:
        self._answers = answers
        self.pid = int(answers.readline())
        self.returncode: int | None = None

    def kill(self) -> None:
        """Kill the command without warning (SIGKILL)."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def poll(self) -> int | None:
        """Return the exit status, None while the command runs."""
        if self.returncode is None and select.select([self._answers], [], [], 0)[0]:
            self.returncode = int(self._answers.readline())
        return self.returncode

    def wait(self) -> int:
        """Return the exit status once there is one; minus the signal for a killed command."""
        if self.returncode is None:
            self.returncode = int(self._answers.readline())
        return self.returncode


class Launcher:
    """The process that forks commands, one at a time."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=environment,
        )

    def close(self) -> None:
        """End the process that forks commands."""
        self._process.terminate()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def start(self, *arguments: str, environment: dict[str, str], output: Path) -> Command:
        """Return ``python -m nightlight ARGUMENTS``, now running and writing to ``output``."""
        request = {"arguments": arguments, "environment": environment, "output": str(output)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        return ForkedCommand(self._process.stdout)


def _serve() -> None:
    for name in ("main", "run", "report", "serve"):
        importlib.import_module(f"nightlight.cli.{name}")
    with os.fdopen(os.dup(0), "rb") as requests:
        for line in requests:
            child = os.fork()
            if child == 0:
                _become(json.loads(line))
                return
            _say(child)
            _say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _say(number: int) -> None:
    os.write(1, b"%d\n" % number)


def _become(request: dict[str, object]) -> None:
    """Run the command in this process, which ends with the command's status."""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    output = os.open(str(request["output"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for place, source in enumerate((nowhere, output, output)):
        os.dup2(source, place)
    environment, arguments = request["environment"], request["arguments"]
    assert isinstance(environment, dict)
    assert isinstance(arguments, list)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["nightlight", *arguments]
    runpy.run_module("nightlight", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve()
