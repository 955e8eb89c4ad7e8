"""Use case: show how far somebody is."""

from attrs import frozen

from lms_core.application._learning import Standing, standing_of
from lms_core.domain.access.policy import Action, Actor, Resource, decide
from lms_core.domain.enrollment.enrollment import Enrollment
from lms_core.domain.grading.gradebook import CourseGrade
from lms_core.domain.ids import CourseId, UserId
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.domain.progress.course_progress import CourseProgress
from lms_core.ports.progress_store import ProgressStore
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import StartWork


@frozen(kw_only=True)
class CourseStanding:
    """A learner's progress and grade on one course."""

    title: str
    standing: Standing
    progress: CourseProgress
    grade: CourseGrade


@frozen(kw_only=True)
class ReadProgress:
    """Show a learner's progress and grade, to those who may see it."""

    start: StartWork
    progress: ProgressStore
    clock: Clock

    def __call__(
        self, actor: Actor, learner: UserId, course: CourseId
    ) -> CourseStanding:
        """Return where *learner* stands on *course*.

        Raises:
            Refused: the actor may not see it.
            NotFound: there is no such course.
        """
        resource = Resource(owner=learner, course=course)
        decide(actor, Action.READ_PROGRESS, resource, at=self.clock.now()).require()
        with self.start(read_only=True) as work:
            standing = standing_of(work, self.progress, learner, course)
        return CourseStanding(
            title=standing.content.title,
            standing=standing,
            progress=standing.course_progress(),
            grade=standing.grade(),
        )


@frozen(kw_only=True)
class ListedEnrollment:
    """A place in a learner's list, with the title of its course."""

    enrollment: Enrollment
    title: str


@frozen(kw_only=True)
class ListEnrollments:
    """List a learner's places, to those who may see them."""

    start: StartWork
    clock: Clock

    def __call__(
        self, actor: Actor, learner: UserId, page: PageRequest = FIRST
    ) -> Page[ListedEnrollment]:
        """Return a page of places, the latest first.

        Raises:
            Refused: the actor may not see them.
        """
        resource = Resource(owner=learner)
        decide(actor, Action.READ_PROGRESS, resource, at=self.clock.now()).require()
        with self.start(read_only=True) as work:
            found = work.enrollments.of_learner(learner, page)
            items = []
            for place in found.items:
                number = work.courses.published_number(place.course)
                title = (
                    work.courses.publication(place.course, number).content.title
                    if number is not None
                    else place.course
                )
                items.append(ListedEnrollment(enrollment=place, title=title))
        return Page(tuple(items), found.next)
