"""A bank's hashes are never written to a terminal, whoever asks."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from nightlight.settings import environment_with

_LIMIT_S = 120
_MD5 = "0a" * 16
_WHO = ("--by", "ana", "--reason", "to see")


def test_hashes_are_not_exported_to_a_terminal(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"kind,value\nmd5,{_MD5}\n")
    ours, terminal = pty.openpty()

    def bank(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "nightlight", "bank", *arguments],
            stdout=terminal,
            stderr=subprocess.PIPE,
            text=True,
            timeout=_LIMIT_S,
            env=environment_with({"NIGHTLIGHT_HOME": str(tmp_path / "home")}),
            check=False,
        )

    try:
        assert bank("import", str(file), "--name", "quibble", *_WHO).returncode == 0
        refused = bank("export", "quibble", *_WHO)
        shown = os.read(ours, 4096)
    finally:
        os.close(ours)
        os.close(terminal)
    assert refused.returncode == 2
    assert "not shown on a terminal" in refused.stderr
    assert b"1 added" in shown
    assert _MD5.encode() not in shown
