"""What a benchmark reports, and how it says that a workload is no use to it."""

from attrs import frozen


class BadWorkload(Exception):
    """A workload cannot be read, or is none of the benchmark's."""


@frozen(kw_only=True)
class Row:
    """One figure beside its floor, measured in the same run.

    *ratio* is value over floor, or floor over value for rates; *goal* is the
    largest ratio allowed, and *met* whether it was kept. A figure that is held to
    a limit in its own unit has no floor: its ratio is value over limit, its goal
    one. Where there is nothing to compare with, floor, ratio, goal and met are
    `None`.
    """

    benchmark: str
    case: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    goal: float | None = None
    met: bool | None = None


def limited(*, benchmark: str, case: str, value: float, unit: str, limit: float) -> Row:
    """Return *value* held to *limit*, which is in the same unit."""
    return Row(
        benchmark=benchmark,
        case=case,
        value=value,
        unit=unit,
        ratio=value / limit,
        goal=1.0,
        met=value <= limit,
    )
