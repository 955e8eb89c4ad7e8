"""Times, shares and documents as columns hold them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from lms_core.domain.documents import dump, load
from lms_core.domain.percent import Percent

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Return *at* in whole microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def micros_or_none(at: datetime | None) -> int | None:
    """Return *at* as `micros` does, if there is one."""
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """Return the time that `micros` wrote."""
    return _EPOCH + timedelta(microseconds=value)


def instant_or_none(value: int | None) -> datetime | None:
    """Return the time that `micros_or_none` wrote."""
    return None if value is None else _EPOCH + timedelta(microseconds=value)


def ppm(share: Percent) -> int:
    """Return *share* in whole parts of a million, for sorting and reports."""
    return int(share.of_one * 1_000_000)


def to_json(data: object) -> str:
    """Return *data* as compact JSON."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def document(value: object, *leave_out: str) -> str:
    """Return *value* as the text of its document."""
    data = dump(value)
    for name in leave_out:
        data.pop(name, None)
    return to_json(data)


def read_document(cls: type[T], text: str, **more: Any) -> T:
    """Return the value whose document is *text*, with fields kept elsewhere."""
    return load(cls, {**json.loads(text), **more})
