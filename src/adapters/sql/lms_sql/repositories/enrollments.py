"""Places on courses, and how many are taken."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import frozen
from sqlalchemy import Connection, delete, select, update

from lms_core.domain.enrollment.enrollment import (
    CURRENT,
    Enrollment,
    EnrollmentStatus,
)
from lms_core.domain.ids import CourseId, EnrollmentId, UserId
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.errors import Refused
from lms_core.ports.unit_of_work import Enrollments
from lms_sql import _statements as sql
from lms_sql import tables
from lms_sql._kept import Kept, Kind, fetch_one, insert_if_absent, read_page
from lms_sql._values import micros, micros_or_none, ppm

_T = tables.enrollments
_SEATS = tables.seats
_COMPLETED = EnrollmentStatus.COMPLETED


def _enrollment(place: Enrollment) -> dict[str, Any]:
    return {
        "id": place.id,
        "user_id": place.learner,
        "course_id": place.course,
        "status": place.status,
        "held": place.status in CURRENT,
        "opened_at": micros(place.opened_at),
        "expires_at": micros_or_none(place.expires_at),
        "completed_at": micros_or_none(place.completed_at),
        "progress_ppm": ppm(place.progress),
    }


ENROLLMENTS = Kind(Enrollment, _T, _enrollment, remembers=2000)


@frozen
class SqlEnrollments:
    """`Enrollments` in a table, with a counter of places held beside it.

    The counter is one row for each course: who wants a seat locks it, and its
    update tests what it finds after waiting, so the last seat goes once.
    """

    _connection: Connection

    @property
    def _kept(self) -> Kept[Enrollment]:
        return Kept(self._connection, ENROLLMENTS)

    def get(self, enrollment: EnrollmentId) -> Enrollment:
        return self._kept.get(id=enrollment)

    def find(self, learner: UserId, course: CourseId) -> Enrollment | None:
        row = fetch_one(self._connection, sql.LAST_PLACE, (learner, course))
        return None if row is None else ENROLLMENTS.read(row)

    def add(self, enrollment: Enrollment, *, seats: int | None = None) -> None:
        self._kept.add(enrollment)
        if enrollment.status not in CURRENT:
            return
        if not self._count(enrollment.course, 1, most=seats):
            self._connection.execute(delete(_T).where(_T.c.id == enrollment.id))
            raise Refused("course-is-full")

    def save(self, enrollment: Enrollment) -> None:
        # No other version can have been stored between this and the update,
        # which tests for the very same one.
        query = select(_T.c.held).where(
            _T.c.id == enrollment.id, _T.c.version == enrollment.version
        )
        was_held = self._connection.execute(query).scalar()
        # A learner may hold another place by now, which fails the statement.
        with self._connection.begin_nested():
            self._kept.save(enrollment)
        is_held = enrollment.status in CURRENT
        if was_held != is_held:
            self._count(enrollment.course, 1 if is_held else -1)

    def _count(self, course: CourseId, change: int, most: int | None = None) -> bool:
        row = {"course_id": course, "taken": 0}
        changed = update(_SEATS).where(_SEATS.c.course_id == course)
        if most is not None:
            changed = changed.where(_SEATS.c.taken < most)
        changed = changed.values(taken=_SEATS.c.taken + change)
        if self._connection.execute(changed).rowcount == 1:
            return True
        # Either there is no row yet, or the limit was reached.
        self._connection.execute(insert_if_absent(self._connection, _SEATS), row)
        return self._connection.execute(changed).rowcount == 1

    def seats_taken(self, course: CourseId) -> int:
        query = select(_SEATS.c.taken).where(_SEATS.c.course_id == course)
        return self._connection.execute(query).scalar() or 0

    def of_learner(
        self, learner: UserId, page: PageRequest = FIRST
    ) -> Page[Enrollment]:
        query = ENROLLMENTS.rows.where(_T.c.user_id == learner)
        order = [_T.c.opened_at, _T.c.id]
        return read_page(self._kept, query, order, page, latest_first=True)

    def of_course(
        self, course: CourseId, page: PageRequest = FIRST
    ) -> Page[Enrollment]:
        query = ENROLLMENTS.rows.where(_T.c.course_id == course, _T.c.held)
        return read_page(self._kept, query, [_T.c.user_id, _T.c.id], page)

    def completed_courses(self, learner: UserId) -> frozenset[CourseId]:
        query = select(_T.c.course_id).where(
            _T.c.user_id == learner, _T.c.status == _COMPLETED
        )
        return frozenset(map(CourseId, self._connection.execute(query).scalars()))

    def due_to_expire(self, at: datetime, limit: int) -> tuple[Enrollment, ...]:
        query = ENROLLMENTS.rows.where(
            _T.c.held, _T.c.status != _COMPLETED, _T.c.expires_at <= micros(at)
        )
        return self._kept.all(query.order_by(_T.c.expires_at, _T.c.id).limit(limit))


if TYPE_CHECKING:
    _conforms: type[Enrollments] = SqlEnrollments
