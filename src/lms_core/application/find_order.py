"""Use case: find the order that a buyer has begun and may still pay."""

from attrs import frozen

from lms_core.application.place_order import CHECKOUT_REUSE
from lms_core.domain.access.policy import Actor, signed_in
from lms_core.domain.commerce.order import Order
from lms_core.domain.ids import CourseId
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import StartWork


@frozen(kw_only=True)
class FindPendingOrder:
    """Find the actor's own order of a course that waits for its payment."""

    start: StartWork
    clock: Clock

    def __call__(self, actor: Actor, course: CourseId) -> Order | None:
        """Return the order whose checkout would be offered again, if there is one.

        Raises:
            Refused: nobody is signed in.
        """
        buyer = signed_in(actor)
        with self.start(read_only=True) as work:
            order = work.orders.find_pending(buyer, course)
        if order is None or order.checkout_url is None:
            return None
        is_offered = order.placed_at + CHECKOUT_REUSE >= self.clock.now()
        return order if is_offered else None
