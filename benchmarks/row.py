"""What a benchmark reports."""

from attrs import frozen


@frozen(kw_only=True)
class Row:
    """One figure beside its floor, measured in the same run.

    *ratio* is value over floor, or floor over value for rates; *goal* is the
    largest ratio allowed, and *met* whether it was kept. Where there is nothing
    to compare with, floor, ratio, goal and met are `None`.
    """

    benchmark: str
    case: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    goal: float | None = None
    met: bool | None = None
