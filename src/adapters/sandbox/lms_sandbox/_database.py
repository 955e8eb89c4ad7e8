"""The file that the sandbox keeps its books in."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Self

from lms_core.errors import ConfigurationError, Unavailable

_SCHEMA = """
CREATE TABLE IF NOT EXISTS checkouts (
    reference TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    minor INTEGER NOT NULL CHECK (minor > 0),
    currency TEXT NOT NULL,
    description TEXT NOT NULL,
    buyer_email TEXT NOT NULL,
    success_url TEXT NOT NULL,
    cancel_url TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'paid', 'expired'))
) STRICT;
CREATE TABLE IF NOT EXISTS transactions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    reference TEXT NOT NULL UNIQUE,
    checkout TEXT NOT NULL REFERENCES checkouts (reference),
    kind TEXT NOT NULL,
    minor INTEGER NOT NULL CHECK (minor >= 0),
    at TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS transactions_of_checkout ON transactions (checkout);
CREATE UNIQUE INDEX IF NOT EXISTS a_checkout_is_paid_once
    ON transactions (checkout) WHERE kind = 'payment';
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    answer TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    body BLOB NOT NULL,
    due_at TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    delivered_at TEXT,
    last_answer TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_at)
    WHERE delivered_at IS NULL;
"""


class Database:
    """One connection, used by one thread at a time; other processes may wait.

    `:memory:` lives as long as the object. A file that another process keeps is
    waited for, *patience* seconds long.
    """

    def __init__(self, path: str, *, patience: float = 5) -> None:
        try:
            self._connection = sqlite3.connect(
                path, timeout=patience, isolation_level=None, check_same_thread=False
            )
        except sqlite3.OperationalError as exc:
            raise ConfigurationError(f"cannot open the sandbox's {path!r}") from exc
        self._connection.row_factory = sqlite3.Row
        self._lock = Lock()
        try:
            self._connection.executescript(
                "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;" + _SCHEMA
            )
        except sqlite3.DatabaseError as exc:
            self._connection.close()
            raise ConfigurationError(f"cannot use the sandbox's {path!r}") from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice is once."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing, and alone.

        Raises:
            Unavailable: another process kept the file, or the disk failed.
        """
        with self._lock:
            try:
                # The write lock comes first, so what is read here stays true.
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            except sqlite3.OperationalError as exc:
                raise Unavailable("the sandbox's file is busy or broken") from exc
