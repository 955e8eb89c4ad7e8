"""Migrations make exactly the tables that the code expects."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from lms_core.errors import ConfigurationError
from lms_core.registry import Wiring
from lms_sql.engine import open_database
from lms_sql.message_queue import open_message_queue
from lms_sql.schema import current, is_current, migrate, newest
from lms_sql.tables import metadata
from lms_sql.unit_of_work import open_unit_of_work


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite://{tmp_path}/empty.db"
    make: Callable[[], str] = request.getfixturevalue("new_postgresql")
    return make()


def test_migrations_and_tables_agree(database_url: str, wiring: Wiring) -> None:
    with (
        open_database(database_url, wiring) as database,
        database.engine.connect() as connection,
    ):
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, metadata) == []


def test_a_database_is_brought_up_to_date(empty_url: str, wiring: Wiring) -> None:
    assert current(empty_url, wiring) is None
    assert not is_current(empty_url, wiring)

    assert migrate(empty_url, wiring) == newest()

    assert is_current(empty_url, wiring)
    assert migrate(empty_url, wiring) == newest()


def test_two_who_migrate_at_once_migrate_once(empty_url: str, wiring: Wiring) -> None:
    barrier = Barrier(2)

    def run(_: int) -> str:
        barrier.wait(30)
        return migrate(empty_url, wiring)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, range(2))) == [newest(), newest()]


def test_a_database_without_tables_says_what_to_do(
    empty_url: str, wiring: Wiring
) -> None:
    with (
        open_unit_of_work(empty_url, wiring) as start,
        pytest.raises(ConfigurationError, match="lms migrate"),
        start() as work,
    ):
        work.users.page()
    mark = "&" if "?" in empty_url else "?"
    with (
        open_message_queue(f"{empty_url}{mark}queue=a", wiring) as queue,
        pytest.raises(ConfigurationError, match="lms migrate"),
    ):
        queue.receive()
