"""An order and the ledger of what happened to its money."""

from datetime import datetime
from enum import StrEnum

from attrs import evolve, field, frozen

from lms_core.domain.events import Event, OrderPaid, OrderPlaced, OrderRefunded
from lms_core.domain.ids import CourseId, OrderId, UserId
from lms_core.domain.instants import utc
from lms_core.domain.money import Money
from lms_core.errors import InvalidValue, Refused


class TransactionKind(StrEnum):
    """What happened to the money.

    A `CHARGEBACK` is money that the buyer's bank took back in a dispute, a
    `REINSTATEMENT` is the same money given back because the dispute was won.
    """

    PAYMENT = "payment"
    REFUND = "refund"
    FAILURE = "failure"
    EXPIRY = "expiry"
    CHARGEBACK = "chargeback"
    REINSTATEMENT = "reinstatement"


@frozen(kw_only=True)
class Transaction:
    """One fact from the gateway.

    *reference* is its name there, unique among facts of its kind. *amount* is
    never negative: the kind says which way the money went.
    """

    reference: str
    kind: TransactionKind
    amount: Money
    at: datetime = field(converter=utc)

    def __attrs_post_init__(self) -> None:
        if not self.reference or self.amount.minor < 0:
            raise InvalidValue(f"not a transaction: {self.reference!r} {self.amount!r}")


class OrderStatus(StrEnum):
    """What the ledger adds up to."""

    PENDING = "pending"
    PAID = "paid"
    PARTLY_REFUNDED = "partly-refunded"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged-back"
    FAILED = "failed"
    EXPIRED = "expired"


#: The order entitles its buyer to the course.
_ENTITLED = frozenset({OrderStatus.PAID, OrderStatus.PARTLY_REFUNDED})
#: It was paid, and nothing of it is left.
_GONE = frozenset({OrderStatus.REFUNDED, OrderStatus.CHARGED_BACK})

Step = tuple["Order", tuple[Event, ...]]


@frozen(kw_only=True)
class Order:
    """A buyer's order of a course.

    The ledger only grows, and `status` is a function of the set of its
    transactions: any order of duplicated and delayed news gives the same order.
    The events on the way may differ, but the last of them fits the status.
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
        """Order *course* for *amount*.

        Raises:
            InvalidValue: the amount is negative, or *at* has no zone.
        """
        if amount.minor < 0:
            raise InvalidValue(f"no price is negative: {amount!r}")
        at = utc(at)
        order = cls(id=id_, buyer=buyer, course=course, amount=amount, placed_at=at)
        event = OrderPlaced(order=id_, buyer=buyer, course=course, amount=amount, at=at)
        return order, (event,)

    def _total(self, kind: TransactionKind) -> int:
        return sum(entry.amount.minor for entry in self.ledger if entry.kind is kind)

    def _money(self, minor: int) -> Money:
        return Money(minor, self.amount.currency)

    @property
    def paid(self) -> Money:
        """What has come in."""
        return self._money(self._total(TransactionKind.PAYMENT))

    @property
    def refunded(self) -> Money:
        """What we gave back."""
        return self._money(self._total(TransactionKind.REFUND))

    @property
    def charged_back(self) -> Money:
        """What the buyer's bank took back and has not reinstated."""
        taken = self._total(TransactionKind.CHARGEBACK)
        reinstated = self._total(TransactionKind.REINSTATEMENT)
        # News of a won dispute may overtake that of its beginning.
        return self._money(max(0, taken - reinstated))

    @property
    def balance(self) -> Money:
        """What is left with us; negative when more went back than came in."""
        gone = self.refunded.minor + self.charged_back.minor
        return self._money(self.paid.minor - gone)

    @property
    def overpaid(self) -> Money:
        """What is left with us beyond the price, and ought to go back."""
        return self._money(max(0, self.balance.minor - self.amount.minor))

    @property
    def status(self) -> OrderStatus:
        """What the ledger adds up to.

        An order is paid by what came in, whatever failed or expired before or
        after; less than the price does not pay it. What was paid twice and given
        back once is still paid. A free order is paid by a payment of nothing,
        and a refund of nothing ends it.
        """
        kinds = {entry.kind for entry in self.ledger}
        left, price = self.balance.minor, self.amount.minor
        if TransactionKind.PAYMENT not in kinds or self.paid.minor < price:
            if TransactionKind.EXPIRY in kinds:
                return OrderStatus.EXPIRED
            failed = TransactionKind.FAILURE in kinds
            return OrderStatus.FAILED if failed else OrderStatus.PENDING
        if left <= 0 and self.charged_back.minor:
            return OrderStatus.CHARGED_BACK
        if left <= 0 and TransactionKind.REFUND in kinds:
            return OrderStatus.REFUNDED
        return OrderStatus.PARTLY_REFUNDED if left < price else OrderStatus.PAID

    @property
    def is_payable(self) -> bool:
        """Whether its checkout may still bring the money: a card may be tried again."""
        return self.status in {OrderStatus.PENDING, OrderStatus.FAILED}

    @property
    def entitles(self) -> bool:
        """Whether the order buys a place: it is paid, and something is left."""
        return self.status in _ENTITLED

    @property
    def is_undone(self) -> bool:
        """Whether it was paid, and all of the money went back, whichever way."""
        return self.status in _GONE

    def open_checkout(self, reference: str, url: str) -> "Order":
        """Remember the gateway's page for this order; again is the same.

        Raises:
            Refused: the order has been paid already (``order-is-settled``), so a
                second page would take the money twice.
        """
        if (self.checkout, self.checkout_url) == (reference, url):
            return self
        if self.entitles or self.is_undone:
            raise Refused("order-is-settled")
        return evolve(self, checkout=reference, checkout_url=url)

    def record(self, transaction: Transaction) -> Step:
        """Add a fact to the ledger; one that is there already changes nothing.

        Where news of one fact disagree on when it happened, the earliest counts.

        Raises:
            Refused: it is in another currency (``currency-differs``), or its
                reference is known with another amount
                (``transaction-differs``).
        """
        if transaction.amount.currency != self.amount.currency:
            raise Refused("currency-differs")
        entries = {(entry.kind, entry.reference): entry for entry in self.ledger}
        name = (transaction.kind, transaction.reference)
        known = entries.get(name, transaction)
        if known.amount != transaction.amount:
            raise Refused("transaction-differs")
        entries[name] = min(known, transaction, key=lambda entry: entry.at)
        ledger = tuple(
            sorted(
                entries.values(),
                key=lambda entry: (entry.at, entry.reference, entry.kind),
            )
        )
        if ledger == self.ledger:
            return self, ()
        after = evolve(self, ledger=ledger)
        return after, self._news(after, at=transaction.at)

    def _news(self, after: "Order", *, at: datetime) -> tuple[Event, ...]:
        if after.entitles and not self.entitles:
            return (
                OrderPaid(
                    order=self.id,
                    buyer=self.buyer,
                    course=self.course,
                    amount=self.amount,
                    at=at,
                ),
            )
        if after.is_undone and not self.is_undone:
            return (
                OrderRefunded(
                    order=self.id,
                    buyer=self.buyer,
                    course=self.course,
                    amount=self._money(after.paid.minor - after.balance.minor),
                    at=at,
                ),
            )
        return ()
