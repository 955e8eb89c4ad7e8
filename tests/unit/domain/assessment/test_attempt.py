"""An attempt: devices save in any order, and it is handed in once."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from lms_core.domain.assessment.attempt import Attempt, AttemptStatus, may_start
from lms_core.domain.assessment.questions import TrueFalse
from lms_core.domain.assessment.quiz import Quiz, ShowAnswers
from lms_core.domain.ids import AttemptId, CourseId, LessonId, UserId
from lms_core.domain.percent import Percent
from lms_core.errors import InvalidDocument, InvalidValue, Refused
from lms_core.testing.machines import AttemptMachine

AT = datetime(2026, 3, 1, tzinfo=UTC)
QUIZ = Quiz(
    questions=tuple(TrueFalse(key=key, prompt="?", correct=True) for key in "abc"),
    pass_mark=Percent.of(2, 3),
    time_limit_s=60,
    grace_s=5,
)

TestEveryOrder = AttemptMachine.TestCase
TestEveryOrder.settings = settings(max_examples=100, stateful_step_count=20)


def start(quiz: Quiz = QUIZ) -> Attempt:
    lesson = LessonId(CourseId("baking"), "test")
    return Attempt.start(
        AttemptId("try"), UserId("ann"), lesson, quiz, number=1, seed="s", at=AT
    )[0]


SAVES = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("abc"), st.sampled_from([["true"], ["false"]])),
        st.integers(0, 3),
    ),
    max_size=5,
)


@given(SAVES, st.randoms())
def test_saves_in_any_order_and_number_give_the_same(
    saves: list[tuple[dict[str, list[str]], int]], rnd: object
) -> None:
    shuffled = saves + saves[:2]
    rnd.shuffle(shuffled)  # type: ignore[attr-defined]

    def after(of: list[tuple[dict[str, list[str]], int]]) -> Attempt:
        attempt = start()
        for answers, revision in of:
            attempt = attempt.save(answers, revision=revision, at=AT)
        return attempt

    assert after(saves) == after(shuffled)


@pytest.mark.parametrize(("seconds", "taken"), [(60, True), (64.9, True), (65, False)])
def test_a_late_save_is_taken_within_the_grace(seconds: float, *, taken: bool) -> None:
    at = AT + timedelta(seconds=seconds)

    if taken:
        assert start().save({"a": ["true"]}, revision=1, at=at).answers
    else:
        with pytest.raises(Refused, match="time-is-over"):
            start().save({"a": ["true"]}, revision=1, at=at)


def test_what_was_saved_counts_when_time_runs_out() -> None:
    attempt = start().save({"a": ["true"], "b": ["true"]}, revision=1, at=AT)

    done, events = attempt.submit(at=AT + timedelta(days=1))

    assert done.status is AttemptStatus.EXPIRED
    assert done.submitted_at == AT + timedelta(seconds=65)
    assert (done.share, done.passed, len(events)) == (Fraction(2, 3), True, 1)


def test_handing_in_twice_changes_nothing() -> None:
    done, _ = start().submit(at=AT)

    assert done.submit(at=AT + timedelta(days=1)) == (done, ())
    with pytest.raises(Refused, match="attempt-is-final"):
        done.save({"a": ["true"]}, revision=9, at=AT)


def test_every_wrong_answer_is_named() -> None:
    with pytest.raises(InvalidDocument) as caught:
        start().save({"z": ["x"], "a": "x", "\ud800": []}, revision=1, at=AT)

    assert [(fault.place, fault.code) for fault in caught.value.faults] == [
        ("answers.z", "unknown-question"),
        ("answers.a", "invalid-value"),
        ("answers.\\ud800", "unknown-question"),
    ]


@pytest.mark.parametrize("revision", [-1, 2**53, True, 1.0])
def test_a_revision_counts_up(revision: int) -> None:
    with pytest.raises(InvalidValue):
        start().save({}, revision=revision, at=AT)


@pytest.mark.parametrize(
    ("rule", "passed", "is_last", "seen"),
    [
        (ShowAnswers.NEVER, True, True, False),
        (ShowAnswers.AFTER_SUBMIT, False, False, True),
        (ShowAnswers.AFTER_PASS, True, False, True),
        (ShowAnswers.AFTER_PASS, False, True, False),
        (ShowAnswers.AFTER_LAST_ATTEMPT, True, False, False),
        (ShowAnswers.AFTER_LAST_ATTEMPT, False, True, True),
    ],
)
def test_answers_are_shown_when_the_quiz_says(
    rule: ShowAnswers, *, passed: bool, is_last: bool, seen: bool
) -> None:
    open_ = start(evolve(QUIZ, show_answers=rule))
    right = {key: [str(passed).lower()] for key in "abc"}
    done, _ = open_.save(right, revision=1, at=AT).submit(at=AT)

    assert done.may_see_answers(is_last=is_last) is seen
    assert not open_.may_see_answers(is_last=is_last)


@pytest.mark.parametrize(
    ("most", "taken", "has_open", "codes"),
    [
        (None, 99, False, []),
        (2, 1, False, []),
        (2, 2, False, ["no-attempts-left"]),
        (None, 0, True, ["attempt-in-progress"]),
        (1, 1, True, ["attempt-in-progress", "no-attempts-left"]),
    ],
)
def test_attempts_are_as_many_as_the_quiz_allows(
    most: int | None, taken: int, codes: list[str], *, has_open: bool
) -> None:
    quiz = evolve(QUIZ, max_attempts=most)

    found = may_start(quiz, taken=taken, has_open=has_open)

    assert [reason.code for reason in found.objections] == codes
