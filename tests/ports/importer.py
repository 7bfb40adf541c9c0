"""A process that imports a bank and stops half-way: ``python -m tests.ports.importer URL KEYS``."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.fakes.bank_desk import Told

from nightlight.adapters.clock import SystemClock
from nightlight.adapters.keyring_file import FileKeyRing
from nightlight.adapters.sql.database import SqlUnitOfWork, open_engine
from nightlight.services.banks import Banks

#: More than is stored at a time, so that much of it was stored when the process stops.
LINES = 2_500
AT_ONCE = 1_000


def lines() -> Iterator[str]:
    """Yield entries and then nothing for as long as nobody ends the process."""
    yield "kind,value,id"
    for number in range(LINES):
        yield f"md5,{number:032x},entry-{number}"
    sys.stdout.write("half-way\n")
    sys.stdout.flush()
    sys.stdin.read()


def main(url: str, keys: str) -> None:
    work = SqlUnitOfWork(engine=open_engine(url), clock=SystemClock(), keys=FileKeyRing(Path(keys)))
    banks = Banks(
        unit_of_work=work,
        clock=SystemClock(),
        id_key=b"k",
        known=Told(),
        at_once=AT_ONCE,
    )
    banks.import_entries("quibble", lines(), actor="a test", reason="to be killed")


if __name__ == "__main__":
    main(*sys.argv[1:])
