"""``nightlight keys rotate``, killed at any moment, leaves everything openable."""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

from tests.fakes.blobs import ACCESS
from tests.fakes.cybertip_store import NOON
from tests.ports.builders import ENTRY, make_case, make_evidence

from nightlight.bootstrap import build_services
from nightlight.services import Services
from nightlight.settings import read_settings

COUNT = 120
KILLS = 2
_HANG_S = 60.0


def sealed(home: Path) -> dict[str, bytes]:
    """Seal things in a new home; return their evidence ids and contents."""
    services = open_home(home)
    contents = {f"file-{number}": f"quibble {number}".encode() * 50 for number in range(COUNT)}
    with services.unit_of_work.begin() as tx:
        tx.events.offset()
        tx.cases.save(make_case("case-1"))
        tx.evidence.add(
            make_evidence(name, digest=services.vault.seal(content), sealed_at=NOON)
            for name, content in contents.items()
        )
        tx.commit(ENTRY)
    return contents


def open_home(home: Path) -> Services:
    return build_services(
        read_settings({"NIGHTLIGHT_HOME": str(home), "NIGHTLIGHT_INDEX_DIRECTORY": "none"})
    )


def test_killed_while_rotating_everything_opens_and_it_is_finished_later(
    tmp_path: Path, command_environment: Callable[..., dict[str, str]]
) -> None:
    home = tmp_path / "home"
    contents = sealed(home)
    chance = random.Random(7)  # noqa: S311  not for secrets
    command = [sys.executable, "-m", "nightlight", "keys", "rotate", "--by", "ana", "--reason", "x"]
    for _ in range(KILLS):
        before = (home / "keys" / "keys.json").read_bytes()
        process = subprocess.Popen(
            command,
            env=command_environment(NIGHTLIGHT_HOME=str(home)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started = monotonic()
        while (home / "keys" / "keys.json").read_bytes() == before and process.poll() is None:
            assert monotonic() - started < _HANG_S
            sleep(0.002)
        sleep(chance.random() * 0.25)
        process.kill()
        process.wait()
        services = open_home(home)
        with services.unit_of_work.read() as tx:
            found = {name: tx.evidence.get(name).digest for name in contents}
        opened = {name: services.vault.open(one, ACCESS) for name, one in found.items()}
        assert opened == contents
        assert [path.name for path in (home / "keys").glob("*")] == ["keys.json"]
    services = open_home(home)
    services.keys.rewrap(person="ana", reason="x")
    *older, newest = services.keys.status().keys
    assert (newest.files, len(older)) == (COUNT, KILLS)
    assert {(one.files, one.values) for one in older} == {(0, 0)}
    assert services.record.verify().intact
