"""A quiz: questions and the rules of taking it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from hashlib import sha256
from typing import Protocol, TypeVar

from attrs import evolve, frozen

from lms_core.domain.assessment.answers import Answer, Mark
from lms_core.domain.assessment.questions import Question, ShownQuestion
from lms_core.domain.percent import Percent
from lms_core.domain.score import Score
from lms_core.errors import InvalidValue

MOST_QUESTIONS = 500
LONGEST_INSTRUCTIONS = 20_000
LONGEST_TIME_S = 7 * 24 * 3600


class Combine(StrEnum):
    """Which of several attempts count."""

    BEST = "best"
    LAST = "last"
    FIRST = "first"
    MEAN = "mean"


class ShowAnswers(StrEnum):
    """When learners see what is right."""

    NEVER = "never"
    AFTER_PASS = "after-pass"  # noqa: S105 - not a password
    AFTER_LAST_ATTEMPT = "after-last-attempt"
    AFTER_SUBMIT = "after-submit"


@frozen(kw_only=True)
class Quiz:
    """Questions and the rules of taking them.

    *grace_s* is for slow networks: what arrives that long after the time limit
    still counts. *max_attempts* of `None` means no limit.
    """

    questions: tuple[Question, ...]
    instructions: str = ""
    pass_mark: Percent = Percent(Fraction(1, 2))
    time_limit_s: int | None = None
    grace_s: int = 30
    max_attempts: int | None = None
    combine: Combine = Combine.BEST
    shuffle_questions: bool = False
    shuffle_options: bool = False
    show_answers: ShowAnswers = ShowAnswers.AFTER_PASS

    def __attrs_post_init__(self) -> None:
        if len(self.instructions) > LONGEST_INSTRUCTIONS:
            raise InvalidValue(
                f"must have at most {LONGEST_INSTRUCTIONS} characters",
                place="instructions",
            )
        keys = [question.key for question in self.questions]
        if not 1 <= len(keys) <= MOST_QUESTIONS:
            raise InvalidValue(f"must be 1 to {MOST_QUESTIONS}", place="questions")
        for index, key in enumerate(keys):
            if key in keys[:index]:
                raise InvalidValue(
                    f"is taken by an earlier question: {key!r}",
                    place=f"questions[{index}].key",
                )
        if not self.possible and self.pass_mark.of_one:
            raise InvalidValue(
                "must be 0% where no question earns a point", place="pass_mark"
            )
        if (
            self.time_limit_s is not None
            and not 1 <= self.time_limit_s <= LONGEST_TIME_S
        ):
            raise InvalidValue(f"must be 1 to {LONGEST_TIME_S}", place="time_limit_s")
        if not 0 <= self.grace_s <= 3600:  # noqa: PLR2004
            raise InvalidValue("must be 0 to 3600", place="grace_s")
        if self.max_attempts is not None and not 1 <= self.max_attempts <= 1000:  # noqa: PLR2004
            raise InvalidValue("must be 1 to 1000", place="max_attempts")

    @property
    def possible(self) -> Fraction:
        """All the points there are."""
        return sum((question.points for question in self.questions), Fraction(0))

    def shown(self, seed: str) -> tuple[ShownQuestion, ...]:
        """Return the questions as one attempt shows them.

        The order follows from *seed* alone, and answers name options by key, so
        that shuffling can never disagree with grading.
        """
        shown = tuple(question.shown() for question in self.questions)
        if self.shuffle_questions:
            shown = _shuffled(shown, seed)
        if not self.shuffle_options:
            return shown
        return tuple(
            evolve(each, options=_shuffled(each.options, f"{seed}/{each.key}"))
            if each.type != "true-false"
            else each
            for each in shown
        )

    def grade(self, answers: Mapping[str, Answer]) -> tuple[Mark, ...]:
        """Mark every question; what is missing was not answered."""
        return tuple(
            question.grade(answers.get(question.key, ())) for question in self.questions
        )


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


_K = TypeVar("_K", bound=_Keyed)


def _shuffled(items: tuple[_K, ...], seed: str) -> tuple[_K, ...]:
    return tuple(
        sorted(items, key=lambda item: sha256(f"{seed}/{item.key}".encode()).digest())
    )


def total(marks: Sequence[Mark]) -> Score:
    """Add the marks up; a total below zero counts as zero."""
    earned = sum((each.earned for each in marks), Fraction(0))
    possible = sum((each.possible for each in marks), Fraction(0))
    return Score(max(earned, Fraction(0)), possible)


def counting_share(shares: Sequence[Fraction], combine: Combine) -> Fraction | None:
    """Return the share that counts of attempts in order; `None` before the first.

    Moodle offers the same four; the mean is exact.
    """
    if not shares:
        return None
    if combine is Combine.BEST:
        return max(shares)
    if combine is Combine.MEAN:
        return sum(shares, Fraction(0)) / len(shares)
    return shares[0] if combine is Combine.FIRST else shares[-1]
