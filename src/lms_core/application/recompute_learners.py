"""Use case: a course has changed, and with it what its learners have finished."""

from attrs import frozen

from lms_core.domain.enrollment.enrollment import EnrollmentStatus
from lms_core.domain.events import CoursePublished, CourseRevised, Envelope
from lms_core.domain.ids import EventId
from lms_core.domain.paging import MOST_ITEMS, PageRequest
from lms_core.ports.unit_of_work import StartWork


@frozen(kw_only=True)
class RecomputeLearners:
    """Have each learner's standing computed anew after a publication.

    Where a lesson is gone or has become optional, a learner may have finished by
    that alone, and nothing she does would ever tell. Each learner gets an event of
    her own: a course of many takes many short steps instead of a long one.
    """

    start: StartWork

    def __call__(self, published: CoursePublished) -> int:
        """Return for how many; repeating is harmless, since events have fixed ids."""
        course, number = published.course, published.number
        found, page = 0, PageRequest(limit=MOST_ITEMS)
        while True:
            with self.start() as work:
                places = work.enrollments.of_course(course, page)
                learning = [
                    place.learner
                    for place in places.items
                    if place.status is EnrollmentStatus.ACTIVE
                ]
                work.outbox.extend(
                    [
                        Envelope(
                            id=EventId(f"revised/{course}/{number}/{learner}"),
                            event=CourseRevised(
                                learner=learner, course=course, at=published.at
                            ),
                        )
                        for learner in learning
                    ]
                )
                work.commit()
            found += len(learning)
            if places.next is None:
                return found
            page = PageRequest(limit=MOST_ITEMS, after=places.next)
