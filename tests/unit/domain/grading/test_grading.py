"""Grades: exact, explained, and dropped to the learner's best."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from itertools import combinations

import pytest
from attrs import evolve
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lms_core.domain.grading.aggregation import (
    Aggregation,
    Entry,
    Mean,
    Points,
    WeightedMean,
)
from lms_core.domain.grading.gradebook import (
    CategoryGrade,
    GradeItem,
    ItemGrade,
    grade_course,
)
from lms_core.domain.grading.override import Override
from lms_core.domain.grading.policy import Category, GradingPolicy, Letter, Missing
from lms_core.domain.ids import CourseId, LessonId, UserId
from lms_core.domain.percent import Percent
from lms_core.domain.score import Score
from lms_core.errors import InvalidValue
from lms_core.testing.strategies import policies, scores

WORK = st.lists(scores(), min_size=1, max_size=7)
KINDS: list[Aggregation] = [Mean(), WeightedMean(), Points()]


def entries(of: Sequence[Score], first: int = 0) -> tuple[Entry, ...]:
    return tuple(
        Entry(key=f"w{n}", earned=each.earned, possible=each.possible)
        for n, each in enumerate(of, first)
    )


@given(WORK, st.lists(scores(), max_size=2), st.integers(0, 7))
@example([Score.of(0, 0), Score.of(1, 0)], [], 1)
@example([Score.of(3, 10), Score.of(5, 0)], [], 1)
@example([Score.of(80, 100), Score.of(20, 100), Score.of(1, 20)], [], 1)
def test_points_keep_the_best_of_all_choices(
    work: list[Score], fixed: list[Score], drop: int
) -> None:
    free, always = entries(work), entries(fixed, 10)
    choices = [
        Points().combine((*always, *kept))
        for kept in combinations(free, max(0, len(free) - drop))
    ]
    best = max((each for each in choices if each is not None), default=None)

    kept = Points().kept(free, drop, always=always)

    assert len(kept) == max(0, len(free) - drop)
    assert list(kept) == [entry for entry in free if entry in kept]
    assert Points().combine((*always, *kept)) == best


@given(st.lists(st.integers(0, 3), min_size=2, max_size=6), st.integers(1, 3))
def test_of_equal_choices_the_earlier_work_goes(earned: list[int], drop: int) -> None:
    work = entries([Score.of(each, 3) for each in earned])
    lowest = sorted(range(len(work)), key=lambda n: (earned[n], n))[:drop]

    for kind in KINDS:
        kept = kind.kept(work, drop)
        assert kept == tuple(e for n, e in enumerate(work) if n not in lowest)


@given(WORK, st.integers(0, 7))
def test_a_mean_drops_the_lowest_shares(work: list[Score], drop: int) -> None:
    free = entries(work)
    choices = [Mean().combine(k) for k in combinations(free, max(0, len(free) - drop))]

    found = Mean().combine(Mean().kept(free, drop))

    assert found == max((each for each in choices if each is not None), default=None)


@given(WORK, st.sampled_from(KINDS))
def test_weights_make_up_the_whole_and_the_result(
    work: list[Score], kind: Aggregation
) -> None:
    made = entries(work)
    parts, result = kind.weights(made), kind.combine(made)

    assert sum(parts) == (0 if result is None else 1)
    if result is not None and all(entry.possible for entry in made):
        weighted = zip(parts, made, strict=True)
        assert sum((part * e.share for part, e in weighted), Fraction(0)) == result


def items(of: Mapping[str, Score | None], category: str = "course") -> list[GradeItem]:
    return [
        GradeItem(
            key=key,
            title=key,
            category=category,
            possible=score.possible if score else Fraction(10),
        )
        for key, score in of.items()
    ]


def flat(**rules: object) -> GradingPolicy:
    rules.setdefault("aggregation", Points())
    return GradingPolicy(root=Category(key="course", title="C", **rules))  # type: ignore[arg-type]


def all_items(of: CategoryGrade) -> list[ItemGrade]:
    return [*of.items, *(item for child in of.categories for item in all_items(child))]


@st.composite
def courses(
    draw: st.DrawFn,
) -> tuple[GradingPolicy, list[GradeItem], dict[str, Score | None], frozenset[str]]:
    policy = draw(policies())
    keys = [category.key for category in policy.root.all()]
    names = draw(st.lists(st.sampled_from([*"abcdef", *keys]), max_size=6, unique=True))
    marks = {name: draw(st.none() | scores()) for name in names}
    made = [evolve(item, category=draw(st.sampled_from(keys))) for item in items(marks)]
    return policy, made, marks, draw(st.frozensets(st.sampled_from("abc"), max_size=1))


@given(courses())
def test_every_grade_explains_itself(
    course: tuple[
        GradingPolicy, list[GradeItem], dict[str, Score | None], frozenset[str]
    ],
) -> None:
    policy, work, marks, excused = course

    grade = grade_course(policy, work, marks, excused=excused)

    explained = all_items(grade.explanation)
    assert sorted(i.key for i in explained) == sorted(i.key for i in work)
    assert grade.explanation.weight == 1
    assert sum(item.weight for item in explained) == (0 if grade.share is None else 1)
    for item in explained:
        assert (item.status == "excused") == (item.key in excused)
        if item.status in {"excused", "dropped", "ignored"}:
            assert item.weight == 0
    assert (grade.letter is None) <= (
        grade.share is None or policy.letter(grade.share) is None
    )


@settings(max_examples=150)
@given(courses(), st.data())
def test_a_better_mark_never_lowers_the_grade(
    course: tuple[
        GradingPolicy, list[GradeItem], dict[str, Score | None], frozenset[str]
    ],
    data: st.DataObject,
) -> None:
    policy, work, marks, excused = course
    marked = [key for key, score in marks.items() if score and score.possible]
    if not marked:
        return
    key = data.draw(st.sampled_from(marked))
    before = grade_course(policy, work, marks, excused=excused).share
    old = marks[key]
    assert old is not None

    better = marks | {key: evolve(old, earned=old.earned + 1)}
    after = grade_course(policy, work, better, excused=excused).share

    assert (before is None) == (after is None)
    # What a group keeps decides how many points it brings into a sum of points, so
    # that there, as in Canvas, a drop within a group may cost more than it gains.
    if before is not None and after is not None and not _sums_what_drops(policy.root):
        assert after >= before


def _sums_what_drops(category: Category) -> bool:
    below = [each for child in category.categories for each in child.all()]
    drops = any(each.drop_lowest for each in below)
    return (drops and category.aggregation == Points()) or any(
        _sums_what_drops(child) for child in category.categories
    )


@pytest.mark.parametrize(
    ("missing", "share", "status"),
    [
        (Missing.ZERO, Fraction(8, 20), "missing"),
        (Missing.IGNORED, Fraction(8, 10), "ignored"),
    ],
)
def test_missing_work_counts_as_the_category_says(
    missing: Missing, share: Fraction, status: str
) -> None:
    marks = {"a": Score.of(8, 10), "b": None}

    grade = grade_course(flat(missing=missing), items(marks), marks)

    assert grade.share == share
    assert [item.status for item in grade.explanation.items] == ["counted", status]


def test_work_for_which_nothing_is_possible_is_left_out_of_a_mean() -> None:
    marks: dict[str, Score | None] = {"a": Score.of(8, 10), "b": Score.of(0, 0)}

    grade = grade_course(flat(aggregation=Mean()), items(marks), marks)

    assert grade.share == Fraction(8, 10)
    assert grade.explanation.items[1].status == "ignored"


def test_the_last_piece_of_work_is_never_dropped() -> None:
    marks: dict[str, Score | None] = {"a": Score.of(1, 10), "b": Score.of(2, 10)}

    grade = grade_course(flat(drop_lowest=5), items(marks), marks)

    assert [item.status for item in grade.explanation.items] == ["dropped", "counted"]


def test_groups_under_points_add_their_points_up() -> None:
    below = tuple(
        Category(key=key, title=key, aggregation=Points()) for key in ("big", "small")
    )
    marks: dict[str, Score | None] = {"a": Score.of(90, 100), "b": Score.of(0, 10)}
    work = [
        *items({"a": marks["a"]}, "big"),
        *items({"b": marks["b"]}, "small"),
    ]

    grade = grade_course(flat(categories=below), work, marks)

    assert grade.share == Fraction(90, 110)
    assert [child.weight for child in grade.explanation.categories] == [
        Fraction(100, 110),
        Fraction(10, 110),
    ]


def test_a_lesson_named_like_a_category_keeps_its_own_weight() -> None:
    exam = Category(key="exam", title="Exam", weight=Fraction(3))
    marks: dict[str, Score | None] = {"exam": Score.of(1, 1), "a": Score.of(0, 1)}
    work = [*items({"exam": marks["exam"]}), *items({"a": marks["a"]}, "exam")]

    grade = grade_course(
        flat(aggregation=WeightedMean(), categories=(exam,)), work, marks
    )

    assert grade.share == Fraction(1, 4)
    assert grade.explanation.items[0].weight == Fraction(1, 4)
    assert grade.explanation.categories[0].weight == Fraction(3, 4)


def test_an_empty_category_leaves_its_weight_to_the_others() -> None:
    below = (
        Category(key="a", title="A", weight=Fraction(40)),
        Category(key="b", title="B", weight=Fraction(60)),
    )
    marks: dict[str, Score | None] = {"x": Score.of(1, 2)}

    policy = flat(aggregation=WeightedMean(), categories=below)
    grade = grade_course(policy, items(marks, "a"), marks)

    assert grade.share == Fraction(1, 2)
    assert grade_course(policy, [], {}).share is None


LETTERS = flat(
    aggregation=Mean(),
).__class__(
    letters=(
        Letter(letter="A", from_share=Percent.of(9, 10)),
        Letter(letter="B", from_share=Percent.of(1, 2)),
    )
)


@pytest.mark.parametrize(
    ("share", "letter"),
    [
        (Fraction(11, 10), "A"),
        (Fraction(9, 10), "A"),
        (Fraction(9, 10) - Fraction(1, 10**12), "B"),
        (Fraction(1, 2), "B"),
        (Fraction(499, 1000), None),
    ],
)
def test_a_letter_begins_exactly_at_its_bound(
    share: Fraction, letter: str | None
) -> None:
    assert LETTERS.letter(share) == letter


def test_policies_that_contradict_themselves_are_refused() -> None:
    twice = Category(key="course", title="C")
    rising = tuple(reversed(LETTERS.letters))

    for wrong in (
        lambda: flat(categories=(twice,)),
        lambda: evolve(LETTERS, letters=rising),
        lambda: evolve(LETTERS, letters=LETTERS.letters[:1] * 2),
        lambda: evolve(LETTERS, version=2),
        lambda: flat(weight=Fraction(-1)),
        lambda: flat(weight=Fraction(1, 10**9)),
        lambda: flat(drop_lowest=-1),
    ):
        with pytest.raises(InvalidValue):
            wrong()  # type: ignore[no-untyped-call]


def test_an_override_is_a_score_or_an_excuse_or_withdrawn() -> None:
    override = Override(
        learner=UserId("ann"),
        lesson=LessonId(CourseId("baking"), "dough"),
        by=UserId("bob"),
        at=datetime(2026, 3, 1, tzinfo=UTC),
    )

    assert override.is_withdrawn
    assert not evolve(override, excused=True).is_withdrawn
    assert not evolve(override, score=Score.of(0, 1)).is_withdrawn
    for wrong in (
        {"excused": True, "score": Score.of(1, 1)},
        {"score": Score.of(1, 0)},
        {"comment": "x" * 2001},
    ):
        with pytest.raises(InvalidValue):
            evolve(override, **wrong)


# Family canvas_group_drops.
@pytest.mark.parametrize(
    ("work", "drop", "never", "dropped"),
    [
        ([(31, 40), (17, 24), (6, 10)], 1, (), [2]),
        ([(31, 0), (17, 24), (6, 10)], 1, (), [1]),
        ([(31, 40), (17, 24), (0, 10)], 1, (), [2]),
        ([(31, 40), (17, 24), (6, 10)], 0, (), []),
        ([(15, 0), (5, 0), (10, 0)], 1, (), [1]),
        ([(10, 0), (10, 0), (10, 0)], 1, (), [0]),
        ([(31, 40), (19, 24), (12, 16), (6, 10)], 1, (3,), [2]),
        ([(31, 40), (19, 24), (12, 16), (6, 10)], 1, (0, 1, 2, 3), []),
    ],
)
def test_groups_drop_as_in_canvas(
    work: list[tuple[int, int]], drop: int, never: tuple[int, ...], dropped: list[int]
) -> None:
    marks = {f"w{n}": Score.of(*each) for n, each in enumerate(work)}
    protected = frozenset(f"w{n}" for n in never)

    grade = grade_course(
        flat(drop_lowest=drop, never_drop=protected), items(marks), marks
    )

    statuses = [item.status for item in grade.explanation.items]
    assert [n for n, each in enumerate(statuses) if each == "dropped"] == dropped


LAB = [(1, 2), (1, 1), (1, 1), (5, 25), (3, 4), (6, 7), (5, 6)]


# Family openedx_graders; there each share is rounded to four decimals first, and
# assignments that nobody has written yet count as nothing.
@pytest.mark.parametrize(
    ("work", "absent", "drop", "percent"),
    [
        ([(2, 20), (16, 16)], 10, 2, Fraction(11, 100)),
        ([(2, 20), (16, 16)], 10, 0, Fraction(11, 120)),
        (LAB, 0, 2, Fraction(88808, 100_000)),
        (LAB, 0, 3, Fraction(9226, 10_000)),
        ([(101, 200)], 0, 0, Fraction(505, 1000)),
    ],
)
def test_assignment_types_average_as_in_open_edx(
    work: list[tuple[int, int]], absent: int, drop: int, percent: Fraction
) -> None:
    marks: dict[str, Score | None] = {
        f"w{n}": Score.of(*each) for n, each in enumerate(work)
    }
    marks |= {f"absent-{n}": None for n in range(absent)}

    grade = grade_course(
        flat(aggregation=Mean(), drop_lowest=drop), items(marks), marks
    )

    assert grade.share is not None
    assert abs(grade.share - percent) < Fraction(1, 10_000)


# Family openedx_graders: weights that add up to one mean the same when normalised.
def test_weighted_types_add_up_as_in_open_edx() -> None:
    shares = {"homework": Fraction(11, 100), "lab": Fraction(9226, 10_000)}
    shares["midterm"] = Fraction(505, 1000)
    weights = {"homework": 25, "lab": 25, "midterm": 50}
    below = tuple(
        Category(key=key, title=key, weight=Fraction(weight))
        for key, weight in weights.items()
    )
    work = [
        item
        for key, share in shares.items()
        for item in items({f"in-{key}": Score.of(share, 1)}, key)
    ]
    marks: dict[str, Score | None] = {
        f"in-{key}": Score.of(share, 1) for key, share in shares.items()
    }

    grade = grade_course(
        flat(aggregation=WeightedMean(), categories=below), work, marks
    )

    assert grade.share == Fraction(51065, 100_000)
