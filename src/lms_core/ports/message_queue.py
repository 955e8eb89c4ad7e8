"""Hand work to somebody who will do it at least once."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from attrs import Factory, frozen

LONGEST_BODY_BYTES = 256 * 1024
"""What every provider carries; larger content goes to the object store."""


class MessageQueueCapability(StrEnum):
    """What some queues can do and others cannot."""

    DELAY = "delay"
    """Messages can be sent now and delivered later."""

    PURGE_ONE = "purge-one"
    """A single dead letter can be deleted."""


@frozen(kw_only=True)
class Message:
    """Work to be done. *attributes* carry trace context and the like.

    *body* is at most `LONGEST_BODY_BYTES` of text without NUL.
    """

    body: str
    attributes: Mapping[str, str] = Factory(dict)


@frozen(kw_only=True)
class Delivery:
    """A message in somebody's hands until its lease ends.

    *id* is the message's, the same in every delivery; *receipt* is this
    delivery's alone. *deliveries* counts this one, from one; some providers
    count approximately.
    """

    id: str
    receipt: str
    message: Message
    deliveries: int


@frozen(kw_only=True)
class DeadLetter:
    """A message that was given up, and why."""

    id: str
    message: Message
    reason: str
    deliveries: int
    died_at: datetime


@frozen(kw_only=True)
class QueueDepth:
    """How much waits, how much is being worked on, how much was given up."""

    ready: int
    leased: int
    dead: int


class MessageQueue(Protocol):
    """One queue with its dead letters, safe to share between threads.

    Delivery is at least once and in no order. A delivery that is neither
    acknowledged nor released is delivered again when its lease ends; after
    *max_deliveries* of the queue it becomes a dead letter with the reason
    ``max-deliveries``.
    """

    @property
    def name(self) -> str:
        """The name of the queue."""
        ...

    @property
    def capabilities(self) -> frozenset[MessageQueueCapability]:
        """What this queue can do beyond the contract."""
        ...

    def send(self, messages: Sequence[Message], *, delay_s: int = 0) -> None:
        """Keep *messages* durably; none of them, when it raises.

        An `Unavailable` with an unknown effect may have kept some of them:
        send again, consumers take duplicates.

        Raises:
            InvalidValue: a body is too long or holds a NUL; nothing was kept.
            Unsupported: a delay was asked for without `DELAY`.
        """
        ...

    def receive(
        self, *, limit: int = 10, lease_s: int = 60, wait_s: float = 0
    ) -> tuple[Delivery, ...]:
        """Take up to *limit* messages, each for *lease_s* seconds.

        No other receiver gets them before the lease ends. Waits up to *wait_s*
        seconds for the first one; an empty answer is not an error.
        """
        ...

    def extend(self, delivery: Delivery, *, lease_s: int) -> None:
        """Keep the delivery for *lease_s* seconds from now.

        Raises:
            NotFound: the lease has ended and the message may be with somebody
                else; stop working on it (``lease-lost``).
        """
        ...

    def acknowledge(self, deliveries: Sequence[Delivery]) -> tuple[Delivery, ...]:
        """Remove what is done; return those whose lease was lost.

        What was acknowledged in time is never delivered again. A lost one may
        be delivered again, or be done by somebody else already.
        """
        ...

    def release(self, delivery: Delivery, *, delay_s: int = 0) -> None:
        """Give the message back to be delivered again after *delay_s* seconds.

        It becomes a dead letter instead if this was its last delivery. A lost
        lease is fine.
        """
        ...

    def bury(self, delivery: Delivery, *, reason: str) -> None:
        """Make the message a dead letter now; a lost lease is fine."""
        ...

    def depth(self) -> QueueDepth:
        """Count what there is; some providers count approximately."""
        ...

    def dead_letters(self) -> Iterator[DeadLetter]:
        """Yield every dead letter, the oldest first."""
        ...

    def redrive(self, ids: Sequence[str] | None = None) -> int:
        """Put dead letters back with a delivery count of zero; return how many.

        *ids* of `None` means all. An id that is not there is skipped, so that
        two who redrive together deliver once.
        """
        ...

    def purge_dead(self, ids: Sequence[str] | None = None) -> int:
        """Delete dead letters for good; return how many. `None` means all."""
        ...
