"""The contract of `MessageQueue`, one test a clause.

A subclass supplies two fixtures: `queue`, an empty queue that gives a message up
after its third delivery, and `clock`, the queue's clock, which has
``advance(timedelta)``.
"""

from datetime import datetime, timedelta
from threading import Event, Thread
from typing import ClassVar, Protocol

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lms_core.errors import InvalidValue, LmsError, NotFound, Unsupported
from lms_core.ports.message_queue import (
    LONGEST_BODY_BYTES,
    Delivery,
    Message,
    MessageQueue,
    MessageQueueCapability,
    QueueDepth,
)
from lms_core.testing._races import race
from lms_core.testing.suite import ConformanceSuite

MOST_DELIVERIES = 3


class AdvanceableClock(Protocol):
    """A clock that a test moves."""

    def now(self) -> datetime:
        """Return the time."""
        ...

    def advance(self, by: timedelta) -> datetime:
        """Move on *by* that much."""
        ...


def message(body: str = "work") -> Message:
    """Return a message."""
    return Message(body=body)


def bodies(queue: MessageQueue, limit: int = 10) -> list[str]:
    """Return the bodies of what the queue gives now, sorted."""
    return sorted(each.message.body for each in queue.receive(limit=limit))


def one(queue: MessageQueue, *, lease_s: int = 60) -> Delivery:
    """Return the one message that the queue gives now."""
    [delivery] = queue.receive(lease_s=lease_s)
    return delivery


class MessageQueueConformance(ConformanceSuite):
    """Subclass this and supply fixtures named `queue` and `clock`."""

    racers: ClassVar[int] = 4

    def test_what_was_sent_is_received(self, queue: MessageQueue) -> None:
        """Body and attributes arrive as they were sent, whatever the text."""
        text = 'line\n"quoted" %s ? \\ \U0001f600 é'
        queue.send([Message(body=text, attributes={"trace": "a=b;c", "é": ""})])
        delivery = one(queue)

        assert delivery.message.body == text
        assert dict(delivery.message.attributes) == {"trace": "a=b;c", "é": ""}
        assert delivery.deliveries == 1

    def test_many_are_received_by_few(self, queue: MessageQueue) -> None:
        """No call gives more than its limit; together they give everything."""
        queue.send([message(f"{n:03}") for n in range(25)])
        found = [queue.receive(limit=10) for _ in range(4)]

        assert all(len(part) <= 10 for part in found)
        assert sorted(d.message.body for part in found for d in part) == [
            f"{n:03}" for n in range(25)
        ]

    def test_sending_nothing_sends_nothing(self, queue: MessageQueue) -> None:
        """An empty list is fine."""
        queue.send([])

        assert queue.depth() == QueueDepth(ready=0, leased=0, dead=0)

    def test_the_longest_body_is_carried(self, queue: MessageQueue) -> None:
        """A body of the greatest length arrives whole."""
        body = "é" * (LONGEST_BODY_BYTES // 2)
        queue.send([message(body)])

        assert one(queue).message.body == body

    @pytest.mark.parametrize(
        "body",
        ["a\0b", "é" * (LONGEST_BODY_BYTES // 2) + "x"],
        ids=["NUL", "too-long"],
    )
    def test_a_bad_body_keeps_all_from_being_sent(
        self, queue: MessageQueue, body: str
    ) -> None:
        """One message that cannot be carried, and none is kept."""
        with pytest.raises(InvalidValue):
            queue.send([message("good"), message(body)])

        assert queue.receive() == ()

    def test_an_empty_queue_gives_nothing(self, queue: MessageQueue) -> None:
        """Nothing there is an answer, not an error."""
        assert queue.receive() == ()

    def test_what_is_leased_is_nobody_elses(
        self, queue: MessageQueue, clock: AdvanceableClock
    ) -> None:
        """Until the lease ends no other receiver gets the message."""
        queue.send([message()])
        queue.receive(lease_s=60)
        clock.advance(timedelta(seconds=59))

        assert queue.receive() == ()

    def test_an_ended_lease_delivers_again(
        self, queue: MessageQueue, clock: AdvanceableClock
    ) -> None:
        """What nobody finished comes back, with the same id and counted up."""
        queue.send([message()])
        first = one(queue, lease_s=60)
        clock.advance(timedelta(seconds=61))
        second = one(queue)

        assert (second.id, second.deliveries) == (first.id, 2)
        assert second.receipt != first.receipt

    def test_what_is_acknowledged_never_comes_back(
        self, queue: MessageQueue, clock: AdvanceableClock
    ) -> None:
        """Finished in time is finished for good."""
        queue.send([message("a"), message("b")])

        assert queue.acknowledge(queue.receive()) == ()
        clock.advance(timedelta(days=1))
        assert queue.receive() == ()
        assert queue.depth() == QueueDepth(ready=0, leased=0, dead=0)

    def test_part_of_a_batch_is_acknowledged(
        self, queue: MessageQueue, clock: AdvanceableClock
    ) -> None:
        """What was left out of the acknowledgement comes back."""
        queue.send([message("a"), message("b"), message("c")])
        taken = {each.message.body: each for each in queue.receive()}
        queue.acknowledge([taken["a"], taken["c"]])
        clock.advance(timedelta(seconds=61))

        assert bodies(queue) == ["b"]

    def test_a_late_acknowledgement_is_told(
        self, queue: MessageQueue, clock: AdvanceableClock
    ) -> None:
        """Those whose lease has ended are returned, the others removed."""
        queue.send([message("late")])
        late = one(queue, lease_s=10)
        clock.advance(timedelta(seconds=11))
        queue.send([message("good")])
        good = next(d for d in queue.receive() if d.message.body == "good")

        assert queue.acknowledge([late, good]) == (late,)

    def test_a_stale_receipt_does_not_touch_the_next_delivery(
        self, queue: MessageQueue, clock: AdvanceableClock
    ) -> None:
        """Whoever lost a message can neither remove, release, extend nor bury it."""
        queue.send([message()])
        stale = one(queue, lease_s=10)
        clock.advance(timedelta(seconds=11))
        fresh = one(queue, lease_s=60)

        assert queue.acknowledge([stale]) == (stale,)
        queue.release(stale)
        queue.bury(stale, reason="mine")
        with pytest.raises(NotFound):
            queue.extend(stale, lease_s=600)
        assert queue.depth() == QueueDepth(ready=0, leased=1, dead=0)
        assert queue.acknowledge([fresh]) == ()

    def test_acknowledging_twice_is_told(self, queue: MessageQueue) -> None:
        """The second time there is nothing to remove."""
        queue.send([message()])
        delivery = one(queue)
        queue.acknowledge([delivery])

        assert queue.acknowledge([delivery]) == (delivery,)

    def test_a_lease_is_extended_from_now(
        self, queue: MessageQueue, clock: AdvanceableClock
    ) -> None:
        """A worker that says it lives keeps its message."""
        queue.send([message()])
        delivery = one(queue, lease_s=60)
        clock.advance(timedelta(seconds=50))
        queue.extend(delivery, lease_s=60)
        clock.advance(timedelta(seconds=59))

        assert queue.receive() == ()
        assert queue.acknowledge([delivery]) == ()

    def test_an_ended_lease_cannot_be_extended(
        self, queue: MessageQueue, clock: AdvanceableClock
    ) -> None:
        """Too late is told, with a code of its own, even if nobody has it."""
        queue.send([message()])
        delivery = one(queue, lease_s=60)
        clock.advance(timedelta(seconds=61))

        with pytest.raises(NotFound) as caught:
            queue.extend(delivery, lease_s=60)
        assert caught.value.code == "lease-lost"

    def test_a_released_message_comes_back_at_once(self, queue: MessageQueue) -> None:
        """Giving it back does not wait for the lease."""
        queue.send([message()])
        queue.release(one(queue))

        assert one(queue).deliveries == 2

    def test_a_message_is_released_for_later(
        self, queue: MessageQueue, clock: AdvanceableClock
    ) -> None:
        """It stays away for the delay, and not for longer."""
        queue.send([message()])
        queue.release(one(queue), delay_s=30)

        assert queue.receive() == ()
        clock.advance(timedelta(seconds=31))
        assert one(queue).deliveries == 2

    def test_a_delayed_message_waits(
        self, queue: MessageQueue, clock: AdvanceableClock
    ) -> None:
        """With the capability a delay is kept, without it refused."""
        if MessageQueueCapability.DELAY not in queue.capabilities:
            with pytest.raises(Unsupported):
                queue.send([message()], delay_s=30)
            return
        queue.send([message()], delay_s=30)

        assert queue.receive() == ()
        clock.advance(timedelta(seconds=31))
        assert bodies(queue) == ["work"]

    def test_the_last_delivery_ends_in_a_dead_letter(
        self, queue: MessageQueue, clock: AdvanceableClock
    ) -> None:
        """What was never finished is given up, and says why."""
        queue.send([message("poison")])
        for expected in range(1, MOST_DELIVERIES + 1):
            assert one(queue).deliveries == expected
            clock.advance(timedelta(seconds=61))

        assert queue.receive() == ()
        [letter] = queue.dead_letters()
        assert (letter.message.body, letter.reason) == ("poison", "max-deliveries")
        assert letter.deliveries == MOST_DELIVERIES
        assert queue.depth() == QueueDepth(ready=0, leased=0, dead=1)

    def test_releasing_the_last_delivery_gives_up(self, queue: MessageQueue) -> None:
        """Giving back what may not be delivered again makes it a dead letter."""
        queue.send([message()])
        for _ in range(MOST_DELIVERIES):
            queue.release(one(queue))

        assert queue.receive() == ()
        assert [each.reason for each in queue.dead_letters()] == ["max-deliveries"]

    def test_a_good_message_behind_a_poisoned_one_is_delivered(
        self, queue: MessageQueue, clock: AdvanceableClock
    ) -> None:
        """Giving one up never keeps another waiting."""
        queue.send([message("poison")])
        for _ in range(MOST_DELIVERIES):
            queue.receive(limit=1)
            clock.advance(timedelta(seconds=61))
        queue.send([message("good")])

        assert bodies(queue, limit=1) == ["good"]

    def test_a_buried_message_is_kept_with_its_reason(
        self, queue: MessageQueue, clock: AdvanceableClock
    ) -> None:
        """Somebody who knows better gives a message up at once."""
        queue.send([Message(body="bad", attributes={"a": "b"})])
        delivery = one(queue)
        queue.bury(delivery, reason="no such course")
        clock.advance(timedelta(days=1))

        assert queue.receive() == ()
        [letter] = queue.dead_letters()
        assert (letter.id, letter.reason) == (delivery.id, "no such course")
        assert dict(letter.message.attributes) == {"a": "b"}
        assert letter.deliveries == 1

    def test_dead_letters_come_oldest_first(self, queue: MessageQueue) -> None:
        """In the order in which they were given up."""
        queue.send([message(body) for body in "abc"])
        taken = {each.message.body: each for each in queue.receive()}
        for body in "bca":
            queue.bury(taken[body], reason=body)

        assert [each.reason for each in queue.dead_letters()] == ["b", "c", "a"]

    def test_redriven_messages_begin_anew(self, queue: MessageQueue) -> None:
        """They come back with a count of zero, and only those asked for."""
        queue.send([message("a"), message("b")])
        for delivery in queue.receive():
            queue.bury(delivery, reason="bug")
        letters = {each.message.body: each.id for each in queue.dead_letters()}

        assert queue.redrive([letters["a"], letters["a"], "999999"]) == 1
        again = one(queue)
        assert (again.message.body, again.deliveries) == ("a", 1)
        assert queue.redrive([letters["a"]]) == 0
        assert queue.redrive() == 1
        assert bodies(queue) == ["b"]

    def test_dead_letters_are_purged(self, queue: MessageQueue) -> None:
        """What is purged is gone; purging it again finds nothing."""
        queue.send([message("a"), message("b")])
        for delivery in queue.receive():
            queue.bury(delivery, reason="bug")
        letters = {each.message.body: each.id for each in queue.dead_letters()}
        if MessageQueueCapability.PURGE_ONE in queue.capabilities:
            assert queue.purge_dead([letters["a"], "999999"]) == 1
            assert queue.purge_dead([letters["a"]]) == 0
        else:
            with pytest.raises(Unsupported):
                queue.purge_dead([letters["a"]])

        assert queue.purge_dead() >= 1
        assert list(queue.dead_letters()) == []

    def test_the_depth_counts_what_there_is(self, queue: MessageQueue) -> None:
        """What waits, what is being worked on, what was given up."""
        queue.send([message(str(n)) for n in range(5)])
        first, *_ = queue.receive(limit=3)
        queue.bury(first, reason="bug")

        assert queue.depth() == QueueDepth(ready=2, leased=2, dead=1)

    def test_a_waiting_receiver_gets_what_is_sent(self, queue: MessageQueue) -> None:
        """Who waits is given a message that comes meanwhile."""
        found: list[Delivery] = []
        waiting = Event()

        def wait() -> None:
            waiting.set()
            found.extend(queue.receive(wait_s=30))

        receiver = Thread(target=wait)
        receiver.start()
        waiting.wait(30)
        queue.send([message()])
        receiver.join(30)

        assert [each.message.body for each in found] == ["work"]

    def test_each_message_is_claimed_once(self, queue: MessageQueue) -> None:
        """Of many receivers at once no two get the same message."""
        queue.send([message(str(n)) for n in range(20)])

        def take(_: int) -> list[str]:
            taken = []
            while got := queue.receive(limit=3):
                taken += [each.id for each in got]
            return taken

        found = race(self.racers, take)

        assert not any(isinstance(each, LmsError) for each in found)
        ids = [id_ for each in found if isinstance(each, list) for id_ in each]
        assert len(ids) == 20
        assert len(set(ids)) == 20

    def test_two_who_redrive_deliver_once(self, queue: MessageQueue) -> None:
        """Redriving together brings each message back a single time."""
        queue.send([message(str(n)) for n in range(6)])
        for delivery in queue.receive():
            queue.bury(delivery, reason="bug")

        counts = race(self.racers, lambda _: queue.redrive())

        assert sum(count for count in counts if isinstance(count, int)) == 6
        assert bodies(queue) == [str(n) for n in range(6)]


class MessageQueueMachine(RuleBasedStateMachine):
    """Compares a queue with a model; a subclass says how to make one.

    The model knows of each message how often it was delivered and until when it
    is leased. A queue may choose which of those that are ready it gives.
    """

    def __init__(self) -> None:
        super().__init__()
        self.queue, self.clock = self.new_queue()
        self.leases: dict[str, tuple[Delivery, datetime]] = {}
        self.counts: dict[str, int] = {}
        self.waiting: dict[str, int] = {}
        self.dead: dict[str, str] = {}
        self.sent = 0

    def new_queue(self) -> tuple[MessageQueue, AdvanceableClock]:
        """Return an empty queue of three deliveries, and its clock."""
        raise TypeError(f"{type(self).__name__} must define new_queue")

    def _expire(self) -> None:
        now = self.clock.now()
        for body, (_, until) in list(self.leases.items()):
            if until <= now:
                del self.leases[body]
                self._back(body)

    def _back(self, body: str) -> None:
        if self.counts[body] >= MOST_DELIVERIES:
            self.dead[body] = "max-deliveries"
        else:
            self.waiting[body] = self.counts[body]

    @rule(count=st.integers(1, 3))
    def send(self, count: int) -> None:
        """Send a few messages, each with a body of its own."""
        names = [f"m{self.sent + n}" for n in range(count)]
        self.sent += count
        self.queue.send([message(name) for name in names])
        self.waiting.update(dict.fromkeys(names, 0))

    @rule(limit=st.integers(1, 4), lease_s=st.integers(1, 30))
    def receive(self, limit: int, lease_s: int) -> None:
        """Take some; as many as there are, and only those that wait."""
        found = self.queue.receive(limit=limit, lease_s=lease_s)
        assert len(found) == min(limit, len(self.waiting))
        for delivery in found:
            body = delivery.message.body
            assert delivery.deliveries == self.waiting.pop(body) + 1
            self.counts[body] = delivery.deliveries
            until = self.clock.now() + timedelta(seconds=lease_s)
            self.leases[body] = delivery, until

    @rule(which=st.integers(0, 5))
    def acknowledge(self, which: int) -> None:
        """Finish one that is held."""
        for body in list(self.leases)[which : which + 1]:
            assert self.queue.acknowledge([self.leases.pop(body)[0]]) == ()

    @rule(which=st.integers(0, 5))
    def release(self, which: int) -> None:
        """Give one back."""
        for body in list(self.leases)[which : which + 1]:
            self.queue.release(self.leases.pop(body)[0])
            self._back(body)

    @rule(which=st.integers(0, 5))
    def bury(self, which: int) -> None:
        """Give one up."""
        for body in list(self.leases)[which : which + 1]:
            self.queue.bury(self.leases.pop(body)[0], reason="bug")
            self.dead[body] = "bug"

    @rule(which=st.integers(0, 5), lease_s=st.integers(1, 30))
    def extend(self, which: int, lease_s: int) -> None:
        """Hold one for longer, or shorter."""
        for body in list(self.leases)[which : which + 1]:
            delivery = self.leases[body][0]
            self.queue.extend(delivery, lease_s=lease_s)
            until = self.clock.now() + timedelta(seconds=lease_s)
            self.leases[body] = delivery, until

    @rule()
    def redrive(self) -> None:
        """Bring everything back that was given up."""
        assert self.queue.redrive() == len(self.dead)
        self.waiting.update(dict.fromkeys(self.dead, 0))
        self.dead.clear()

    @rule(seconds=st.integers(1, 20))
    def pass_time(self, seconds: int) -> None:
        """Let leases end."""
        self.clock.advance(timedelta(seconds=seconds))
        self._expire()

    @invariant()
    def everything_is_somewhere(self) -> None:
        """Count in the queue what the model knows."""
        assert self.queue.depth() == QueueDepth(
            ready=len(self.waiting), leased=len(self.leases), dead=len(self.dead)
        )
        letters = {each.message.body: each.reason for each in self.queue.dead_letters()}
        assert letters == self.dead
