"""Progress merges: late, repeated and reordered reports lose nothing."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lms_core.domain.ids import CourseId, LessonId, UserId
from lms_core.domain.percent import ALL, NONE, Percent
from lms_core.domain.progress.completion import (
    CompletionRule,
    Evidence,
    Passed,
    Submitted,
    Viewed,
    Watched,
)
from lms_core.domain.progress.course_progress import Weighted, course_progress
from lms_core.domain.progress.intervals import LONGEST_MS, Intervals
from lms_core.domain.progress.lesson_progress import LessonProgress
from lms_core.errors import InvalidValue
from lms_core.testing.strategies import progress

AT = datetime(2026, 3, 1, tzinfo=UTC)
BLANK = LessonProgress(
    learner=UserId("ann"), lesson=LessonId(CourseId("baking"), "dough")
)


@given(progress(), progress(), progress())
def test_merging_is_a_semilattice(
    one: LessonProgress, two: LessonProgress, three: LessonProgress
) -> None:
    assert one.merge(two) == two.merge(one)
    assert one.merge(two).merge(three) == one.merge(two.merge(three))
    assert one.merge(one) == one


@given(st.lists(progress(), min_size=1, max_size=5), st.randoms())
def test_any_order_and_repetition_of_reports_gives_the_same(
    reports: list[LessonProgress], rnd: object
) -> None:
    again = reports + reports[:2]
    rnd.shuffle(again)  # type: ignore[attr-defined]

    def merged(of: list[LessonProgress]) -> LessonProgress:
        result = of[0]
        for each in of[1:]:
            result = result.merge(each)
        return result

    assert merged(again) == merged(reports)


@given(progress(), progress())
def test_within_an_epoch_nothing_is_undone(
    one: LessonProgress, two: LessonProgress
) -> None:
    two = evolve(two, epoch=one.epoch)

    both = one.merge(two)

    assert both.watched | one.watched == both.watched
    for name in ("read_at", "completed_at"):
        known = [
            at for at in (getattr(one, name), getattr(two, name)) if at is not None
        ]
        assert getattr(both, name) == (min(known) if known else None)


def test_a_fresh_start_outlives_what_was_reported_before_it() -> None:
    old = evolve(BLANK, watched=Intervals.of((0, 9)), completed_at=AT, read_at=AT)

    fresh = old.restart()

    assert fresh.merge(old) == old.merge(fresh) == fresh == evolve(BLANK, epoch=1)


def test_the_position_seen_last_wins_and_a_tie_goes_to_the_later_position() -> None:
    early = evolve(BLANK, seen_at=AT, position_ms=900)
    late = evolve(BLANK, seen_at=AT + timedelta(seconds=1), position_ms=5)
    tie = evolve(late, position_ms=6)

    assert early.merge(late).position_ms == 5
    assert late.merge(tie).position_ms == tie.merge(late).position_ms == 6
    assert evolve(BLANK, position_ms=7).merge(early) == early


def test_progress_of_others_does_not_merge() -> None:
    with pytest.raises(InvalidValue):
        BLANK.merge(evolve(BLANK, learner=UserId("bob")))


@pytest.mark.parametrize(
    "field", [{"epoch": -1}, {"epoch": 2**31}, {"position_ms": LONGEST_MS + 1}]
)
def test_what_no_store_could_keep_is_refused(field: dict[str, int]) -> None:
    with pytest.raises(InvalidValue) as caught:
        evolve(BLANK, **field)  # type: ignore[arg-type]

    assert caught.value.place == next(iter(field))


def seen(*ranges: tuple[int, int]) -> LessonProgress:
    return evolve(BLANK, watched=Intervals.of(*ranges))


@pytest.mark.parametrize(
    ("watched", "duration", "met"),
    [
        ([(0, 95)], 100, True),
        ([(0, 94)], 100, False),
        ([(0, 50), (40, 94)], 100, False),  # watching twice counts once
        ([(99, 100)], 100, False),  # skipping to the end is not watching
        ([(0, 10), (100, 500)], 100, False),  # beyond the end is not the lecture
        ([(0, 100)], None, False),
        ([(0, 100)], 0, False),
    ],
)
def test_a_lecture_is_finished_by_coverage(
    watched: list[tuple[int, int]], duration: int | None, *, met: bool
) -> None:
    evidence = Evidence(progress=seen(*watched), duration_ms=duration)

    assert Watched().is_met(evidence) is met


@pytest.mark.parametrize(
    ("rule", "evidence", "met"),
    [
        (Viewed(), Evidence(progress=BLANK), False),
        (Viewed(), Evidence(progress=evolve(BLANK, read_at=AT)), True),
        (Passed(), Evidence(progress=BLANK, submitted=True), False),
        (Passed(), Evidence(progress=BLANK, passed=True), True),
        (Submitted(), Evidence(progress=BLANK, submitted=True), True),
        (Submitted(), Evidence(progress=BLANK), False),
    ],
)
def test_other_lessons_are_finished_by_what_the_learner_did(
    rule: CompletionRule, evidence: Evidence, *, met: bool
) -> None:
    assert rule.is_met(evidence) is met


WEIGHED = st.lists(
    st.builds(Weighted, key=st.sampled_from("abcdef"), weight=st.integers(1, 10**6)),
    unique_by=lambda each: each.key,
)


@given(WEIGHED, st.frozensets(st.sampled_from("abcdefg")))
def test_a_course_is_complete_only_when_nothing_is_missing(
    required: list[Weighted], done: frozenset[str]
) -> None:
    found = course_progress(required, done)

    missing = [each.key for each in required if each.key not in done]
    assert found.is_complete == (bool(required) and not missing)
    assert (found.share == ALL) == found.is_complete
    assert (found.share.floor() == 100) == found.is_complete
    assert [*found.unfinished] == missing


@given(WEIGHED, st.frozensets(st.sampled_from("abcdef")), st.sampled_from("abcdef"))
def test_finishing_one_more_lesson_never_lowers_the_share(
    required: list[Weighted], done: frozenset[str], key: str
) -> None:
    before = course_progress(required, done).share

    assert course_progress(required, done | {key}).share >= before


def test_lessons_weigh_as_stated() -> None:
    required = [Weighted(key="a", weight=90), Weighted(key="b", weight=10)]

    assert course_progress(required, {"a"}).share == Percent(Fraction(9, 10))
    assert course_progress([], {"a"}).share == NONE
    with pytest.raises(InvalidValue):
        Weighted(key="a", weight=0)
