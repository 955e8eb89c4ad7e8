"""Use cases: buy a course, hear from the gateway, give money back."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import evolve, frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._events import sealed
from lms_core.application._learning import current_publication
from lms_core.application.enroll_learner import take_place
from lms_core.domain.access.policy import Action, Actor, Resource, decide, signed_in
from lms_core.domain.audit import AuditRow
from lms_core.domain.commerce.order import Order, Transaction
from lms_core.domain.enrollment.enrollment import EnrollmentStatus, may_enroll
from lms_core.domain.events import Event, PlacePaidTwice
from lms_core.domain.ids import CourseId, EventId, OrderId
from lms_core.domain.money import Money
from lms_core.domain.people.user import User
from lms_core.errors import InvalidValue, NotFound, Refused
from lms_core.ports.payment_gateway import (
    Checkout,
    CheckoutRequest,
    PaymentGateway,
    WebhookEvent,
)
from lms_core.ports.system import Clock, IdSource
from lms_core.ports.unit_of_work import StartWork, UnitOfWork

CHECKOUT_REUSE = timedelta(minutes=20)
"""How long a begun checkout is offered again instead of a new one.

Two that are open at once may both be paid; the second payment is given back."""


@frozen(kw_only=True)
class PlacedOrder:
    """An order and the page where it is paid."""

    order: Order
    checkout_url: str


@frozen(kw_only=True)
class PlaceOrder:
    """Order a course and open a checkout at the gateway."""

    start: StartWork
    clock: Clock
    ids: IdSource
    gateway: PaymentGateway
    return_url: str
    """Where the browser comes back to; ``{order}`` is replaced by the order's id."""

    @again_on_conflict
    def __call__(self, actor: Actor, course: CourseId, currency: str) -> PlacedOrder:
        """Return the order and where to pay; asking again offers the same one.

        The price is the published one at this moment; a client cannot send one.

        Raises:
            NotFound: there is no such course.
            Refused: it is free (``course-is-free``), not sold in *currency*
                (``currency-not-offered``), held already
                (``already-enrolled``), full, or enrollment is not open.
            Rejected, Unavailable: the gateway's answer; try again.
        """
        buyer, now = signed_in(actor), self.clock.now()
        resource = Resource(owner=buyer, course=course)
        decide(actor, Action.BUY, resource, at=now).require()
        with self.start() as work:
            content = current_publication(work, course).content
            amount = next(
                (each for each in content.prices if each.currency == currency), None
            )
            if content.is_free:
                raise Refused("course-is-free")
            if amount is None:
                raise Refused("currency-not-offered")
            held = work.enrollments.find(buyer, course)
            if held is not None and held.is_held_by_learner:
                suspended = held.status is EnrollmentStatus.SUSPENDED
                raise Refused(
                    "enrollment-suspended" if suspended else "already-enrolled"
                )
            rules = content.enrollment
            taken = work.enrollments.seats_taken(course) if rules.seats else 0
            may_enroll(rules, published=True, taken=taken, at=now).require()
            user = work.users.get(buyer)
            order = work.orders.find_pending(buyer, course)
            if (
                order is None
                or order.amount != amount
                or order.placed_at + CHECKOUT_REUSE < now
            ):
                order, events = Order.place(
                    OrderId(self.ids.new()), buyer, course, amount, at=now
                )
                work.orders.add(order)
                # Of two who find none at once, one is to find the other's: keeping
                # the buyer as she is makes the slower one begin again.
                work.users.save(user)
                work.outbox.extend(sealed(events, self.ids))
                work.commit()
        return self._checkout(order, user, content.title)

    def _checkout(self, order: Order, user: User, title: str) -> PlacedOrder:
        """Open the gateway's page, outside any transaction, under one key."""
        if order.checkout is not None and order.checkout_url is not None:
            return PlacedOrder(order=order, checkout_url=order.checkout_url)
        back = self.return_url.replace("{order}", order.id)
        checkout: Checkout = self.gateway.start_checkout(
            CheckoutRequest(
                order=order.id,
                amount=order.amount,
                description=title,
                buyer_email=user.email,
                success_url=back,
                cancel_url=back,
            ),
            idempotency_key=f"checkout-{order.id}",
        )
        with self.start() as work:
            stored = work.orders.get(order.id)
            if stored.checkout is None:
                stored = stored.open_checkout(checkout.reference, checkout.url)
                work.orders.save(stored)
                work.commit()
        return PlacedOrder(order=stored, checkout_url=checkout.url)


@frozen(kw_only=True)
class RecordPayment:
    """Take what the gateway says into the ledger, and let the buyer in.

    Webhooks repeat and overtake one another: each is accepted once, and the
    order's state follows from the set of its transactions.
    """

    start: StartWork
    clock: Clock
    ids: IdSource
    gateway: PaymentGateway

    def from_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        """Check a webhook, and take in what it says; repeating is harmless.

        Raises:
            NotPermitted: it is not from the gateway.
            InvalidValue: it is, but says nothing that makes sense.
            NotFound: it is of an order that is not there.
        """
        event = self.gateway.read_webhook(body, headers)
        if event.order is not None and event.transaction is not None:
            self._record(event.order, (event.transaction,), event.id)
        return event

    def from_gateway(self, order: OrderId) -> Order:
        """Ask the gateway what has happened: this makes good a lost webhook.

        Raises:
            NotFound: there is no such order, or it has no checkout.
        """
        with self.start(read_only=True) as work:
            found = work.orders.get(order)
        if found.checkout is None:
            raise NotFound(f"order {order} has no checkout", resource=order)
        known = self.gateway.transactions(found.checkout)
        return self._record(order, known, None) if known else found

    @again_on_conflict
    def _record(
        self, order: OrderId, transactions: tuple[Transaction, ...], event: str | None
    ) -> Order:
        now = self.clock.now()
        with self.start() as work:
            seen = event is not None and not work.inbox.accept(
                "payments", EventId(event), at=now
            )
            before = work.orders.get(order)
            if seen:
                return before
            after = before
            for transaction in transactions:
                after, events = after.record(transaction)
                work.outbox.extend(sealed(events, self.ids))
            if after != before:
                work.orders.save(after)
                more = settle(work, self.ids, after, at=now)
                work.outbox.extend(sealed(more, self.ids))
            work.commit()
        return after


def settle(
    work: UnitOfWork, ids: IdSource, order: Order, *, at: datetime
) -> tuple[Event, ...]:
    """Make the buyer's place follow from the state of *order*.

    A paid order lets in, even on a course that has filled up meanwhile: who has
    paid has a place. One that was undone ends the place that it bought. Returns
    what the caller has to tell.
    """
    place = work.enrollments.find(order.buyer, order.course)
    if order.entitles:
        if place is not None and place.is_held_by_learner:
            if place.order == order.id:
                return ()
            return (
                PlacePaidTwice(
                    order=order.id, buyer=order.buyer, course=order.course, at=at
                ),
            )
        rules = current_publication(work, order.course).content.enrollment
        take_place(
            work,
            ids,
            learner=order.buyer,
            course=order.course,
            rules=evolve(rules, seats=None),
            order=order.id,
            at=at,
        )
    elif order.is_undone and place is not None and place.order == order.id:
        ended, events = place.refund(at=at)
        if events:
            work.enrollments.save(ended)
        return events
    return ()


@frozen(kw_only=True)
class RefundDuplicate:
    """Give back what was paid for a place that the buyer held already."""

    start: StartWork
    clock: Clock
    ids: IdSource
    gateway: PaymentGateway
    record: RecordPayment

    def __call__(self, order: OrderId) -> Order:
        """Return the order with its balance given back; repeating is harmless.

        Where the buyer has lost that other place meanwhile, the order buys one
        after all, and nothing is given back.

        Raises:
            NotFound: there is no such order.
            Rejected, Unavailable: the gateway's answer.
        """
        found, is_needed = self._settled(order)
        if is_needed or found.checkout is None or found.balance.minor <= 0:
            return found
        # A part may have gone back in another way before this is tried again.
        key = f"duplicate-{order}-{found.balance.minor}"
        self.gateway.refund(found.checkout, found.balance, idempotency_key=key)
        return self.record.from_gateway(order)

    @again_on_conflict
    def _settled(self, order: OrderId) -> tuple[Order, bool]:
        """Return the order, and whether the buyer's place is due to it."""
        with self.start() as work:
            found = work.orders.get(order)
            place = work.enrollments.find(found.buyer, found.course)
            if found.entitles and (place is None or not place.is_held_by_learner):
                events = settle(work, self.ids, found, at=self.clock.now())
                work.outbox.extend(sealed(events, self.ids))
                work.commit()
                return found, True
        return found, place is not None and place.order == order


@frozen(kw_only=True)
class RefundOrder:
    """Give money back through the gateway."""

    start: StartWork
    clock: Clock
    ids: IdSource
    gateway: PaymentGateway
    record: RecordPayment

    def __call__(
        self, actor: Actor, order: OrderId, amount: Money, *, idempotency_key: str
    ) -> Order:
        """Return the order after *amount* went back; the same key refunds once.

        Raises:
            Refused: the actor may not refund, nothing was paid
                (``order-is-not-paid``), or more is asked for than was
                (``refund-too-high``).
            NotFound: there is no such order.
            Rejected, Unavailable: the gateway's answer.
        """
        now = self.clock.now()
        with self.start() as work:
            found = work.orders.get(order)
            resource = Resource(owner=found.buyer, course=found.course)
            decide(actor, Action.REFUND_ORDER, resource, at=now).require()
            if amount.currency != found.amount.currency or amount.minor <= 0:
                raise InvalidValue("must be a positive amount of the order's currency")
            if found.checkout is None or not found.paid.minor:
                raise Refused("order-is-not-paid")
            if amount.minor > found.paid.minor:
                raise Refused("refund-too-high")
            work.audit.append(
                AuditRow(
                    id=self.ids.new(),
                    at=now,
                    actor=actor.user,
                    action=Action.REFUND_ORDER,
                    subject=order,
                    details={"amount": f"{amount.minor} {amount.currency}"},
                )
            )
            work.commit()
        self.gateway.refund(
            found.checkout, amount, idempotency_key=f"refund-{order}-{idempotency_key}"
        )
        return self.record.from_gateway(order)


@frozen(kw_only=True)
class ReadOrder:
    """Show an order to its buyer."""

    start: StartWork
    clock: Clock

    def __call__(self, actor: Actor, order: OrderId) -> Order:
        """Return the order; others' orders do not exist. Raises `NotFound`."""
        with self.start(read_only=True) as work:
            found = work.orders.get(order)
        resource = Resource(owner=found.buyer, course=found.course)
        if not decide(actor, Action.READ_ORDER, resource, at=self.clock.now()):
            raise NotFound(f"no order {order}", resource=order)
        return found
