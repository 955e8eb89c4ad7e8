"""Progress in SQLite and PostgreSQL keeps the contract of ProgressStore."""

from collections.abc import Iterator

import pytest

from lms_core.ports.progress_store import ProgressStore
from lms_core.registry import Wiring
from lms_core.testing.progress_store import ProgressStoreConformance
from lms_sql.progress_store import open_progress_store


class TestSqliteProgress(ProgressStoreConformance):
    @pytest.fixture
    def store(self, sqlite: str, wiring: Wiring) -> Iterator[ProgressStore]:
        with open_progress_store(sqlite, wiring) as store:
            yield store


class TestPostgresqlProgress(ProgressStoreConformance):
    @pytest.fixture
    def store(self, postgresql: str, wiring: Wiring) -> Iterator[ProgressStore]:
        with open_progress_store(postgresql, wiring) as store:
            yield store
