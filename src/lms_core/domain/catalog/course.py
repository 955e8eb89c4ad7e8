"""A course: its draft and what learners see of it."""

from datetime import datetime

from attrs import evolve, frozen

from lms_core.domain.catalog.content import CourseContent, Video, content_faults
from lms_core.domain.events import CoursePublished, Event
from lms_core.domain.ids import CourseId, UserId
from lms_core.errors import Fault, InvalidDocument


@frozen(kw_only=True)
class Publication:
    """A version that learners see, or saw; it never changes."""

    number: int
    content: CourseContent
    at: datetime


Step = tuple["Course", tuple[Event, ...]]


@frozen(kw_only=True)
class Course:
    """A course with its draft and its latest publication.

    Authors change the draft; learners see the publication. A new one rewrites
    nothing that a learner has earned: completions, scores and certificates
    stay.
    """

    id: CourseId
    owner: UserId
    draft: CourseContent
    created_at: datetime
    publication: Publication | None = None
    version: int = 0

    def edit(self, content: CourseContent) -> "Course":
        """Replace the draft.

        Raises:
            InvalidDocument: its parts do not fit together.
        """
        faults = content_faults(content)
        if faults:
            raise InvalidDocument(*faults)
        return evolve(self, draft=content)

    def publish(self, *, at: datetime) -> Step:
        """Let learners see the draft; publishing it unchanged does nothing.

        Raises:
            InvalidDocument: it has no lessons, or a video lesson has no video.
        """
        if self.publication is not None and self.publication.content == self.draft:
            return self, ()
        faults = list(content_faults(self.draft))
        if not any(self.draft.lessons()):
            faults.append(Fault("modules", "must have a lesson", "course-is-empty"))
        for m, module in enumerate(self.draft.modules):
            for n, lesson in enumerate(module.lessons):
                if isinstance(lesson.content, Video) and lesson.content.media is None:
                    place = f"modules[{m}].lessons[{n}].content.media"
                    faults.append(Fault(place, "has no video yet", "video-is-missing"))
        if faults:
            raise InvalidDocument(*faults)
        number = self.publication.number + 1 if self.publication else 1
        published = Publication(number=number, content=self.draft, at=at)
        event = CoursePublished(course=self.id, number=number, at=at)
        return evolve(self, publication=published), (event,)
