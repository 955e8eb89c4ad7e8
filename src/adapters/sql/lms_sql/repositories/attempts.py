"""Tries at quizzes."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import frozen
from sqlalchemy import Connection

from lms_core.domain.assessment.attempt import Attempt
from lms_core.domain.ids import AttemptId, CourseId, LessonId, UserId
from lms_core.ports.unit_of_work import Attempts
from lms_sql import tables
from lms_sql._kept import Kept, Kind
from lms_sql._values import micros, micros_or_none

_T = tables.attempts


def _attempt(attempt: Attempt) -> dict[str, Any]:
    share = attempt.share
    return {
        "id": attempt.id,
        "user_id": attempt.learner,
        "course_id": attempt.lesson.course,
        "lesson": attempt.lesson.key,
        "number": attempt.number,
        "final": attempt.is_final,
        "started_at": micros(attempt.started_at),
        "closes_at": micros_or_none(attempt.closes_at),
        "submitted_at": micros_or_none(attempt.submitted_at),
        "share_ppm": None if share is None else int(share * 1_000_000),
    }


ATTEMPTS = Kind(Attempt, _T, _attempt)


@frozen
class SqlAttempts:
    """`Attempts` in a table."""

    _connection: Connection

    @property
    def _kept(self) -> Kept[Attempt]:
        return Kept(self._connection, ATTEMPTS)

    def get(self, attempt: AttemptId) -> Attempt:
        return self._kept.get(id=attempt)

    def add(self, attempt: Attempt) -> None:
        self._kept.add(attempt)

    def save(self, attempt: Attempt) -> None:
        self._kept.save(attempt)

    def of_lesson(self, learner: UserId, lesson: LessonId) -> tuple[Attempt, ...]:
        query = ATTEMPTS.rows.where(
            _T.c.user_id == learner,
            _T.c.course_id == lesson.course,
            _T.c.lesson == lesson.key,
        )
        return self._kept.all(query.order_by(_T.c.number))

    def of_course(
        self, course: CourseId, learners: Sequence[UserId]
    ) -> tuple[Attempt, ...]:
        query = ATTEMPTS.rows.where(
            _T.c.course_id == course, _T.c.user_id.in_(set(learners)), _T.c.final
        )
        return self._kept.all(query.order_by(_T.c.user_id, _T.c.number, _T.c.lesson))

    def overdue(self, at: datetime, limit: int) -> tuple[Attempt, ...]:
        query = ATTEMPTS.rows.where(~_T.c.final, _T.c.closes_at <= micros(at))
        return self._kept.all(query.order_by(_T.c.closes_at, _T.c.id).limit(limit))


if TYPE_CHECKING:
    _conforms: type[Attempts] = SqlAttempts
