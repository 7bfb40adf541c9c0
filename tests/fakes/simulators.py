"""The simulators as real processes on real ports; killed and restarted like any partner."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import httpx

import nightlight

_SOURCES = str(Path(nightlight.__file__).parent.parent)


class Simulator:
    """One ``nightlight simulate`` process; ``url`` is where it listens."""

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start the process and wait until it says where it listens."""
        command = [sys.executable, "-m", "nightlight.cli.simulate", *self.arguments]
        self._process = subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": _SOURCES},
        )
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line)
            if " listens at " in line:
                self.url = line.rpartition(" ")[2].strip()
                return
        raise AssertionError(f"the simulator did not start: {''.join(said)}")

    def kill(self) -> None:
        """Kill the process without warning (SIGKILL)."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask the process to end and return its exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(how)
        status = process.wait(timeout=20)
        if process.stderr is not None:
            process.stderr.close()
        return status

    def get(self, path: str) -> httpx.Response:
        """Return the answer to a GET."""
        return httpx.get(self.url + path, trust_env=False)

    def state(self) -> dict[str, Any]:
        """Return what the simulator remembers."""
        told: dict[str, Any] = self.get("/_state").json()
        return told

    def post(self, path: str, content: bytes | dict[str, float]) -> httpx.Response:
        """Return the answer to a POST of bytes, or of JSON."""
        if isinstance(content, bytes):
            return httpx.post(self.url + path, content=content, trust_env=False)
        return httpx.post(self.url + path, json=content, trust_env=False)

    def fault(self, **fault: str | float) -> None:
        """Ask for a fault to come."""
        answer = httpx.post(self.url + "/_faults", json=fault, trust_env=False)
        assert answer.status_code == 204, answer.text

    def clear_faults(self) -> None:
        """Forget every fault."""
        httpx.delete(self.url + "/_faults", trust_env=False)
