"""Transactions in SQLite and PostgreSQL."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

from attrs import define, field, frozen
from sqlalchemy import Connection

from lms_core.errors import Unavailable
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import StartWork, UnitOfWork
from lms_core.registry import Wiring
from lms_sql._errors import translated
from lms_sql.engine import Database, open_database
from lms_sql.repositories.attempts import SqlAttempts
from lms_sql.repositories.certificates import SqlCertificates, SqlOverrides
from lms_sql.repositories.courses import CourseCache, SqlCourses
from lms_sql.repositories.enrollments import SqlEnrollments
from lms_sql.repositories.flow import (
    SqlAuditTrail,
    SqlIdempotencyKeys,
    SqlInbox,
    SqlOutbox,
)
from lms_sql.repositories.media import SqlMediaAssets
from lms_sql.repositories.orders import SqlOrders
from lms_sql.repositories.people import SqlCredentials, SqlSessions, SqlUsers


@define(eq=False, slots=False)
class SqlUnitOfWork:
    """A `UnitOfWork` on one connection, which `commit` gives back."""

    _database: Database
    _clock: Clock
    _cache: CourseCache
    _read_only: bool
    _connection: Connection | None = field(default=None, init=False)
    _written: set[str] = field(factory=set, init=False)

    def __enter__(self) -> Self:
        if not self._read_only:
            self._database.take_turn()
        engine = self._database.reader if self._read_only else self._database.engine
        try:
            with translated():
                self._connection = engine.connect()
                self._connection.begin()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self._connection is not None:
            self._leave()

    def commit(self) -> None:
        connection = self._open()
        try:
            connection.commit()
        except Unavailable as exc:
            if self._database.is_sqlite:
                raise
            raise Unavailable(str(exc), effect="unknown", code=exc.code) from exc
        finally:
            self._leave()

    def _leave(self) -> None:
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                connection.close()
        finally:
            if not self._read_only:
                self._database.end_turn()

    def _open(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("the transaction was not begun, or has ended")
        return self._connection

    @property
    def users(self) -> SqlUsers:
        """People with accounts."""
        return SqlUsers(self._open())

    @property
    def credentials(self) -> SqlCredentials:
        """How local accounts prove themselves."""
        return SqlCredentials(self._open())

    @property
    def sessions(self) -> SqlSessions:
        """Sign-ins."""
        return SqlSessions(self._open())

    @property
    def courses(self) -> SqlCourses:
        """Courses and their publications."""
        return SqlCourses(self._open(), self._cache, self._written)

    @property
    def enrollments(self) -> SqlEnrollments:
        """Places on courses."""
        return SqlEnrollments(self._open())

    @property
    def attempts(self) -> SqlAttempts:
        """Tries at quizzes."""
        return SqlAttempts(self._open())

    @property
    def media(self) -> SqlMediaAssets:
        """Lectures."""
        return SqlMediaAssets(self._open(), self._clock)

    @property
    def orders(self) -> SqlOrders:
        """Orders and their ledgers."""
        return SqlOrders(self._open())

    @property
    def certificates(self) -> SqlCertificates:
        """Certificates issued."""
        return SqlCertificates(self._open())

    @property
    def overrides(self) -> SqlOverrides:
        """Grades set by hand."""
        return SqlOverrides(self._open())

    @property
    def outbox(self) -> SqlOutbox:
        """Events on their way out."""
        return SqlOutbox(self._open())

    @property
    def inbox(self) -> SqlInbox:
        """What consumers have done."""
        return SqlInbox(self._open())

    @property
    def idempotency(self) -> SqlIdempotencyKeys:
        """Answers given under clients' keys."""
        return SqlIdempotencyKeys(self._open())

    @property
    def audit(self) -> SqlAuditTrail:
        """Who did what."""
        return SqlAuditTrail(self._open())


@frozen
class SqlStartWork:
    """A `StartWork` on one database; use it with ``with``, or `close` it.

    In SQLite a transaction that writes keeps every other one waiting, so a thread
    that has one open must not begin another: not by this, nor by a queue or a
    progress store in the same file.
    """

    database: Database
    clock: Clock
    _cache: CourseCache = field(factory=CourseCache, repr=False)

    def __call__(self, *, read_only: bool = False) -> SqlUnitOfWork:
        return SqlUnitOfWork(self.database, self.clock, self._cache, read_only)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def open_unit_of_work(url: str, wiring: Wiring) -> SqlStartWork:
    """Open ``sqlite:///file.db`` or ``postgresql://user@host/name``."""
    return SqlStartWork(open_database(url, wiring), wiring.clock)


if TYPE_CHECKING:
    _conforms: type[UnitOfWork] = SqlUnitOfWork
    _start_conforms: type[StartWork] = SqlStartWork
