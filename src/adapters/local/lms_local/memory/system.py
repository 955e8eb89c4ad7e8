"""A clock that stands still, and ids and tokens that count."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from attrs import define, field

from lms_core.domain.instants import utc
from lms_core.ports.system import Clock, IdSource, TokenSource

_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@define
class FixedClock:
    """A `Clock` that moves only when told to."""

    _at: datetime = field(default=_NOON, converter=utc)

    def now(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> datetime:
        """Move on *by* that much, or back, and return the new time."""
        self._at += by
        return self._at

    def set(self, at: datetime) -> None:
        """Go to *at*."""
        self._at = utc(at)


@define
class CountingIds:
    """An `IdSource` that counts; alone in its test, or with its own *prefix*."""

    _prefix: str = "id"
    _numbers: Iterator[int] = field(factory=lambda: count(1), repr=False)

    def new(self) -> str:
        return f"{self._prefix}-{next(self._numbers):08}"


@define
class CountingTokens:
    """A `TokenSource` that counts: as long as a secret, and none."""

    _prefix: str = "token"
    _numbers: Iterator[int] = field(factory=lambda: count(1), repr=False)

    def token(self) -> str:
        return f"{self._prefix}-{next(self._numbers):026}"


if TYPE_CHECKING:
    _clock_conforms: type[Clock] = FixedClock
    _ids_conform: type[IdSource] = CountingIds
    _tokens_conform: type[TokenSource] = CountingTokens
