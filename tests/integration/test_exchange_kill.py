"""kill -9 of a fetching process at any page: the bank ends as if nothing had happened."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.fakes.exchanges import SimulatedExchange
from tests.integration.launcher import Command, Launcher

from nightlight.adapters.keyring_file import FileKeyRing
from nightlight.adapters.sql.database import SqlUnitOfWork, open_engine
from nightlight.bootstrap import build_clock
from nightlight.model.bank import EntryState

_ENTRIES, _PAGE = 600, 20
_BY = ("--by", "a test", "--reason", "to see")
#: After so many pages a process is killed, again and again.
_KILLS = (1, 2, 3, 5, 8)


class Home:
    """A home of Nightlight, used through its command line only."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = environment
        self._launcher = Launcher(environment)
        self._folder = folder
        self._commands = 0

    def close(self) -> None:
        """End what starts commands."""
        self._launcher.close()

    def begin(self, *arguments: str) -> tuple[Command, Path]:
        """Return a command that now runs, and where it writes."""
        self._commands += 1
        output = self._folder / f"{self._commands}.out"
        started = self._launcher.start(*arguments, environment=self._environment, output=output)
        return started, output

    def run(self, *arguments: str) -> list[dict[str, Any]]:
        """Return what a command printed as JSON; it ends well."""
        command, output = self.begin(*arguments)
        assert command.wait() == 0, output.read_text()
        lines = output.read_text().splitlines()
        return [msgspec.json.decode(line) for line in lines if line.startswith("{")]

    def hashes(self, database_url: str, keys_file: Path) -> set[tuple[str, str, str, str]]:
        """Return what the bank holds."""
        engine = open_engine(database_url)
        keys, clock = FileKeyRing(keys_file), build_clock()
        with SqlUnitOfWork(engine=engine, clock=clock, keys=keys).read() as tx:
            found = {
                (entry.id, entry.kind.value, entry.value, entry.opinion.value)
                for entry in tx.banks.entries(bank="zorble", states=[EntryState.ACTIVE])
            }
        engine.dispose()
        return found


def set_up(home: Home, simulator: SimulatedExchange, folder: Path) -> None:
    credentials = folder / "credentials"
    credentials.write_text("user=sim\npassword=sim\n", encoding="utf-8")
    home.run(
        *("exchange", "add", "Exampleton", "--api", "ncmec", "--bank", "zorble", *_BY),
        *("--option", f"url={simulator.url}/hashsharing", "--credentials", str(credentials)),
    )


def pages_of(simulator: SimulatedExchange) -> int:
    return sum("/entries?" in one for one in simulator.asked())


@pytest.fixture
def simulator() -> Iterator[SimulatedExchange]:
    with SimulatedExchange(
        "ncmec-hashes", "--entries", str(_ENTRIES), "--page-size", str(_PAGE)
    ) as running:
        yield running


@pytest.fixture
def home(
    database_url: str,
    tmp_path: Path,
    command_environment: Callable[..., dict[str, str]],
    keys_file: Path,
) -> Iterator[Home]:
    folder = tmp_path / "home"
    (folder / "keys").mkdir(parents=True)
    (folder / "keys" / "keys.json").write_bytes(keys_file.read_bytes())
    settings = {"NIGHTLIGHT_HOME": str(folder), "NIGHTLIGHT_DATABASE_URL": database_url}
    with closing(Home(command_environment(**settings), tmp_path)) as opened:
        yield opened


def test_a_fetch_killed_at_five_pages_ends_as_the_undisturbed_one(
    simulator: SimulatedExchange, home: Home, database_url: str, tmp_path: Path, keys_file: Path
) -> None:
    set_up(home, simulator, tmp_path)
    asked = 0
    for pages in _KILLS:
        # However late the kill comes, the page after the next is still awaited.
        simulator.fault(kind="slow", path="/entries?", after=pages, wait_s=60)
        running, output = home.begin("exchange", "fetch", "Exampleton", "--take-over")
        deadline = time.monotonic() + 60
        while pages_of(simulator) < pages and time.monotonic() < deadline:
            assert running.poll() is None, output.read_text()
            time.sleep(0.002)
        running.kill()
        assert running.wait() == -signal.SIGKILL
        asked += pages_of(simulator)
        simulator.clear_faults()
    (done,) = home.run("exchange", "fetch", "Exampleton", "--take-over", "--json")
    assert done["up_to_date"]
    assert asked + pages_of(simulator) < _ENTRIES // _PAGE + 6 * len(_KILLS)
    expected = {
        (kind, value)
        for item in simulator.state()["items"]
        for kind, value in item["fingerprints"].items()
        if kind in ("md5", "sha1", "pdq")
    }
    found = home.hashes(database_url, keys_file)
    assert {(kind, value) for _, kind, value, _ in found} == expected
    assert len(found) == len(expected)
    (status,) = home.run("exchange", "show", "Exampleton", "--json")
    assert status["fetched"] == len(expected)
    (verified,) = home.run("audit", "verify", "--json")
    assert verified
