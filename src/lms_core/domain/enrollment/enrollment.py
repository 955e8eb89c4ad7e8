"""A learner's place on a course."""

from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from attrs import evolve, frozen

from lms_core.domain.decision import Decision
from lms_core.domain.events import (
    EnrollmentActivated,
    EnrollmentCompleted,
    EnrollmentEnded,
    EnrollmentOpened,
    Event,
)
from lms_core.domain.ids import CourseId, EnrollmentId, OrderId, UserId
from lms_core.domain.percent import NONE, Percent
from lms_core.errors import InvalidValue, Reason


class EnrollmentStatus(StrEnum):
    """Where a place stands."""

    PENDING = "pending"
    ACTIVE = "active"
    COMPLETED = "completed"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    REFUNDED = "refunded"


CURRENT = frozenset(
    {
        EnrollmentStatus.PENDING,
        EnrollmentStatus.ACTIVE,
        EnrollmentStatus.COMPLETED,
        EnrollmentStatus.SUSPENDED,
    }
)
"""States of a place that is held; a learner has at most one on a course."""

_MOST_SEATS = 10**9
_MOST_DAYS = 36_600

Step = tuple["Enrollment", tuple[Event, ...]]


@frozen(kw_only=True)
class Enrollment:
    """A learner's place on a course.

    *activated_at* is the first time that the learner was let in; drip counts
    from it. *progress* and *grade* are what was last computed, for lists.
    """

    id: EnrollmentId
    learner: UserId
    course: CourseId
    status: EnrollmentStatus
    opened_at: datetime
    activated_at: datetime | None = None
    expires_at: datetime | None = None
    completed_at: datetime | None = None
    order: OrderId | None = None
    progress: Percent = NONE
    grade: Fraction | None = None
    version: int = 0

    @classmethod
    def open(
        cls,
        id_: EnrollmentId,
        learner: UserId,
        course: CourseId,
        *,
        order: OrderId | None = None,
        at: datetime,
    ) -> Step:
        """Reserve a place; `activate` lets the learner in."""
        opened = EnrollmentOpened(enrollment=id_, learner=learner, course=course, at=at)
        place = cls(
            id=id_,
            learner=learner,
            course=course,
            status=EnrollmentStatus.PENDING,
            opened_at=at,
            order=order,
        )
        return place, (opened,)

    @property
    def lets_in(self) -> bool:
        """Whether the learner may learn: a finished learner stays in."""
        return self.status in {EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED}

    @property
    def is_held_by_learner(self) -> bool:
        """Whether buying or taking another one would be one too many."""
        return self.lets_in or self.status is EnrollmentStatus.SUSPENDED

    def activate(self, *, expires_at: datetime | None = None, at: datetime) -> Step:
        """Let the learner in; one who is in already stays as is.

        It does not lift a suspension: enrolling or paying again must not.

        Raises:
            Refused: the place has ended (``enrollment-has-ended``) or is
                suspended (``enrollment-is-suspended``).
        """
        if self.lets_in:
            return self, ()
        Decision.unless(
            enrollment_has_ended=self.status not in CURRENT,
            enrollment_is_suspended=self.status is EnrollmentStatus.SUSPENDED,
        ).require()
        active = evolve(
            self,
            status=EnrollmentStatus.ACTIVE,
            activated_at=at,
            expires_at=expires_at,
        )
        return active, (self._activated(at),)

    def _activated(self, at: datetime) -> EnrollmentActivated:
        return EnrollmentActivated(
            enrollment=self.id, learner=self.learner, course=self.course, at=at
        )

    def reinstate(self, *, at: datetime) -> Step:
        """Lift a suspension: the place stands where it stood before.

        Where nothing is suspended, nothing changes.
        """
        if self.status is not EnrollmentStatus.SUSPENDED:
            return self, ()
        if self.activated_at is None:
            return evolve(self, status=EnrollmentStatus.PENDING), ()
        completed = self.completed_at is not None
        status = EnrollmentStatus.COMPLETED if completed else EnrollmentStatus.ACTIVE
        again = evolve(self, status=status)
        return again, (self._activated(at),)

    def _end(self, status: EnrollmentStatus, at: datetime) -> Step:
        ended = EnrollmentEnded(
            enrollment=self.id,
            learner=self.learner,
            course=self.course,
            status=status,
            at=at,
        )
        return evolve(self, status=status), (ended,)

    def suspend(self, *, at: datetime) -> Step:
        """Lock the learner out for a time; suspending twice changes nothing.

        Raises:
            Refused: the place has ended (``enrollment-has-ended``).
        """
        if self.status is EnrollmentStatus.SUSPENDED:
            return self, ()
        Decision.unless(enrollment_has_ended=self.status not in CURRENT).require()
        return self._end(EnrollmentStatus.SUSPENDED, at)

    def withdraw(self, *, at: datetime) -> Step:
        """Give the place up; one who completed the course keeps it.

        Raises:
            Refused: the place has ended (``enrollment-has-ended``), or the course
                was completed (``course-is-completed``).
        """
        if self.status is EnrollmentStatus.WITHDRAWN:
            return self, ()
        ended = self.status not in CURRENT
        Decision.unless(
            enrollment_has_ended=ended,
            course_is_completed=not ended and self.completed_at is not None,
        ).require()
        return self._end(EnrollmentStatus.WITHDRAWN, at)

    def refund(self, *, at: datetime) -> Step:
        """End the place because its order was refunded, completed or not."""
        if self.status not in CURRENT:
            return self, ()
        return self._end(EnrollmentStatus.REFUNDED, at)

    def expire(self, *, at: datetime) -> Step:
        """End a place whose time is over, unless the course was completed."""
        due = self.expires_at is not None and at >= self.expires_at
        if not due or self.status not in CURRENT or self.completed_at is not None:
            return self, ()
        return self._end(EnrollmentStatus.EXPIRED, at)

    def record_progress(
        self, progress: Percent, grade: Fraction | None
    ) -> "Enrollment":
        """Remember what was computed, for lists and reports."""
        return evolve(self, progress=progress, grade=grade)

    def complete(
        self, *, unfinished: int, grade: Fraction | None, at: datetime
    ) -> Step:
        """Finish the course; completing twice keeps the first time.

        Raises:
            Refused: the place is not active, or lessons are unfinished.
        """
        if self.status is EnrollmentStatus.COMPLETED:
            return self, ()
        Decision.unless(
            enrollment_is_not_active=self.status is not EnrollmentStatus.ACTIVE,
            lessons_are_unfinished=unfinished > 0,
        ).require()
        completed = EnrollmentCompleted(
            enrollment=self.id,
            learner=self.learner,
            course=self.course,
            grade=grade,
            at=at,
        )
        done = evolve(
            self, status=EnrollmentStatus.COMPLETED, completed_at=at, grade=grade
        )
        return done, (completed,)


@frozen(kw_only=True)
class EnrollmentRules:
    """Who may take a place, and for how long; stored with the course.

    *seats* of `None` means no limit, *days* that access does not end.
    """

    opens_at: datetime | None = None
    closes_at: datetime | None = None
    seats: int | None = None
    days: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.opens_at and self.closes_at and self.opens_at >= self.closes_at:
            raise InvalidValue("must lie after opens_at", place="closes_at")
        if self.seats is not None and not 0 <= self.seats <= _MOST_SEATS:
            raise InvalidValue(f"must be 0 to {_MOST_SEATS}", place="seats")
        if self.days is not None and not 1 <= self.days <= _MOST_DAYS:
            raise InvalidValue(f"must be 1 to {_MOST_DAYS}", place="days")


def may_enroll(
    rules: EnrollmentRules, *, published: bool, taken: int, at: datetime
) -> Decision:
    """Decide whether a course takes one more learner at this moment.

    The seat itself is decided in the database; this answers early and explains.
    """
    reasons = []
    if not published:
        reasons.append(Reason("course-is-not-published"))
    if rules.opens_at is not None and at < rules.opens_at:
        reasons.append(Reason("enrollment-has-not-opened", {}, rules.opens_at))
    if rules.closes_at is not None and at >= rules.closes_at:
        reasons.append(Reason("enrollment-has-closed"))
    if rules.seats is not None and taken >= rules.seats:
        reasons.append(Reason("course-is-full"))
    only = reasons[0] if len(reasons) == 1 else None
    return Decision(tuple(reasons), only.opens_at if only else None)
