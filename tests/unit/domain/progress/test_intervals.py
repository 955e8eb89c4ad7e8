"""What was watched is a set: union is all that happens to it."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lms_core.domain.percent import ALL, NONE
from lms_core.domain.progress import intervals as module
from lms_core.domain.progress.intervals import (
    EMPTY,
    LONGEST_MS,
    MOST_RANGES,
    Intervals,
)
from lms_core.errors import InvalidValue
from lms_core.testing.strategies import intervals, ranges


def moments(of: Intervals) -> set[int]:
    return {ms for start, end in of.ranges() for ms in range(start, end)}


@given(st.lists(ranges(), max_size=8))
def test_it_is_the_set_of_milliseconds(given_ranges: list[tuple[int, int]]) -> None:
    expected = {ms for start, end in given_ranges for ms in range(start, end)}

    found = Intervals.of(*given_ranges)

    assert moments(found) == expected
    assert found.total_ms == len(expected)


@given(intervals(), ranges())
@example(Intervals((10, 20)), (20, 30))
@example(Intervals((10, 20)), (12, 20))
@example(Intervals((10, 20, 30, 40)), (20, 30))
def test_adding_a_range_adds_its_moments(
    before: Intervals, added: tuple[int, int]
) -> None:
    after = before.add(*added)

    assert moments(after) == moments(before) | set(range(*added))
    assert after == Intervals(after.edges)


@given(intervals(), intervals(), intervals())
def test_union_is_commutative_associative_and_idempotent(
    one: Intervals, two: Intervals, three: Intervals
) -> None:
    assert one | two == two | one
    assert (one | two) | three == one | (two | three)
    assert one | one == one
    assert one | EMPTY == one


@given(intervals(2000), st.lists(ranges(4000), min_size=40, max_size=80))
def test_large_and_small_unions_agree(
    one: Intervals, many: list[tuple[int, int]]
) -> None:
    one_by_one = one
    for start, end in many:
        one_by_one = one_by_one.add(start, end)

    assert one | Intervals.of(*many) == one_by_one


@given(intervals())
def test_the_form_is_canonical(found: Intervals) -> None:
    assert all(a < b for a, b in pairwise(found.edges))
    assert hash(found) == hash(Intervals.of(*reversed(list(found.ranges()))))


@given(intervals(), st.integers(-5, 70))
def test_until_keeps_what_lies_before(found: Intervals, end: int) -> None:
    assert moments(found.until(end)) == {ms for ms in moments(found) if ms < end}


@given(intervals(), st.integers(1, 70))
def test_a_share_counts_each_moment_of_the_lecture_once(
    found: Intervals, duration: int
) -> None:
    seen = len([ms for ms in moments(found) if ms < duration])

    share = found.share_of(duration)

    assert share.of_one == Fraction(seen, duration)
    assert (share == ALL) == (seen == duration)


@pytest.mark.parametrize("duration", [0, -1])
def test_nothing_is_a_share_of_no_lecture(duration: int) -> None:
    assert Intervals.of((0, 10)).share_of(duration) == NONE


@pytest.mark.parametrize(
    "edges",
    [(1,), (1, 1), (2, 1), (0, 5, 5, 9), (-1, 2), (0, LONGEST_MS + 1), (0, True)],
)
def test_any_other_form_is_refused(edges: tuple[int, ...]) -> None:
    with pytest.raises(InvalidValue):
        Intervals(edges)


@pytest.mark.parametrize(
    ("start", "end"), [(5, 4), (-1, 4), (0, LONGEST_MS + 1), (0, 1.0), (False, 1)]
)
def test_a_range_outside_a_day_is_refused(start: int, end: int) -> None:
    with pytest.raises(InvalidValue):
        EMPTY.add(start, end)
    with pytest.raises(InvalidValue):
        Intervals.of((start, end))


def test_too_many_ranges_are_joined_and_nothing_is_lost() -> None:
    scattered = [(n * 4000, n * 4000 + 1) for n in range(MOST_RANGES)]
    full = Intervals.of(*scattered)

    more = full.add(50_000_002, 50_000_003)

    assert len(full.edges) == 2 * MOST_RANGES
    assert len(more.edges) < len(full.edges)
    assert all(
        any(a <= start and end <= b for a, b in more.ranges())
        for start, end in [scattered[0], scattered[-1], (50_000_002, 50_000_003)]
    )
    assert more | full == more


def test_no_set_holds_more_than_the_bound_after_joining() -> None:
    assert LONGEST_MS // (module._GAP_MS + 1) < MOST_RANGES
    with pytest.raises(InvalidValue):
        Intervals(tuple(range(2 * MOST_RANGES + 2)))
