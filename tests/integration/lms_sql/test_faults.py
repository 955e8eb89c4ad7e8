"""What databases do when things go wrong, and what callers are told."""

import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import psycopg
import pytest

from lms_core.domain.ids import UserId
from lms_core.domain.people.user import User
from lms_core.errors import ConfigurationError, InvalidValue, NotFound, Unavailable
from lms_core.ports.message_queue import Message
from lms_core.registry import Wiring
from lms_local.memory.secret_store import MemorySecretStore
from lms_local.memory.system import CountingIds, CountingTokens, FixedClock
from lms_sql import engine
from lms_sql._urls import read_url
from lms_sql.engine import open_database
from lms_sql.message_queue import open_message_queue
from lms_sql.unit_of_work import open_unit_of_work

_WRITER = """
import sys
from datetime import UTC, datetime
from lms_core.domain.people.user import User
from lms_core.ports.message_queue import Message
from lms_core.registry import Wiring
from lms_local.memory.system import CountingIds, CountingTokens, FixedClock
from lms_sql.message_queue import open_message_queue
from lms_sql.unit_of_work import open_unit_of_work

url = sys.argv[1]
wiring = Wiring(clock=FixedClock(), ids=CountingIds(), tokens=CountingTokens())
start = open_unit_of_work(url, wiring)
queue = open_message_queue(url + ("&" if "?" in url else "?") + "queue=a", wiring)
n = 0
while True:
    n += 1
    at = wiring.clock.now()
    with start() as work:
        work.users.add(User.register(f"u{n}", email=f"u{n}@b.c", name="A", at=at)[0])
        work.commit()
    queue.send([Message(body=str(n))])
    print(n, flush=True)
"""


def test_a_killed_process_loses_nothing_it_committed(
    database_url: str, wiring: Wiring
) -> None:
    with subprocess.Popen(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", _WRITER, database_url],
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(20)]
        os.kill(writer.pid, signal.SIGKILL)
        told += [int(line) for line in writer.stdout.read().split()]

    with open_unit_of_work(database_url, wiring) as start, start() as work:
        names = [UserId(f"u{n}") for n in told]
        assert set(work.users.several(names)) == set(names)
    mark = "&" if "?" in database_url else "?"
    with open_message_queue(f"{database_url}{mark}queue=a", wiring) as queue:
        sent = {each.message.body for each in queue.receive(limit=10_000)}
        assert {str(n) for n in told} <= sent


def test_a_locked_file_is_unavailable(
    sqlite: str, wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_WAIT_S", 0.05)
    path = sqlite.removeprefix("sqlite://")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with (
        open_unit_of_work(sqlite, wiring) as start,
        open_message_queue(f"{sqlite}?queue=a", wiring) as queue,
    ):
        for act in (
            lambda: start().__enter__(),
            lambda: queue.send([Message(body="")]),
        ):
            with pytest.raises(Unavailable) as caught:
                act()
            assert caught.value.code == "database-locked"
            assert caught.value.effect == "none"
        other.rollback()
        other.close()
        queue.send([Message(body="now")])


def test_behind_one_who_cannot_write_others_do_not_wait_as_long(
    sqlite: str, wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_WAIT_S", 3600)
    monkeypatch.setattr(engine, "_STUCK_S", 0.05)
    monkeypatch.setattr(engine, "_SLICE_S", 0.01)
    with open_database(sqlite, wiring) as database, ThreadPoolExecutor(1) as pool:
        begun, end = Event(), Event()

        def hold() -> None:
            with database.transaction():
                begun.set()
                end.wait()

        held = pool.submit(hold)
        begun.wait()
        try:
            with pytest.raises(Unavailable) as caught:
                database.take_turn()
        finally:
            end.set()
        held.result()
        database.take_turn()
        database.end_turn()

    assert caught.value.code == "database-locked"


def test_a_thread_that_would_wait_for_itself_is_told(
    sqlite: str, wiring: Wiring
) -> None:
    with (
        open_unit_of_work(sqlite, wiring) as start,
        start(),
        pytest.raises(RuntimeError, match="this thread"),
    ):
        start().__enter__()


def test_a_full_disk_is_told_by_its_code(sqlite: str, wiring: Wiring) -> None:
    with open_database(sqlite, wiring) as database:
        with database.writing() as raw:
            [pages] = raw.execute("PRAGMA page_count").fetchone()
            raw.execute(f"PRAGMA max_page_count = {pages}").close()
        queue = open_message_queue(f"{sqlite}?queue=a", wiring)
        with queue, pytest.raises(Unavailable) as caught:
            queue.send([Message(body="x" * 100_000)])

        assert caught.value.code == "storage-full"
        assert queue.depth().ready == 0


def test_a_connection_that_was_cut_is_replaced(postgresql: str, wiring: Wiring) -> None:
    at = wiring.clock.now()
    ann, _ = User.register(UserId("u"), email="a@b.c", name="A", at=at)
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with open_unit_of_work(postgresql, wiring) as start:
        with start() as work:
            work.users.add(ann)
            with psycopg.connect(postgresql, autocommit=True) as other:
                other.execute(cut)
            with pytest.raises(Unavailable) as caught:
                work.commit()
        assert caught.value.effect == "unknown"

        with start() as work, pytest.raises(NotFound):
            work.users.get(UserId("u"))


def test_connections_that_were_cut_at_rest_are_replaced_unseen(
    postgresql: str, wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_REST_S", -1.0)
    with (
        open_unit_of_work(postgresql, wiring) as start,
        open_message_queue(f"{postgresql}&queue=a", wiring) as queue,
    ):
        with start() as work:
            work.users.page()
        queue.send([Message(body="before")])
        with psycopg.connect(postgresql, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

        queue.send([Message(body="after")])
        with start() as work:
            assert work.users.page().items == ()
        assert queue.depth().ready == 2


def test_a_server_that_is_not_there_is_unavailable(wiring: Wiring) -> None:
    with (
        open_unit_of_work("postgresql://lms@127.0.0.1:1/lms", wiring) as start,
        pytest.raises(Unavailable),
    ):
        start().__enter__()


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_text_that_no_database_takes_is_refused(
    postgresql: str, wiring: Wiring, name: str
) -> None:
    with (
        open_unit_of_work(postgresql, wiring) as start,
        start() as work,
        pytest.raises(InvalidValue),
    ):
        work.users.find_email(name)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://lms:word@db/lms",
        "postgresql://lms@db/lms?pasword=secret%3A%2F%2Fdb",
        "postgresql://lms@db/lms?password=word",
        "sqlite:///no/such/folder/lms.db",
        "sqlite:///tmp",
        "sqlite:///tmp/lms.db?mode=ro",
    ],
)
def test_a_wrong_url_is_refused(wiring: Wiring, url: str) -> None:
    with pytest.raises(ConfigurationError):
        open_unit_of_work(url, wiring)


def test_the_password_comes_from_the_secret_store() -> None:
    wiring = Wiring(
        clock=FixedClock(),
        ids=CountingIds(),
        tokens=CountingTokens(),
        secrets=MemorySecretStore({"db/password": "p@ss/word"}),
    )
    url = "postgresql://lms@db:6543/lms?password=secret%3A%2F%2Fdb%2Fpassword"

    address = read_url(url, wiring)

    assert address.url.password == "p@ss/word"
    assert "p@ss/word" not in str(address)


def test_one_url_shares_its_connections(sqlite: str, wiring: Wiring) -> None:
    with (
        open_database(sqlite, wiring) as one,
        open_message_queue(f"{sqlite}?queue=a", wiring) as queue,
    ):
        assert queue.database is one
    with open_database(sqlite, wiring) as other:
        assert other is not one


def test_commits_survive_a_power_cut_by_configuration(
    sqlite: str, wiring: Wiring
) -> None:
    with open_database(sqlite, wiring) as database, database.raw() as raw:
        values = {
            name: raw.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }

    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
