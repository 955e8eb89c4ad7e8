"""An order and the ledger of what happened to its money."""

from datetime import datetime
from enum import StrEnum

from attrs import evolve, frozen

from lms_core.domain.events import Event, OrderPaid, OrderPlaced, OrderRefunded
from lms_core.domain.ids import CourseId, OrderId, UserId
from lms_core.domain.money import Money
from lms_core.errors import InvalidValue, Refused


class TransactionKind(StrEnum):
    """What happened to the money."""

    PAYMENT = "payment"
    REFUND = "refund"
    FAILURE = "failure"
    EXPIRY = "expiry"


@frozen(kw_only=True)
class Transaction:
    """One fact from the gateway; *reference* is its name there, and unique.

    *amount* is never negative; a `REFUND` takes it from what was paid.
    """

    reference: str
    kind: TransactionKind
    amount: Money
    at: datetime

    def __attrs_post_init__(self) -> None:
        if not self.reference or self.amount.minor < 0:
            raise InvalidValue(f"not a transaction: {self.reference!r} {self.amount!r}")


class OrderStatus(StrEnum):
    """What the ledger adds up to."""

    PENDING = "pending"
    PAID = "paid"
    PARTLY_REFUNDED = "partly-refunded"
    REFUNDED = "refunded"
    FAILED = "failed"
    EXPIRED = "expired"


Step = tuple["Order", tuple[Event, ...]]


@frozen(kw_only=True)
class Order:
    """A buyer's order of a course.

    The ledger only grows, and `status` is a function of the set of its
    transactions: any order of duplicated and delayed news gives the same order.
    """

    id: OrderId
    buyer: UserId
    course: CourseId
    amount: Money
    placed_at: datetime
    checkout: str | None = None
    checkout_url: str | None = None
    ledger: tuple[Transaction, ...] = ()
    version: int = 0

    @classmethod
    def place(
        cls,
        id_: OrderId,
        buyer: UserId,
        course: CourseId,
        amount: Money,
        *,
        at: datetime,
    ) -> Step:
        """Order *course* for *amount*."""
        if amount.minor < 0:
            raise InvalidValue(f"no price is negative: {amount!r}")
        order = cls(id=id_, buyer=buyer, course=course, amount=amount, placed_at=at)
        event = OrderPlaced(order=id_, buyer=buyer, course=course, amount=amount, at=at)
        return order, (event,)

    def _total(self, kind: TransactionKind) -> int:
        return sum(entry.amount.minor for entry in self.ledger if entry.kind is kind)

    @property
    def paid(self) -> Money:
        """What has come in."""
        return Money(self._total(TransactionKind.PAYMENT), self.amount.currency)

    @property
    def refunded(self) -> Money:
        """What has gone back."""
        return Money(self._total(TransactionKind.REFUND), self.amount.currency)

    @property
    def status(self) -> OrderStatus:
        """What the ledger adds up to."""
        paid, refunded = self.paid.minor, self.refunded.minor
        kinds = {entry.kind for entry in self.ledger}
        is_paid = TransactionKind.PAYMENT in kinds and paid >= self.amount.minor
        if is_paid and refunded >= paid > 0:
            return OrderStatus.REFUNDED
        if is_paid:
            return OrderStatus.PARTLY_REFUNDED if refunded else OrderStatus.PAID
        if TransactionKind.EXPIRY in kinds:
            return OrderStatus.EXPIRED
        if TransactionKind.FAILURE in kinds:
            return OrderStatus.FAILED
        return OrderStatus.PENDING

    def open_checkout(self, reference: str, url: str) -> "Order":
        """Remember the gateway's page for this order."""
        return evolve(self, checkout=reference, checkout_url=url)

    def record(self, transaction: Transaction) -> Step:
        """Add a fact to the ledger; one that is there already changes nothing.

        Raises:
            Refused: it is in another currency (``currency-differs``), or its
                reference is known with another content
                (``transaction-differs``).
        """
        if transaction.amount.currency != self.amount.currency:
            raise Refused("currency-differs")
        for known in self.ledger:
            if (known.reference, known.kind) == (
                transaction.reference,
                transaction.kind,
            ):
                if known.amount != transaction.amount:
                    raise Refused("transaction-differs")
                return self, ()
        ledger = tuple(
            sorted(
                (*self.ledger, transaction),
                key=lambda entry: (entry.at, entry.reference, entry.kind),
            )
        )
        after = evolve(self, ledger=ledger)
        was, now = self.status, after.status
        open_ = {OrderStatus.PAID, OrderStatus.PARTLY_REFUNDED}
        events: list[Event] = []
        if now in open_ and was not in open_:
            events.append(
                OrderPaid(
                    order=self.id,
                    buyer=self.buyer,
                    course=self.course,
                    amount=after.paid,
                    at=transaction.at,
                )
            )
        if now is OrderStatus.REFUNDED and was is not OrderStatus.REFUNDED:
            events.append(
                OrderRefunded(
                    order=self.id,
                    buyer=self.buyer,
                    course=self.course,
                    amount=after.refunded,
                    at=transaction.at,
                )
            )
        return after, tuple(events)
