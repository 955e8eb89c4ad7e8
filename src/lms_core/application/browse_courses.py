"""Use cases: look through the catalogue, and at one course in it."""

from datetime import datetime

from attrs import frozen

from lms_core.application._learning import current_publication
from lms_core.domain.access.policy import Actor
from lms_core.domain.catalog.content import CourseContent
from lms_core.domain.catalog.course import Publication
from lms_core.domain.decision import Decision
from lms_core.domain.enrollment.enrollment import Enrollment, may_enroll
from lms_core.domain.ids import CourseId, UserId
from lms_core.domain.money import Money
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import CourseFilter, StartWork, UnitOfWork


@frozen(kw_only=True)
class CourseCard:
    """A published course in a list."""

    id: CourseId
    title: str
    summary: str
    language: str
    prices: tuple[Money, ...]
    lessons: int
    published_at: datetime


def _card(course: CourseId, publication: Publication) -> CourseCard:
    content = publication.content
    return CourseCard(
        id=course,
        title=content.title,
        summary=content.summary,
        language=content.language,
        prices=content.prices,
        lessons=sum(1 for _ in content.lessons()),
        published_at=publication.at,
    )


@frozen(kw_only=True)
class BrowseCourses:
    """List published courses; open to everybody."""

    start: StartWork

    def __call__(
        self, wanted: CourseFilter, page: PageRequest = FIRST
    ) -> Page[CourseCard]:
        """Return a page of courses that match."""
        with self.start(read_only=True) as work:
            found = work.courses.published(wanted, page)
        cards = tuple(
            _card(course.id, course.publication)
            for course in found.items
            if course.publication is not None
        )
        return Page(cards, found.next)


@frozen(kw_only=True)
class CourseView:
    """A published course as anybody sees it, and what the viewer may do next.

    *content* is for its outline and description only; lesson contents go out
    through the lesson's own decision. *may_enroll* explains itself.
    """

    id: CourseId
    instructor: str
    publication: Publication
    enrollment: Enrollment | None
    may_enroll: Decision

    @property
    def content(self) -> CourseContent:
        """What was published."""
        return self.publication.content


@frozen(kw_only=True)
class ViewCourse:
    """Show a published course; open to everybody."""

    start: StartWork
    clock: Clock

    def __call__(self, actor: Actor, course: CourseId) -> CourseView:
        """Return the course.

        Raises:
            NotFound: there is none, or it is not published.
        """
        with self.start(read_only=True) as work:
            publication = current_publication(work, course)
            rules = publication.content.enrollment
            taken = work.enrollments.seats_taken(course) if rules.seats else 0
            return CourseView(
                id=course,
                instructor=work.users.get(work.courses.get(course).owner).name,
                publication=publication,
                enrollment=_held(work, actor.user, course),
                may_enroll=may_enroll(
                    rules, published=True, taken=taken, at=self.clock.now()
                ),
            )


def _held(work: UnitOfWork, user: UserId | None, course: CourseId) -> Enrollment | None:
    return work.enrollments.find(user, course) if user is not None else None
