"""The clock of the machine, ids of version 7, and secrets from the system."""

import secrets
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING
from uuid import UUID

from attrs import define, field, frozen

from lms_core.ports.system import Clock, IdSource, TokenSource

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANDOM_BITS = 74


@frozen
class SystemClock:
    """A `Clock` that reads the machine's."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251  this is the clock the others take


@define
class Uuid7Ids:
    """An `IdSource` of UUIDs of version 7 (RFC 9562), in order within a process.

    Milliseconds and random bits count as one number. Where that would not grow,
    because two ids fall into one millisecond or the clock went back, the last
    one is raised by a random step: large enough that two halves of a forked
    process part ways, small enough for 4,000 steps a millisecond.
    """

    _clock: Clock = field(factory=SystemClock)
    _last: int = 0
    _lock: Lock = field(factory=Lock, repr=False)

    def new(self) -> str:
        since = self._clock.now() - _EPOCH
        moment = since // timedelta(milliseconds=1) << _RANDOM_BITS
        with self._lock:
            fresh = moment | secrets.randbits(_RANDOM_BITS)
            step = 1 + secrets.randbits(62)
            self._last = max(fresh, self._last + step)
            number = self._last
        head, tail = divmod(number, 1 << 62)
        time, middle = divmod(head, 1 << 12)
        return str(UUID(int=time << 80 | 7 << 76 | middle << 64 | 2 << 62 | tail))


@frozen
class RandomTokens:
    """A `TokenSource` of 256 random bits."""

    def token(self) -> str:
        return secrets.token_urlsafe(32)


if TYPE_CHECKING:
    _clock_conforms: type[Clock] = SystemClock
    _ids_conform: type[IdSource] = Uuid7Ids
    _tokens_conform: type[TokenSource] = RandomTokens
