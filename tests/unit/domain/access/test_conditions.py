"""Conditions say no with every reason, and when they open by themselves."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from lms_core.domain.access.conditions import (
    OPEN,
    AllOf,
    AnyOf,
    Condition,
    CourseDone,
    DateWindow,
    Drip,
    EarlierLessons,
    Enrolled,
    HasRole,
    LessonDone,
    Not,
    ScoreAtLeast,
    judge,
)
from lms_core.domain.access.facts import Facts
from lms_core.domain.ids import CourseId
from lms_core.domain.percent import Percent
from lms_core.errors import InvalidValue
from lms_core.testing.strategies import conditions, facts, instants

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOON = AT + timedelta(days=1)
LATER = AT + timedelta(days=5)
TICK = timedelta(microseconds=1)
NOBODY = Facts()
HALF = Percent.of(1, 2)


def met(condition: Condition, known: Facts, at: datetime) -> bool:  # noqa: C901 - a line for each kind
    """Decide again, as plainly as can be."""
    match condition:
        case AllOf(of=of):
            return all(met(each, known, at) for each in of)
        case AnyOf(of=of):
            return not of or any(met(each, known, at) for each in of)
        case Not(of=inner):
            return not met(inner, known, at)
        case Enrolled():
            return known.enrolled_at is not None
        case HasRole(role=role):
            return role in known.roles
        case LessonDone(lesson=lesson):
            return lesson in known.completed
        case EarlierLessons():
            return set(known.earlier) <= known.completed
        case ScoreAtLeast(lesson=lesson, share=share):
            return known.scores.get(lesson, -1) >= share.of_one
        case CourseDone(course=course):
            return course in known.completed_courses
        case DateWindow(opens_at=opens, closes_at=closes):
            return (opens or at) <= at and (closes is None or at < closes)
        case Drip(days=days):
            start = known.enrolled_at
            return start is not None and at - start >= timedelta(days=days)
    raise AssertionError(condition)


@given(conditions(), facts(), instants())
def test_the_answer_is_that_of_the_plain_reading(
    condition: Condition, known: Facts, at: datetime
) -> None:
    expected = met(condition, known, at)

    assert bool(judge(condition, known, at)) == expected
    assert condition.holds(known, at) == expected
    assert condition.verdict(known, at).met == expected


@given(conditions(), facts(), instants())
@example(Not(of=DateWindow(closes_at=SOON)), NOBODY, AT)
@example(Not(of=Not(of=Drip(days=3))), Facts(enrolled_at=AT), AT)
def test_it_opens_at_the_first_instant_that_time_alone_brings(
    condition: Condition, known: Facts, at: datetime
) -> None:
    edges = sorted({edge for edge in condition.boundaries(known) if edge > at})
    around = sorted({edge + nudge for edge in edges for nudge in (-TICK, 0 * TICK)})
    first = next((t for t in around if t > at and met(condition, known, t)), None)

    decision = judge(condition, known, at)

    assert decision.opens_at == (None if decision else first)


@given(conditions(), facts(), instants())
def test_a_refusal_has_reasons_each_once(
    condition: Condition, known: Facts, at: datetime
) -> None:
    decision = judge(condition, known, at)

    reasons = decision.objections
    assert bool(reasons) != bool(decision)
    assert all(reasons.count(reason) == 1 for reason in reasons)
    assert all(r.opens_at is None or r.opens_at > at for r in reasons)


def test_one_lesson_asked_for_twice_is_one_reason() -> None:
    twice = AllOf(of=(LessonDone(lesson="a"), EarlierLessons(), LessonDone(lesson="b")))

    found = judge(twice, Facts(earlier=("b", "a")), AT)

    assert [reason.about["lesson"] for reason in found.objections] == ["a", "b"]


@pytest.mark.parametrize(
    ("condition", "known", "codes"),
    [
        (OPEN, NOBODY, []),
        (AnyOf(), NOBODY, []),
        (Enrolled(), NOBODY, ["not-enrolled"]),
        (Drip(days=0), NOBODY, ["not-enrolled"]),
        (HasRole(role="admin"), NOBODY, ["role-required"]),
        (LessonDone(lesson="a"), NOBODY, ["lesson-unfinished"]),
        (CourseDone(course=CourseId("a")), NOBODY, ["course-unfinished"]),
        (ScoreAtLeast(lesson="a", share=HALF), NOBODY, ["score-missing"]),
        (
            ScoreAtLeast(lesson="a", share=HALF),
            Facts(scores={"a": HALF.of_one - HALF.of_one / 10**9}),
            ["score-too-low"],
        ),
        (ScoreAtLeast(lesson="a", share=HALF), Facts(scores={"a": HALF.of_one}), []),
        (DateWindow(opens_at=SOON), NOBODY, ["not-open-yet"]),
        (DateWindow(closes_at=AT), NOBODY, ["closed"]),
        (
            AnyOf(of=(Enrolled(), LessonDone(lesson="a"))),
            NOBODY,
            ["not-enrolled", "lesson-unfinished"],
        ),
        (AnyOf(of=(OPEN, Enrolled())), NOBODY, []),
        (Not(of=OPEN), NOBODY, ["excluded-by-condition"]),
        (
            AllOf(of=(Enrolled(), HasRole(role="admin"))),
            NOBODY,
            ["not-enrolled", "role-required"],
        ),
    ],
)
def test_each_condition_says_what_is_missing(
    condition: Condition, known: Facts, codes: list[str]
) -> None:
    decision = judge(condition, known, AT)

    assert [reason.code for reason in decision.objections] == codes


@pytest.mark.parametrize("days", [0, 1, 3660])
def test_a_drip_opens_exactly_so_many_days_after_enrolling(days: int) -> None:
    known, opens = Facts(enrolled_at=AT), AT + timedelta(days=days)

    before = judge(Drip(days=days), known, opens - TICK)

    assert not before
    assert before.opens_at == before.objections[0].opens_at == opens
    assert judge(Drip(days=days), known, opens)


def test_a_window_opens_at_its_start_and_closes_at_its_end() -> None:
    window = DateWindow(opens_at=SOON, closes_at=LATER)

    answers = [
        bool(judge(window, NOBODY, at))
        for at in (SOON - TICK, SOON, LATER - TICK, LATER)
    ]

    assert answers == [False, True, True, False]


def test_waiting_does_not_help_against_what_time_does_not_change() -> None:
    both = AllOf(of=(DateWindow(opens_at=SOON), LessonDone(lesson="a")))

    found = judge(both, NOBODY, AT)

    assert found.opens_at is None
    assert [reason.opens_at for reason in found.objections] == [SOON, None]
    assert judge(both, Facts(completed=frozenset("a")), AT).opens_at == SOON


def test_an_exclusion_says_when_it_passes() -> None:
    quiet = Not(of=DateWindow(opens_at=AT, closes_at=LATER))

    found = judge(quiet, NOBODY, SOON)

    assert found.opens_at == found.objections[0].opens_at == LATER


@pytest.mark.parametrize(
    ("share", "percent"), [(HALF, "50"), (Percent.of(1, 8), "12.5")]
)
def test_a_score_to_reach_is_shown_in_percents(share: Percent, percent: str) -> None:
    reason = ScoreAtLeast(lesson="a", share=share).objection(NOBODY)

    assert reason.about == {"lesson": "a", "percent": percent}


def test_a_share_just_below_the_whole_is_not_shown_as_the_whole() -> None:
    reason = ScoreAtLeast(lesson="a", share=Percent.of(9996, 10_000)).objection(NOBODY)

    assert reason.about["percent"] == "99.96"


@pytest.mark.parametrize("fields", [{"days": -1}, {"days": 3661}])
def test_a_drip_of_no_sensible_length_is_refused(fields: Mapping[str, int]) -> None:
    with pytest.raises(InvalidValue):
        Drip(**fields)


def test_what_could_never_be_met_is_refused() -> None:
    with pytest.raises(InvalidValue):
        DateWindow(opens_at=SOON, closes_at=SOON)
    with pytest.raises(InvalidValue):
        CourseDone(course=CourseId("No Course"))


@given(conditions(), facts(), st.frozensets(st.sampled_from(["a", "b", "c"])))
def test_what_holds_for_somebody_may_hold(
    condition: Condition, known: Facts, more: frozenset[str]
) -> None:
    known = evolve(known, scores={k: v for k, v in known.scores.items() if k in more})
    known = evolve(known, completed=known.completed & more)
    earlier = set(known.earlier) <= known.completed

    if condition.holds(known, AT):
        assert condition.may_hold(more, earlier=earlier)
