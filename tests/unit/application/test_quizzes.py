"""Quizzes: one attempt at a time, in time, and no answers before they are due."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest

from lms_core.application.record_progress import ProgressReport, RecordProgress
from lms_core.application.sweep import Sweep
from lms_core.application.take_quiz import (
    ReadAttempt,
    SaveAnswers,
    StartAttempt,
    SubmitAttempt,
)
from lms_core.application.withdraw_learner import WithdrawLearner
from lms_core.domain.assessment.attempt import AttemptStatus
from lms_core.domain.assessment.quiz import Quiz, ShowAnswers
from lms_core.errors import InvalidDocument, NotFound, Refused

RIGHT = {"q1": ["a"], "q2": ["a"]}
WRONG = {"q1": ["b"], "q2": ["b"]}


@pytest.fixture
def ready(world: Any, content: Callable[..., Any]) -> Callable[..., Any]:
    """Return what publishes a course with such a quiz, open to a learner."""

    def make(**quiz: Any) -> Any:
        world.publish(content(quiz=quiz))
        ada = world.learner()
        world.use(RecordProgress)(ada, world.INTRO, ProgressReport(read=True))
        return ada

    return make


def test_a_quiz_opens_when_what_is_before_it_is_done(
    world: Any, content: Callable[..., Any]
) -> None:
    world.publish(content())
    ada = world.learner()

    with pytest.raises(Refused):
        world.use(StartAttempt)(ada, world.QUIZ)
    with pytest.raises(NotFound):
        world.use(StartAttempt)(ada, world.INTRO)


def test_two_tabs_get_the_same_attempt(world: Any, ready: Callable[..., Any]) -> None:
    ada = ready()
    start, barrier, found = world.use(StartAttempt), Barrier(4), []

    def open_a_tab() -> None:
        barrier.wait()
        found.append(start(ada, world.QUIZ).id)

    tabs = [Thread(target=open_a_tab) for _ in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()

    assert len(found) == 4
    assert len(set(found)) == 1


def test_attempts_run_out(world: Any, ready: Callable[..., Any]) -> None:
    ada = ready(max_attempts=2)
    for _ in range(2):
        attempt = world.use(StartAttempt)(ada, world.QUIZ)
        world.use(SubmitAttempt)(ada, attempt.id, WRONG, revision=1)

    with pytest.raises(Refused, match="no-attempts-left"):
        world.use(StartAttempt)(ada, world.QUIZ)


def test_the_later_revision_wins_in_any_order(
    world: Any, ready: Callable[..., Any]
) -> None:
    ada = ready()
    attempt = world.use(StartAttempt)(ada, world.QUIZ)
    save = world.use(SaveAnswers)

    save(ada, attempt.id, {"q1": ["a"]}, revision=2)
    after = save(ada, attempt.id, {"q1": ["b"], "q2": ["b"]}, revision=1)

    assert after.answers["q1"].answer == ("a",)
    assert after.answers["q2"].answer == ("b",)


def test_handing_in_twice_is_the_same_and_is_told_once(
    world: Any, ready: Callable[..., Any]
) -> None:
    ada = ready()
    attempt = world.use(StartAttempt)(ada, world.QUIZ)

    first = world.use(SubmitAttempt)(ada, attempt.id, RIGHT, revision=1)
    again = world.use(SubmitAttempt)(ada, attempt.id, WRONG, revision=2)

    assert first.passed
    assert again.score == first.score
    graded = [e for e in world.events() if type(e.event).__name__ == "AttemptGraded"]
    assert len(graded) == 1


@pytest.mark.parametrize(
    ("seconds", "counts"), [(60, True), (89, True), (90, False), (500, False)]
)
def test_answers_count_until_the_grace_is_over(
    world: Any, ready: Callable[..., Any], seconds: int, *, counts: bool
) -> None:
    ada = ready(time_limit_s=60, grace_s=30)
    attempt = world.use(StartAttempt)(ada, world.QUIZ)
    world.use(SaveAnswers)(ada, attempt.id, {"q1": ["a"]}, revision=1)

    world.clock.advance(timedelta(seconds=seconds))
    if not counts:
        with pytest.raises(Refused, match="time-is-over"):
            world.use(SaveAnswers)(ada, attempt.id, {"q2": ["a"]}, revision=2)
    done = world.use(SubmitAttempt)(ada, attempt.id, {"q2": ["a"]}, revision=2)

    assert done.score.earned == (2 if counts else 1)
    wanted = AttemptStatus.SUBMITTED if counts else AttemptStatus.EXPIRED
    assert done.status is wanted


def test_a_sweep_hands_in_what_was_saved_when_time_runs_out(
    world: Any, ready: Callable[..., Any]
) -> None:
    ada = ready(time_limit_s=60, grace_s=0)
    attempt = world.use(StartAttempt)(ada, world.QUIZ)
    world.use(SaveAnswers)(ada, attempt.id, RIGHT, revision=1)
    assert world.use(Sweep)().attempts == 0

    world.clock.advance(timedelta(seconds=60))

    assert world.use(Sweep)().attempts == 1
    assert world.use(Sweep)().attempts == 0
    shown = world.use(ReadAttempt)(ada, attempt.id)
    assert shown.attempt.status is AttemptStatus.EXPIRED
    assert shown.attempt.passed


def test_starting_again_after_time_ran_out_begins_the_next(
    world: Any, ready: Callable[..., Any]
) -> None:
    ada = ready(time_limit_s=60, grace_s=0)
    first = world.use(StartAttempt)(ada, world.QUIZ)
    world.clock.advance(timedelta(minutes=2))

    second = world.use(StartAttempt)(ada, world.QUIZ)

    assert (first.number, second.number) == (1, 2)


@pytest.mark.parametrize(
    "answers",
    [{"q9": ["a"]}, {"q1": "a"}, {"q1": [1]}, {"q1": None}, {"q1": ["x" * 10_001]}],
)
def test_answers_that_are_none_are_refused_and_nothing_is_handed_in(
    world: Any, ready: Callable[..., Any], answers: Any
) -> None:
    ada = ready()
    attempt = world.use(StartAttempt)(ada, world.QUIZ)

    with pytest.raises(InvalidDocument):
        world.use(SubmitAttempt)(ada, attempt.id, answers, revision=1)

    assert not world.use(ReadAttempt)(ada, attempt.id).attempt.is_final


def test_the_attempts_of_others_do_not_exist(
    world: Any, ready: Callable[..., Any]
) -> None:
    ada, bob = ready(), world.learner("bob")
    attempt = world.use(StartAttempt)(ada, world.QUIZ)

    with pytest.raises(NotFound):
        world.use(ReadAttempt)(bob, attempt.id)
    with pytest.raises(NotFound):
        world.use(SaveAnswers)(bob, attempt.id, RIGHT, revision=1)
    with pytest.raises(NotFound):
        world.use(SubmitAttempt)(bob, attempt.id)


def test_who_has_lost_the_place_answers_nothing_more(
    world: Any, ready: Callable[..., Any]
) -> None:
    ada = ready()
    attempt = world.use(StartAttempt)(ada, world.QUIZ)
    world.use(SaveAnswers)(ada, attempt.id, {"q1": ["a"]}, revision=1)
    world.use(WithdrawLearner)(ada, ada.user, world.COURSE)

    with pytest.raises(Refused, match="not-enrolled"):
        world.use(SaveAnswers)(ada, attempt.id, {"q2": ["a"]}, revision=2)
    with pytest.raises(Refused, match="not-enrolled"):
        world.use(SubmitAttempt)(ada, attempt.id)

    kept = world.use(ReadAttempt)(ada, attempt.id).attempt
    assert list(kept.answers) == ["q1"]


def reveals(world: Any, actor: Any, attempt: Any) -> bool:
    view = world.use(ReadAttempt)(actor, attempt.id)
    return any(each.solution or each.mark for each in view.questions)


@pytest.mark.parametrize(
    ("rule", "answers", "seen"),
    [
        (ShowAnswers.NEVER, RIGHT, False),
        (ShowAnswers.AFTER_SUBMIT, WRONG, True),
        (ShowAnswers.AFTER_PASS, WRONG, False),
        (ShowAnswers.AFTER_PASS, RIGHT, True),
        (ShowAnswers.AFTER_LAST_ATTEMPT, RIGHT, False),
    ],
)
def test_what_is_right_is_seen_only_when_the_quiz_allows_it(
    world: Any, ready: Callable[..., Any], rule: Any, answers: Any, *, seen: bool
) -> None:
    ada = ready(show_answers=rule, max_attempts=2)
    attempt = world.use(StartAttempt)(ada, world.QUIZ)
    assert not reveals(world, ada, attempt)

    world.use(SubmitAttempt)(ada, attempt.id, answers, revision=1)

    assert reveals(world, ada, attempt) is seen


def test_the_first_attempt_gives_nothing_away_while_the_last_one_runs(
    world: Any, ready: Callable[..., Any]
) -> None:
    ada = ready(show_answers=ShowAnswers.AFTER_LAST_ATTEMPT, max_attempts=2)
    first = world.use(StartAttempt)(ada, world.QUIZ)
    world.use(SubmitAttempt)(ada, first.id, WRONG, revision=1)
    last = world.use(StartAttempt)(ada, world.QUIZ)

    assert not reveals(world, ada, first)
    world.use(SubmitAttempt)(ada, last.id, WRONG, revision=1)
    assert reveals(world, ada, first)


def test_a_teacher_sees_what_is_right_once_it_is_handed_in(
    world: Any, ready: Callable[..., Any]
) -> None:
    ada = ready(show_answers=ShowAnswers.NEVER)
    attempt = world.use(StartAttempt)(ada, world.QUIZ)
    teacher = world.actor("teacher-of-streaming")
    assert not reveals(world, teacher, attempt)

    world.use(SubmitAttempt)(ada, attempt.id, WRONG, revision=1)

    assert reveals(world, teacher, attempt)
    assert not reveals(world, ada, attempt)


def test_an_attempt_keeps_the_quiz_that_it_began_with(
    world: Any,
    ready: Callable[..., Any],
    content: Callable[..., Any],
    question: Callable[..., Any],
) -> None:
    ada = ready()
    attempt = world.use(StartAttempt)(ada, world.QUIZ)

    world.republish(lambda _: content(quiz={"questions": (question("q7"),)}))
    done = world.use(SubmitAttempt)(ada, attempt.id, RIGHT, revision=1)

    assert isinstance(done.quiz, Quiz)
    assert done.score.possible == 2
    assert done.passed
