"""The demo's partners: a simulated platform and a simulated CyberTipline, as real processes."""

import base64
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Self

import httpx

from nightlight.errors import Unavailable

_START_LIMIT_LINES = 50


class Partners:
    """Two child processes and the settings that point Nightlight at them."""

    def __init__(self, home: Path, media_root: Path) -> None:
        self._home = home
        self._media_root = media_root
        self._processes: list[subprocess.Popen[str]] = []
        self.platform_url = ""
        self.cybertipline_url = ""
        self.secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()

    def __enter__(self) -> Self:
        """Start both and learn their addresses.

        Raises:
            Unavailable: one of them did not start.
        """
        self.platform_url = self._start(
            "platform",
            "--secret",
            self.secret,
            "--media-root",
            str(self._media_root),
            "--state",
            str(self._home / "platform.db"),
        )
        self.cybertipline_url = self._start(
            "cybertipline", "--state", str(self._home / "cybertipline.db")
        )
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait()

    def settings(self) -> dict[str, str]:
        """Return the settings that point Nightlight at the partners."""
        return {
            "NIGHTLIGHT_PLATFORM_NAME": "Town (synthetic)",
            "NIGHTLIGHT_PLATFORM_URL": f"{self.platform_url}/nightlight",
            "NIGHTLIGHT_PLATFORM_SECRET": self.secret,
            "NIGHTLIGHT_CYBERTIPLINE_URL": f"{self.cybertipline_url}/ispws",
            "NIGHTLIGHT_CYBERTIPLINE_USER": "sim",
            "NIGHTLIGHT_CYBERTIPLINE_PASSWORD": "sim",
            "NIGHTLIGHT_REPORTER_FIRST_NAME": "Demo",
            "NIGHTLIGHT_REPORTER_LAST_NAME": "Reporter",
            "NIGHTLIGHT_REPORTER_EMAIL": "reporter@town.example.test",
        }

    def tips_filed(self) -> int:
        """Return how many finished reports the simulated CyberTipline holds."""
        state = httpx.get(f"{self.cybertipline_url}/_state", timeout=10).json()
        return sum(report["state"] == "finished" for report in state["reports"])

    def _start(self, *arguments: str) -> str:
        process = subprocess.Popen(  # noqa: S603  our own program
            [sys.executable, "-m", "nightlight", "simulate", *arguments, "--port", "0"],
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._processes.append(process)
        assert process.stderr is not None  # noqa: S101  PIPE was asked for
        for _, line in zip(range(_START_LIMIT_LINES), process.stderr, strict=False):
            if "listens at " in line:
                return line.rpartition("listens at ")[2].strip()
        raise Unavailable(f"the simulated {arguments[0]} did not start")
