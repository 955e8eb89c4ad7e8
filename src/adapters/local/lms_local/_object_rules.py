"""What the stores of this package check alike."""

from collections.abc import Iterable, Mapping

from lms_core.domain.ids import ObjectKey
from lms_core.errors import AlreadyExists, Conflict, InvalidValue, NotFound, Rejected
from lms_core.ports.object_store import PART_BYTES, Part, Upload

_MOST_PARTS = 10_000


def byte_range(key: ObjectKey, size: int, start: int, stop: int | None) -> range:
    """Return the positions to read, or raise `Rejected` (``bad-range``)."""
    beyond = start >= size > 0
    if start < 0 or beyond or (stop is not None and stop <= start):
        raise Rejected(
            f"{key} has {size} bytes, not {start} to {stop}",
            resource=str(key),
            code="bad-range",
        )
    return range(start, size if stop is None else min(stop, size))


def check_part(number: int, data: bytes) -> None:
    """Raise `InvalidValue` unless a part may have this number and size."""
    if not 1 <= number <= _MOST_PARTS:
        raise InvalidValue(f"not 1 to {_MOST_PARTS}: {number}", place="number")
    if not 1 <= len(data) <= PART_BYTES:
        raise InvalidValue(f"not 1 to {PART_BYTES} bytes: {len(data)}", place="data")


def checked_parts(
    upload: Upload, parts: Iterable[Part], arrived: Mapping[int, Part]
) -> list[Part]:
    """Return *parts* by number, or raise `Rejected` (``bad-parts``)."""
    chosen = sorted(parts, key=lambda part: part.number)
    whole = (
        chosen
        and [part.number for part in chosen] == list(range(1, len(chosen) + 1))
        and all(arrived.get(part.number) == part for part in chosen)
        and all(part.size_bytes == PART_BYTES for part in chosen[:-1])
    )
    if not whole:
        raise bad_parts(upload)
    return chosen


def bad_parts(upload: Upload) -> Rejected:
    """Say that the parts do not make the object."""
    return Rejected(
        f"a part of {upload.key} is missing, short or was replaced",
        resource=str(upload.key),
        code="bad-parts",
    )


def upload_gone(upload: Upload) -> NotFound:
    """Say that there is no such upload any more."""
    return NotFound(
        f"the upload to {upload.key} is over",
        resource=str(upload.key),
        code="upload-gone",
    )


def no_object(key: ObjectKey) -> NotFound:
    """Say that nothing is under *key*."""
    return NotFound(f"nothing is under {key}", resource=str(key))


def key_taken(key: ObjectKey) -> AlreadyExists:
    """Say that something is under *key* already."""
    return AlreadyExists(f"{key} is taken", resource=str(key))


def changed_meanwhile(key: ObjectKey) -> Conflict:
    """Say that *key* holds something else than the caller believes."""
    return Conflict(f"{key} has changed", resource=str(key))
