"""Use case: show authors where their courses stand."""

from attrs import frozen

from lms_core.application.author_course import ReadDraft
from lms_core.domain.access.policy import Actor
from lms_core.domain.catalog.course import Course
from lms_core.domain.ids import CourseId, MediaId
from lms_core.domain.media.asset import MediaAsset
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.errors import Fault, InvalidDocument
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import StartWork


@frozen(kw_only=True)
class OverseenCourse:
    """A course with its lectures and learners, and what keeps it from publishing."""

    course: Course
    media: dict[MediaId, MediaAsset]
    learners: int
    faults: tuple[Fault, ...]

    @property
    def has_changes(self) -> bool:
        """Whether learners do not see the draft yet."""
        publication = self.course.publication
        return publication is None or publication.content != self.course.draft


@frozen(kw_only=True)
class OverseeCourse:
    """Show a course, or all of an author's, with what needs attention."""

    start: StartWork
    clock: Clock
    drafts: ReadDraft

    def __call__(self, actor: Actor, course: CourseId) -> OverseenCourse:
        """Return the course with its state.

        Raises:
            NotFound: there is none that the actor may edit.
        """
        found = self.drafts(actor, course)
        with self.start(read_only=True) as work:
            learners = work.enrollments.seats_taken(course)
        return self._overseen(found.course, found.media, learners)

    def taught(self, actor: Actor, page: PageRequest = FIRST) -> Page[OverseenCourse]:
        """Return the courses that the actor owns or instructs.

        Raises:
            Refused: nobody is signed in.
        """
        courses = self.drafts.taught(actor, page)
        with self.start(read_only=True) as work:
            items = tuple(
                self._overseen(
                    course,
                    work.media.several(course.draft.media()),
                    work.enrollments.seats_taken(course.id),
                )
                for course in courses.items
            )
        return Page(items, courses.next)

    def _overseen(
        self, course: Course, media: dict[MediaId, MediaAsset], learners: int
    ) -> OverseenCourse:
        faults: tuple[Fault, ...] = ()
        try:
            course.publish(at=self.clock.now())
        except InvalidDocument as exc:
            faults = exc.faults
        return OverseenCourse(
            course=course, media=media, learners=learners, faults=faults
        )
