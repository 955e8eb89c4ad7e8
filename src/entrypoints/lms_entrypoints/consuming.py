"""Take messages from a queue and do what they ask, so that none is lost."""

import logging
from collections.abc import Callable
from enum import Enum, auto
from hashlib import sha256
from threading import Event

from attrs import frozen

from lms_core.application.transcode_media import TranscodeFailed
from lms_core.errors import (
    AlreadyExists,
    InvalidValue,
    LmsError,
    NotFound,
    Refused,
    Rejected,
    Unsupported,
)
from lms_core.ports.message_queue import Delivery, MessageQueue

LEASE_S = 120
MOST_DELIVERIES = 5
"""After so many the message is given up here, where its last failure is known.

Queues give up after five by themselves, and can then only say that it was often.
"""

WAIT_S = 1.0
_FIRST_PAUSE_S = 5
_LONGEST_PAUSE_S = 600
_LONGEST_REASON = 500

# What the message asks for can never be done: its data is wrong, a rule or a
# provider said no for good, or what it is about is gone. Everything else passes
# (Unavailable, Conflict), or is an operator's to mend (ConfigurationError,
# NotPermitted: wrong credentials), or is a fault of ours: the message waits.
_HOPELESS = (InvalidValue, Refused, Rejected, NotFound, AlreadyExists, Unsupported)

_log = logging.getLogger("lms.worker")


class Outcome(Enum):
    """What a handler did with a message."""

    DONE = auto()
    HANDED_BACK = auto()
    """The worker stops; somebody else shall go on with it."""


def is_hopeless(exc: Exception) -> bool:
    """Tell whether trying again cannot help."""
    if isinstance(exc, TranscodeFailed):
        return exc.permanent
    return isinstance(exc, _HOPELESS)


def reason_of(exc: Exception) -> str:
    """Return why a message was given up: a stable code first, then words.

    Faults of ours are told by their kind alone; what they say may quote secrets.
    """
    if not isinstance(exc, LmsError):
        return f"internal-error: {type(exc).__name__}"
    if isinstance(exc, TranscodeFailed):
        return exc.reason
    words = " ".join(str(exc).split())
    return (f"{exc.code}: {words}" if words else exc.code)[:_LONGEST_REASON]


def pause_after(delivery: Delivery) -> int:
    """Return how many seconds to wait before the next try.

    It grows fourfold from five seconds, and is spread by half, by the message's
    id: what failed together does not come back together.
    """
    grown: int = _FIRST_PAUSE_S * 4 ** min(delivery.deliveries - 1, 6)
    longest = min(grown, _LONGEST_PAUSE_S)
    name = f"{delivery.id}/{delivery.deliveries}".encode()
    spread = int.from_bytes(sha256(name).digest()[:4]) / 2**32
    return round(longest * (0.75 + spread / 2))


@frozen(kw_only=True)
class Consumer:
    """Handles the messages of one queue, one after the other.

    *handle* does the work; doing it again must be harmless. *give_up* is told
    about a message before it is buried after a failure that might have passed.
    """

    queue: MessageQueue
    stop: Event
    handle: Callable[[Delivery], Outcome]
    give_up: Callable[[Delivery, str], None] = lambda _delivery, _reason: None
    limit: int = 10

    def __call__(self) -> int:
        """Take what is there, waiting a moment for it; return how much it was."""
        taken = self.queue.receive(limit=self.limit, lease_s=LEASE_S, wait_s=WAIT_S)
        for number, delivery in enumerate(taken):
            if self.stop.is_set():
                self._hand_back(delivery)
            elif number == 0 or self._still_held(delivery):
                self._one(delivery)
        return len(taken)

    def _still_held(self, delivery: Delivery) -> bool:
        """Begin the lease anew: the ones before may have taken their time."""
        try:
            self.queue.extend(delivery, lease_s=LEASE_S)
        except NotFound:
            self._tell(logging.WARNING, "lease lost", delivery)
            return False
        return True

    def _one(self, delivery: Delivery) -> None:
        try:
            outcome = self.handle(delivery)
        except Exception as exc:  # noqa: BLE001 - a loop has no caller to tell
            self._failed(delivery, exc)
            return
        if outcome is Outcome.HANDED_BACK:
            self._hand_back(delivery)
        elif self.queue.acknowledge([delivery]):
            self._tell(logging.WARNING, "done after its lease", delivery)

    def _failed(self, delivery: Delivery, exc: Exception) -> None:
        reason = reason_of(exc)
        known = isinstance(exc, LmsError)
        if is_hopeless(exc):
            self.queue.bury(delivery, reason=reason)
            self._tell(logging.ERROR, "buried", delivery, reason=reason)
        elif delivery.deliveries >= MOST_DELIVERIES:
            self.give_up(delivery, reason)
            self.queue.bury(delivery, reason=reason)
            self._tell(
                logging.ERROR,
                "given up",
                delivery,
                None if known else exc,
                reason=reason,
            )
        else:
            wait = pause_after(delivery)
            self.queue.release(delivery, delay_s=wait)
            self._tell(
                logging.WARNING,
                "to be tried again",
                delivery,
                None if known else exc,
                reason=reason,
                in_s=wait,
            )

    def _hand_back(self, delivery: Delivery) -> None:
        """Return the message: stopping is no failure, not even at the last try."""
        if delivery.deliveries >= MOST_DELIVERIES:
            self.queue.send([delivery.message])
            self.queue.acknowledge([delivery])
        else:
            self.queue.release(delivery)
        self._tell(logging.INFO, "handed back", delivery)

    def _tell(
        self,
        level: int,
        message: str,
        delivery: Delivery,
        exc: Exception | None = None,
        **facts: object,
    ) -> None:
        about = {
            "queue": self.queue.name,
            "message": delivery.id,
            "delivery": delivery.deliveries,
        }
        _log.log(level, message, exc_info=exc, extra={"facts": {**about, **facts}})
