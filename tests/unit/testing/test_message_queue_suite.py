"""The suite of MessageQueue tells broken queues from good ones."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from threading import Barrier, BrokenBarrierError

import pytest
from attrs import evolve

from lms_core.ports.message_queue import DeadLetter, Delivery, Message
from lms_core.testing.message_queue import MessageQueueConformance
from lms_local.memory.message_queue import MemoryMessageQueue
from lms_local.memory.system import FixedClock

SUITE = MessageQueueConformance()
Clause = Callable[[MemoryMessageQueue, FixedClock], None]


class Broken(MemoryMessageQueue):
    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock, max_deliveries=3)


class LooksFirst(Broken):
    """Chooses without a lock; a gate makes receivers choose at once."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock)
        self.gate = Barrier(SUITE.racers)

    def receive(
        self, *, limit: int = 10, lease_s: int = 60, wait_s: float = 0
    ) -> tuple[Delivery, ...]:
        chosen = list(self._messages)[:limit]
        try:
            self.gate.wait(timeout=1)
        except BrokenBarrierError:
            self.gate.reset()
        found = [(id_, self._messages.pop(id_, None)) for id_ in chosen]
        return tuple(
            Delivery(id=id_, receipt=id_, message=Message(body="x"), deliveries=1)
            for id_, _ in found
        )


class AnyReceipt(Broken):
    """Believes whoever names a message, however late."""

    def _held(self, delivery: Delivery) -> bool:
        return delivery.id in self._messages


class LateIsFine(Broken):
    """Takes what comes after the lease, if nobody else was quicker."""

    def _held(self, delivery: Delivery) -> bool:
        waiting = self._messages.get(delivery.id)
        return waiting is not None and waiting.receipt == delivery.receipt


class NeverGivesUp(Broken):
    """Delivers poison for ever."""

    def _sweep(self, now: datetime) -> None:
        pass


class KeepsCounting(Broken):
    """Redrives without forgetting the deliveries before."""

    def redrive(self, ids: Sequence[str] | None = None) -> int:
        counts = {id_: dead.deliveries for id_, dead in self._dead.items()}
        back = super().redrive(ids)
        for id_ in counts.keys() & self._messages.keys():
            self._messages[id_] = evolve(self._messages[id_], deliveries=counts[id_])
        return back


class SendsSome(Broken):
    """Keeps the good messages of a batch that it refuses."""

    def send(self, messages: Sequence[Message], *, delay_s: int = 0) -> None:
        for message in messages:
            super().send([message], delay_s=delay_s)


class NewestFirst(Broken):
    def dead_letters(self) -> Iterator[DeadLetter]:
        yield from reversed(list(super().dead_letters()))


class ExtendsFromBefore(Broken):
    """Adds to the lease instead of starting it anew."""

    def extend(self, delivery: Delivery, *, lease_s: int) -> None:
        super().extend(delivery, lease_s=1)
        waiting = self._messages[delivery.id]
        self._messages[delivery.id] = evolve(
            waiting, visible_at=waiting.visible_at + timedelta(seconds=5)
        )


def only_queue(clause: Callable[[MemoryMessageQueue], None]) -> Clause:
    return lambda queue, _: clause(queue)


@pytest.mark.parametrize(
    ("kind", "clause"),
    [
        (LooksFirst, only_queue(SUITE.test_each_message_is_claimed_once)),
        (AnyReceipt, SUITE.test_a_stale_receipt_does_not_touch_the_next_delivery),
        (LateIsFine, SUITE.test_an_ended_lease_cannot_be_extended),
        (AnyReceipt, SUITE.test_a_late_acknowledgement_is_told),
        (NeverGivesUp, SUITE.test_the_last_delivery_ends_in_a_dead_letter),
        (NeverGivesUp, SUITE.test_a_good_message_behind_a_poisoned_one_is_delivered),
        (KeepsCounting, only_queue(SUITE.test_redriven_messages_begin_anew)),
        (NewestFirst, only_queue(SUITE.test_dead_letters_come_oldest_first)),
        (ExtendsFromBefore, SUITE.test_a_lease_is_extended_from_now),
    ],
)
def test_a_broken_queue_is_found_out(kind: type[Broken], clause: Clause) -> None:
    clock = FixedClock()

    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        clause(kind(clock), clock)


def test_a_queue_that_sends_some_is_found_out() -> None:
    with pytest.raises(AssertionError):
        SUITE.test_a_bad_body_keeps_all_from_being_sent(SendsSome(FixedClock()), "\0")
