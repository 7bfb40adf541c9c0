"""Starts the worker process."""

import os
import signal
from threading import Event as Stop
from types import FrameType

from nightlight.bootstrap import build_services
from nightlight.settings import read_settings
from nightlight.worker.loop import Worker, WorkerOptions


def run_worker(*, parent: int | None) -> None:
    """Work until SIGTERM or SIGINT; also end when the parent process, named by its id, does.

    Raises:
        InvalidInput: a setting is wrong.
        Unavailable: the database does not answer at start.
    """
    services = build_services(read_settings())
    stop = Stop()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    worker = Worker(
        services=services,
        options=WorkerOptions(),
        orphaned=lambda: parent is not None and os.getppid() != parent,
    )
    worker.run(stop)
