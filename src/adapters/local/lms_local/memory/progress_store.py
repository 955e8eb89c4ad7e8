"""Progress in memory."""

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

from attrs import define, field

from lms_core.domain.ids import CourseId, LessonId, UserId
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.domain.progress.lesson_progress import LessonProgress
from lms_core.errors import InvalidValue
from lms_core.ports.progress_store import ProgressStore
from lms_core.registry import Wiring
from lms_local._settings import options


@define(eq=False)
class MemoryProgressStore:
    """A `ProgressStore` that lasts as long as the process."""

    _known: dict[tuple[UserId, LessonId], LessonProgress] = field(
        factory=dict, init=False, repr=False
    )
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    def record(self, updates: Sequence[LessonProgress]) -> tuple[LessonProgress, ...]:
        results = []
        with self._lock:
            for update in updates:
                key = update.learner, update.lesson
                before = self._known.get(key)
                merged = update if before is None else before.merge(update)
                self._known[key] = merged
                results.append(merged)
        return tuple(results)

    def get(self, learner: UserId, lesson: LessonId) -> LessonProgress:
        blank = LessonProgress(learner=learner, lesson=lesson)
        with self._lock:
            return self._known.get((learner, lesson), blank)

    def of_learner(
        self, learner: UserId, course: CourseId
    ) -> tuple[LessonProgress, ...]:
        return tuple(each for each in self._of(course) if each.learner == learner)

    def _of(self, course: CourseId) -> list[LessonProgress]:
        with self._lock:
            found = [p for p in self._known.values() if p.lesson.course == course]
        return sorted(found, key=lambda each: (each.learner, each.lesson.key))

    def of_course(
        self, course: CourseId, page: PageRequest = FIRST
    ) -> Page[LessonProgress]:
        found = self._of(course)
        if page.after is not None:
            lesson, separator, learner = page.after.partition("/")
            if not separator or not lesson or not learner:
                raise InvalidValue("is not one of ours", place="after")
            here = learner, lesson
            found = [p for p in found if (p.learner, p.lesson.key) > here]
        items = tuple(found[: page.limit])
        if len(found) <= page.limit:
            return Page(items)
        return Page(items, f"{items[-1].lesson.key}/{items[-1].learner}")

    def forget(self, learner: UserId) -> None:
        with self._lock:
            for key in [key for key in self._known if key[0] == learner]:
                del self._known[key]


def open_progress_store(url: str, wiring: Wiring) -> MemoryProgressStore:  # noqa: ARG001 - the shape of every opener
    """Open ``memory://``: an empty store of its own for every call."""
    options(url)
    return MemoryProgressStore()


if TYPE_CHECKING:
    _conforms: type[ProgressStore] = MemoryProgressStore
