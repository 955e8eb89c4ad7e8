"""One pool of connections for each database, shared by everything that uses it.

SQLite runs in WAL mode with ``synchronous=FULL``, so that an acknowledged commit
survives a power cut. Transactions that write begin with ``BEGIN IMMEDIATE`` and
take turns; those that only read see one state of the database throughout.

PostgreSQL: what writes runs in READ COMMITTED. Lost updates are prevented by
versions, scarcity by constraints, counters by row locks, each of which acts on
single statements that PostgreSQL re-checks after waiting; SERIALIZABLE would add
nothing but repeats, on tables that share pages. What only reads runs in
REPEATABLE READ, so that a page is put together from one state.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from threading import Lock, get_ident
from time import monotonic
from typing import Any, Self

from attrs import define, field
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError

from lms_core.errors import LmsError, Unavailable
from lms_core.registry import Wiring
from lms_sql._errors import known, translate, translated
from lms_sql._urls import Address, read_url

_WAIT_S = 5
_STUCK_S = 2
_SLICE_S = 0.25
_REST_S = 1.0
_POOL: dict[str, Any] = {"pool_size": 10, "max_overflow": 20, "pool_timeout": 10}
_POSTGRESQL_SETTINGS = (
    f"-c lock_timeout={_WAIT_S}s -c statement_timeout=30s "
    "-c idle_in_transaction_session_timeout=60s -c timezone=UTC"
)


@define(eq=False)
class Database:
    """The connections to one database; use it with ``with``, or `close` it.

    It is shared: the last one who closes it closes the connections.
    """

    url: URL
    engine: Engine
    """Begins transactions that write."""
    reader: Engine
    """Begins transactions that only read."""
    single: Engine
    """Gives raw connections on which each statement is its own transaction."""
    _turn: Lock = field(factory=Lock, repr=False)
    _whose: int = 0
    _taken_at: float = inf
    _stuck_since: float = inf
    _users: int = 0
    _writer: Any = field(default=None, repr=False)
    is_sqlite: bool = field(init=False)
    """Whether it is a file on this machine."""

    @is_sqlite.default
    def _of_dialect(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def take_turn(self) -> None:
        """Wait until no other thread writes, where there is one writer only.

        Waiting here is fair and quick; waiting for SQLite's lock is neither. When
        another process keeps that lock, one thread at a time tries for it and the
        others give up soon: were they to wait too, nobody would be left to answer
        requests that only read.

        Raises:
            Unavailable: the other one is not done in time.
            RuntimeError: this very thread has a transaction that writes.
        """
        if not self.is_sqlite:
            return
        if self._whose == get_ident():
            raise RuntimeError("this thread has an open transaction that writes")
        ends = monotonic() + _WAIT_S
        while not self._turn.acquire(timeout=_SLICE_S):
            now = monotonic()
            if now > ends or now - self._stuck_since > _STUCK_S:
                raise Unavailable(
                    "the database is locked by another writer", code="database-locked"
                )
        self._whose = get_ident()
        self._taken_at = monotonic()
        self._stuck_since = min(self._stuck_since, self._taken_at)

    def end_turn(self) -> None:
        """Let the next one write."""
        if self.is_sqlite:
            # A short turn shows that whatever was in the way is gone.
            if monotonic() - self._taken_at < _STUCK_S / 2:
                self._stuck_since = inf
            self._whose = 0
            self._turn.release()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Write all or nothing."""
        self.take_turn()
        try:
            with translated(), self.engine.begin() as connection:
                yield connection
        finally:
            self.end_turn()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read from one state of the database."""
        with translated(), self.reader.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """Lend what `raw` lends, when it is this thread's turn to write.

        In SQLite it is the same connection every time, guarded by the turn: a
        pool's bookkeeping would take longer than the statement.
        """
        if not self.is_sqlite:
            with self.raw() as connection:
                yield connection
            return
        self.take_turn()
        try:
            if self._writer is None:
                with translated():
                    pooled = self.single.raw_connection()
                self._writer = pooled.driver_connection
                pooled.detach()
            yield self._writer
        except Exception as exc:
            found = known(exc)
            if found is None or isinstance(exc, LmsError):
                raise
            raise found from exc
        finally:
            self.end_turn()

    @contextmanager
    def atomic(self, raw: Any) -> Iterator[None]:
        """Make what is done on a raw connection one transaction."""
        if not self.is_sqlite:
            with raw.transaction():
                yield
            return
        raw.execute("BEGIN IMMEDIATE")
        try:
            yield
            raw.execute("COMMIT")
        except BaseException:
            if raw.in_transaction:
                raw.execute("ROLLBACK")
            raise

    def sql(self, statement: str) -> str:
        """Return *statement* with this driver's placeholders instead of ``?``."""
        return statement if self.is_sqlite else statement.replace("?", "%s")

    @contextmanager
    def raw(self) -> Iterator[Any]:
        """Lend a raw DBAPI connection in autocommit mode, errors translated."""
        with translated():
            connection = self.single.raw_connection()
            try:
                yield connection.driver_connection
            except BaseException as exc:
                if self.single.dialect.is_disconnect(exc, None, None):  # type: ignore[arg-type]
                    connection.invalidate()
                raise
            finally:
                connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, unless others use them too."""
        with _shared_lock:
            self._users -= 1
            if self._users > 0:
                return
            _shared.pop(self.url, None)
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self.engine.dispose()
        self.single.dispose()


_shared: dict[URL, Database] = {}
_shared_lock = Lock()


def open_database(url: str, wiring: Wiring) -> Database:
    """Return the database that *url* names, the same one for the same URL.

    Nothing is connected before it is used.

    Raises:
        ConfigurationError: the URL is wrong.
    """
    return share(read_url(url, wiring))


def share(address: Address) -> Database:
    """Return the database at *address*, the same one for the same address."""
    with _shared_lock:
        database = _shared.get(address.url)
        if database is None:
            made = _sqlite if address.is_sqlite else _postgresql
            database = _shared[address.url] = made(address.url)
        database._users += 1  # noqa: SLF001 - this module counts them
    return database


def _sqlite(url: URL) -> Database:
    engine = create_engine(url, **_POOL, connect_args={"timeout": _WAIT_S})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "handle_error", translate)
    reader = engine.execution_options(lms_begin="BEGIN DEFERRED")
    return Database(url=url, engine=engine, reader=reader, single=engine)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transactions begin too late to be IMMEDIATE.
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    # Past SQLAlchemy, which would take longer than SQLite; whoever begins translates.
    raw: Any = connection.connection.driver_connection
    raw.execute(options.get("lms_begin", "BEGIN IMMEDIATE")).close()


def _ask_after_a_rest(connection: Any, record: Any, _proxy: object) -> None:
    """Replace a connection that was cut while nobody used it.

    One that was used a moment ago is not asked: that would cost as much as the
    statement it is wanted for.
    """
    now = monotonic()
    seen = record.info.get("lms_seen", now)
    record.info["lms_seen"] = now
    if now - seen > _REST_S:
        try:
            autocommit = connection.autocommit
            connection.autocommit = True
            connection.execute("SELECT 1")
            connection.autocommit = autocommit
        except Exception as exc:
            raise DisconnectionError("the connection was cut") from exc


def _postgresql(url: URL) -> Database:
    args = {
        "connect_timeout": _WAIT_S,
        "options": _POSTGRESQL_SETTINGS,
        "application_name": "lms",
    }
    engine = create_engine(url, **_POOL, connect_args=args)
    single = create_engine(
        url,
        **_POOL,
        connect_args=args,
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
    )
    for each in (engine, single):
        event.listen(each, "handle_error", translate)
        event.listen(each, "checkout", _ask_after_a_rest)
    reader = engine.execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )
    return Database(url=url, engine=engine, reader=reader, single=single)
