"""The suite of ProgressStore tells broken stores from good ones."""

from collections.abc import Callable, Sequence
from threading import Barrier, BrokenBarrierError

import pytest

from lms_core.domain.ids import CourseId, LessonId, UserId
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.domain.progress.lesson_progress import LessonProgress
from lms_core.testing.progress_store import ProgressStoreConformance
from lms_local.memory.progress_store import MemoryProgressStore

SUITE = ProgressStoreConformance()


class ReadsThenWrites(MemoryProgressStore):
    """Merges outside of any lock; a gate makes writers read at once."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Barrier(SUITE.racers)

    def record(self, updates: Sequence[LessonProgress]) -> tuple[LessonProgress, ...]:
        results = []
        for update in updates:
            merged = self.get(update.learner, update.lesson).merge(update)
            try:
                self.gate.wait(timeout=1)
            except BrokenBarrierError:
                self.gate.reset()
            self._known[update.learner, update.lesson] = merged
            results.append(merged)
        return tuple(results)


class LastWins(MemoryProgressStore):
    def record(self, updates: Sequence[LessonProgress]) -> tuple[LessonProgress, ...]:
        for update in updates:
            self._known[update.learner, update.lesson] = update
        return tuple(updates)


class OnePage(MemoryProgressStore):
    def of_course(
        self, course: CourseId, page: PageRequest = FIRST
    ) -> Page[LessonProgress]:
        return Page(super().of_course(course, page).items)


class ForgetsOneCourse(MemoryProgressStore):
    def forget(self, learner: UserId) -> None:
        self._known.pop((learner, LessonId(CourseId("other"), "intro")), None)


@pytest.mark.parametrize(
    ("kind", "clause"),
    [
        (ReadsThenWrites, SUITE.test_writers_at_once_lose_nothing),
        (LastWins, SUITE.test_reports_are_merged),
        (LastWins, SUITE.test_repeating_and_reordering_change_nothing),
        (LastWins, SUITE.test_a_fresh_start_replaces_the_old),
        (LastWins, SUITE.test_a_batch_is_recorded_in_order),
        (OnePage, SUITE.test_a_course_comes_page_by_page),
        (ForgetsOneCourse, SUITE.test_what_is_forgotten_is_gone),
    ],
)
def test_a_broken_store_is_found_out(
    kind: type[MemoryProgressStore], clause: Callable[[MemoryProgressStore], None]
) -> None:
    with pytest.raises(AssertionError):
        clause(kind())
