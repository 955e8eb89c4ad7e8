"""JSON from strangers is strict, exact and bounded."""

import json
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_core.errors import InvalidDocument
from lms_entrypoints.bounded_json import _is_deeper, read_json

DATA = Path(__file__).parents[2] / "data/json"


def code_of(body: bytes, **limits: int) -> str:
    with pytest.raises(InvalidDocument) as refused:
        read_json(body, **limits)
    assert refused.value.__cause__ is None
    assert len(str(refused.value)) < 200
    [fault] = refused.value.faults
    return fault.code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("bom.json", "json-encoding"),
        ("date_forms.json", "json-number"),
        ("duplicate_keys.json", "json-duplicate-field"),
        ("huge_exponent.json", "json-number"),
        ("lone_surrogate.json", "json-text"),
        ("nan_infinity.json", "json-number"),
        ("pagination.json", "json-number"),
    ],
)
def test_hostile_bodies_are_refused(name: str, code: str) -> None:
    assert code_of((DATA / name).read_bytes()) == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[" * 90_000 + b"]" * 90_000, "json-too-deep"),
        (b"[" * 90_000, "json-too-deep"),
        (b'{"a":' * 90_000, "json-too-deep"),
        (b'{"score":' + b"9" * 100_000 + b"}", "json-number"),
        (b'{"' + b"k" * 150_000 + b'":1}', "json-long-field"),
        (json.dumps(dict.fromkeys(map(str, range(12_000)))).encode(), None),
        (b'"' + b"x" * 1_000_000 + b'"', "json-too-large"),
        (b"\xff", "json-encoding"),
        (b'"\xed\xa0\x80"', "json-encoding"),
        ('{"a":1}'.encode("utf-16"), "json-encoding"),
        ('{"a":1}'.encode("utf-16-le"), "json-syntax"),
        (b"", "json-syntax"),
        (b"{'a':1}", "json-syntax"),
        (b'{"a":1}x', "json-syntax"),
        (b'"a\nb"', "json-syntax"),
        (b'"\\u0000"', "json-text"),
        (b'{"\\ud800":1}', "json-text"),
        (b"0." + b"1" * 100, "json-number"),
    ],
)
def test_what_costs_or_misleads_is_refused(body: bytes, code: str | None) -> None:
    assert code_of(body) == (code or "json-too-many-fields")


def test_numbers_are_exact() -> None:
    read = read_json((DATA / "number_forms.json").read_bytes())["cases"]

    assert read[3] == Decimal("0.30000000000000004")
    assert read[5] == Decimal("69.995")
    assert read[8] == 9_007_199_254_740_993
    assert not any(isinstance(number, float) for number in read)


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert read_json(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_brackets_in_texts_are_no_depth() -> None:
    text = '[{"\\"' * 100

    assert read_json(json.dumps([text]).encode(), max_depth=1) == [text]


def test_depth_is_counted_exactly() -> None:
    assert read_json(b"[[1],[{}]]", max_depth=3) == [[1], [{}]]
    assert code_of(b"[[1],[{}]]", max_depth=2) == "json-too-deep"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text('a[{\\"]}é'),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text('ab["\\', max_size=5), inner, max_size=3)
    ),
    max_leaves=20,
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


@pytest.mark.parametrize("escaped", ["everything", "nothing"])
@given(value=VALUES)
def test_what_python_writes_is_read_and_measured(escaped: str, value: object) -> None:
    body = json.dumps(value, ensure_ascii=escaped == "everything").encode()

    assert read_json(body, max_depth=50) == value
    assert not _is_deeper(body, depth(value))
    assert depth(value) == 0 or _is_deeper(body, depth(value) - 1)


@given(
    st.binary(max_size=60) | st.text('[]{}":,\\u0d8a1 ', max_size=60).map(str.encode)
)
def test_noise_is_read_as_python_reads_it_or_refused(body: bytes) -> None:
    with suppress(InvalidDocument):
        read = read_json(body, max_depth=5)

        assert read == json.loads(body, parse_float=Decimal)
