"""Starts the worker process."""

import os
import signal
from threading import Event as Stop
from types import FrameType

from nightlight.bootstrap import build_services
from nightlight.settings import read_settings
from nightlight.worker.loop import Worker, WorkerOptions


def run_worker(*, with_parent: bool) -> None:
    """Work until SIGTERM or SIGINT; with ``with_parent``, also end when the parent process does.

    Raises:
        InvalidInput: a setting is wrong.
        Unavailable: the database does not answer at start.
    """
    # First of all: a parent that dies while the services are built must not go unnoticed.
    parent = os.getppid()
    services = build_services(read_settings())
    stop = Stop()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    worker = Worker(
        services=services,
        options=WorkerOptions(),
        orphaned=lambda: with_parent and os.getppid() != parent,
    )
    worker.run(stop)
