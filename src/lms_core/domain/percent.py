"""Shares of a whole."""

from fractions import Fraction

from attrs import frozen

from lms_core.errors import InvalidValue


@frozen(order=True)
class Percent:
    """A share between none and all, kept exact until somebody displays it.

    >>> Percent.of(2, 3).floor()
    66
    """

    of_one: Fraction

    def __attrs_post_init__(self) -> None:
        if type(self.of_one) is not Fraction or not 0 <= self.of_one <= 1:
            raise InvalidValue(f"not a share of one: {self.of_one!r:.60}")

    @classmethod
    def of(cls, part: int, whole: int) -> "Percent":
        """Return *part* of *whole*."""
        if whole <= 0:
            raise InvalidValue(f"no share of {whole!r}")
        return cls(Fraction(part, whole))

    def floor(self) -> int:
        """Whole percents for display: 100 only when nothing is missing."""
        return int(self.of_one * 100)


NONE = Percent(Fraction(0))
ALL = Percent(Fraction(1))
