from pathlib import Path

import pytest

from lms_core.errors import Unavailable
from lms_sandbox._database import Database

INSERT = "INSERT INTO idempotency_keys VALUES ('key', 'request', 'answer')"


def count(database: Database) -> int:
    with database.transaction() as db:
        return int(db.execute("SELECT count(*) FROM idempotency_keys").fetchone()[0])


def test_a_file_that_another_keeps_is_unavailable_for_a_while(tmp_path: Path) -> None:
    path = str(tmp_path / "sandbox.db")
    with Database(path) as one, Database(path, patience=0) as other:
        with one.transaction(), pytest.raises(Unavailable), other.transaction():
            pass

        assert count(other) == 0


def test_a_change_that_fails_leaves_nothing() -> None:
    def write_and_fail(database: Database) -> None:
        with database.transaction() as db:
            db.execute(INSERT)
            raise KeyError

    with Database(":memory:") as database:
        with pytest.raises(KeyError):
            write_and_fail(database)

        assert count(database) == 0


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "sandbox.db")
    with Database(path) as database, database.transaction() as db:
        db.execute(INSERT)

    with Database(path) as again:
        assert count(again) == 1
