"""Bring a database up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from lms_core.registry import Wiring
from lms_sql._errors import translated
from lms_sql.engine import Database, open_database

# Any number that nobody else on the server uses for an advisory lock.
_LOCK = 7_305_001


def configuration(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for the scripts in this package."""
    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).parent / "migrations").replace("%", "%%")
    )
    config.attributes["connection"] = connection
    return config


def newest() -> str:
    """Return the name of the newest change."""
    return str(ScriptDirectory.from_config(configuration()).get_current_head())


def migrate(url: str, wiring: Wiring) -> str:
    """Apply every change that the database lacks; return the newest one's name.

    All of them or none; of several who migrate at once, one does and the others
    wait.
    """
    with open_database(url, wiring) as database:
        return migrate_database(database)


def migrate_database(database: Database) -> str:
    """Do what `migrate` does, on an open database."""
    database.take_turn()
    try:
        with translated(), database.engine.begin() as connection:
            if not database.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            command.upgrade(configuration(connection), "head")
    finally:
        database.end_turn()
    return newest()


def current(url: str, wiring: Wiring) -> str | None:
    """Return the name of the newest change that was applied; `None` if none."""
    with (
        open_database(url, wiring) as database,
        translated(),
        database.reader.connect() as connection,
    ):
        return MigrationContext.configure(connection).get_current_revision()


def is_current(url: str, wiring: Wiring) -> bool:
    """Tell whether the database has every change there is."""
    return current(url, wiring) == newest()
