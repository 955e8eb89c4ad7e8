"""Use cases: begin a quiz, keep answers, hand in, look back."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._events import sealed
from lms_core.application._learning import find_lesson, quiz_of, standing_of
from lms_core.domain.access.policy import Action, Actor, Resource, decide, signed_in
from lms_core.domain.assessment.answers import Answer, Mark
from lms_core.domain.assessment.attempt import Attempt, may_start
from lms_core.domain.assessment.questions import ShownQuestion, Solution
from lms_core.domain.assessment.quiz import Quiz
from lms_core.domain.ids import AttemptId, LessonId
from lms_core.errors import AlreadyExists, Conflict, NotFound, Refused
from lms_core.ports.progress_store import ProgressStore
from lms_core.ports.system import Clock, IdSource, TokenSource
from lms_core.ports.unit_of_work import StartWork, UnitOfWork


@frozen(kw_only=True)
class StartAttempt:
    """Begin an attempt at a quiz, if the lesson is open and attempts are left."""

    start: StartWork
    progress: ProgressStore
    clock: Clock
    ids: IdSource
    tokens: TokenSource

    @again_on_conflict
    def __call__(self, actor: Actor, lesson: LessonId) -> Attempt:
        """Return a new attempt, or the one that is open already.

        Two tabs, two devices or a repeated request get the same attempt.

        Raises:
            NotFound: there is no such quiz.
            Refused: the lesson is not open, or no attempts are left.
        """
        learner, now = signed_in(actor), self.clock.now()
        with self.start() as work:
            standing = standing_of(work, self.progress, learner, lesson.course)
            module, found = find_lesson(standing.content, lesson)
            quiz = quiz_of(found)
            if quiz is None:
                raise NotFound(f"no quiz {lesson}", resource=str(lesson))
            resource = standing.resource(module, found)
            decide(actor, Action.START_ATTEMPT, resource, at=now).require()
            attempts = work.attempts.of_lesson(learner, lesson)
            running = next((each for each in attempts if not each.is_final), None)
            if running is not None and not running.is_over(now):
                return running
            if running is not None:
                ended, events = running.submit(at=now)
                work.attempts.save(ended)
                work.outbox.extend(sealed(events, self.ids))
            may_start(quiz, taken=len(attempts), has_open=False).require()
            attempt, events = Attempt.start(
                AttemptId(self.ids.new()),
                learner,
                lesson,
                quiz,
                number=len(attempts) + 1,
                seed=self.tokens.token(),
                at=now,
            )
            try:
                work.attempts.add(attempt)
            except AlreadyExists as exc:
                raise Conflict("another attempt was begun meanwhile") from exc
            work.outbox.extend(sealed(events, self.ids))
            work.commit()
        return attempt


@frozen(kw_only=True)
class SaveAnswers:
    """Keep answers while an attempt runs."""

    start: StartWork
    clock: Clock

    @again_on_conflict
    def __call__(
        self,
        actor: Actor,
        attempt: AttemptId,
        answers: Mapping[str, object],
        *,
        revision: int,
    ) -> Attempt:
        """Return the attempt with *answers* kept; repeating is harmless.

        Raises:
            NotFound: there is no such attempt of the actor's.
            Refused: the attempt is handed in, its time is over, or the learner
                has lost the place (``not-enrolled``).
            InvalidDocument: an answer is not one.
        """
        now = self.clock.now()
        with self.start() as work:
            before = work.attempts.get(attempt)
            _own(actor, before, Action.ANSWER_ATTEMPT, self.clock)
            after = before.save(answers, revision=revision, at=now)
            _let_in(work, actor, before, self.clock)
            if after is not before:
                work.attempts.save(after)
                work.commit()
        return after


def _let_in(work: UnitOfWork, actor: Actor, attempt: Attempt, clock: Clock) -> None:
    """Refuse answers of somebody whose place has ended meanwhile."""
    place = work.enrollments.find(attempt.learner, attempt.lesson.course)
    resource = Resource(course=attempt.lesson.course)
    if (place is None or not place.lets_in) and not decide(
        actor, Action.PREVIEW_COURSE, resource, at=clock.now()
    ):
        raise Refused("not-enrolled")


def _own(actor: Actor, attempt: Attempt, action: Action, clock: Clock) -> None:
    """Hide what the actor may not touch: others' attempts do not exist."""
    resource = Resource(owner=attempt.learner, course=attempt.lesson.course)
    if not decide(actor, action, resource, at=clock.now()):
        raise NotFound(f"no attempt {attempt.id}", resource=attempt.id)


@frozen(kw_only=True)
class SubmitAttempt:
    """Hand an attempt in and mark it."""

    start: StartWork
    clock: Clock
    ids: IdSource

    @again_on_conflict
    def __call__(
        self,
        actor: Actor,
        attempt: AttemptId,
        answers: Mapping[str, object] | None = None,
        *,
        revision: int = 0,
    ) -> Attempt:
        """Return the marked attempt; handing in twice returns the same.

        *answers* given along are kept first, when there is still time; after
        that, what was saved in time counts.

        Raises:
            NotFound: there is no such attempt of the actor's.
            InvalidDocument: an answer is not one; nothing was handed in.
            Refused: the learner has lost the place (``not-enrolled``).
        """
        now = self.clock.now()
        with self.start() as work:
            before = work.attempts.get(attempt)
            _own(actor, before, Action.ANSWER_ATTEMPT, self.clock)
            if answers and not before.is_final and not before.is_over(now):
                before = before.save(answers, revision=revision, at=now)
            after, events = before.submit(at=now)
            if events:
                _let_in(work, actor, before, self.clock)
                work.attempts.save(after)
                work.outbox.extend(sealed(events, self.ids))
                work.commit()
        return after


@frozen(kw_only=True)
class ReviewedQuestion:
    """A question as its learner may see it after handing in.

    *solution* and *mark* are `None` while the quiz keeps them back.
    """

    shown: ShownQuestion
    answer: Answer
    mark: Mark | None
    solution: Solution | None


@frozen(kw_only=True)
class AttemptView:
    """An attempt as its learner, or her instructor, may see it."""

    attempt: Attempt
    questions: tuple[ReviewedQuestion, ...]
    attempts_left: int | None

    @property
    def quiz(self) -> Quiz:
        """The rules of the quiz; not to be sent out whole."""
        return self.attempt.quiz


@frozen(kw_only=True)
class ReadAttempt:
    """Show an attempt: questions while it runs, results once it is marked."""

    start: StartWork
    clock: Clock

    def __call__(self, actor: Actor, attempt: AttemptId) -> AttemptView:
        """Return the attempt, with what is right only when that may be seen.

        Raises:
            NotFound: there is no such attempt that the actor may see.
        """
        with self.start(read_only=True) as work:
            found = work.attempts.get(attempt)
            _own(actor, found, Action.READ_ATTEMPT, self.clock)
            taken = work.attempts.of_lesson(found.learner, found.lesson)
        return view_of(found, taken, is_staff=actor.user != found.learner)


def view_of(
    attempt: Attempt, taken: Sequence[Attempt], *, is_staff: bool
) -> AttemptView:
    """Return what may be seen of *attempt*, one of those *taken*."""
    most = attempt.quiz.max_attempts
    left = None if most is None else max(0, most - len(taken))
    # While the last attempt runs, those before it give nothing away.
    is_last = left == 0 and all(each.is_final for each in taken)
    open_ = attempt.may_see_answers(is_last=is_last) or (is_staff and attempt.is_final)
    marks = {mark.question: mark for mark in attempt.marks}
    solutions = {each.key: each.solution() for each in attempt.quiz.questions}
    return AttemptView(
        attempt=attempt,
        attempts_left=left,
        questions=tuple(
            ReviewedQuestion(
                shown=shown,
                answer=saved.answer
                if (saved := attempt.answers.get(shown.key))
                else (),
                mark=marks.get(shown.key) if open_ else None,
                solution=solutions[shown.key] if open_ else None,
            )
            for shown in attempt.quiz.shown(attempt.seed)
        ),
    )
