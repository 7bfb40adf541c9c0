"""A large import that is killed half-way acts in nothing, and waits for a person."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.fakes.bank_desk import WHO, BankDesk, line
from tests.fakes.cybertip_store import HandClock
from tests.ports.importer import AT_ONCE

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.bank import EntryState

_ROOT = Path(__file__).parents[2]


def test_what_a_killed_import_left_is_held_until_a_person_rejects_it(
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
        assert [one.id for one in desk.entries() if one.state is EntryState.ACTIVE] == ["entry-1"]
        process.send_signal(signal.SIGKILL)
        process.wait()
    (left,) = desk.banks.held_updates()
    assert (left.version, left.bank, left.reason) == (2, "quibble", "to be killed")
    assert Counter(desk.states().values()) == {"active": 1, "held": left.entries}
    assert left.entries == 2 * AT_ONCE - 1, "entry-1 was known"
    desk.banks.reject(left.version, **WHO)
    done = desk.banks.import_entries("quibble", [line(1), line(2)], **WHO)
    assert (done.added, done.held) == (1, 0)
    assert [one.id for one in desk.entries() if one.state is EntryState.ACTIVE] == [
        "entry-1",
        "entry-2",
    ]
