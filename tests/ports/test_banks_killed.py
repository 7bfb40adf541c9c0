"""An import that is killed half-way leaves nothing, and the next one is as if it never was."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.fakes.bank_desk import WHO, BankDesk, line
from tests.fakes.cybertip_store import HandClock

from nightlight.adapters.sql.database import SqlUnitOfWork

_ROOT = Path(__file__).parents[2]


def test_a_killed_import_leaves_nothing_half(
    unit_of_work: SqlUnitOfWork,
    clock: HandClock,
    database_url: str,
    keys_file: Path,
    command_environment: Callable[..., dict[str, str]],
) -> None:
    desk = BankDesk(unit_of_work, clock)
    desk.banks.import_entries("quibble", [line(1)], **WHO)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.ports.importer", database_url, str(keys_file)],
        env=command_environment(),
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half-way\n"
        assert len(desk.entries()) == 1, "what is under way is not seen"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert desk.states() == {"entry-1": "active"}
    done = desk.banks.import_entries("quibble", [line(1), line(2)], **WHO)
    assert (done.added, [one.number for one in desk.entries()]) == (1, [1, 2])
    with unit_of_work.read() as tx:
        assert (tx.banks.version(), len(tx.banks.versions("quibble", limit=9))) == (2, 2)
        assert len(list(tx.audit.entries())) == 2
