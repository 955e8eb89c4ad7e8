"""Points in time."""

from datetime import UTC, datetime

from lms_core.errors import InvalidValue


def utc(at: datetime, *, place: str = "") -> datetime:
    """Return *at* in UTC, or raise `InvalidValue` where it has no zone."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise InvalidValue(f"not an aware time: {at!r}", place=place)
    return at.astimezone(UTC)
