"""Documents: what is written is read back, what is wrong is said with its place."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from attrs import frozen
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from lms_core.domain.access.conditions import AllOf, Condition, Enrolled, Not
from lms_core.domain.assessment.questions import Question
from lms_core.domain.catalog.content import CourseContent, LessonContent, Text
from lms_core.domain.documents import dump, exact, load, open_set, schema, variant
from lms_core.domain.grading.aggregation import Aggregation, Mean
from lms_core.domain.grading.policy import GradingPolicy
from lms_core.domain.money import Money
from lms_core.domain.people.user import User
from lms_core.domain.percent import Percent
from lms_core.domain.progress.completion import CompletionRule
from lms_core.domain.progress.lesson_progress import LessonProgress
from lms_core.domain.score import Score
from lms_core.errors import Fault, InvalidDocument, InvalidValue
from lms_core.testing import strategies as some

HUGE = pytest.param(10**5000, id="more digits than Python writes")

ROOTS: dict[type, st.SearchStrategy[Any]] = {
    CourseContent: some.course_contents(),
    Condition: some.conditions(),
    Question: some.questions(),
    GradingPolicy: some.policies(),
    LessonProgress: some.progress(),
    User: some.users(),
    Score: some.scores(),
    Money: some.money(),
}
OPEN_SETS: Any = (Condition, Question, LessonContent, Aggregation, CompletionRule)
VALIDATORS = {cls: Draft202012Validator(schema(cls)) for cls in ROOTS}


@pytest.mark.parametrize("cls", ROOTS, ids=lambda cls: cls.__name__)
@settings(max_examples=60)
@given(data=st.data(), compact=st.booleans())
def test_what_was_written_is_read_back(
    cls: type, data: st.DataObject, *, compact: bool
) -> None:
    value = data.draw(ROOTS[cls])

    document = json.loads(json.dumps(dump(value, compact=compact)))

    assert load(cls, document) == value
    VALIDATORS[cls].validate(document)


def test_every_variant_is_written_by_the_strategies_or_has_no_fields() -> None:
    variants: Any = {
        name: cls for root in OPEN_SETS for name, cls in root.__variants__.items()
    }
    schemas = "".join(str(schema(cls)) for cls in (*ROOTS, CompletionRule))

    assert [name for name in variants if f"'const': '{name}'" not in schemas] == []


@given(some.course_contents(), st.data())
def test_whatever_is_done_to_a_document_it_is_read_or_refused(
    content: CourseContent, data: st.DataObject
) -> None:
    document = dump(content)
    _spoil(document, data)

    faults: tuple[Fault, ...] = ()
    try:
        value = load(CourseContent, document)
    except InvalidDocument as refused:
        faults = refused.faults
        said = str(refused)
    else:
        assert load(CourseContent, dump(value)) == value
        VALIDATORS[CourseContent].validate(document)
        return

    assert 1 <= len(faults) <= 50
    assert said.encode() == "; ".join(str(fault) for fault in faults).encode()


JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 2**53, 10**4000, 1.5, float("nan"), float("inf"), "", "\0",
     "\ud800", "a", [], {}, [[]], {"type": "all"}, {"\ud800": 1}, {1: 2},
     Decimal("1E+9")]
)  # fmt: skip


def _spoil(document: Any, data: st.DataObject) -> None:
    for _ in range(20):
        names = list(document) if isinstance(document, dict) else range(len(document))
        name = data.draw(st.sampled_from(names)) if names else None
        below = None if name is None else document[name]
        if isinstance(below, dict | list) and below and data.draw(st.booleans()):
            document = below
            continue
        if isinstance(document, dict) and data.draw(st.booleans()):
            document[data.draw(st.sampled_from(["extra", "\ud800", "x" * 500]))] = 1
        elif name is not None and data.draw(st.booleans()):
            del document[name]
        elif name is not None:
            document[name] = data.draw(JUNK)
        return


def faults(cls: type, document: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidDocument) as caught:
        load(cls, document)
    return [(fault.place, fault.code) for fault in caught.value.faults]


def test_every_fault_has_its_place() -> None:
    document = {
        "titel": "x",
        "summary": 7,
        "prices": [{"minor": True, "currency": "EUR"}, {"minor": 1.0}],
        "modules": [
            {"key": "A", "title": "a", "lessons": [{"key": "a", "title": "a"}]},
            {"key": "b", "title": "b", "access": {"type": "nothing"}},
        ],
    }

    assert faults(CourseContent, document) == [
        ("titel", "unknown-field"),
        ("title", "missing-field"),
        ("summary", "invalid-value"),
        ("prices[0].minor", "invalid-value"),
        ("prices[1].minor", "invalid-value"),
        ("prices[1].currency", "missing-field"),
        ("modules[0].lessons[0].content", "missing-field"),
        ("modules[1].access.type", "unknown-type"),
    ]


@pytest.mark.parametrize(
    "junk",
    [None, True, 1.5, float("nan"), float("-inf"), [], {}, "x", HUGE, 2**53,
     "\ud800", "a\0b", Decimal("NaN"), Decimal("1E+999999999"), b"1"],
)  # fmt: skip
def test_what_is_no_whole_number_is_refused(junk: object) -> None:
    assert faults(Money, {"minor": junk, "currency": "EUR"}) == [
        ("minor", "invalid-value")
    ]


@pytest.mark.parametrize("text", ["\ud800", "a\0b"])
def test_text_that_cannot_be_kept_is_refused(text: str) -> None:
    assert faults(Text, {"type": "text", "markdown": text}) == [
        ("markdown", "invalid-value")
    ]


def test_at_most_fifty_faults_are_reported() -> None:
    broken = {f"extra-{n}": n for n in range(99)}

    assert len(faults(CourseContent, broken | {"modules": [broken] * 99})) == 50


def nested(depth: int, wrap: Any, inner: Any) -> Any:
    for _ in range(depth):
        inner = wrap(inner)
    return inner


@pytest.mark.parametrize("depth", [80, 100_000])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: {"type": "not", "of": inner},
        lambda inner: {"type": "all", "of": [inner]},
        lambda inner: [inner],
    ],
)
def test_a_document_that_is_too_deep_is_refused(depth: int, wrap: Any) -> None:
    deep = nested(depth, wrap, {"type": "enrolled"})

    assert faults(Condition, deep) == [("", "invalid-value")]


def test_what_repeats_itself_by_reference_is_looked_at_once() -> None:
    bomb: list[Any] = []
    for _ in range(60):
        bomb = [bomb] * 9

    assert faults(Money, {"minor": bomb, "currency": "EUR"}) == [
        ("minor", "invalid-value")
    ]


def test_a_tree_of_sensible_depth_is_read() -> None:
    tree: Condition = nested(20, lambda inner: Not(of=inner), Enrolled())

    assert load(Condition, dump(tree)) == tree
    assert load(Condition, dump(AllOf(of=(tree,)))) == AllOf(of=(tree,))


@given(st.fractions())
@example(Fraction(1, 7**400))
@example(Fraction(10**60))
@example(Fraction(2**53))
def test_computed_numbers_are_read_back_however_long(number: Fraction) -> None:
    document = dump(number)

    assert load(Fraction, document) == number
    assert type(document) is str or abs(document) < 2**53


@given(st.fractions(0, 1))
def test_percents_are_read_back(share: Fraction) -> None:
    assert load(Percent, dump(Percent(share))) == Percent(share)


@pytest.mark.parametrize(
    ("written", "share"),
    [
        ("85%", Fraction(85, 100)),
        ("12.5 %", Fraction(1, 8)),
        ("2/3", Fraction(2, 3)),
        (1, Fraction(1)),
        (Decimal("0.85"), Fraction(85, 100)),
    ],
)
def test_a_share_is_written_as_people_write_it(
    written: object, share: Fraction
) -> None:
    assert load(Percent, written) == Percent(share)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (Fraction(85, 100), "85%"),
        (Fraction(1, 8), "12.5%"),
        (Fraction(1), "100%"),
        (Fraction(0), "0%"),
        (Fraction(1, 10), "10%"),
        (Fraction(2, 3), "2/3"),
    ],
)
def test_a_share_is_written_in_percents_where_that_is_exact(
    share: Fraction, text: str
) -> None:
    assert dump(Percent(share)) == text


@pytest.mark.parametrize(
    "junk",
    ["101%", "-1%", "85", 85, 0.85, "1e1%", "%", "\u0663%", "1/0", "NaN", None, True],
)
def test_what_is_no_share_is_refused(junk: object) -> None:
    assert faults(Percent, junk) == [("", "invalid-value")]


@pytest.mark.parametrize(
    "junk",
    [1.0, "1e100", "0x1", " 1", "1/0", "\uff11", "1_0", True, None, 10**18, HUGE,
     "9" * 19, Decimal("1E+999999999"), Decimal("1E-999999999"), Decimal("Infinity")],
)  # fmt: skip
def test_what_is_no_exact_number_is_refused(junk: object) -> None:
    with pytest.raises(InvalidValue):
        exact(junk)


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00+02:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (
            datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2))),
            datetime(2026, 3, 1, 10, tzinfo=UTC),
        ),
    ],
)
def test_times_are_read_in_utc(written: object, at: datetime) -> None:
    assert load(datetime, written) == at
    assert dump(load(datetime, written)).endswith("Z")


@pytest.mark.parametrize(
    "junk",
    ["2026-03-01", "2026-03-01T12:00:00", "2026-13-01T12:00:00Z", "now", 0,
     "0001-01-01T00:00:00+23:00", "2026-03-01T12:00:00Z\n", "٢٠٢٦-03-01T12:00:00Z",
     datetime(2026, 3, 1),  # noqa: DTZ001 - that it has no zone is the point
     datetime.min.replace(tzinfo=timezone(timedelta(hours=23)))],
)  # fmt: skip
def test_what_is_no_instant_is_refused(junk: object) -> None:
    assert faults(datetime, junk) == [("", "invalid-value")]


def test_floats_are_never_written() -> None:
    with pytest.raises(TypeError):
        dump({"share": 0.5})


def test_a_variant_without_a_name_of_its_own_is_not_written() -> None:
    @frozen(kw_only=True)
    class Louder(Mean):
        volume: int = 11

    with pytest.raises(TypeError, match="Louder"):
        dump(Louder())


def test_a_name_belongs_to_one_variant() -> None:
    @open_set
    class Root:
        pass

    @variant("one")
    class One(Root):
        pass

    assert variant("one")(One) is One
    with pytest.raises(TypeError, match="taken"):

        @variant("one")
        class Other(Root):
            pass

    with pytest.raises(TypeError, match="no open set"):

        @variant("one")
        class Alone:
            pass
