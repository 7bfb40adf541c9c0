"""Starts the worker process."""

import os
import signal
from threading import Event as Stop
from types import FrameType

from nightlight.bootstrap import build_services
from nightlight.settings import read_settings
from nightlight.worker.exchanges import ExchangeLoop
from nightlight.worker.loop import Worker, WorkerOptions

#: How long a page that is being taken in is waited for.
_LAST_PAGE_S = 5.0


def run_worker(*, parent: int | None) -> None:
    """Work until SIGTERM or SIGINT; also end when the parent process, named by its id, does.

    Raises:
        InvalidInput: a setting is wrong.
        Unavailable: the database does not answer at start.
    """
    services = build_services(read_settings())
    services.prepare()
    stop = Stop()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    exchanges = ExchangeLoop(exchanges=services.exchanges, stop=stop)
    exchanges.start()

    def is_alone() -> bool:
        orphaned = parent is not None and os.getppid() != parent
        # Without its other half it ends, loudly, and is started again whole.
        return orphaned or not exchanges.is_alive()

    worker = Worker(services=services, options=WorkerOptions(), orphaned=is_alone)
    worker.run(stop)
    stop.set()
    exchanges.join(timeout=_LAST_PAGE_S)
    if exchanges.failed and not exchanges.is_alive():
        raise SystemExit(1)
