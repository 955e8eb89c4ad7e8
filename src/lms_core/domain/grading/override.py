"""Grades that an instructor sets by hand."""

from datetime import datetime

from attrs import frozen

from lms_core.domain.ids import LessonId, UserId
from lms_core.domain.score import Score
from lms_core.errors import InvalidValue


@frozen(kw_only=True)
class Override:
    """A grade set by hand, or work excused; it wins over what was computed.

    *score* and *excused* exclude each other; with neither, the override is
    withdrawn and the computed score counts again.
    """

    learner: UserId
    lesson: LessonId
    score: Score | None = None
    excused: bool = False
    comment: str = ""
    by: UserId
    at: datetime
    version: int = 0

    def __attrs_post_init__(self) -> None:
        if self.excused and self.score is not None:
            raise InvalidValue("excludes a score", place="excused")
        if len(self.comment) > 2000:  # noqa: PLR2004
            raise InvalidValue("must have at most 2000 characters", place="comment")
        if self.score is not None and self.score.possible <= 0:
            raise InvalidValue("must have something possible", place="score")

    @property
    def is_withdrawn(self) -> bool:
        """Whether the computed score counts again."""
        return self.score is None and not self.excused
