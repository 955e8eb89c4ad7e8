"""What was watched: a set of time ranges with one canonical form."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import pairwise

from attrs import field, frozen

from lms_core.domain.percent import ALL, NONE, Percent
from lms_core.errors import InvalidValue

LONGEST_MS = 24 * 60 * 60 * 1000
"""No lecture is longer than a day."""

MOST_RANGES = 10_000
"""More than anybody watches in one lecture.

A set that would hold more has its gaps shorter than `LONGEST_MS / MOST_RANGES`
(8.64 s) closed, which leaves fewer and loses nothing. Below that number, union is
exact.
"""

_GAP_MS = -(-LONGEST_MS // MOST_RANGES)
_FEW = 32
"""Up to so many ranges, adding one by one is faster than sorting all."""


@frozen
class Intervals:
    """Half-open ranges of milliseconds, sorted, apart, and not empty.

    Union is the only merge, so that any order, any duplicate and any number of
    devices give the same set.

    >>> Intervals.of((0, 5000)) | Intervals.of((4000, 9000), (20000, 21000))
    Intervals(edges=(0, 9000, 20000, 21000))
    """

    edges: tuple[int, ...] = field(default=())
    """Start and end of each range in turn, strictly increasing."""

    def __attrs_post_init__(self) -> None:
        edges = self.edges
        if len(edges) % 2 or any(type(edge) is not int for edge in edges):
            raise InvalidValue("must be pairs of whole milliseconds")
        if edges and not 0 <= edges[0] <= edges[-1] <= LONGEST_MS:
            raise InvalidValue(f"must lie between 0 and {LONGEST_MS} ms")
        if any(a >= b for a, b in pairwise(edges)):
            raise InvalidValue("must be sorted, apart and not empty")
        if len(edges) > 2 * MOST_RANGES:
            raise InvalidValue(f"must be at most {MOST_RANGES} ranges")

    @classmethod
    def of(cls, *ranges: tuple[int, int]) -> "Intervals":
        """Return the union of *ranges*; empty ones are left out.

        Raises:
            InvalidValue: a range ends before it starts or lies outside a day.
        """
        for start, end in ranges:
            _check(start, end)
        return _union(each for each in ranges if each[0] < each[1])

    def add(self, start: int, end: int) -> "Intervals":
        """Return the union with one range, in logarithmic time plus a copy."""
        _check(start, end)
        if start == end:
            return self
        edges = self.edges
        # An even index lies outside every range, an odd one inside; ranges that
        # touch are joined, hence left for the start and right for the end.
        low, high = bisect_left(edges, start), bisect_right(edges, end)
        if low % 2 and low == high:
            return self
        first = edges[:low] if low % 2 else (*edges[:low], start)
        last = edges[high:] if high % 2 else (end, *edges[high:])
        return _trusted(first + last)

    def __or__(self, other: "Intervals") -> "Intervals":
        few, many = sorted((self, other), key=lambda each: len(each.edges))
        if len(few.edges) > 2 * _FEW:
            return _union((*few.ranges(), *many.ranges()))
        result = many
        for start, end in few.ranges():
            result = result.add(start, end)
        return result

    def ranges(self) -> Iterable[tuple[int, int]]:
        """Return start and end of each range."""
        return zip(self.edges[::2], self.edges[1::2], strict=True)

    @property
    def total_ms(self) -> int:
        """How much was watched, each moment once."""
        return sum(self.edges[1::2]) - sum(self.edges[::2])

    def until(self, end_ms: int) -> "Intervals":
        """Return the part before *end_ms*."""
        cut = bisect_left(self.edges, end_ms)
        edges = self.edges[:cut]
        if cut % 2:
            edges = (*edges, end_ms)
        return Intervals(edges)

    def share_of(self, duration_ms: int) -> Percent:
        """Return the share of a lecture of *duration_ms* that was watched."""
        if duration_ms <= 0:
            return NONE
        seen = self.until(duration_ms).total_ms
        return ALL if seen >= duration_ms else Percent.of(seen, duration_ms)


def _check(start: int, end: int) -> None:
    if type(start) is not int or type(end) is not int:
        raise InvalidValue("must be whole milliseconds")
    if not 0 <= start <= end <= LONGEST_MS:
        raise InvalidValue(f"must lie between 0 and {LONGEST_MS} ms, start first")


def _trusted(edges: tuple[int, ...]) -> Intervals:
    """Return *edges* unchecked, which holds once they have come out of a union."""
    if len(edges) > 2 * MOST_RANGES:
        return _union(zip(edges[::2], edges[1::2], strict=True), gap=_GAP_MS)
    result = object.__new__(Intervals)
    object.__setattr__(result, "edges", edges)
    return result


def _union(ranges: Iterable[tuple[int, int]], *, gap: int = 0) -> Intervals:
    """Return the union of checked *ranges*, closing gaps up to *gap*."""
    edges: list[int] = []
    for start, end in sorted(ranges):
        if not edges or start > edges[-1] + gap:
            edges += (start, end)
        elif end > edges[-1]:
            edges[-1] = end
    return _trusted(tuple(edges))


EMPTY = Intervals()
