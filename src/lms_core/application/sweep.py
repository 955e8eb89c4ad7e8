"""Use cases: what has to happen because time has passed."""

from datetime import timedelta

from attrs import frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._events import sealed
from lms_core.application.place_order import RecordPayment
from lms_core.application.reactions.react import transcode_message
from lms_core.domain.events import MediaUploaded
from lms_core.domain.ids import AttemptId, EnrollmentId
from lms_core.ports.message_queue import MessageQueue
from lms_core.ports.system import Clock, IdSource
from lms_core.ports.unit_of_work import StartWork

BATCH = 100
STUCK_AFTER = timedelta(hours=2)
SETTLE_AFTER = timedelta(minutes=10)
KEYS_LAST = timedelta(days=2)


@frozen(kw_only=True)
class Swept:
    """What a sweep did."""

    attempts: int = 0
    enrollments: int = 0
    orders: int = 0
    media: int = 0
    keys: int = 0


@frozen(kw_only=True)
class Sweep:
    """Submit attempts whose time is over, close places, settle orders.

    Every step looks at most at a batch, decides each case in a transaction of
    its own, and can run anywhere at any time, twice at once included.
    """

    start: StartWork
    clock: Clock
    ids: IdSource
    payments: RecordPayment
    transcode_queue: MessageQueue

    def __call__(self) -> Swept:
        """Do what is due now.

        Raises:
            LmsError: the first thing that could not be done; the rest waits for
                the next sweep.
        """
        now = self.clock.now()
        with self.start(read_only=True) as work:
            attempts = work.attempts.overdue(now, BATCH)
            places = work.enrollments.due_to_expire(now, BATCH)
            orders = work.orders.unsettled(now - SETTLE_AFTER, BATCH)
            stuck = work.media.stuck(now - STUCK_AFTER, BATCH)
        submitted = sum(self._submit(each.id) for each in attempts)
        expired = sum(self._expire(each.id) for each in places)
        settled = sum(
            bool(self.payments.from_gateway(order.id).ledger) for order in orders
        )
        if stuck:
            # The job is named by lecture and generation: one that runs is joined.
            self.transcode_queue.send(
                [
                    transcode_message(
                        MediaUploaded(
                            media=asset.id,
                            course=asset.course,
                            generation=asset.generation,
                            at=now,
                        )
                    )
                    for asset in stuck
                ]
            )
        with self.start() as work:
            keys = work.idempotency.forget_before(now - KEYS_LAST)
            work.commit()
        return Swept(
            attempts=submitted,
            enrollments=expired,
            orders=settled,
            media=len(stuck),
            keys=keys,
        )

    @again_on_conflict
    def _submit(self, attempt: AttemptId) -> bool:
        now = self.clock.now()
        with self.start() as work:
            before = work.attempts.get(attempt)
            if not before.is_over(now):
                return False
            after, events = before.submit(at=now)
            if events:
                work.attempts.save(after)
                work.outbox.extend(sealed(events, self.ids))
                work.commit()
        return bool(events)

    @again_on_conflict
    def _expire(self, enrollment: EnrollmentId) -> bool:
        with self.start() as work:
            after, events = work.enrollments.get(enrollment).expire(at=self.clock.now())
            if events:
                work.enrollments.save(after)
                work.outbox.extend(sealed(events, self.ids))
                work.commit()
        return bool(events)
