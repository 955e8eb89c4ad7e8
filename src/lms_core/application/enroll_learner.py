"""Use case: put a learner on a free course."""

from datetime import datetime, timedelta

from attrs import frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._events import sealed
from lms_core.application._learning import current_publication
from lms_core.domain.access.policy import (
    Action,
    Actor,
    Resource,
    decide,
    signed_in,
)
from lms_core.domain.enrollment.enrollment import (
    CURRENT,
    Enrollment,
    EnrollmentRules,
    EnrollmentStatus,
    may_enroll,
)
from lms_core.domain.ids import CourseId, EnrollmentId, OrderId, UserId
from lms_core.errors import AlreadyExists, Conflict, Refused
from lms_core.ports.system import Clock, IdSource
from lms_core.ports.unit_of_work import StartWork, UnitOfWork


def access_ends(rules: EnrollmentRules, at: datetime) -> datetime | None:
    """Return when a place that is activated at *at* expires, if it does."""
    return None if rules.days is None else at + timedelta(days=rules.days)


def take_place(
    work: UnitOfWork,
    ids: IdSource,
    *,
    learner: UserId,
    course: CourseId,
    rules: EnrollmentRules,
    order: OrderId | None,
    at: datetime,
) -> Enrollment:
    """Give *learner* an active place within a transaction that is going on.

    A learner who holds a pending place is let in on it. Of several who want the last
    seat, one gets it.

    Raises:
        Refused: the course is full, or the place cannot be activated.
        Conflict: the learner got a place meanwhile; run again.
    """
    held = work.enrollments.find(learner, course)
    if held is not None and held.status in CURRENT:
        active, events = held.activate(expires_at=access_ends(rules, at), at=at)
        if events:
            work.enrollments.save(active)
            work.outbox.extend(sealed(events, ids))
        return active
    place, opened = Enrollment.open(
        EnrollmentId(ids.new()), learner, course, order=order, at=at
    )
    active, activated = place.activate(expires_at=access_ends(rules, at), at=at)
    try:
        work.enrollments.add(active, seats=rules.seats)
    except AlreadyExists as exc:
        raise Conflict("the learner got a place meanwhile") from exc
    work.outbox.extend(sealed((*opened, *activated), ids))
    return active


@frozen(kw_only=True)
class EnrollLearner:
    """Put a learner on a free course, if it takes her."""

    start: StartWork
    clock: Clock
    ids: IdSource

    @again_on_conflict
    def __call__(self, actor: Actor, course: CourseId) -> Enrollment:
        """Return the actor's active place; asking again returns the same.

        Raises:
            NotFound: there is no such course, or it is not published.
            Refused: it must be paid for (``payment-required``), is full, or
                enrollment is not open.
        """
        now = self.clock.now()
        resource = Resource(owner=actor.user, course=course)
        decide(actor, Action.ENROLL, resource, at=now).require()
        learner = signed_in(actor)
        with self.start() as work:
            content = current_publication(work, course).content
            held = work.enrollments.find(learner, course)
            if held is not None and held.lets_in:
                return held
            if held is not None and held.status in CURRENT and held.order is not None:
                raise Refused("payment-required")
            if held is not None and held.status is EnrollmentStatus.SUSPENDED:
                raise Refused("enrollment-suspended")
            if not content.is_free:
                raise Refused("payment-required")
            rules = content.enrollment
            taken = work.enrollments.seats_taken(course) if rules.seats else 0
            may_enroll(rules, published=True, taken=taken, at=now).require()
            place = take_place(
                work,
                self.ids,
                learner=learner,
                course=course,
                rules=rules,
                order=None,
                at=now,
            )
            work.commit()
        return place
