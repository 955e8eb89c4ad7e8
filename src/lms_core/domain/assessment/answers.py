"""Answers as learners give them, and what they are worth."""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from attrs import frozen

from lms_core.errors import InvalidValue

Answer = tuple[str, ...]
"""One answer: the chosen keys, or the typed text, as an HTML form sends them."""

LONGEST_TEXT = 10_000
MOST_PARTS = 200

_NUMBER = re.compile(
    r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?:[eE][+-]?[0-9]{1,2})?"
)
_RATIO = re.compile(r"([+-]?[0-9]{1,18}) ?/ ?([0-9]{1,18})")
_SIGNS = str.maketrans(
    "\u2212\u2010\u2011\u2013\u066b\uff0b\uff0c\uff0d\uff0e\uff0f\uff25\uff45",
    "----.+,-./Ee",
)
_PIECE = re.compile(r"\\[*\\]|[^*\\]+|\*|\\")


def read_answer(data: object, *, place: str = "") -> Answer:
    """Return *data* as an answer: a list of texts, within bounds.

    Raises:
        InvalidValue: it is anything else.
    """
    if not isinstance(data, list | tuple) or len(data) > MOST_PARTS:
        raise InvalidValue(f"must be a list of at most {MOST_PARTS} texts", place=place)
    for part in data:
        if type(part) is not str or len(part) > LONGEST_TEXT or "\0" in part:
            raise InvalidValue(
                f"must hold texts of at most {LONGEST_TEXT} characters", place=place
            )
        try:
            part.encode()
        except UnicodeEncodeError:
            raise InvalidValue("must be well-formed Unicode", place=place) from None
    return tuple(data)


def read_number(text: str) -> Fraction | None:
    """Return the number that a learner typed, or `None` where it is none.

    Takes decimal points and commas, exponents, ratios, typographic minus signs
    and the digits of any script; never builds a number larger than what was typed
    can mean. A raised digit is none: ``10²`` is not 102.

    >>> read_number("3,5")
    Fraction(7, 2)
    """
    plain = text.strip()
    if not plain.isascii():
        plain = "".join(
            str(unicodedata.decimal(char)) if char.isdecimal() else char
            for char in plain.translate(_SIGNS)
        )
    if found := _RATIO.fullmatch(plain):
        bottom = int(found[2])
        return Fraction(int(found[1]), bottom) if bottom else None
    plain = plain.replace(",", ".", 1)
    return Fraction(Decimal(plain)) if _NUMBER.fullmatch(plain) else None


def normal_text(
    text: str, *, case_matters: bool = False, accents_matter: bool = True
) -> str:
    """Return *text* in the form in which answers are compared."""
    normal = unicodedata.normalize("NFKC", text)
    if not accents_matter:
        parts = unicodedata.normalize("NFD", normal)
        normal = "".join(char for char in parts if not unicodedata.combining(char))
    normal = " ".join(normal.split())
    return normal if case_matters else normal.casefold()


def matches(pattern: str, text: str) -> bool:
    r"""Tell whether *text* matches *pattern*, in which ``*`` stands for anything.

    ``\*`` is a star and ``\\`` a backslash. What lies between two stars is
    looked for from left to right and never again, so no pattern can be slow.

    >>> matches("*segment*", "a segmented file"), matches(r"5 \* 3", "5 * 3")
    (True, True)
    """
    first, *rest = literals(pattern)
    if not rest:
        return text == first
    *middle, last = rest
    if len(text) < len(first) + len(last) or not text.startswith(first):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return text.endswith(last)


def literals(pattern: str) -> tuple[str, ...]:
    r"""Return the texts between the stars of *pattern*, escapes resolved.

    >>> literals(r"5 \* *")
    ('5 * ', '')
    """
    parts = [""]
    for piece in _PIECE.findall(pattern):
        if piece == "*":
            parts.append("")
        else:
            parts[-1] += piece[1:] if piece in {r"\*", r"\\"} else piece
    return tuple(parts)


class Outcome(StrEnum):
    """What an answer comes to."""

    CORRECT = "correct"
    PARTLY_CORRECT = "partly-correct"
    INCORRECT = "incorrect"
    UNANSWERED = "unanswered"
    NEEDS_REVIEW = "needs-review"


@frozen(kw_only=True)
class Mark:
    """What the answer to one question is worth; *why* is a stable code."""

    question: str
    earned: Fraction
    possible: Fraction
    outcome: Outcome
    why: str = ""


def mark(question: str, share: Fraction, possible: Fraction, *, why: str = "") -> Mark:
    """Return the mark for a *share* of the points."""
    outcome = (
        Outcome.CORRECT
        if share >= 1
        else Outcome.PARTLY_CORRECT
        if share > 0
        else Outcome.INCORRECT
    )
    return Mark(
        question=question,
        earned=share * possible,
        possible=possible,
        outcome=outcome,
        why=why,
    )


def given(answer: Sequence[str]) -> Answer:
    """Return the parts of an answer that say something."""
    return tuple(part for part in answer if part.strip())
