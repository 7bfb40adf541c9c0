"""The worker as a process: it judges, delivers and says that it lives, and ends when it should."""

import base64
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import Struct
from tests.fakes.simulators import Simulator
from tests.integration.launcher import ColdStarter, Command, Launcher, Starter
from tests.integration.postgres import Postgres
from tests.integration.story import Stream, write_stream

from nightlight.bootstrap import build_services
from nightlight.errors import Unavailable
from nightlight.ingest.lines import bounded_lines
from nightlight.ingest.reader import EventReader
from nightlight.model.event import Event
from nightlight.services import Services
from nightlight.services.lists import read_list
from nightlight.settings import read_settings
from nightlight.town import TownPlan

_SECRET = f"whsec_{base64.b64encode(b'a secret for tests only').decode()}"
_LIMIT_S = 60.0
_PAUSE_S = 0.05


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Stream:
    """A small town without pictures."""
    plan = TownPlan(seed=3, accounts=120, posts=700, media=False)
    return write_stream(plan, tmp_path_factory.mktemp("stream"))


@pytest.fixture(scope="module")
def events(stream: Stream) -> list[Event]:
    with stream.events.open("rb") as file:
        read = EventReader().read_lines(bounded_lines(file))
        return [one for one in read if isinstance(one, Event)]


@pytest.fixture
def platform() -> Iterator[Simulator]:
    with Simulator("platform", "--secret", _SECRET) as running:
        yield running


class Site(Struct, frozen=True, kw_only=True):
    """One installation: its environment for processes, and its services in this one."""

    environment: dict[str, str]
    services: Services
    output: Path

    def start(self, starter: Starter, *arguments: str) -> Command:
        return starter.start(*arguments, environment=self.environment, output=self.output)

    def stop(self, command: Command) -> None:
        """Ask a command to end; it must end cleanly."""
        os.kill(command.pid, signal.SIGTERM)
        until(lambda: command.poll() is not None, "the command ends")
        assert command.poll() == 0, self.output.read_text()[-2000:]

    def processed(self) -> int:
        with self.services.unit_of_work.read() as tx:
            return tx.events.offset_now()

    def pending(self) -> int:
        with self.services.unit_of_work.read() as tx:
            return tx.outbox.pending()

    def effects(self) -> dict[str, int]:
        with self.services.unit_of_work.read() as tx:
            return tx.figures.figures().effects

    def last_beat(self) -> datetime | None:
        with self.services.unit_of_work.read() as tx:
            beats = tx.heartbeats.last()
        return beats["worker"][0] if "worker" in beats else None


@pytest.fixture
def make_site(
    stream: Stream, tmp_path: Path, command_environment: Callable[..., dict[str, str]]
) -> Callable[..., Site]:
    """Return what sets an installation up on a database."""

    def make(database_url: str, **settings: str) -> Site:
        environment = command_environment(
            NIGHTLIGHT_HOME=str(tmp_path / "home"),
            NIGHTLIGHT_DATABASE_URL=database_url,
            **settings,
        )
        services = build_services(read_settings(environment))
        terms = read_list(stream.events.with_suffix(".lexicon.ndjson"))
        services.lists.import_lexicon("nonsense", terms, actor="a test", reason="to see")
        return Site(environment=environment, services=services, output=tmp_path / "output.txt")

    return make


@pytest.fixture
def site(make_site: Callable[..., Site], database_url: str, platform: Simulator) -> Site:
    """An installation on each database, with a platform."""
    return make_site(
        database_url,
        NIGHTLIGHT_PLATFORM_URL=f"{platform.url}/nightlight",
        NIGHTLIGHT_PLATFORM_SECRET=_SECRET,
    )


@pytest.fixture
def simple_site(make_site: Callable[..., Site], tmp_path: Path) -> Site:
    """An installation as a newcomer has it: SQLite, and nobody else."""
    return make_site(f"sqlite:///{tmp_path / 'simple.db'}")


@pytest.fixture(scope="module")
def launcher(command_environment: Callable[..., dict[str, str]]) -> Iterator[Launcher]:
    starter = Launcher(command_environment())
    yield starter
    starter.close()


def until(reached: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + _LIMIT_S
    while not reached():
        assert time.monotonic() < give_up, what
        time.sleep(_PAUSE_S)


def test_a_worker_judges_what_was_accepted_delivers_and_leaves_cleanly(
    site: Site, launcher: Launcher, platform: Simulator, events: list[Event]
) -> None:
    accepted = site.services.pipeline.accept(events)
    assert site.processed() == 0, "accepting is not judging"
    started = datetime.now(UTC)
    worker = site.start(launcher, "worker")
    until(lambda: site.processed() == accepted and site.pending() == 0, "judged and delivered")
    site.stop(worker)
    beat = site.last_beat()
    assert beat is not None
    assert beat >= started
    effects = site.effects()
    assert effects.keys() == {"delivered"}
    assert len(platform.state()["effects"]) == effects["delivered"] > 20
    assert site.services.record.verify().intact


def test_a_worker_told_to_stop_in_the_middle_leaves_nothing_half_done(
    site: Site, launcher: Launcher, events: list[Event]
) -> None:
    accepted = site.services.pipeline.accept(events)
    worker = site.start(launcher, "worker")
    until(lambda: site.processed() > 0 or site.last_beat() is not None, "work has begun")
    site.stop(worker)
    verification = site.services.record.verify()
    assert verification.intact
    # What was claimed was settled: nothing waits for a lease to end.
    with site.services.unit_of_work.read() as tx:
        waiting = [one for one in tx.outbox.newest(10_000) if one.state.value == "pending"]
        assert all(one.next_attempt_at <= datetime.now(UTC) for one in waiting)
    again = site.start(launcher, "worker")
    until(lambda: site.processed() == accepted and site.pending() == 0, "the rest is done")
    site.stop(again)


def children_of(parent: int) -> dict[int, str]:
    """Return the command lines of a process's children by id."""
    told = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], check=True, capture_output=True, text=True
    ).stdout
    rows = [line.split(maxsplit=2) for line in told.splitlines()]
    return {int(pid): command for pid, of, command in rows if int(of) == parent}


def workers_of(serve: int) -> list[int]:
    """Return the workers of ``serve``, which has children that decode files as well."""
    found = children_of(serve)
    return [pid for pid, command in found.items() if "sandbox" not in command]


def is_running(pid: int) -> bool:
    told = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return told.stdout.strip() not in ("", "Z", "Zs")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_worker_of_serve_works_and_ends_with_serve(
    simple_site: Site, events: list[Event], how: signal.Signals
) -> None:
    site = simple_site
    accepted = site.services.pipeline.accept(events[:200])
    serve = site.start(ColdStarter(), "serve", "--port", "0")
    until(lambda: site.processed() == accepted, "the worker beside serve judges")
    (worker,) = workers_of(serve.pid)
    children = children_of(serve.pid)
    os.kill(serve.pid, how)
    until(lambda: serve.poll() is not None, "serve ends")
    assert serve.poll() == (0 if how is signal.SIGTERM else -how)
    until(lambda: not is_running(worker), "the worker ends")
    until(lambda: not any(map(is_running, children)), "the decoders end")


def test_a_worker_that_dies_is_started_again_by_serve(
    simple_site: Site, events: list[Event]
) -> None:
    site = simple_site
    serve = site.start(ColdStarter(), "serve", "--port", "0")
    until(lambda: site.last_beat() is not None, "the worker lives")
    (worker,) = workers_of(serve.pid)
    os.kill(worker, signal.SIGKILL)
    accepted = site.services.pipeline.accept(events[:200])
    until(lambda: site.processed() == accepted, "another worker judges")
    assert workers_of(serve.pid) != [worker]
    site.stop(serve)


def test_while_the_database_is_away_nothing_is_acknowledged_and_the_worker_waits(
    make_site: Callable[..., Site],
    postgres: Postgres,
    migrated: Callable[[str], str],
    launcher: Launcher,
    events: list[Event],
) -> None:
    url = postgres.new_database(migrated("postgresql"))
    site = make_site(url)
    worker = site.start(launcher, "worker")
    until(lambda: site.last_beat() is not None, "the worker lives")
    postgres.close_database(url)
    with pytest.raises(Unavailable):
        site.services.pipeline.accept(events[:300])
    until(lambda: "step.failed" in site.output.read_text(), "the worker noticed")
    assert worker.poll() is None, "the worker waits"
    postgres.open_database(url)
    assert site.processed() == 0
    accepted = site.services.pipeline.accept(events[:300])
    assert accepted > 250, "nothing of the refused batch was kept"
    until(lambda: site.processed() == accepted, "the worker goes on")
    site.stop(worker)
