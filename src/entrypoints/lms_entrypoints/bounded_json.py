"""JSON from strangers: strict, exact and bounded before it costs anything."""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NoReturn

from lms_core.errors import Fault, InvalidDocument

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_MOST_DIGITS = 40
_LARGEST_EXPONENT = 30


def read_json(
    body: bytes,
    *,
    max_bytes: int = 1_000_000,
    max_depth: int = 32,
    max_keys: int = 10_000,
    max_key_length: int = 200,
) -> Any:
    """Return the JSON in *body*, with exact numbers: `int` and `Decimal`.

    What readers of JSON disagree on is refused: a byte order mark, other
    encodings, fields written twice, NaN, numbers out of any range, lone
    surrogates and NUL.

    Raises:
        InvalidDocument: with one fault, whose message is short whatever came.
    """
    if len(body) > max_bytes:
        _refuse(f"must have at most {max_bytes} bytes", "json-too-large")
    if body.startswith(b"\xef\xbb\xbf"):
        _refuse("must not start with a byte order mark", "json-encoding")
    if _is_deeper(body, max_depth):
        _refuse(f"must be nested at most {max_depth} deep", "json-too-deep")
    fields = _fields_reader(max_keys, max_key_length)
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=fields,
            parse_int=_whole,
            parse_float=_decimal,
            parse_constant=_constant,
        )
    except UnicodeDecodeError:
        _refuse("must be UTF-8", "json-encoding")
    except json.JSONDecodeError as error:
        message = f"is not JSON at line {error.lineno}, column {error.colno}"
        _refuse(message, "json-syntax")
    # Only an escape can write what UTF-8 cannot.
    if b"\\u" in body:
        _check_texts(value)
    return value


def _fields_reader(
    max_keys: int, max_key_length: int
) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    keys = 0

    def fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal keys
        keys += len(pairs)
        if keys > max_keys:
            _refuse(f"must have at most {max_keys} fields", "json-too-many-fields")
        found = dict(pairs)
        if len(found) < len(pairs):
            _refuse("has a field twice", "json-duplicate-field")
        if found and max(map(len, found)) > max_key_length:
            message = f"field names have at most {max_key_length} characters"
            _refuse(message, "json-long-field")
        return found

    return fields


def _refuse(message: str, code: str) -> NoReturn:
    # No context: its text may be as long as the body.
    raise InvalidDocument(Fault("", message, code)) from None


def _is_deeper(body: bytes, max_depth: int) -> bool:
    """Tell whether brackets nest deeper, without parsing.

    Up to the first mistake texts are cut out exactly as the parser reads them,
    and behind a mistake the parser never comes.
    """
    if body.count(b"[") + body.count(b"{") <= max_depth:
        return False
    brackets = _STRING.sub(b"", body).translate(None, _ALL_BUT_BRACKETS)
    depth = 0
    for bracket in brackets:
        if bracket in b"[{":
            depth += 1
            if depth > max_depth:
                return True
        else:
            depth -= 1
    return False


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        _refuse("has a number with too many digits", "json-number")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > _MOST_DIGITS:
        _refuse("has a number with too many digits", "json-number")
    number = Decimal(text)
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        _refuse("has a number out of range", "json-number")
    return number


def _constant(text: str) -> NoReturn:
    del text
    _refuse("has a number that is none", "json-number")


def _texts(value: Any) -> Iterator[str]:
    ahead = [value]
    while ahead:
        each = ahead.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            ahead.extend(each)
            ahead.extend(each.values())
        elif isinstance(each, list):
            ahead.extend(each)


def _check_texts(value: Any) -> None:
    for text in _texts(value):
        if "\0" in text:
            _refuse("must not hold NUL", "json-text")
        try:
            text.encode()
        except UnicodeEncodeError:
            _refuse("must be well-formed Unicode", "json-text")
