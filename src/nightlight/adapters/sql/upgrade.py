"""Runs migrations. Loaded only where there is something to migrate: Alembic takes its time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from nightlight.errors import InvalidInput

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection) -> None:
    """Bring the database to the newest schema, in the connection's transaction.

    Raises:
        InvalidInput: the database has a schema that this version of Nightlight does not know.
    """
    config = _alembic()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise InvalidInput(
            "the database was made by a newer Nightlight",
            field="NIGHTLIGHT_DATABASE_URL",
            hint="upgrade Nightlight, or restore the database from before",
        ) from error


def newest_revision() -> str | None:
    """Return the newest schema revision among the migration scripts."""
    return ScriptDirectory.from_config(_alembic()).get_current_head()


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
