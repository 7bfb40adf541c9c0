"""Whatever is done to a record behind its back is found, by us and by the separate verifier."""

import shutil
import sqlite3
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from tests.fakes.cybertip_store import HandClock
from tests.fakes.desk import Desk
from tests.synthetic.tamperings import TAMPERINGS, tamper

import nightlight_verify
from nightlight.adapters.anchors_file import FileAnchorStore
from nightlight.adapters.keyring_file import FileKeyRing
from nightlight.adapters.sql.database import SqlUnitOfWork, open_engine
from nightlight.audit.checkpoint import AuditKey
from nightlight.audit.verification import verify
from nightlight.model.audit import AuditEntry

ENTRIES = 2_000
SUITE = 150
SOAK = 1_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A record of some thousand entries, with a checkpoint every hundred."""
    desk = Desk(tmp_path_factory.mktemp("site"), lists=False)
    for start in range(0, ENTRIES, 100):
        with desk.services.unit_of_work.begin() as tx:
            tx.commit(
                *(
                    AuditEntry(
                        actor="nightlight",
                        action="decision.made",
                        subject=f"dec_{number}",
                        detail={"category": "advert", "effects": ["review"], "account": "a"},
                    )
                    for number in range(start, start + 100)
                )
            )
        desk.services.record.anchor()
    return desk


class Copy:
    """A copy of the record that may be spoilt."""

    def __init__(self, site: Desk, folder: Path) -> None:
        self.site, self.folder = site, folder
        self.database, self.anchors = folder / "copy.db", folder / "anchors.ndjson"
        self.original = folder / "original.db"
        with (
            sqlite3.connect(site.services.settings.home / "nightlight.db") as source,
            sqlite3.connect(self.original) as target,
        ):
            source.backup(target)

    def renew(self) -> None:
        for suffix in ("-wal", "-shm"):
            Path(f"{self.database}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(self.original, self.database)
        shutil.copyfile(self.site.services.settings.anchors_file, self.anchors)

    def found_by_us(self) -> bool:
        keys = FileKeyRing(self.site.services.settings.keys_file)
        engine = open_engine(f"sqlite:///{self.database}")
        with SqlUnitOfWork(engine=engine, clock=HandClock(), keys=keys).read() as tx:
            found = verify(
                tx.audit.stored(),
                head=tx.audit.head(),
                anchors=list(FileAnchorStore(self.anchors).all()),
                key=AuditKey(keys.audit_key(), origin="nightlight"),
            )
        engine.dispose()
        return not found.intact

    def found_by_the_verifier(self) -> bool:
        key = self.site.services.record.verifier_key
        arguments = [str(self.database), "--checkpoints", str(self.anchors), "--key", key, "--json"]
        return nightlight_verify.main(arguments) == 1


def missed(site: Desk, folder: Path, count: int, seed: int) -> tuple[list[str], Counter[str]]:
    """Return the tamperings that somebody did not find, and how often each was done."""
    copy, chance = Copy(site, folder), Random(seed)  # noqa: S311  repeatable, not secret
    done: Counter[str] = Counter()
    unnoticed: list[str] = []
    copy.renew()
    assert not copy.found_by_us(), "an untouched copy is intact"
    assert not copy.found_by_the_verifier()
    for number in range(count):
        copy.renew()
        name = tamper(copy.database, copy.anchors, chance)
        done[name] += 1
        if not copy.found_by_us():
            unnoticed.append(f"{number}: {name}, by us")
        if not copy.found_by_the_verifier():
            unnoticed.append(f"{number}: {name}, by the verifier")
    return unnoticed, done


def test_every_tampering_is_found_by_us_and_by_the_verifier(site: Desk, tmp_path: Path) -> None:
    unnoticed, done = missed(site, tmp_path, SUITE, seed=5)
    assert unnoticed == []
    assert set(done) == set(TAMPERINGS), "each kind was done"


@pytest.mark.soak
def test_every_one_of_a_thousand_tamperings_is_found(site: Desk, tmp_path: Path) -> None:
    unnoticed, done = missed(site, tmp_path, SOAK, seed=11)
    assert unnoticed == []
    assert sum(done.values()) == SOAK
