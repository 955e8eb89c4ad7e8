"""Use case: give a place on a course up."""

from attrs import frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._events import sealed
from lms_core.domain.access.policy import Action, Actor, Resource, decide
from lms_core.domain.enrollment.enrollment import Enrollment
from lms_core.domain.ids import CourseId, UserId
from lms_core.errors import NotFound
from lms_core.ports.system import Clock, IdSource
from lms_core.ports.unit_of_work import StartWork


@frozen(kw_only=True)
class WithdrawLearner:
    """Give a learner's place up."""

    start: StartWork
    clock: Clock
    ids: IdSource

    @again_on_conflict
    def __call__(self, actor: Actor, learner: UserId, course: CourseId) -> Enrollment:
        """Return the place that was given up; doing so twice changes nothing.

        Raises:
            NotFound: the learner has none on the course.
            Refused: it is completed or has ended, or the actor may not.
        """
        now = self.clock.now()
        resource = Resource(owner=learner, course=course)
        decide(actor, Action.WITHDRAW, resource, at=now).require()
        with self.start() as work:
            place = work.enrollments.find(learner, course)
            if place is None:
                raise NotFound(f"no enrollment on {course}", resource=course)
            ended, events = place.withdraw(at=now)
            if events:
                work.enrollments.save(ended)
                work.outbox.extend(sealed(events, self.ids))
                work.commit()
        return ended
