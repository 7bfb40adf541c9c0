"""A process that appends events: ``python -m tests.ports.appender URL KEYS PREFIX``."""

import sys
from pathlib import Path

from tests.fakes.cybertip_store import NOON
from tests.ports.builders import ENTRY, make_events

from nightlight.adapters.clock import SystemClock
from nightlight.adapters.keyring_file import FileKeyRing
from nightlight.adapters.sql.database import SqlUnitOfWork, migrate, open_engine

_BATCH = 10


def main(url: str, keys: str, prefix: str) -> None:
    engine = open_engine(url)
    migrate(engine)
    work = SqlUnitOfWork(engine=engine, clock=SystemClock(), keys=FileKeyRing(Path(keys)))
    events = make_events(prefix, 200)
    for start in range(0, len(events), _BATCH):
        with work.begin() as tx:
            tx.events.append(events[start : start + _BATCH], at=NOON)
            tx.commit(ENTRY)


if __name__ == "__main__":
    main(*sys.argv[1:])
