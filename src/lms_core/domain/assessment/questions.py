"""Question types: what is asked, what a learner is shown, what an answer earns.

A type is one class here: its data, its rules, and its two views. Add one by
subclassing `Question` under a `variant` name; quizzes, storage, import and API
take it as it is.
"""

import re
from enum import StrEnum
from fractions import Fraction

from attrs import frozen

from lms_core.domain.assessment.answers import (
    Answer,
    Mark,
    Outcome,
    given,
    literals,
    mark,
    matches,
    normal_text,
    read_number,
)
from lms_core.domain.documents import open_set, variant
from lms_core.domain.ids import key as checked_key
from lms_core.domain.percent import ALL, Percent
from lms_core.errors import InvalidValue

MOST_OPTIONS = 100
LONGEST_PROMPT = 20_000
_LONGEST_ANSWER = 1000
_FINEST = 10**6
"""The largest denominator of points and shares, so that sums stay readable."""

_UNIT = re.compile(r"[^\s\d.,+-](?:.{0,38}[^\s.,+-])?")


@frozen(kw_only=True)
class ShownOption:
    """An option as a learner sees it."""

    key: str
    text: str


@frozen(kw_only=True)
class ShownQuestion:
    """A question as a learner sees it: no answer, no feedback.

    *input* says what to offer: ``one`` or ``many`` of the options, a ``number``
    or a ``text``.
    """

    key: str
    type: str
    prompt: str
    points: Fraction
    input: str
    options: tuple[ShownOption, ...] = ()
    unit: str | None = None


@frozen(kw_only=True)
class Solution:
    """What a learner is shown once the quiz allows it."""

    correct: tuple[str, ...]
    explanation: str | None = None


@open_set
@frozen(kw_only=True)
class Question:
    """Something to answer for *points*; *prompt* and *explanation* are Markdown."""

    key: str
    prompt: str
    points: Fraction = Fraction(1)
    explanation: str | None = None

    def __attrs_post_init__(self) -> None:
        checked_key(self.key, place="key")
        if not self.prompt.strip() or len(self.prompt) > LONGEST_PROMPT:
            raise InvalidValue(
                f"must have 1 to {LONGEST_PROMPT} characters", place="prompt"
            )
        if self.explanation is not None and len(self.explanation) > LONGEST_PROMPT:
            raise InvalidValue(
                f"must have at most {LONGEST_PROMPT} characters", place="explanation"
            )
        if not 0 <= self.points <= 10_000 or self.points.denominator > _FINEST:  # noqa: PLR2004
            raise InvalidValue(
                "must be 0 to 10000, in millionths at most", place="points"
            )
        self.check()

    def check(self) -> None:
        """Raise `InvalidValue` where the type's own data does not fit together."""

    def shown(self) -> ShownQuestion:
        """Return what a learner may see before answering."""
        raise TypeError(f"{type(self).__name__} does not say what it shows")

    def solution(self) -> Solution:
        """Return what a learner may see afterwards."""
        raise TypeError(f"{type(self).__name__} does not say what is right")

    def judge(self, answer: Answer) -> Mark:
        """Return what an *answer* that says something is worth."""
        raise TypeError(f"{type(self).__name__} does not judge answers")

    def grade(self, answer: Answer) -> Mark:
        """Return what *answer* is worth; an empty one is worth nothing."""
        said = given(answer)
        if said:
            return self.judge(said)
        return Mark(
            question=self.key,
            earned=Fraction(0),
            possible=self.points,
            outcome=Outcome.UNANSWERED,
        )


@frozen(kw_only=True)
class Option:
    """Something to choose; *text* is Markdown."""

    key: str
    text: str

    def __attrs_post_init__(self) -> None:
        checked_key(self.key, place="key")
        if len(self.text) > LONGEST_PROMPT:
            raise InvalidValue(
                f"must have at most {LONGEST_PROMPT} characters", place="text"
            )


def _check_options(options: tuple[Option, ...], correct: tuple[str, ...]) -> None:
    keys = [option.key for option in options]
    if not 2 <= len(keys) <= MOST_OPTIONS:  # noqa: PLR2004
        raise InvalidValue(f"must be 2 to {MOST_OPTIONS}", place="options")
    if len(set(keys)) < len(keys):
        raise InvalidValue("must have different keys", place="options")
    for wrong in (chosen for chosen in correct if chosen not in keys):
        raise InvalidValue(f"names no option: {wrong!r}", place="correct")


def _show_options(options: tuple[Option, ...]) -> tuple[ShownOption, ...]:
    return tuple(ShownOption(key=option.key, text=option.text) for option in options)


@variant("single-choice")
@frozen(kw_only=True)
class SingleChoice(Question):
    """One option is right."""

    options: tuple[Option, ...]
    correct: str

    def check(self) -> None:
        """Options are two at least, and the right one is among them."""
        _check_options(self.options, (self.correct,))

    def shown(self) -> ShownQuestion:
        """Offer the options."""
        return ShownQuestion(
            key=self.key,
            type="single-choice",
            prompt=self.prompt,
            points=self.points,
            input="one",
            options=_show_options(self.options),
        )

    def solution(self) -> Solution:
        """Name the right one."""
        return Solution(correct=(self.correct,), explanation=self.explanation)

    def judge(self, answer: Answer) -> Mark:
        """Give all or nothing; two choices are wrong."""
        return mark(self.key, Fraction(answer == (self.correct,)), self.points)


class Credit(StrEnum):
    """How a partly right choice of several options counts.

    `EACH_OPTION` counts every option rightly ticked or left (Open edX EDC,
    LearnHouse); `RIGHT_MINUS_WRONG` is right/R - wrong/W, not below zero
    (Moodle, Canvas, ClassroomIO).
    """

    ALL_OR_NOTHING = "all-or-nothing"
    EACH_OPTION = "each-option"
    RIGHT_MINUS_WRONG = "right-minus-wrong"


@variant("multiple-choice")
@frozen(kw_only=True)
class MultipleChoice(Question):
    """Any number of options is right."""

    options: tuple[Option, ...]
    correct: tuple[str, ...]
    credit: Credit = Credit.RIGHT_MINUS_WRONG

    def check(self) -> None:
        """Options are two at least; at least one is right, each named once."""
        _check_options(self.options, self.correct)
        if not self.correct or len(set(self.correct)) < len(self.correct):
            raise InvalidValue("must name options, each once", place="correct")

    def shown(self) -> ShownQuestion:
        """Offer the options."""
        return ShownQuestion(
            key=self.key,
            type="multiple-choice",
            prompt=self.prompt,
            points=self.points,
            input="many",
            options=_show_options(self.options),
        )

    def solution(self) -> Solution:
        """Name the right ones."""
        return Solution(correct=self.correct, explanation=self.explanation)

    def judge(self, answer: Answer) -> Mark:
        """Give credit by the stated rule; unknown keys make the answer wrong."""
        keys = {option.key for option in self.options}
        chosen, right = set(answer), set(self.correct)
        if not chosen <= keys:
            return mark(self.key, Fraction(0), self.points, why="unknown-option")
        hits, misses = len(chosen & right), len(chosen - right)
        if self.credit is Credit.ALL_OR_NOTHING:
            share = Fraction(chosen == right)
        elif self.credit is Credit.EACH_OPTION:
            share = Fraction(len(keys) - len(chosen ^ right), len(keys))
        else:
            wrong = max(1, len(keys) - len(right))
            share = max(
                Fraction(0), Fraction(hits, len(right)) - Fraction(misses, wrong)
            )
        return mark(self.key, share, self.points)


@variant("true-false")
@frozen(kw_only=True)
class TrueFalse(Question):
    """A statement that holds or does not."""

    correct: bool

    def shown(self) -> ShownQuestion:
        """Offer both."""
        return ShownQuestion(
            key=self.key,
            type="true-false",
            prompt=self.prompt,
            points=self.points,
            input="one",
            options=(
                ShownOption(key="true", text="True"),
                ShownOption(key="false", text="False"),
            ),
        )

    def solution(self) -> Solution:
        """Tell which."""
        return Solution(
            correct=("true" if self.correct else "false",), explanation=self.explanation
        )

    def judge(self, answer: Answer) -> Mark:
        """Give all or nothing."""
        right = "true" if self.correct else "false"
        return mark(self.key, Fraction(answer == (right,)), self.points)


@variant("numeric")
@frozen(kw_only=True)
class Numeric(Question):
    """A number, within a tolerance whose ends count as right.

    The wider of *tolerance* (absolute) and *relative* (a share of the value)
    applies. A *unit* is shown beside the field; typing it too is fine.
    """

    value: Fraction
    tolerance: Fraction = Fraction(0)
    relative: Percent | None = None
    unit: str | None = None

    def check(self) -> None:
        """Tolerances are not negative, and the value can be typed."""
        if read_number(_as_typed(self.value)) != self.value:
            raise InvalidValue("must have at most 18 digits", place="value")
        if self.tolerance < 0:
            raise InvalidValue("must not be negative", place="tolerance")
        if self.unit is not None and not _UNIT.fullmatch(self.unit):
            raise InvalidValue(
                "must be 1 to 40 characters that no number starts or ends with",
                place="unit",
            )

    def shown(self) -> ShownQuestion:
        """Ask for a number."""
        return ShownQuestion(
            key=self.key,
            type="numeric",
            prompt=self.prompt,
            points=self.points,
            input="number",
            unit=self.unit,
        )

    def solution(self) -> Solution:
        """Give the value in a form that counts as right when typed."""
        shown = (_as_typed(self.value),)
        return Solution(correct=shown, explanation=self.explanation)

    def judge(self, answer: Answer) -> Mark:
        """Compare exactly; what is not a number is wrong, and says so."""
        typed = answer[0].strip()
        if self.unit:
            # Look-alikes, such as the two characters for micro, are the same unit.
            size = len(self.unit)
            tail = normal_text(typed[-size:], case_matters=True)
            if tail == normal_text(self.unit, case_matters=True):
                typed = typed[:-size].strip()
        number = read_number(typed) if len(answer) == 1 else None
        if number is None:
            return mark(self.key, Fraction(0), self.points, why="not-a-number")
        share = self.relative.of_one if self.relative else Fraction(0)
        allowed = max(self.tolerance, abs(self.value) * share)
        return mark(
            self.key, Fraction(abs(number - self.value) <= allowed), self.points
        )


def _as_typed(value: Fraction) -> str:
    """Write a number as it can be typed: a decimal where it is one, or a ratio."""
    places = next((n for n in range(120) if 10**n % value.denominator == 0), None)
    if places is None or (value.denominator == 1 and abs(value) < 10**15):
        return str(value)
    digits = str(abs(value.numerator) * 10**places // value.denominator)
    sign, power = "-" if value < 0 else "", len(digits) - 1 - places
    if places > 12 or power >= 15:  # noqa: PLR2004 - beyond, zeros are hard to count
        return f"{sign}{digits[0]}.{digits[1:].rstrip('0') or '0'}e{power}"
    digits = digits.zfill(places + 1)
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


@frozen(kw_only=True)
class Accepted:
    """A text that earns a share of the points; ``*`` stands for anything."""

    text: str
    share: Percent = ALL

    def __attrs_post_init__(self) -> None:
        if not self.text.strip() or len(self.text) > 500:  # noqa: PLR2004
            raise InvalidValue("must have 1 to 500 characters", place="text")
        if self.share.of_one.denominator > _FINEST:
            raise InvalidValue("must be a share in millionths at most", place="share")


@variant("short-answer")
@frozen(kw_only=True)
class ShortAnswer(Question):
    """A word or a few; the best of the accepted texts that match counts."""

    accepted: tuple[Accepted, ...]
    case_matters: bool = False
    accents_matter: bool = True

    def check(self) -> None:
        """At least one text is accepted."""
        if not 1 <= len(self.accepted) <= MOST_OPTIONS:
            raise InvalidValue(f"must be 1 to {MOST_OPTIONS}", place="accepted")

    def shown(self) -> ShownQuestion:
        """Ask for a text."""
        return ShownQuestion(
            key=self.key,
            type="short-answer",
            prompt=self.prompt,
            points=self.points,
            input="text",
        )

    def solution(self) -> Solution:
        """Give the texts that earn everything."""
        best = max(each.share for each in self.accepted)
        texts = tuple(
            "*".join(literals(each.text))
            for each in self.accepted
            if each.share == best
        )
        return Solution(correct=texts, explanation=self.explanation)

    def _normal(self, text: str) -> str:
        return normal_text(
            text, case_matters=self.case_matters, accents_matter=self.accents_matter
        )

    def judge(self, answer: Answer) -> Mark:
        """Compare normal forms with every accepted text; two answers are wrong."""
        if len(answer) != 1 or len(answer[0]) > _LONGEST_ANSWER:
            return mark(self.key, Fraction(0), self.points)
        said = self._normal(answer[0])
        shares = (
            each.share.of_one
            for each in self.accepted
            if matches(self._normal(each.text), said)
        )
        return mark(self.key, max(shares, default=Fraction(0)), self.points)
