"""Grading policies: a tree of categories, stored with the course as data."""

from collections.abc import Iterator
from enum import StrEnum
from fractions import Fraction

from attrs import frozen

from lms_core.domain.grading.aggregation import Aggregation, Mean, WeightedMean
from lms_core.domain.ids import key as checked_key
from lms_core.domain.percent import Percent
from lms_core.errors import InvalidValue

COURSE = "course"
"""The key of the root."""


class Missing(StrEnum):
    """What work that was not handed in counts."""

    ZERO = "zero"
    IGNORED = "ignored"


@frozen(kw_only=True)
class Category:
    """A group of graded work, or of other groups.

    *drop_lowest* leaves that many items out, those whose absence helps most
    under the category's aggregation; it never leaves fewer than one. *weight*
    matters to the aggregation above.
    """

    key: str
    title: str
    weight: Fraction = Fraction(1)
    aggregation: Aggregation = Mean()
    drop_lowest: int = 0
    never_drop: frozenset[str] = frozenset()
    missing: Missing = Missing.ZERO
    categories: tuple["Category", ...] = ()

    def __attrs_post_init__(self) -> None:
        checked_key(self.key, place="key")
        if not 0 <= self.weight <= 10**6 or self.weight.denominator > 10**6:
            raise InvalidValue(
                "must be 0 to 10^6, in millionths at most", place="weight"
            )
        if len(self.title) > 200:  # noqa: PLR2004
            raise InvalidValue("must have at most 200 characters", place="title")
        if not 0 <= self.drop_lowest <= 1000:  # noqa: PLR2004
            raise InvalidValue("must be 0 to 1000", place="drop_lowest")

    def all(self) -> Iterator["Category"]:
        """Yield this category and all below it."""
        yield self
        for child in self.categories:
            yield from child.all()


@frozen(kw_only=True)
class Letter:
    """A letter and the lowest exact share that earns it."""

    letter: str
    from_share: Percent

    def __attrs_post_init__(self) -> None:
        if not self.letter.strip() or len(self.letter) > 20:  # noqa: PLR2004
            raise InvalidValue("must have 1 to 20 characters", place="letter")


@frozen(kw_only=True)
class GradingPolicy:
    """How a course is graded.

    *version* is that of the rules' meaning, kept with every policy so that
    stored ones are read as they were meant. *letters* go from the highest down;
    *pass_mark* is what the certificate asks for.
    """

    root: Category = Category(
        key=COURSE,
        title="Course",
        aggregation=WeightedMean(),
    )
    letters: tuple[Letter, ...] = ()
    pass_mark: Percent | None = None
    version: int = 1

    def __attrs_post_init__(self) -> None:
        if self.version != 1:
            raise InvalidValue(f"is not known: {self.version}", place="version")
        keys = [category.key for category in self.root.all()]
        if len(keys) > 200:  # noqa: PLR2004
            raise InvalidValue("must be at most 200", place="root.categories")
        for index, each in enumerate(keys):
            if each in keys[:index]:
                raise InvalidValue(f"has the key {each!r} twice", place="root")
        bounds = [letter.from_share for letter in self.letters]
        if bounds != sorted(set(bounds), reverse=True):
            raise InvalidValue("must go down from the highest", place="letters")

    def letter(self, share: Fraction) -> str | None:
        """Return the letter of an exact *share*; `None` below the lowest."""
        return next(
            (each.letter for each in self.letters if share >= each.from_share.of_one),
            None,
        )
