"""One try at a quiz, from its start to its score."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from attrs import Factory, evolve, frozen

from lms_core.domain.assessment.answers import Answer, Mark, read_answer
from lms_core.domain.assessment.quiz import Quiz, ShowAnswers, total
from lms_core.domain.decision import Decision
from lms_core.domain.documents import shown_name
from lms_core.domain.events import AttemptGraded, AttemptStarted, Event
from lms_core.domain.ids import AttemptId, LessonId, UserId
from lms_core.domain.score import Score
from lms_core.errors import Fault, InvalidDocument, InvalidValue, Reason


class AttemptStatus(StrEnum):
    """Where an attempt stands."""

    IN_PROGRESS = "in-progress"
    SUBMITTED = "submitted"
    EXPIRED = "expired"
    """Time ran out; what had been saved was handed in."""


@frozen(kw_only=True)
class Saved:
    """An answer and the revision that the learner's device gave it."""

    answer: Answer
    revision: int


Step = tuple["Attempt", tuple[Event, ...]]


@frozen(kw_only=True)
class Attempt:
    """One try at a quiz.

    It carries the quiz as it was when the try began: publishing another version
    changes nothing for it. *version* is the store's.
    """

    id: AttemptId
    learner: UserId
    lesson: LessonId
    number: int
    seed: str
    quiz: Quiz
    started_at: datetime
    due_at: datetime | None = None
    answers: Mapping[str, Saved] = Factory(dict)
    status: AttemptStatus = AttemptStatus.IN_PROGRESS
    submitted_at: datetime | None = None
    marks: tuple[Mark, ...] = ()
    version: int = 0

    @classmethod
    def start(
        cls,
        id_: AttemptId,
        learner: UserId,
        lesson: LessonId,
        quiz: Quiz,
        *,
        number: int,
        seed: str,
        at: datetime,
    ) -> Step:
        """Begin attempt *number*, from one; the clock runs from now."""
        limit = quiz.time_limit_s
        attempt = cls(
            id=id_,
            learner=learner,
            lesson=lesson,
            number=number,
            seed=seed,
            quiz=quiz,
            started_at=at,
            due_at=None if limit is None else at + timedelta(seconds=limit),
        )
        event = AttemptStarted(attempt=id_, learner=learner, lesson=lesson, at=at)
        return attempt, (event,)

    @property
    def closes_at(self) -> datetime | None:
        """The instant from which nothing is taken any more: the grace included."""
        if self.due_at is None:
            return None
        return self.due_at + timedelta(seconds=self.quiz.grace_s)

    def is_over(self, at: datetime) -> bool:
        """Tell whether time has run out, grace included."""
        return self.closes_at is not None and at >= self.closes_at

    @property
    def is_final(self) -> bool:
        """Whether it was handed in or has expired."""
        return self.status is not AttemptStatus.IN_PROGRESS

    def save(
        self, answers: Mapping[str, object], *, revision: int, at: datetime
    ) -> "Attempt":
        """Keep *answers*, question by question, the higher revision winning.

        Any order and any repetition of saves gives the same answers, so that
        two devices and a slow network lose nothing that was typed later.

        Raises:
            Refused: the attempt is over (``attempt-is-final``,
                ``time-is-over``).
            InvalidDocument: an answer is no answer, or names no question.
        """
        Decision.unless(
            attempt_is_final=self.is_final,
            time_is_over=not self.is_final and self.is_over(at),
        ).require()
        if type(revision) is not int or not 0 <= revision < 2**53:
            raise InvalidValue("must be a whole number from 0", place="revision")
        known = {question.key for question in self.quiz.questions}
        faults: list[Fault] = []
        merged = dict(self.answers)
        for name, data in answers.items():
            place = f"answers.{shown_name(name)}"
            if name not in known:
                faults.append(Fault(place, "names no question", "unknown-question"))
                continue
            try:
                answer = read_answer(data)
            except InvalidValue as fault:
                faults.append(Fault(place, fault.message))
                continue
            before = merged.get(name)
            if before is None or (revision, answer) > (before.revision, before.answer):
                merged[name] = Saved(answer=answer, revision=revision)
        if faults:
            raise InvalidDocument(*faults[:50])
        return self if merged == self.answers else evolve(self, answers=merged)

    def submit(self, *, at: datetime) -> Step:
        """Hand in and mark; handing in twice changes nothing.

        After time has run out this hands in what was saved in time.
        """
        if self.is_final:
            return self, ()
        late = self.is_over(at)
        marks = self.quiz.grade(
            {key: saved.answer for key, saved in self.answers.items()}
        )
        done = evolve(
            self,
            status=AttemptStatus.EXPIRED if late else AttemptStatus.SUBMITTED,
            submitted_at=self.closes_at if late else at,
            marks=marks,
        )
        score = total(marks)
        graded = AttemptGraded(
            attempt=self.id,
            learner=self.learner,
            lesson=self.lesson,
            earned=score.earned,
            possible=score.possible,
            passed=done.passed,
            at=at,
        )
        return done, (graded,)

    @property
    def score(self) -> Score | None:
        """The score, once it is marked."""
        return total(self.marks) if self.is_final else None

    @property
    def share(self) -> Fraction | None:
        """The share earned, once marked; nothing possible counts as nothing."""
        score = self.score
        if score is None:
            return None
        return score.earned / score.possible if score.possible else Fraction(0)

    @property
    def passed(self) -> bool:
        """Whether the pass mark was reached."""
        share = self.share
        return share is not None and share >= self.quiz.pass_mark.of_one

    def may_see_answers(self, *, is_last: bool) -> bool:
        """Tell whether the learner may see what is right."""
        if not self.is_final:
            return False
        rule = self.quiz.show_answers
        return (
            rule is ShowAnswers.AFTER_SUBMIT
            or (rule is ShowAnswers.AFTER_PASS and self.passed)
            or (rule is ShowAnswers.AFTER_LAST_ATTEMPT and is_last)
        )


def may_start(quiz: Quiz, *, taken: int, has_open: bool) -> Decision:
    """Decide whether a learner may begin another attempt.

    The number itself is decided in the database, by its uniqueness.
    """
    reasons = []
    if has_open:
        reasons.append(Reason("attempt-in-progress"))
    if quiz.max_attempts is not None and taken >= quiz.max_attempts:
        reasons.append(Reason("no-attempts-left", {"max_attempts": quiz.max_attempts}))
    return Decision(tuple(reasons))
