"""Tables from and for spreadsheets: bounded, strict, and never a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from lms_core.errors import Fault, InvalidDocument

# What some spreadsheet takes for the start of a formula, after what some skip.
_FORMULA = re.compile("'*[\\s\u200b\ufeff]*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_MOST_FAULTS = 50

Row = tuple[str, ...]


def read_csv(  # noqa: C901, PLR0912 - one branch for each bound
    body: bytes,
    *,
    max_bytes: int = 1_000_000,
    max_rows: int = 10_000,
    max_columns: int = 100,
    max_cell_length: int = 10_000,
) -> tuple[Row, ...]:
    """Return the rows of *body*, all as long as the first; nothing reads as none.

    Cells that `write_csv` kept from being formulas get back what they were.

    Raises:
        InvalidDocument: with every fault, each with its line.
    """
    if len(body) > max_bytes:
        message = f"must have at most {max_bytes} bytes"
        raise InvalidDocument(Fault("", message, "csv-too-large"))
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        fault = Fault("", "must be UTF-8", "csv-encoding", line)
        raise InvalidDocument(fault) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InvalidDocument(Fault("", "must not hold NUL", "csv-text", line))
    rows: list[Row] = []
    faults: list[Fault] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            columns = len(rows[0]) if rows else None
            message, code = "", "csv-too-large"
            if len(row) > max_columns:
                message = f"must have at most {max_columns} columns"
            elif any(len(cell) > max_cell_length for cell in row):
                message = f"cells have at most {max_cell_length} characters"
            elif len(rows) >= max_rows:
                message = f"must have at most {max_rows} rows"
            elif row and len(row) != (columns or len(row)):
                message = f"has {len(row)} cells where the first row has {columns}"
                code = "csv-columns"
            elif row:
                rows.append(tuple(map(_was, row)))
            if message:
                faults.append(Fault("", message, code, reader.line_num))
            if len(faults) >= _MOST_FAULTS:
                break
    except csv.Error as error:
        message = f"is not CSV: {error!s:.80}"
        faults.append(Fault("", message, "csv-syntax", reader.line_num))
    if faults:
        raise InvalidDocument(*faults)
    return tuple(rows)


def write_csv(rows: Iterable[Sequence[str | int | Decimal]]) -> bytes:
    """Return *rows* as CSV in which no text starts a formula.

    Such texts get a quote in front, which `read_csv` takes away again; numbers
    are written as they are.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([_safe(cell) for cell in row])
    return text.getvalue().encode("utf-8")


def _safe(cell: str | int | Decimal) -> str:
    if not isinstance(cell, str):
        return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _was(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
