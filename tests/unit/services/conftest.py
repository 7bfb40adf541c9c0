"""Services are tested on SQLite; that PostgreSQL answers alike is for ``tests/ports``."""

import hashlib
import shutil
from pathlib import Path

import pytest
from tests.fakes.bank_desk import BankDesk
from tests.fakes.cybertip_store import HandClock
from tests.fakes.desk import Desk
from tests.synthetic.builders import event_of
from tests.synthetic.pictures import as_file, drawn

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.event import MediaUploaded

#: The file that is sealed in ``sealed_desk``.
PICTURE = as_file(drawn(1))


@pytest.fixture
def kind() -> str:
    """Which database the tests here are on."""
    return "sqlite"


@pytest.fixture
def bank_desk(unit_of_work: SqlUnitOfWork, clock: HandClock) -> BankDesk:
    """Banks, still without any."""
    return BankDesk(unit_of_work, clock)


@pytest.fixture(scope="session")
def sealed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one case about one sealed file, to be copied and never used itself."""
    root = tmp_path_factory.mktemp("media")
    (root / "a.png").write_bytes(PICTURE)
    home = tmp_path_factory.mktemp("sealed") / "home"
    desk = Desk(home, media_root=root)
    known = (
        f'{{"kind": "sha256", "value": "{hashlib.sha256(PICTURE).hexdigest()}", "id": "entry-3"}}'
    )
    desk.services.banks.import_entries("quibble", [known], actor="ana", reason="test")
    upload = MediaUploaded(media_id="media-1", account_id="account-1", url="a.png")
    desk.take_in(event_of(upload))
    return home


@pytest.fixture
def sealed_desk(sealed_home: Path, tmp_path: Path) -> Desk:
    """Services over a home with one case about one sealed file."""
    home = tmp_path / "home"
    shutil.copytree(sealed_home, home)
    return Desk(home, lists=False)
