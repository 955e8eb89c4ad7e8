"""Reading answers: forms of numbers and texts, and patterns that match them."""

import re
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lms_core.domain.assessment.answers import (
    LONGEST_TEXT,
    MOST_PARTS,
    literals,
    matches,
    normal_text,
    read_answer,
    read_number,
)
from lms_core.errors import InvalidValue


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", 3), (" +3 ", 3), ("-3", -3), ("\u22123", -3), ("\u20133", -3),
        ("3.5", Fraction(7, 2)), ("3,5", Fraction(7, 2)), (".5", Fraction(1, 2)),
        ("3.", 3), ("1/3", Fraction(1, 3)), ("-1 / 3", Fraction(-1, 3)),
        ("1e3", 1000), ("1E-3", Fraction(1, 1000)), ("1e99", 10**99),
        ("1e-99", Fraction(1, 10**99)),
        ("\u0663", 3), ("\u0663\u066b\u0665", Fraction(7, 2)),
        ("\uff13\uff0e\uff15", Fraction(7, 2)),
        ("\uff19" * 18, 10**18 - 1),
    ],
)  # fmt: skip
def test_numbers_are_read_in_the_forms_people_type(
    text: str, number: int | Fraction
) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "x", "1/0", "1e100", "1e999999999", "9" * 19, "10²", "½", "3½", "①", "1.2.3",
     "1,000.5", "1 000", "0x10", "1_0", "NaN", "inf", "--1", "1/2/3", "1/-2",
     "e5", "."],
)  # fmt: skip
def test_what_could_be_misread_is_no_number(text: str) -> None:
    assert read_number(text) is None


@given(st.text(max_size=60))
@example("9" * 10_000)
@example(" " * 10_000 + "1")
def test_reading_a_number_never_fails_or_grows(text: str) -> None:
    number = read_number(text)

    assert number is None or len(str(number)) < 150


@given(st.decimals(-(10**9), 10**9, places=6))
def test_every_decimal_is_read_exactly(number: object) -> None:
    assert read_number(f"{number:f}") == Fraction(str(number))


PIECES = st.sampled_from(["a", "b", "A", "ß", "*", "**", r"\*", r"\\", "\\", " ", "é"])
PATTERNS = st.lists(PIECES, max_size=8).map("".join)


def as_regex(pattern: str) -> str:
    return ".*".join(re.escape(part) for part in literals(pattern))


@given(PATTERNS, st.text("abA*\\ ", max_size=12))
@example("a*a", "a")
@example("*a*a", "a")
@example("a**b", "ab")
def test_a_pattern_matches_what_the_regular_expression_matches(
    pattern: str, text: str
) -> None:
    expected = re.fullmatch(as_regex(pattern), text, re.DOTALL) is not None

    assert matches(pattern, text) is expected


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("a", ("a",)),
        ("", ("",)),
        ("*", ("", "")),
        (r"\*", ("*",)),
        (r"\\*", ("\\", "")),
        (r"\\\*", ("\\*",)),
        (r"a\b*", (r"a\b", "")),
        ("a\\", ("a\\",)),
    ],
)
def test_a_backslash_takes_the_meaning_of_a_star(
    pattern: str, parts: tuple[str, ...]
) -> None:
    assert literals(pattern) == parts


@given(text=st.text(max_size=12), case=st.booleans(), accents=st.booleans())
def test_an_escaped_text_matches_itself_in_its_normal_form(
    text: str,
    *,
    case: bool,
    accents: bool,
) -> None:
    escaped = text.replace("\\", r"\\").replace("*", r"\*")

    def normal(of: str) -> str:
        return normal_text(of, case_matters=case, accents_matter=accents)

    if not set("\uff0a\uff3c\ufe61\ufe68") & set(text):
        assert matches(normal(escaped), normal(text))


def test_no_pattern_is_slow() -> None:
    assert not matches("*a" * 250 + "*b", "a" * 10_000)
    assert matches("*a" * 250, "a" * 10_000)


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("  a  b ", "a b", (True, True)),
        ("STRASSE", "straße", (False, True)),
        ("ﬁne", "fine", (True, True)),
        ("e\u0301", "é", (True, True)),
        ("e", "é", (False, False)),
    ],
)
def test_texts_are_compared_in_normal_form(
    one: str, two: str, same: tuple[bool, bool]
) -> None:
    exactly = normal_text(one, case_matters=True) == normal_text(two, case_matters=True)

    assert (exactly, normal_text(one) == normal_text(two)) == same


def test_accents_can_be_left_out() -> None:
    assert normal_text("Crème", accents_matter=False) == "creme"


@given(text=st.text(), case=st.booleans(), accents=st.booleans())
def test_the_form_for_exact_comparison_is_stable(
    text: str,
    *,
    case: bool,
    accents: bool,
) -> None:
    once = normal_text(text, case_matters=case, accents_matter=accents)

    assert " ".join(once.split()) == once


@pytest.mark.parametrize(
    "junk",
    [None, "a", {"a": 1}, [1], [None], ["\0"], ["\ud800"], [["a"]],
     ["a"] * (MOST_PARTS + 1), ["a" * (LONGEST_TEXT + 1)]],
    ids=lambda junk: type(junk).__name__,
)  # fmt: skip
def test_what_is_no_answer_is_refused(junk: object) -> None:
    with pytest.raises(InvalidValue):
        read_answer(junk)
