"""One learner's progress in one lesson, merged from any number of devices."""

from datetime import UTC, datetime

from attrs import evolve, frozen

from lms_core.domain.ids import LessonId, UserId
from lms_core.domain.progress.intervals import EMPTY, LONGEST_MS, Intervals
from lms_core.errors import InvalidValue

_MOST_EPOCHS = 2**31


@frozen(kw_only=True)
class LessonProgress:
    """What is known of a learner's way through a lesson.

    It is a join semilattice: `merge` is commutative, associative and
    idempotent, so late, repeated and reordered reports lose nothing. A higher
    *epoch* is a fresh start and replaces a lower one; *watched* is a union;
    *completed_at* and *read_at* keep the earliest; *position_ms* is the one
    reported last, by *seen_at*.
    """

    learner: UserId
    lesson: LessonId
    epoch: int = 0
    watched: Intervals = EMPTY
    position_ms: int = 0
    read_at: datetime | None = None
    seen_at: datetime | None = None
    completed_at: datetime | None = None

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.epoch < _MOST_EPOCHS:
            raise InvalidValue(f"must be 0 to {_MOST_EPOCHS - 1}", place="epoch")
        if not 0 <= self.position_ms <= LONGEST_MS:
            raise InvalidValue(f"must be 0 to {LONGEST_MS}", place="position_ms")

    def merge(self, other: "LessonProgress") -> "LessonProgress":
        """Return what both know together.

        Raises:
            InvalidValue: they are not of the same learner and lesson.
        """
        if (self.learner, self.lesson) != (other.learner, other.lesson):
            raise InvalidValue("progress of different learners or lessons")
        if self.epoch != other.epoch:
            return max(self, other, key=lambda each: each.epoch)
        latest = max(self, other, key=_seen)
        return evolve(
            self,
            watched=self.watched | other.watched,
            position_ms=latest.position_ms,
            seen_at=latest.seen_at,
            read_at=_earliest(self.read_at, other.read_at),
            completed_at=_earliest(self.completed_at, other.completed_at),
        )

    def restart(self) -> "LessonProgress":
        """Begin anew: the next epoch, with nothing watched."""
        return LessonProgress(
            learner=self.learner, lesson=self.lesson, epoch=self.epoch + 1
        )


_NEVER = datetime.min.replace(tzinfo=UTC)


def _seen(progress: LessonProgress) -> tuple[bool, datetime, int]:
    """Order by time; the later position wins a tie, and never seen is earliest."""
    seen = progress.seen_at
    return seen is not None, seen or _NEVER, progress.position_ms


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)
