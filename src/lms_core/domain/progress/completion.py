"""When a lesson is finished: rules stored with the lesson."""

from fractions import Fraction

from attrs import frozen

from lms_core.domain.documents import open_set, variant
from lms_core.domain.percent import Percent
from lms_core.domain.progress.lesson_progress import LessonProgress


@frozen(kw_only=True)
class Evidence:
    """What a completion rule may look at.

    *duration_ms* is that of the lecture, where there is one. *share* is the
    counting score, *passed* whether any attempt passed; *submitted* whether one
    was handed in.
    """

    progress: LessonProgress
    duration_ms: int | None = None
    share: Fraction | None = None
    passed: bool = False
    submitted: bool = False


@open_set
@frozen(kw_only=True)
class CompletionRule:
    """Decides when a lesson is finished."""

    def is_met(self, evidence: Evidence) -> bool:
        """Tell whether the lesson is finished."""
        raise TypeError(f"{type(self).__name__} does not say when it is met")


@variant("viewed")
@frozen(kw_only=True)
class Viewed(CompletionRule):
    """Finished when the learner has said so at the end of the text."""

    def is_met(self, evidence: Evidence) -> bool:
        """Look at what was opened."""
        return evidence.progress.read_at is not None


@variant("watched")
@frozen(kw_only=True)
class Watched(CompletionRule):
    """Finished when a share of the lecture was watched, each moment once.

    Coverage counts, not position: skipping to the end is not watching. Open edX
    looks at the position at 95 %, Teachable at coverage of 90 %.
    """

    share: Percent = Percent(Fraction(95, 100))

    def is_met(self, evidence: Evidence) -> bool:
        """Compare exactly."""
        duration_ms = evidence.duration_ms
        if not duration_ms:
            return False
        return evidence.progress.watched.share_of(duration_ms) >= self.share


@variant("passed")
@frozen(kw_only=True)
class Passed(CompletionRule):
    """Finished when an attempt reached the pass mark of the quiz."""

    def is_met(self, evidence: Evidence) -> bool:
        """Ask the attempts."""
        return evidence.passed


@variant("submitted")
@frozen(kw_only=True)
class Submitted(CompletionRule):
    """Finished when an attempt was handed in, whatever its score."""

    def is_met(self, evidence: Evidence) -> bool:
        """Ask the attempts."""
        return evidence.submitted
