"""Use cases: what has to happen because time has passed."""

from datetime import timedelta

from attrs import frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._events import sealed
from lms_core.application.place_order import RecordPayment
from lms_core.domain.events import MediaUploaded
from lms_core.domain.ids import AttemptId, EnrollmentId
from lms_core.domain.media.asset import MediaAsset
from lms_core.errors import Conflict, LmsError
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

    def __call__(self) -> Swept:
        """Do what is due now.

        Raises:
            LmsError: the gateway's answer about the first order that could not
                be settled; everything else was done.
        """
        now = self.clock.now()
        with self.start(read_only=True) as work:
            attempts = work.attempts.overdue(now, BATCH)
            places = work.enrollments.due_to_expire(now, BATCH)
            orders = work.orders.unsettled(now - SETTLE_AFTER, BATCH)
            stuck = work.media.stuck(now - STUCK_AFTER, BATCH)
        submitted = sum(self._submit(each.id) for each in attempts)
        expired = sum(self._expire(each.id) for each in places)
        again = sum(self._transcode_again(asset) for asset in stuck)
        with self.start() as work:
            keys = work.idempotency.forget_before(now - KEYS_LAST)
            work.commit()
        settled, trouble = 0, None
        for order in orders:
            # One that the gateway does not know must not hold up the others.
            try:
                settled += bool(self.payments.from_gateway(order.id).ledger)
            except LmsError as exc:
                trouble = trouble or exc
        if trouble is not None:
            raise trouble
        return Swept(
            attempts=submitted,
            enrollments=expired,
            orders=settled,
            media=again,
            keys=keys,
        )

    def _transcode_again(self, asset: MediaAsset) -> bool:
        """Ask for the stream once more; a job that runs is joined.

        Keeping the lecture as it is makes it count as changed now, so that the
        next sweep does not ask again.
        """
        event = MediaUploaded(
            media=asset.id,
            course=asset.course,
            generation=asset.generation,
            at=self.clock.now(),
        )
        try:
            with self.start() as work:
                work.media.save(asset)
                work.outbox.extend(sealed([event], self.ids))
                work.commit()
        except Conflict:
            return False  # Somebody is at work on it.
        return True

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
