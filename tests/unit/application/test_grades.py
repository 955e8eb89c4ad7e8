"""Gradebooks, and grades set by hand."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from lms_core.application.read_progress import ReadProgress
from lms_core.application.record_progress import ProgressReport, RecordProgress
from lms_core.application.take_quiz import StartAttempt, SubmitAttempt
from lms_core.application.view_gradebook import (
    OverrideGrade,
    ReadOverride,
    ViewGradebook,
)
from lms_core.domain.paging import PageRequest
from lms_core.domain.score import Score
from lms_core.errors import NotFound, Refused


@pytest.fixture
def graded(world: Any, content: Callable[..., Any]) -> Any:
    """Return a platform where ada has one of two points."""
    world.publish(content())
    ada = world.learner()
    world.use(RecordProgress)(ada, world.INTRO, ProgressReport(read=True))
    attempt = world.use(StartAttempt)(ada, world.QUIZ)
    world.use(SubmitAttempt)(ada, attempt.id, {"q1": ["a"], "q2": ["b"]}, revision=1)
    return world


def row(world: Any) -> Any:
    teacher = world.actor(world.TEACHER)
    [found] = world.use(ViewGradebook)(teacher, world.COURSE).rows.items
    return found


def test_the_gradebook_and_the_learner_see_the_same_grade(graded: Any) -> None:
    ada = graded.actor("ada")

    own = graded.use(ReadProgress)(ada, ada.user, graded.COURSE)

    assert row(graded).grade.share == own.grade.share == Fraction(1, 2)
    assert row(graded).scores["quiz"] == Score.of(1, 2)


def test_a_gradebook_comes_in_pages(graded: Any) -> None:
    for name in ("bob", "cyd"):
        graded.learner(name)
    view, teacher = graded.use(ViewGradebook), graded.actor(graded.TEACHER)

    first = view(teacher, graded.COURSE, PageRequest(2))
    rest = view(teacher, graded.COURSE, PageRequest(2, first.rows.next))

    names = [each.name for each in (*first.rows.items, *rest.rows.items)]
    assert names == ["Ada", "Bob", "Cyd"]
    assert rest.rows.next is None


def test_what_is_set_by_hand_counts_on_the_lessons_own_scale(graded: Any) -> None:
    teacher = graded.actor(graded.TEACHER)

    graded.use(OverrideGrade)(
        teacher, "ada", graded.QUIZ, score=Score.of(9, 10), comment="oral"
    )

    assert row(graded).scores["quiz"] == Score(Fraction(9, 5), Fraction(2))
    assert row(graded).grade.share == Fraction(9, 10)


def test_taking_it_back_lets_the_computed_score_count_again(graded: Any) -> None:
    teacher, override = graded.actor(graded.TEACHER), graded.use(OverrideGrade)
    override(teacher, "ada", graded.QUIZ, score=Score.of(2, 2))

    override(teacher, "ada", graded.QUIZ, score=None)

    assert row(graded).grade.share == Fraction(1, 2)


def test_excused_work_is_left_out(graded: Any) -> None:
    teacher = graded.actor(graded.TEACHER)

    graded.use(OverrideGrade)(teacher, "ada", graded.QUIZ, score=None, excused=True)

    assert row(graded).grade.share is None
    ada = graded.actor("ada")
    shown = graded.use(ReadProgress)(ada, ada.user, graded.COURSE)
    assert shown.progress.is_complete


def test_the_second_of_two_graders_is_told(graded: Any) -> None:
    teacher, override = graded.actor(graded.TEACHER), graded.use(OverrideGrade)
    first = override(
        teacher, "ada", graded.QUIZ, score=Score.of(2, 2), expected_version=0
    )

    with pytest.raises(Refused, match="grade-has-changed"):
        override(teacher, "ada", graded.QUIZ, score=None, expected_version=0)
    second = override(
        teacher,
        "ada",
        graded.QUIZ,
        score=Score.of(1, 2),
        expected_version=first.version,
    )

    stored = graded.use(ReadOverride)(teacher, "ada", graded.QUIZ)
    assert stored == second


def test_every_change_leaves_a_row_and_none_where_nothing_changed(graded: Any) -> None:
    teacher, override = graded.actor(graded.TEACHER), graded.use(OverrideGrade)

    for score in (Score.of(2, 2), Score.of(2, 2), None):
        override(teacher, "ada", graded.QUIZ, score=score, comment="why")

    with graded.start(read_only=True) as work:
        rows = [r for r in work.audit.page().items if r.action == "grades.override"]
    told = [(r.details["before"], r.details["after"]) for r in reversed(rows)]
    assert told == [("computed", "2 of 2"), ("2 of 2", "computed")]
    assert {(r.actor, r.subject) for r in rows} == {
        (teacher.user, "ada/streaming.quiz")
    }


@pytest.mark.parametrize(
    ("learner", "lesson", "score", "code"),
    [
        ("ada", "QUIZ", Score.of(3, 2), "score-too-high"),
        ("ada", "INTRO", Score.of(1, 2), "lesson-not-graded"),
        ("nobody", "QUIZ", Score.of(1, 2), "not-enrolled"),
    ],
)
def test_what_cannot_be_graded_is_refused(
    graded: Any, learner: str, lesson: str, score: Score, code: str
) -> None:
    teacher = graded.actor(graded.TEACHER)

    with pytest.raises(Refused, match=code):
        graded.use(OverrideGrade)(
            teacher, learner, getattr(graded, lesson), score=score
        )


def test_learners_and_other_teachers_neither_see_nor_set_grades(
    graded: Any, content: Callable[..., Any]
) -> None:
    other = graded.publish(content(), "another")

    for actor in (graded.actor("ada"), other):
        with pytest.raises(Refused):
            graded.use(ViewGradebook)(actor, graded.COURSE)
        with pytest.raises(Refused):
            graded.use(ReadOverride)(actor, "ada", graded.QUIZ)
        with pytest.raises(Refused):
            graded.use(OverrideGrade)(actor, "ada", graded.QUIZ, score=Score.of(2, 2))


def test_nothing_was_set_where_nothing_was_set(graded: Any) -> None:
    with pytest.raises(NotFound):
        graded.use(ReadOverride)(graded.actor(graded.TEACHER), "ada", graded.QUIZ)


def test_a_score_set_by_hand_finishes_the_quiz_that_it_passes(
    world: Any, content: Callable[..., Any]
) -> None:
    """An oral exam counts: the lesson opens what waits for it."""
    world.publish(content())
    ada = world.learner()
    teacher, override = world.actor(world.TEACHER), world.use(OverrideGrade)

    override(teacher, "ada", world.QUIZ, score=Score.of(0, 2))
    world.drain()
    before = world.use(ReadProgress)(ada, ada.user, world.COURSE)
    override(teacher, "ada", world.QUIZ, score=Score.of(2, 2))
    world.drain()
    after = world.use(ReadProgress)(ada, ada.user, world.COURSE)

    assert "quiz" in before.progress.unfinished
    assert "quiz" in after.progress.finished
