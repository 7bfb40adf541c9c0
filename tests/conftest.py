"""Databases for every test: the same tests run on a SQLite file and on a real PostgreSQL."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.fakes.cybertip_store import HandClock
from tests.integration.postgres import Postgres

import nightlight
from nightlight.adapters.keyring_file import FileKeyRing
from nightlight.adapters.sql.database import SqlUnitOfWork, migrate, open_engine
from nightlight.preserve.ports import KeyRing
from nightlight.settings import environment_with

_ROOT = str(Path(__file__).parent.parent)
_SOURCES = str(Path(nightlight.__file__).parent.parent)
DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL of this session's own."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Say where a migrated database of a kind lies, to be copied and never used itself."""
    made: dict[str, str] = {}

    def template(kind: str) -> str:
        if kind not in made:
            if kind == "postgresql":
                server: Postgres = request.getfixturevalue("postgres")
                made[kind] = server.new_database()
            else:
                made[kind] = f"sqlite:///{tmp_path_factory.mktemp('template') / 'template.db'}"
            engine = open_engine(made[kind])
            migrate(engine)
            engine.dispose()
        return made[kind]

    return template


@pytest.fixture(params=DATABASES)
def kind(request: pytest.FixtureRequest) -> str:
    """Which database this run of the test is on."""
    name: str = request.param
    return name


@pytest.fixture
def blank_url(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Iterator[str]:
    """A new database without any table."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'blank.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.new_database()
    yield url
    server.drop_database(url)


@pytest.fixture
def database_url(
    request: pytest.FixtureRequest, kind: str, migrated: Callable[[str], str], tmp_path: Path
) -> Iterator[str]:
    """A new database at the newest schema."""
    template = migrated(kind)
    if kind == "sqlite":
        path = tmp_path / "nightlight.db"
        shutil.copyfile(template.removeprefix("sqlite:///"), path)
        yield f"sqlite:///{path}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.new_database(template)
    yield url
    server.drop_database(url)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Connections to ``database_url``."""
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def clock() -> HandClock:
    """A clock that is moved by hand."""
    return HandClock()


@pytest.fixture(scope="session")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key file, for processes that share a database."""
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    FileKeyRing(path)
    return path


@pytest.fixture(scope="session")
def keys(keys_file: Path) -> KeyRing:
    """The keys in ``keys_file``."""
    return FileKeyRing(keys_file)


@pytest.fixture
def unit_of_work(engine: Engine, clock: HandClock, keys: KeyRing) -> SqlUnitOfWork:
    """Transactions on a new database; the test that asks for it runs on each kind."""
    return SqlUnitOfWork(engine=engine, clock=clock, keys=keys)


@pytest.fixture(scope="session", autouse=True)
def _kept_bytecode(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let child processes keep bytecode: compiling their imports at each start takes seconds."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    cache = tmp_path_factory.getbasetemp().parent / "bytecode"
    os.environ["PYTHONPYCACHEPREFIX"] = str(cache)


@pytest.fixture(scope="session")
def command_environment() -> Callable[..., dict[str, str]]:
    """Return what makes a child's environment: this one's, with only the settings given."""

    def environment(**settings: str) -> dict[str, str]:
        return environment_with(settings) | {"PYTHONPATH": os.pathsep.join((_SOURCES, _ROOT))}

    return environment
