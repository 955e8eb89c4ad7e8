"""Keep what learners watched and finished, written often and from everywhere."""

from collections.abc import Sequence
from typing import Protocol

from lms_core.domain.ids import CourseId, LessonId, UserId
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.domain.progress.lesson_progress import LessonProgress


class ProgressStore(Protocol):
    """Progress by learner and lesson, safe to share between threads.

    Every write is a `LessonProgress.merge` with what is there, so writers never
    undo one another, whatever their number, order or repetition.
    """

    def record(self, updates: Sequence[LessonProgress]) -> tuple[LessonProgress, ...]:
        """Merge *updates* into what is known; return the results in their order.

        What was returned is durable. Two updates of the same lesson in one call
        are fine. An `Unavailable` with an unknown effect may have stored some:
        record the same again.
        """
        ...

    def get(self, learner: UserId, lesson: LessonId) -> LessonProgress:
        """Return what is known; a lesson never touched has blank progress."""
        ...

    def of_learner(
        self, learner: UserId, course: CourseId
    ) -> tuple[LessonProgress, ...]:
        """Return the learner's progress in every touched lesson, by lesson key."""
        ...

    def of_course(
        self, course: CourseId, page: PageRequest = FIRST
    ) -> Page[LessonProgress]:
        """Return everybody's progress, by learner and lesson key, page by page.

        Raises:
            InvalidValue: the cursor is not one of ours.
        """
        ...

    def forget(self, learner: UserId) -> None:
        """Erase all of a learner's progress; erasing twice succeeds."""
        ...
