"""Use case: show one learner of a course to who teaches it."""

from attrs import frozen

from lms_core.application._learning import Standing, standing_of
from lms_core.domain.access.policy import Action, Actor, Resource, decide
from lms_core.domain.enrollment.enrollment import Enrollment
from lms_core.domain.ids import CourseId, UserId
from lms_core.domain.people.user import User
from lms_core.errors import NotFound
from lms_core.ports.progress_store import ProgressStore
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import StartWork


@frozen(kw_only=True)
class TaughtLearner:
    """A learner, her place on the course, and where she stands."""

    user: User
    enrollment: Enrollment
    standing: Standing


@frozen(kw_only=True)
class ReadLearner:
    """Show one learner of a course with her grades."""

    start: StartWork
    progress: ProgressStore
    clock: Clock

    def __call__(
        self, actor: Actor, course: CourseId, learner: UserId
    ) -> TaughtLearner:
        """Return the learner.

        Raises:
            Refused: the actor does not teach the course.
            NotFound: there is no such course, or the learner has never been on it.
        """
        resource = Resource(course=course)
        decide(actor, Action.READ_GRADEBOOK, resource, at=self.clock.now()).require()
        with self.start(read_only=True) as work:
            # The place first: whoever has none here is nobody to this course.
            place = work.enrollments.find(learner, course)
            if place is None:
                raise NotFound(f"no learner {learner:.60}", resource=learner)
            return TaughtLearner(
                user=work.users.get(learner),
                enrollment=place,
                standing=standing_of(work, self.progress, learner, course),
            )
