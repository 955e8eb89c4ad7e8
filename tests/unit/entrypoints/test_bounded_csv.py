"""Tables are read within bounds, and written so that no cell is a formula."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lms_core.errors import InvalidDocument
from lms_entrypoints.bounded_csv import read_csv, write_csv

DATA = Path(__file__).parents[2] / "data/csv"


def faults(body: bytes, **limits: int) -> list[tuple[str, int | None]]:
    with pytest.raises(InvalidDocument) as refused:
        read_csv(body, **limits)
    assert len(str(refused.value)) < 10_000
    return [(fault.code, fault.line) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("csv_bom_utf16.csv", [("csv-encoding", 1)]),
        ("csv_broken_quotes.csv", [("csv-syntax", 3)]),
        ("csv_nul_invalid_utf8.csv", [("csv-encoding", 3)]),
        ("csv_grades_hostile.csv", [("csv-columns", 16)]),
    ],
)
def test_hostile_tables_are_refused(
    name: str, expected: list[tuple[str, int | None]]
) -> None:
    assert faults((DATA / name).read_bytes()) == expected


def test_bounds_hold() -> None:
    assert faults(b"a," * 20_000) == [("csv-too-large", 1)]
    assert faults(b"a\n" + b"x" * 180_000) == [("csv-syntax", 2)]
    assert faults(b"a\n" + b"x" * 11_000) == [("csv-too-large", 2)]
    assert faults(b"a\n" * 3, max_rows=2) == [("csv-too-large", 3)]
    assert faults(b"a\n" * 3, max_bytes=5) == [("csv-too-large", None)]
    assert faults(b"a\n\0\n") == [("csv-text", 2)]


def test_every_bad_row_is_named() -> None:
    assert faults(b"a,b\n1\n1,2\n1,2,3\n") == [("csv-columns", 2), ("csv-columns", 4)]


def test_a_byte_order_mark_and_empty_lines_do_not_count() -> None:
    assert read_csv(b"\xef\xbb\xbfa,b\r\n\r\n1,2\r\n") == (("a", "b"), ("1", "2"))


def test_formulas_survive_a_round_trip_and_never_run() -> None:
    rows = read_csv((DATA / "csv_formula.csv").read_bytes())

    written = write_csv(rows)

    assert read_csv(written) == rows
    cells = [cell for row in csv.reader(io.StringIO(written.decode())) for cell in row]
    assert not any(cell.lstrip()[:1] in tuple("=+-@\uff1d\uff0b") for cell in cells)


def test_numbers_are_not_texts() -> None:
    assert write_csv([["-1", -1, Decimal("-0.5")]]) == b"'-1,-1,-0.5\r\n"


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
            | st.text("'=+-@\t\r\n \"a", max_size=6),
            min_size=2,
            max_size=2,
        ),
        min_size=1,
        max_size=4,
    )
)
@example([["'=", "''="], ["'", "'a"]])
def test_what_was_written_is_read_back(rows: list[list[str]]) -> None:
    if not rows[0][0].startswith("\ufeff"):
        assert read_csv(write_csv(rows)) == tuple(map(tuple, rows))
