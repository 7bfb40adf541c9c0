"""A step of the worker that fails stops no other, and the heartbeat names it."""

from pathlib import Path
from threading import Event as Stop
from typing import Any

from msgspec.structs import replace
from tests.fakes.in_process import fresh_services
from tests.ports.builders import ENTRY

from nightlight.errors import NotPermitted, Unavailable
from nightlight.services import Services
from nightlight.services.retention import Destroyed
from nightlight.worker.loop import Worker, WorkerOptions


class Broken:
    """Fails whatever it is asked, with an error of its own."""

    def run_due(self, *_: int) -> bool:
        raise NotPermitted("zorbleflux")


class Bewildered:
    """Fails with an error that nobody foresaw."""

    def run_due(self, *_: int) -> bool:
        raise ValueError("zorbleflux")


class StuckRetention:
    """Destroys nothing of what is due."""

    forgot = 0

    def run_due(self) -> Destroyed:
        return Destroyed(ordered=1, failed=1, failure="the vault is not there")

    def forget_machines(self) -> int:
        self.forgot += 1
        return 0


class Escalations:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def escalate(self) -> int:
        self.asked += 1
        raise Unavailable("later")


def run(services: Services, *, rounds: int) -> None:
    left = iter([False] * rounds)
    options = WorkerOptions(
        pause_after_failure_s=0, idle_s=0, beat_every_s=0, escalate_every_s=0, anchor_every_s=0
    )
    Worker(services=services, options=options, orphaned=lambda: next(left, True)).run(Stop())


def test_a_step_that_fails_stops_no_other_and_is_named(tmp_path: Path) -> None:
    retention: Any = StuckRetention()
    escalations: Any = Escalations()
    broken: Any = Broken()
    services = replace(
        fresh_services(tmp_path),
        filer=broken,
        dispatcher=broken,
        retention=retention,
        report_decisions=escalations,
    )
    with services.unit_of_work.begin() as tx:
        tx.commit(ENTRY)
    run(services, rounds=3)
    assert (escalations.asked, retention.forgot) == (3, 1)
    assert services.settings.anchors_file.read_text(), "the record is anchored"
    with services.unit_of_work.read() as tx:
        _, said = tx.heartbeats.last()["worker"]
    assert said == (
        "deliver: not_permitted, destroy: unavailable, escalate: unavailable, file: not_permitted"
    )


def test_an_error_that_nobody_foresaw_ends_no_worker_and_is_named(tmp_path: Path) -> None:
    escalations: Any = Escalations()
    bewildered: Any = Bewildered()
    services = replace(fresh_services(tmp_path), filer=bewildered, report_decisions=escalations)
    run(services, rounds=3)
    assert escalations.asked == 3
    with services.unit_of_work.read() as tx:
        _, said = tx.heartbeats.last()["worker"]
    assert said == "escalate: unavailable, file: unforeseen ValueError"


def test_the_heartbeat_of_a_worker_that_works_says_nothing(tmp_path: Path) -> None:
    services = fresh_services(tmp_path)
    run(services, rounds=2)
    with services.unit_of_work.read() as tx:
        assert tx.heartbeats.last()["worker"][1] == ""
