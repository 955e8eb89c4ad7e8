"""Transactions in memory."""

from datetime import datetime
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from attrs import define, field

from lms_core.domain.enrollment.enrollment import CURRENT
from lms_core.domain.ids import CourseId, MediaId
from lms_core.errors import Conflict
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import StartWork, UnitOfWork
from lms_local.memory._repositories import (
    MemoryAttempts,
    MemoryAuditTrail,
    MemoryCertificates,
    MemoryCourses,
    MemoryCredentials,
    MemoryEnrollments,
    MemoryIdempotencyKeys,
    MemoryInbox,
    MemoryMediaAssets,
    MemoryOrders,
    MemoryOutbox,
    MemoryOverrides,
    MemorySessions,
    MemoryUsers,
)
from lms_local.memory._tables import Table, View


def _tables() -> dict[str, Table[Any]]:
    """Return empty tables with what must be unique in each."""
    return {
        "users": Table("user", lambda u: u.id, (lambda u: u.email,)),
        "credentials": Table("credential", lambda c: c.user),
        "sessions": Table("session", lambda s: s.id),
        "courses": Table("course", lambda c: c.id),
        "publications": Table("publication", lambda row: (row[0], row[1].number)),
        "enrollments": Table(
            "enrollment",
            lambda e: e.id,
            (lambda e: (e.learner, e.course) if e.status in CURRENT else None,),
        ),
        "attempts": Table(
            "attempt",
            lambda a: a.id,
            (
                lambda a: (a.learner, a.lesson, a.number),
                lambda a: None if a.is_final else (a.learner, a.lesson),
            ),
        ),
        "media": Table("lecture", lambda m: m.id),
        "orders": Table("order", lambda o: o.id),
        "transactions": Table("transaction", lambda row: row[:2]),
        "certificates": Table(
            "certificate",
            lambda c: c.id,
            (
                lambda c: ("enrollment", c.enrollment),
                lambda c: ("number", c.number),
                lambda c: ("code", c.code),
                lambda c: ("index", c.status_index),
            ),
        ),
        "numbers": Table("number", lambda row: row[0]),
        "overrides": Table("override", lambda o: (o.learner, o.lesson)),
        "outbox": Table("event", lambda row: row.envelope.id),
        "inbox": Table("event", lambda row: row),
        "idempotency": Table("answer", lambda row: row[0]),
        "audit": Table("row", lambda row: row.id),
    }


@define(eq=False)
class MemoryDatabase:
    """Tables that last as long as the process; `start` is a `StartWork`.

    A transaction sees the tables as they were when it began. Committing it
    raises `Conflict` where another has meanwhile changed the same rows, or taken
    what may be had once.
    """

    _clock: Clock
    _tables: dict[str, Table[Any]] = field(factory=_tables, init=False, repr=False)
    _changed_at: dict[MediaId, datetime] = field(factory=dict, init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    def start(self, *, read_only: bool = False) -> "MemoryUnitOfWork":
        """Return a transaction, begun when it is entered."""
        return MemoryUnitOfWork(self, self._clock, read_only=read_only)

    def snapshot(self) -> tuple[dict[str, View[Any]], dict[MediaId, datetime]]:
        """Return a view of every table, all of one moment."""
        with self._lock:
            views = {name: table.view() for name, table in self._tables.items()}
            return views, dict(self._changed_at)

    def apply(self, work: "MemoryUnitOfWork") -> None:
        """Make the changes of *work* permanent, or raise `Conflict`."""
        with self._lock:
            after = {
                name: self._tables[name].merged(view)
                for name, view in work.views.items()
                if view.changed
            }
            for course, seats in work.limits.items():
                places = after["enrollments"].values()
                held = [p for p in places if p.course == course and p.status in CURRENT]
                if len(held) > seats:
                    raise Conflict("the last seat was taken meanwhile")
            for name, rows in after.items():
                table = self._tables[name].rows
                table.clear()
                table.update(rows)
            for media in work.views["media"].changed:
                self._changed_at[MediaId(str(media))] = work.changed_at[
                    MediaId(str(media))
                ]


@define(eq=False)
class MemoryUnitOfWork:
    """A `UnitOfWork` on copies of a database's tables."""

    _database: MemoryDatabase
    _clock: Clock
    _read_only: bool = field(kw_only=True)
    views: dict[str, View[Any]] = field(factory=dict, init=False, repr=False)
    changed_at: dict[MediaId, datetime] = field(factory=dict, init=False, repr=False)
    limits: dict[CourseId, int] = field(factory=dict, init=False, repr=False)

    def __enter__(self) -> Self:
        self.views, self.changed_at = self._database.snapshot()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.views = {}

    def commit(self) -> None:
        changed = any(view.changed for view in self._open().values())
        if self._read_only and changed:
            raise RuntimeError("the transaction was begun to read only")
        try:
            self._database.apply(self)
        finally:
            self.views = {}

    def _open(self) -> dict[str, View[Any]]:
        if not self.views:
            raise RuntimeError("the transaction was not begun, or has ended")
        return self.views

    @property
    def users(self) -> MemoryUsers:
        """People with accounts."""
        return MemoryUsers(self._open()["users"])

    @property
    def credentials(self) -> MemoryCredentials:
        """How local accounts prove themselves."""
        return MemoryCredentials(self._open()["credentials"])

    @property
    def sessions(self) -> MemorySessions:
        """Sign-ins."""
        return MemorySessions(self._open()["sessions"])

    @property
    def courses(self) -> MemoryCourses:
        """Courses and their publications."""
        views = self._open()
        return MemoryCourses(views["courses"], views["publications"], views["users"])

    @property
    def enrollments(self) -> MemoryEnrollments:
        """Places on courses."""
        return MemoryEnrollments(self._open()["enrollments"], self.limits)

    @property
    def attempts(self) -> MemoryAttempts:
        """Tries at quizzes."""
        return MemoryAttempts(self._open()["attempts"])

    @property
    def media(self) -> MemoryMediaAssets:
        """Lectures."""
        return MemoryMediaAssets(self._open()["media"], self.changed_at, self._clock)

    @property
    def orders(self) -> MemoryOrders:
        """Orders and their ledgers."""
        views = self._open()
        return MemoryOrders(views["orders"], views["transactions"])

    @property
    def certificates(self) -> MemoryCertificates:
        """Certificates issued."""
        views = self._open()
        return MemoryCertificates(views["certificates"], views["numbers"])

    @property
    def overrides(self) -> MemoryOverrides:
        """Grades set by hand."""
        return MemoryOverrides(self._open()["overrides"])

    @property
    def outbox(self) -> MemoryOutbox:
        """Events on their way out."""
        return MemoryOutbox(self._open()["outbox"])

    @property
    def inbox(self) -> MemoryInbox:
        """What consumers have done."""
        return MemoryInbox(self._open()["inbox"])

    @property
    def idempotency(self) -> MemoryIdempotencyKeys:
        """Answers given under clients' keys."""
        return MemoryIdempotencyKeys(self._open()["idempotency"])

    @property
    def audit(self) -> MemoryAuditTrail:
        """Who did what."""
        return MemoryAuditTrail(self._open()["audit"])


if TYPE_CHECKING:
    _conforms: type[UnitOfWork] = MemoryUnitOfWork

    def _start_conforms(database: MemoryDatabase) -> StartWork:
        return database.start
