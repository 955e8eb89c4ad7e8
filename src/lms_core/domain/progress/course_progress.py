"""How far a learner is through a course."""

from collections.abc import Iterable, Set

from attrs import frozen

from lms_core.domain.percent import ALL, NONE, Percent
from lms_core.errors import InvalidValue


@frozen(kw_only=True)
class Weighted:
    """A lesson that counts, and how much."""

    key: str
    weight: int = 1

    def __attrs_post_init__(self) -> None:
        if type(self.weight) is not int or self.weight < 1:
            raise InvalidValue(f"a lesson counts at least 1, not {self.weight!r:.20}")


@frozen(kw_only=True)
class CourseProgress:
    """Finished lessons, those still to do, and the exact share.

    A course without required lessons has no share to show, and is never
    complete by itself.
    """

    share: Percent
    finished: tuple[str, ...]
    unfinished: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether everything required is done, and there was something."""
        return bool(self.finished) and not self.unfinished


def course_progress(
    required: Iterable[Weighted], completed: Set[str]
) -> CourseProgress:
    """Weigh the *required* lessons; the share is 1 only when none is missing."""
    finished: list[str] = []
    unfinished: list[str] = []
    done = total = 0
    for lesson in required:
        total += lesson.weight
        if lesson.key in completed:
            done += lesson.weight
            finished.append(lesson.key)
        else:
            unfinished.append(lesson.key)
    share = NONE if not total else ALL if done == total else Percent.of(done, total)
    return CourseProgress(
        share=share, finished=tuple(finished), unfinished=tuple(unfinished)
    )
