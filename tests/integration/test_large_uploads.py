"""A sealed video is filed without being held in memory, whole or not at all."""

import hashlib
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from msgspec.structs import replace
from tests.fakes.cybertip_store import HandClock, MemoryMedia, MemoryTipStore, make_tip
from tests.fakes.simulators import Simulator

from nightlight.adapters.cybertipline import HttpCyberTipline
from nightlight.bootstrap import build_services
from nightlight.model.filing import Filing, TipState
from nightlight.report.reporter import Contact, Reporter
from nightlight.report.submit import Filer
from nightlight.services.filing import VaultMedia
from nightlight.settings import read_settings

SIZE = 64 << 20
#: What the process may take beyond what it has when it begins to file.
ROOM = 40 << 20


class Zeros:
    """A harmless file of zeros that is to be sealed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("wb") as file:
            file.truncate(SIZE)
        with path.open("rb") as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        with path.open("rb") as file:
            self.md5 = hashlib.file_digest(file, "md5").hexdigest()

    def open(self) -> BinaryIO:
        return self._path.open("rb")


def file_it(home: Path, url: str, digest: str, *, room: int = 0) -> Filing:
    """Return the filing of a tip whose only file is sealed in a home under a digest."""
    services = build_services(read_settings({"NIGHTLIGHT_HOME": str(home)}))
    tip = make_tip(MemoryMedia(), files=1)
    store = MemoryTipStore(replace(tip, files=(replace(tip.files[0], digest=digest),)))
    with HttpCyberTipline(base_url=f"{url}/ispws", username="sim", password="sim") as line:
        filer = Filer(
            store=store,
            destination=line,
            media=VaultMedia(vault=services.vault, unit_of_work=services.unit_of_work),
            reporter=Reporter(person=Contact(email="desk@example.test")),
            clock=HandClock(),
        )
        line.status()
        if room:
            _limit(room)
        return filer.advance(tip.id)


def _limit(room: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + room
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator("cybertipline") as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def sealed(home: Path, tmp_path: Path) -> Zeros:
    zeros = Zeros(tmp_path / "zeros")
    services = build_services(read_settings({"NIGHTLIGHT_HOME": str(home)}))
    assert services.vault.seal_file(zeros) == zeros.sha256
    return zeros


def test_a_file_larger_than_the_memory_there_is_arrives_whole(
    simulator: Simulator,
    home: Path,
    sealed: Zeros,
    command_environment: Callable[..., dict[str, str]],
) -> None:
    work = (
        "import sys; from pathlib import Path;"
        "from tests.integration.test_large_uploads import ROOM, file_it;"
        "filing = file_it(Path(sys.argv[1]), sys.argv[2], sys.argv[3], room=ROOM);"
        "print(filing.state.value, filing.remote_id, filing.failure)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", work, str(home), simulator.url, sealed.sha256],
        env=command_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    state, remote_id, *_ = ran.stdout.split()
    assert state == "filed", ran.stdout
    [report] = [one for one in simulator.state()["reports"] if one["id"] == remote_id]
    assert [one["md5"] for one in report["files"]] == [sealed.md5]


def test_of_a_vault_file_that_is_cut_off_nothing_is_sent(
    simulator: Simulator, home: Path, sealed: Zeros
) -> None:
    [stored] = [one for one in (home / "vault").rglob("*") if one.is_file() and one.stat().st_size]
    with stored.open("r+b") as file:
        file.truncate(SIZE // 2)
    filing = file_it(home, simulator.url, sealed.sha256)
    assert filing.state is TipState.REFUSED
    assert "cannot be read: integrity_failure" in filing.failure
    [report] = simulator.state()["reports"][-1:]
    assert (report["state"], report["files"]) == ("retracted", [])


def test_a_file_that_breaks_while_it_is_sent_is_not_taken_in_part(simulator: Simulator) -> None:
    media = MemoryMedia()
    tip = make_tip(media, files=1)
    media.torn = {tip.files[0].digest}
    with HttpCyberTipline(
        base_url=f"{simulator.url}/ispws", username="sim", password="sim"
    ) as line:
        filer = Filer(
            store=MemoryTipStore(tip),
            destination=line,
            media=media,
            reporter=Reporter(person=Contact(email="desk@example.test")),
            clock=HandClock(),
        )
        filing = filer.advance(tip.id)
    assert filing.state is TipState.REFUSED
    [report] = simulator.state()["reports"][-1:]
    assert (report["state"], report["files"]) == ("retracted", [])
