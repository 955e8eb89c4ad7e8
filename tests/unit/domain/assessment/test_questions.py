"""Questions: what an answer earns, and what a learner may see before."""

from fractions import Fraction

import pytest
from attrs import asdict, evolve
from hypothesis import given
from hypothesis import strategies as st

from lms_core.domain.assessment.answers import Answer, Outcome
from lms_core.domain.assessment.questions import (
    Accepted,
    Credit,
    MultipleChoice,
    Numeric,
    Option,
    Question,
    ShortAnswer,
    SingleChoice,
    TrueFalse,
)
from lms_core.domain.assessment.quiz import Combine, Quiz, counting_share, total
from lms_core.domain.percent import ALL, Percent
from lms_core.errors import InvalidValue
from lms_core.testing.strategies import answers, questions, quizzes

FOUR = tuple(Option(key=key, text=key) for key in "abcd")


def many(credit: Credit, *correct: str) -> MultipleChoice:
    return MultipleChoice(
        key="q", prompt="?", options=FOUR, correct=correct, credit=credit
    )


def number(value: object, **rules: object) -> Numeric:
    return Numeric(key="q", prompt="?", value=Fraction(str(value)), **rules)  # type: ignore[arg-type]


def short(*accepted: Accepted, **rules: bool) -> ShortAnswer:
    return ShortAnswer(key="q", prompt="?", accepted=accepted, **rules)  # type: ignore[arg-type]


def earned(question: Question, *answer: str) -> Fraction:
    return question.grade(answer).earned


@given(questions(), st.data())
def test_a_mark_lies_between_nothing_and_the_points(
    question: Question, data: st.DataObject
) -> None:
    mark = question.grade(data.draw(answers(question)))

    assert 0 <= mark.earned <= mark.possible == question.points
    assert mark.question == question.key
    if mark.outcome is Outcome.CORRECT:
        assert mark.earned == mark.possible


@given(questions())
def test_what_is_shown_as_right_is_right_when_typed(question: Question) -> None:
    solution = question.solution().correct
    if isinstance(question, ShortAnswer):
        best = max(each.share.of_one for each in question.accepted)
        assert all(earned(question, t) >= best * question.points for t in solution)
    else:
        assert question.grade(solution).outcome is Outcome.CORRECT


@given(questions(), st.sampled_from([(), ("",), (" ", "\n")]))
def test_an_empty_answer_is_not_answered(question: Question, answer: Answer) -> None:
    assert question.grade(answer).outcome is Outcome.UNANSWERED
    assert question.grade(answer).earned == 0


@given(questions())
def test_nothing_shown_before_tells_what_is_right(question: Question) -> None:
    secret = "the secret"
    shown = str(asdict(evolve(question, explanation=secret).shown()))

    assert secret not in shown
    assert "correct" not in shown
    other = {
        TrueFalse: lambda q: evolve(q, correct=not q.correct),
        Numeric: lambda q: evolve(q, value=q.value + 1),
        ShortAnswer: lambda q: evolve(q, accepted=(Accepted(text="else"),)),
        SingleChoice: lambda q: evolve(q, correct=q.options[0].key),
        MultipleChoice: lambda q: evolve(q, correct=(q.options[0].key,)),
    }[type(question)](question)
    assert other.shown() == question.shown()


@pytest.mark.parametrize(
    ("credit", "correct", "answer", "share"),
    [
        (Credit.ALL_OR_NOTHING, "ab", "ab", 1),
        (Credit.ALL_OR_NOTHING, "ab", "ba", 1),
        (Credit.ALL_OR_NOTHING, "ab", "a", 0),
        (Credit.ALL_OR_NOTHING, "ab", "abc", 0),
        (Credit.EACH_OPTION, "ab", "a", Fraction(3, 4)),
        (Credit.EACH_OPTION, "ab", "cd", 0),
        (Credit.EACH_OPTION, "ab", "abcd", Fraction(1, 2)),
        (Credit.RIGHT_MINUS_WRONG, "ab", "a", Fraction(1, 2)),
        (Credit.RIGHT_MINUS_WRONG, "ab", "abc", Fraction(1, 2)),
        (Credit.RIGHT_MINUS_WRONG, "ab", "abcd", 0),
        (Credit.RIGHT_MINUS_WRONG, "ab", "cd", 0),
        (Credit.RIGHT_MINUS_WRONG, "abcd", "abc", Fraction(3, 4)),
        (Credit.RIGHT_MINUS_WRONG, "a", "aa", 1),
    ],
)
def test_several_options_earn_credit_by_the_stated_rule(
    credit: Credit, correct: str, answer: str, share: int | Fraction
) -> None:
    assert earned(many(credit, *correct), *answer) == share


@pytest.mark.parametrize("credit", Credit)
def test_an_option_that_is_none_spoils_the_answer(credit: Credit) -> None:
    mark = many(credit, "a", "b").grade(("a", "b", "z"))

    assert mark.earned == 0
    assert mark.why == "unknown-option"


@pytest.mark.parametrize("answer", [("b",), ("a", "b"), ("a", "a"), ("A",), ("a ",)])
def test_only_the_one_option_is_right(answer: Answer) -> None:
    question = SingleChoice(key="q", prompt="?", options=FOUR, correct="a")

    assert earned(question, "a") == 1
    assert earned(question, *answer) == 0


@pytest.mark.parametrize(
    ("typed", "right"),
    [("9.5", True), ("10.5", True), ("9.4999999", False), ("10.5000001", False)],
)
def test_both_ends_of_a_tolerance_count_as_right(typed: str, *, right: bool) -> None:
    absolute = number(10, tolerance=Fraction(1, 2))
    relative = number(10, relative=Percent.of(5, 100))

    assert earned(absolute, typed) == earned(relative, typed) == right


def test_the_wider_tolerance_applies_and_a_negative_value_has_one_too() -> None:
    question = number(-100, tolerance=Fraction(1), relative=Percent.of(2, 100))

    assert [earned(question, typed) for typed in ("-98", "-102", "-97", "98")] == [
        1, 1, 0, 0,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "typed", "right"),
    [
        ("m", "5", True), ("m", "5 m", True), ("m", "5m", True), ("m", "m", False),
        ("m", "5 km", False), ("m", "5 M", False),
        ("m²", "5 m²", True), ("m²", "5 m2", True),
        ("\u00b5m", "5 \u03bcm", True), ("%", "5%", True), (None, "5 m", False),
    ],
)  # fmt: skip
def test_typing_the_unit_is_fine(unit: str | None, typed: str, *, right: bool) -> None:
    assert earned(number(5, unit=unit), typed) == right


def test_what_is_no_number_says_so() -> None:
    for answer in [("x",), ("5", "5")]:
        assert number(5).grade(answer).why == "not-a-number"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("61728394.5", "61728394.5"),
        ("1/3", "1/3"),
        ("-0.05", "-0.05"),
        ("100", "100"),
        ("6.022e23", "6.022e23"),
        ("-1.6e-19", "-1.6e-19"),
        ("1e15", "1.0e15"),
    ],
)
def test_the_right_number_is_shown_in_full(value: str, shown: str) -> None:
    assert number(value).solution().correct == (shown,)


def test_the_best_accepted_text_counts() -> None:
    question = short(
        Accepted(text="*flour*", share=Percent.of(1, 2)), Accepted(text="rye flour")
    )

    assert earned(question, "some flour here") == Fraction(1, 2)
    assert earned(question, " RYE  Flour ") == 1
    assert earned(question, "rye flour", "rye flour") == 0
    assert earned(short(Accepted(text="*")), "x", "y") == 0


def test_case_and_accents_matter_where_the_author_says_so() -> None:
    strict = short(Accepted(text="Crème"), case_matters=True)
    lax = short(Accepted(text="Crème"), accents_matter=False)

    assert [earned(strict, typed) for typed in ("Crème", "crème", "Creme")] == [1, 0, 0]
    assert [earned(lax, typed) for typed in ("Crème", "crème", "CREME")] == [1, 1, 1]


def test_an_escaped_star_survives_the_normal_form_and_is_shown_plain() -> None:
    question = short(Accepted(text=r"5 \* X"))

    assert [earned(question, typed) for typed in ("5 * x", "5 ab x")] == [1, 0]
    assert question.solution().correct == ("5 * X",)


def test_a_text_that_is_too_long_is_wrong_rather_than_cut() -> None:
    assert earned(short(Accepted(text="a*")), "a" * 1001) == 0
    assert earned(short(Accepted(text="a*")), "a" * 1000) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: SingleChoice(key="q", prompt="?", options=FOUR, correct="z"),
        lambda: SingleChoice(key="q", prompt="?", options=FOUR[:1], correct="a"),
        lambda: many(Credit.EACH_OPTION),
        lambda: many(Credit.EACH_OPTION, "a", "a"),
        lambda: evolve(many(Credit.EACH_OPTION, "a"), options=FOUR * 2),
        lambda: number(1, tolerance=Fraction(-1)),
        lambda: number(10**19 + 1),
        lambda: number(f"1/{10**18 + 9}"),
        lambda: number(1, unit="5"),
        lambda: number(1, unit=" "),
        short,
        lambda: Accepted(text=" "),
        lambda: TrueFalse(key="q", prompt=" ", correct=True),
        lambda: TrueFalse(key="q", prompt="?", points=Fraction(-1), correct=True),
        lambda: TrueFalse(key="q", prompt="?", points=Fraction(1, 10**7), correct=True),
        lambda: TrueFalse(key="Q!", prompt="?", correct=True),
        lambda: Quiz(questions=()),
        lambda: Quiz(questions=(TrueFalse(key="q", prompt="?", correct=True),) * 2),
        lambda: Quiz(questions=(number(1),), time_limit_s=0),
        lambda: Quiz(questions=(number(1),), max_attempts=0),
        lambda: Quiz(questions=(number(1, points=Fraction(0)),)),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(make: object) -> None:
    with pytest.raises(InvalidValue):
        make()  # type: ignore[operator]


@given(quizzes(), st.text(max_size=5), st.data())
def test_shuffling_is_a_stable_permutation_that_grading_does_not_see(
    quiz: Quiz, seed: str, data: st.DataObject
) -> None:
    given_answers = {q.key: data.draw(answers(q)) for q in quiz.questions}
    shown = quiz.shown(seed)

    plain = evolve(quiz, shuffle_questions=False, shuffle_options=False)
    assert shown == quiz.shown(seed)
    assert {s.key: set(s.options) for s in shown} == {
        s.key: set(s.options) for s in plain.shown(seed)
    }
    assert len(shown) == len(quiz.questions)
    assert quiz.grade(given_answers) == plain.grade(given_answers)


def test_seeds_differ_and_true_comes_before_false() -> None:
    quiz = Quiz(
        questions=tuple(
            TrueFalse(key=key, prompt="?", correct=True) for key in "abcdefgh"
        ),
        shuffle_questions=True,
        shuffle_options=True,
    )

    orders = {tuple(s.key for s in quiz.shown(str(n))) for n in range(20)}

    assert len(orders) > 10
    assert all(s.options[0].key == "true" for s in quiz.shown("1"))


@given(quizzes(), st.data())
def test_a_total_is_the_sum_of_its_marks(quiz: Quiz, data: st.DataObject) -> None:
    marks = quiz.grade({q.key: data.draw(answers(q)) for q in quiz.questions})

    assert total(marks).earned == sum(mark.earned for mark in marks)
    assert total(marks).possible == quiz.possible


@given(st.lists(st.fractions(0, 1), max_size=5), st.sampled_from(Combine))
def test_the_counting_share_is_that_of_the_rule(
    shares: list[Fraction], combine: Combine
) -> None:
    found = counting_share(shares, combine)

    expected = {
        Combine.BEST: lambda: max(shares),
        Combine.FIRST: lambda: shares[0],
        Combine.LAST: lambda: shares[-1],
        Combine.MEAN: lambda: sum(shares, Fraction(0)) / len(shares),
    }[combine]
    assert found == (expected() if shares else None)  # type: ignore[no-untyped-call]


# Family moodle_question_scoring.
@pytest.mark.parametrize(
    ("pattern", "typed", "ignore_case", "right"),
    [
        ("frog", "Frog", False, False),
        ("Frog", "   FROG   ", True, True),
        ("F*og", "   Fat dog   ", False, True),
        ("F*og", "Fg", False, False),
        ("F*og", "   fat dog   ", True, True),
        (r"\*", "   *   ", False, True),
        (r"Frog\*toad", "Frog*toad", False, True),
        ("[a-z]", "a", False, False),
        ("D\u00c9PART", "d\u00e9part", True, True),
        ("de\u0301part", "d\u00e9part", False, True),
        ("*0*", "0", False, True),
    ],
)
def test_short_answers_of_moodle(
    pattern: str, typed: str, *, ignore_case: bool, right: bool
) -> None:
    question = short(Accepted(text=pattern), case_matters=not ignore_case)

    assert earned(question, typed) == right


# Family moodle_question_scoring.
@pytest.mark.parametrize(
    ("value", "tolerance", "typed", "right"),
    [
        ("7", "1", "6", True),
        ("7", "1", "8.01", False),
        ("1e-20", "1e-24", "1.0001e-20", True),
        ("1e-20", "1e-24", "1.0002e-20", False),
        ("0", "1e-24", "-1e-24", True),
        ("0", "1e-24", "-2e-24", False),
    ],
)
def test_tolerances_of_moodle(
    value: str, tolerance: str, typed: str, *, right: bool
) -> None:
    assert earned(number(value, tolerance=Fraction(tolerance)), typed) == right


# Family moodle_question_scoring.
@pytest.mark.parametrize(("typed", "right"), [("6.3", 1), ("7.7", 1), ("7.71", 0)])
def test_relative_tolerances_of_moodle(typed: str, right: int) -> None:
    assert earned(number(7, relative=Percent.of(1, 10)), typed) == right


# Family moodle_question_scoring: half for each right option, minus one for a wrong.
@pytest.mark.parametrize(("chosen", "share"), [("a", Fraction(1, 2)), ("ac", 1)])
def test_several_choices_of_moodle(chosen: str, share: int | Fraction) -> None:
    assert earned(many(Credit.RIGHT_MINUS_WRONG, "a", "c"), *chosen) == share


# Family moodle_question_scoring.
@pytest.mark.parametrize(
    ("typed", "value"),
    [(".2e+2", 20), ("3.142E-4", "0.0003142"), ("1.", 1), ("-1.", -1), ("1e4", 10**4),
     ("1.0e0", 1), ("3,14159", "3.14159")],
)  # fmt: skip
def test_numbers_of_moodle(typed: str, value: object) -> None:
    assert earned(number(value), typed) == 1


def test_full_marks_are_the_default_for_an_accepted_text() -> None:
    assert Accepted(text="a").share == ALL
