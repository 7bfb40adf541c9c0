"""Whether Nightlight works: the database answers, the worker is alive, nothing is stuck."""

from datetime import timedelta

from msgspec import Struct

from nightlight import __version__
from nightlight.services import Services
from nightlight.transaction import Transaction

#: The name under which the worker gives signs of life.
WORKER = "worker"
#: A worker that was silent for so long is taken for dead.
_WORKER_SILENT = timedelta(seconds=60)


class Health(Struct, frozen=True, kw_only=True):
    """What ``/healthz`` tells."""

    status: str
    version: str
    backlog: int
    worker_seen_s: float | None


def read_health(services: Services) -> Health:
    """Return how Nightlight is.

    Raises:
        Unavailable: the database does not answer.
    """
    with services.unit_of_work.read() as tx:
        seen = worker_seen(tx, services)
        return Health(
            status="ok" if is_alive(seen) else "degraded",
            version=__version__,
            backlog=tx.events.backlog(),
            worker_seen_s=None if seen is None else round(seen.total_seconds(), 3),
        )


def worker_seen(tx: Transaction, services: Services) -> timedelta | None:
    """Return how long ago the worker gave a sign of life; None where it never did."""
    last = tx.heartbeats.last().get(WORKER)
    if last is None:
        return None
    return max(timedelta(0), services.clock.now() - last[0])


def is_alive(seen: timedelta | None) -> bool:
    """Return whether a worker that was seen so long ago is taken to be alive."""
    return seen is not None and seen < _WORKER_SILENT
