"""A queue in memory."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from threading import Condition
from time import monotonic
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from lms_core.errors import ConfigurationError, InvalidValue, NotFound
from lms_core.ports.message_queue import (
    LONGEST_BODY_BYTES,
    DeadLetter,
    Delivery,
    Message,
    MessageQueue,
    MessageQueueCapability,
    QueueDepth,
)
from lms_core.ports.system import Clock
from lms_core.registry import Wiring
from lms_local._settings import options

_POLL_S = 0.05
_SPENT = "max-deliveries"


@frozen
class _Waiting:
    message: Message
    visible_at: datetime
    receipt: str | None = None
    deliveries: int = 0


@define(eq=False)
class MemoryMessageQueue:
    """A `MessageQueue` that lasts as long as the process."""

    _clock: Clock
    name: str = "default"
    _max_deliveries: int = 5
    _messages: dict[str, _Waiting] = field(factory=dict, init=False, repr=False)
    _dead: dict[str, DeadLetter] = field(factory=dict, init=False, repr=False)
    _numbers: Iterator[int] = field(factory=lambda: count(1), init=False, repr=False)
    _changed: Condition = field(factory=Condition, init=False, repr=False)

    @property
    def capabilities(self) -> frozenset[MessageQueueCapability]:
        """Everything there is."""
        return frozenset(MessageQueueCapability)

    def send(self, messages: Sequence[Message], *, delay_s: int = 0) -> None:
        for message in messages:
            _check(message.body)
        at = self._clock.now() + timedelta(seconds=delay_s)
        with self._changed:
            for message in messages:
                self._messages[str(next(self._numbers))] = _Waiting(message, at)
            self._changed.notify_all()

    def receive(
        self, *, limit: int = 10, lease_s: int = 60, wait_s: float = 0
    ) -> tuple[Delivery, ...]:
        ends = monotonic() + wait_s
        with self._changed:
            while True:
                found = self._claim(limit, lease_s)
                left = ends - monotonic()
                if found or left <= 0:
                    return found
                # The clock may be moved without a word, hence the short waits.
                self._changed.wait(min(left, _POLL_S))

    def _claim(self, limit: int, lease_s: int) -> tuple[Delivery, ...]:
        now = self._clock.now()
        self._sweep(now)
        ready = [id_ for id_, w in self._messages.items() if w.visible_at <= now]
        found = []
        for id_ in ready[:limit]:
            waiting = self._messages[id_]
            receipt = str(next(self._numbers))
            self._messages[id_] = evolve(
                waiting,
                receipt=receipt,
                visible_at=now + timedelta(seconds=lease_s),
                deliveries=waiting.deliveries + 1,
            )
            found.append(
                Delivery(
                    id=id_,
                    receipt=receipt,
                    message=waiting.message,
                    deliveries=waiting.deliveries + 1,
                )
            )
        return tuple(found)

    def _sweep(self, now: datetime) -> None:
        for id_, waiting in list(self._messages.items()):
            spent = waiting.deliveries >= self._max_deliveries
            if spent and waiting.receipt is not None and waiting.visible_at <= now:
                self._give_up(id_, _SPENT)

    def _give_up(self, id_: str, reason: str) -> None:
        waiting = self._messages.pop(id_)
        self._dead[id_] = DeadLetter(
            id=id_,
            message=waiting.message,
            reason=reason,
            deliveries=waiting.deliveries,
            died_at=self._clock.now(),
        )

    def _held(self, delivery: Delivery) -> bool:
        waiting = self._messages.get(delivery.id)
        return (
            waiting is not None
            and waiting.receipt == delivery.receipt
            and waiting.visible_at > self._clock.now()
        )

    def extend(self, delivery: Delivery, *, lease_s: int) -> None:
        with self._changed:
            if not self._held(delivery):
                raise NotFound(
                    "the lease has ended", resource=delivery.id[:80], code="lease-lost"
                )
            self._messages[delivery.id] = evolve(
                self._messages[delivery.id],
                visible_at=self._clock.now() + timedelta(seconds=lease_s),
            )

    def acknowledge(self, deliveries: Sequence[Delivery]) -> tuple[Delivery, ...]:
        lost = []
        with self._changed:
            for delivery in deliveries:
                if self._held(delivery):
                    del self._messages[delivery.id]
                else:
                    lost.append(delivery)
        return tuple(lost)

    def release(self, delivery: Delivery, *, delay_s: int = 0) -> None:
        with self._changed:
            if not self._held(delivery):
                return
            if delivery.deliveries >= self._max_deliveries:
                self._give_up(delivery.id, _SPENT)
                return
            self._messages[delivery.id] = evolve(
                self._messages[delivery.id],
                receipt=None,
                visible_at=self._clock.now() + timedelta(seconds=delay_s),
            )
            self._changed.notify_all()

    def bury(self, delivery: Delivery, *, reason: str) -> None:
        with self._changed:
            if self._held(delivery):
                self._give_up(delivery.id, reason)

    def depth(self) -> QueueDepth:
        now = self._clock.now()
        with self._changed:
            self._sweep(now)
            waiting = self._messages.values()
            leased = sum(w.receipt is not None and w.visible_at > now for w in waiting)
            return QueueDepth(
                ready=len(self._messages) - leased, leased=leased, dead=len(self._dead)
            )

    def dead_letters(self) -> Iterator[DeadLetter]:
        with self._changed:
            self._sweep(self._clock.now())
            found = tuple(self._dead.values())
        yield from found

    def redrive(self, ids: Sequence[str] | None = None) -> int:
        now = self._clock.now()
        with self._changed:
            chosen = self._chosen(ids)
            for id_ in chosen:
                self._messages[id_] = _Waiting(self._dead.pop(id_).message, now)
            self._changed.notify_all()
        return len(chosen)

    def purge_dead(self, ids: Sequence[str] | None = None) -> int:
        with self._changed:
            chosen = self._chosen(ids)
            for id_ in chosen:
                del self._dead[id_]
        return len(chosen)

    def _chosen(self, ids: Sequence[str] | None) -> list[str]:
        self._sweep(self._clock.now())
        wanted = None if ids is None else set(ids)
        return [id_ for id_ in self._dead if wanted is None or id_ in wanted]


def _check(body: str) -> None:
    if "\0" in body:
        raise InvalidValue("must not hold NUL", place="body")
    try:
        length = len(body.encode())
    except UnicodeEncodeError:
        raise InvalidValue("must be well-formed Unicode", place="body") from None
    if length > LONGEST_BODY_BYTES:
        raise InvalidValue(
            f"must have at most {LONGEST_BODY_BYTES} bytes", place="body"
        )


def open_message_queue(url: str, wiring: Wiring) -> MemoryMessageQueue:
    """Open ``memory://?queue=events``: an empty queue of its own for every call.

    ``max_deliveries=5`` says when a message is given up.
    """
    found = options(url, optional=("queue", "max_deliveries"))
    most = found.get("max_deliveries", "5")
    if not most.isascii() or not most.isdecimal() or int(most) < 1:
        raise ConfigurationError("max_deliveries must be a whole number from 1")
    return MemoryMessageQueue(wiring.clock, found.get("queue", "default"), int(most))


if TYPE_CHECKING:
    _conforms: type[MessageQueue] = MemoryMessageQueue
