"""Transactions in SQLite and PostgreSQL keep the contract of UnitOfWork."""

from collections.abc import Iterator

import pytest

from lms_core.ports.unit_of_work import StartWork
from lms_core.registry import Wiring
from lms_core.testing.unit_of_work import UnitOfWorkConformance
from lms_sql.unit_of_work import open_unit_of_work


class TestSqliteWork(UnitOfWorkConformance):
    @pytest.fixture
    def start(self, sqlite: str, wiring: Wiring) -> Iterator[StartWork]:
        with open_unit_of_work(sqlite, wiring) as start:
            yield start


class TestPostgresqlWork(UnitOfWorkConformance):
    @pytest.fixture
    def start(self, postgresql: str, wiring: Wiring) -> Iterator[StartWork]:
        with open_unit_of_work(postgresql, wiring) as start:
            yield start
