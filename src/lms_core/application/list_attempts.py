"""Use case: list a learner's own attempts at a quiz."""

from fractions import Fraction

from attrs import frozen

from lms_core.domain.access.policy import Actor, signed_in
from lms_core.domain.assessment.attempt import Attempt, may_start
from lms_core.domain.assessment.quiz import Quiz, counting_share
from lms_core.domain.decision import Decision
from lms_core.domain.ids import AttemptId, LessonId
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import StartWork


@frozen(kw_only=True)
class AttemptList:
    """Attempts by number; *running* takes answers, *counting* is what counts now.

    *may_start* says whether a fresh one could be begun, and why not.
    """

    attempts: tuple[Attempt, ...]
    running: AttemptId | None
    counting: Fraction | None
    may_start: Decision


@frozen(kw_only=True)
class ListAttempts:
    """List the actor's own attempts at a quiz, the open one included."""

    start: StartWork
    clock: Clock

    def __call__(self, actor: Actor, lesson: LessonId, quiz: Quiz) -> AttemptList:
        """Return the attempts at *lesson*, of which *quiz* is the present form.

        Raises:
            Refused: nobody is signed in.
        """
        learner, now = signed_in(actor), self.clock.now()
        with self.start(read_only=True) as work:
            taken = work.attempts.of_lesson(learner, lesson)
        running = next(
            (each.id for each in taken if not each.is_final and not each.is_over(now)),
            None,
        )
        shares = [each.share for each in taken if each.share is not None]
        return AttemptList(
            attempts=taken,
            running=running,
            counting=counting_share(shares, quiz.combine),
            may_start=may_start(quiz, taken=len(taken), has_open=running is not None),
        )
