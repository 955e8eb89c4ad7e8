"""Points, exact until somebody displays them."""

from fractions import Fraction

from attrs import frozen

from lms_core.domain.percent import Percent
from lms_core.errors import InvalidValue


@frozen
class Score:
    """Points *earned* of the points *possible*; more than possible is allowed.

    Extra credit takes a score above what is possible, so only negative values
    are refused.

    >>> Score.of(3, 4).percent
    Percent(of_one=Fraction(3, 4))
    """

    earned: Fraction
    possible: Fraction

    def __attrs_post_init__(self) -> None:
        if (
            type(self.earned) is not Fraction
            or type(self.possible) is not Fraction
            or self.earned < 0
            or self.possible < 0
        ):
            raise InvalidValue(f"not a score: {self.earned!r} of {self.possible!r}")

    @classmethod
    def of(cls, earned: int | Fraction, possible: int | Fraction) -> "Score":
        """Return a score from whole or exact numbers; floats are refused."""
        for number in (earned, possible):
            if type(number) not in {int, Fraction}:
                raise InvalidValue(f"not an exact number: {number!r}")
        return cls(Fraction(earned), Fraction(possible))

    @property
    def percent(self) -> Percent | None:
        """The share earned, cut to one; `None` where nothing is possible."""
        if not self.possible:
            return None
        return Percent(min(self.earned / self.possible, Fraction(1)))
