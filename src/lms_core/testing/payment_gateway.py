"""The contract of `PaymentGateway`, one test a clause."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Protocol

import pytest
from attrs import evolve

from lms_core.domain.commerce.order import TransactionKind
from lms_core.domain.ids import OrderId
from lms_core.domain.money import Money
from lms_core.errors import (
    InvalidValue,
    NotFound,
    NotPermitted,
    Rejected,
    Unsupported,
)
from lms_core.ports.payment_gateway import (
    Checkout,
    CheckoutRequest,
    PaymentGateway,
    PaymentGatewayCapability,
)
from lms_core.testing.suite import ConformanceSuite

REQUEST = CheckoutRequest(
    order=OrderId("01jd8v7w3kq5"),
    amount=Money(4999, "EUR"),
    description="Éclairs & <co>: “baking” 101",
    buyer_email="ada@example.org",
    success_url="https://shop.example.org/orders/01jd8v7w3kq5?from=gateway",
    cancel_url="https://shop.example.org/courses/baking",
)
AMOUNT = REQUEST.amount
PAYMENT, REFUND = TransactionKind.PAYMENT, TransactionKind.REFUND

Act = Callable[[Checkout], None]
News = Callable[[Checkout], tuple[bytes, ...]]


class Signed(Protocol):
    """Make the headers of a genuine webhook, signed *age* ago."""

    def __call__(self, body: bytes, *, age: timedelta = timedelta(0)) -> dict[str, str]:
        """Return lower-case names and their values."""
        ...


def _start(gateway: PaymentGateway, key: str = "first") -> Checkout:
    return gateway.start_checkout(REQUEST, idempotency_key=key)


def _refunded(gateway: PaymentGateway, checkout: Checkout) -> int:
    ledger = gateway.transactions(checkout.reference)
    return sum(entry.amount.minor for entry in ledger if entry.kind is REFUND)


class PaymentGatewayConformance(ConformanceSuite):
    """Subclass this and supply fixtures.

    `gateway` is one without checkouts. `pay` and `decline` are the buyer at the
    page of a checkout: with a good card, and with one that is declined.
    `signed` makes the headers of a genuine webhook from its body, `news`
    returns the bodies that the gateway sends about a checkout, oldest first,
    and `unrelated` is the body of news that does not concern us.
    """

    def test_a_checkout_is_a_page_that_expires(self, gateway: PaymentGateway) -> None:
        """A checkout has a name, an address for the browser and an aware end."""
        checkout = _start(gateway)

        assert checkout.reference
        assert checkout.url.startswith(("https://", "http://"))
        assert checkout.expires_at.utcoffset() is not None

    def test_the_same_key_gives_the_same_checkout(
        self, gateway: PaymentGateway
    ) -> None:
        """Asking again with the same key opens nothing new."""
        assert _start(gateway) == _start(gateway)

    def test_the_same_key_gives_the_same_checkout_after_payment(
        self, gateway: PaymentGateway, pay: Act
    ) -> None:
        """A repeated request does not ask a buyer to pay again."""
        first = _start(gateway)
        pay(first)

        assert _start(gateway).reference == first.reference

    def test_another_key_gives_another_checkout(self, gateway: PaymentGateway) -> None:
        """Two keys are two payments, even of one order."""
        first, second = _start(gateway, "first"), _start(gateway, "second")

        assert first.reference != second.reference

    def test_one_key_at_once_opens_one_checkout(self, gateway: PaymentGateway) -> None:
        """Simultaneous requests with one key get the same checkout."""
        with ThreadPoolExecutor(8) as pool:
            opened = list(pool.map(lambda _: _start(gateway), range(8)))

        assert len({checkout.reference for checkout in opened}) == 1

    @pytest.mark.parametrize(
        "other",
        [
            evolve(REQUEST, amount=Money(1, "EUR")),
            evolve(REQUEST, amount=Money(AMOUNT.minor, "USD")),
            evolve(REQUEST, order=OrderId("another")),
        ],
        ids=["amount", "currency", "order"],
    )
    def test_a_key_is_not_used_for_two_requests(
        self, gateway: PaymentGateway, other: CheckoutRequest
    ) -> None:
        """A key that comes with another request is refused."""
        _start(gateway)

        with pytest.raises(Rejected):
            gateway.start_checkout(other, idempotency_key="first")

    def test_an_amount_below_zero_is_declined(self, gateway: PaymentGateway) -> None:
        """Nobody is asked to pay less than nothing."""
        request = evolve(REQUEST, amount=Money(-1, "EUR"))

        with pytest.raises(Rejected):
            gateway.start_checkout(request, idempotency_key="first")

    def test_nothing_has_happened_to_a_new_checkout(
        self, gateway: PaymentGateway
    ) -> None:
        """Opening a checkout moves no money."""
        assert gateway.transactions(_start(gateway).reference) == ()

    def test_a_payment_is_one_transaction_of_the_amount(
        self, gateway: PaymentGateway, pay: Act
    ) -> None:
        """What was asked for is what was paid."""
        checkout = _start(gateway)
        pay(checkout)

        (payment,) = gateway.transactions(checkout.reference)
        assert (payment.kind, payment.amount) == (PAYMENT, AMOUNT)

    def test_a_declined_card_pays_nothing(
        self, gateway: PaymentGateway, decline: Act
    ) -> None:
        """A failure is on record, a payment is not."""
        checkout = _start(gateway)
        decline(checkout)

        kinds = [entry.kind for entry in gateway.transactions(checkout.reference)]
        assert kinds == [TransactionKind.FAILURE]

    def test_transactions_come_oldest_first(
        self, gateway: PaymentGateway, pay: Act, decline: Act
    ) -> None:
        """Transactions stand in the order in which they happened."""
        checkout = _start(gateway)
        decline(checkout)
        pay(checkout)
        gateway.refund(checkout.reference, AMOUNT, idempotency_key="back")

        ledger = gateway.transactions(checkout.reference)
        assert [entry.kind for entry in ledger] == [
            TransactionKind.FAILURE,
            PAYMENT,
            REFUND,
        ]
        assert [entry.at for entry in ledger] == sorted(entry.at for entry in ledger)

    def test_transactions_are_the_same_each_time(
        self, gateway: PaymentGateway, pay: Act, decline: Act
    ) -> None:
        """Reading changes nothing, and a transaction keeps its name."""
        checkout = _start(gateway)
        decline(checkout)
        pay(checkout)

        once = gateway.transactions(checkout.reference)
        assert gateway.transactions(checkout.reference) == once
        assert len({(entry.kind, entry.reference) for entry in once}) == len(once)

    def test_payments_do_not_mix(self, gateway: PaymentGateway, pay: Act) -> None:
        """A payment stands under its own checkout only."""
        paid, other = _start(gateway, "first"), _start(gateway, "second")
        pay(paid)

        assert gateway.transactions(other.reference) == ()

    def test_transactions_of_an_unknown_payment_are_not_found(
        self, gateway: PaymentGateway
    ) -> None:
        """An unknown reference is an error, not an empty ledger."""
        with pytest.raises(NotFound):
            gateway.transactions("no-such-payment")

    def test_a_refund_gives_the_money_back(
        self, gateway: PaymentGateway, pay: Act
    ) -> None:
        """A refund is answered with its transaction, which is then on record."""
        checkout = _start(gateway)
        pay(checkout)

        refund = gateway.refund(checkout.reference, AMOUNT, idempotency_key="back")

        assert (refund.kind, refund.amount) == (REFUND, AMOUNT)
        assert gateway.transactions(checkout.reference)[-1] == refund

    def test_the_same_key_refunds_once(self, gateway: PaymentGateway, pay: Act) -> None:
        """Asking again with the same key gives the first answer."""
        checkout = _start(gateway)
        pay(checkout)

        first = gateway.refund(checkout.reference, AMOUNT, idempotency_key="back")
        again = gateway.refund(checkout.reference, AMOUNT, idempotency_key="back")

        assert again == first
        assert _refunded(gateway, checkout) == AMOUNT.minor

    def test_one_key_at_once_refunds_once(
        self, gateway: PaymentGateway, pay: Act
    ) -> None:
        """Simultaneous requests with one key are one refund."""
        checkout = _start(gateway)
        pay(checkout)

        with ThreadPoolExecutor(8) as pool:
            refunds = pool.map(
                lambda _: gateway.refund(
                    checkout.reference, AMOUNT, idempotency_key="back"
                ),
                range(8),
            )
            assert len({refund.reference for refund in refunds}) == 1
        assert _refunded(gateway, checkout) == AMOUNT.minor

    def test_a_refund_key_is_not_used_for_two_requests(
        self, gateway: PaymentGateway, pay: Act
    ) -> None:
        """A key that comes with another payment is refused, and moves nothing."""
        first, second = _start(gateway, "first"), _start(gateway, "second")
        pay(first)
        pay(second)
        gateway.refund(first.reference, AMOUNT, idempotency_key="back")

        with pytest.raises(Rejected):
            gateway.refund(second.reference, AMOUNT, idempotency_key="back")
        assert _refunded(gateway, second) == 0

    def test_the_money_goes_back_only_once(
        self, gateway: PaymentGateway, pay: Act
    ) -> None:
        """A second refund of the whole, under another key, is rejected."""
        checkout = _start(gateway)
        pay(checkout)
        gateway.refund(checkout.reference, AMOUNT, idempotency_key="back")

        with pytest.raises(Rejected):
            gateway.refund(checkout.reference, AMOUNT, idempotency_key="again")
        assert _refunded(gateway, checkout) == AMOUNT.minor

    def test_no_more_goes_back_than_was_paid(
        self, gateway: PaymentGateway, pay: Act
    ) -> None:
        """A refund above the payment is rejected as a whole."""
        checkout = _start(gateway)
        pay(checkout)

        with pytest.raises(Rejected):
            gateway.refund(
                checkout.reference,
                evolve(AMOUNT, minor=AMOUNT.minor + 1),
                idempotency_key="back",
            )
        assert _refunded(gateway, checkout) == 0

    def test_what_was_not_paid_is_not_refunded(
        self, gateway: PaymentGateway, decline: Act
    ) -> None:
        """A refund of an open or a declined checkout is rejected."""
        checkout = _start(gateway)
        with pytest.raises(Rejected):
            gateway.refund(checkout.reference, AMOUNT, idempotency_key="back")
        decline(checkout)

        with pytest.raises(Rejected):
            gateway.refund(checkout.reference, AMOUNT, idempotency_key="again")

    def test_a_refund_is_in_the_currency_of_the_payment(
        self, gateway: PaymentGateway, pay: Act
    ) -> None:
        """The same number of another currency is another amount."""
        checkout = _start(gateway)
        pay(checkout)

        with pytest.raises(Rejected):
            gateway.refund(
                checkout.reference, Money(AMOUNT.minor, "USD"), idempotency_key="back"
            )

    def test_a_refund_of_an_unknown_payment_is_not_found(
        self, gateway: PaymentGateway
    ) -> None:
        """An unknown reference is never refunded."""
        with pytest.raises(NotFound):
            gateway.refund("no-such-payment", AMOUNT, idempotency_key="back")

    def test_a_part_is_refunded_only_where_declared(
        self, gateway: PaymentGateway, pay: Act
    ) -> None:
        """A gateway that never declared the capability refuses, whatever the part."""
        checkout = _start(gateway)
        pay(checkout)
        part = evolve(AMOUNT, minor=1999)
        if PaymentGatewayCapability.PARTIAL_REFUND not in gateway.capabilities:
            with pytest.raises(Unsupported):
                gateway.refund(checkout.reference, part, idempotency_key="part")
            assert _refunded(gateway, checkout) == 0
            return

        gateway.refund(checkout.reference, part, idempotency_key="one")
        gateway.refund(checkout.reference, part, idempotency_key="two")
        with pytest.raises(Rejected):
            gateway.refund(checkout.reference, part, idempotency_key="three")

        assert _refunded(gateway, checkout) == 2 * part.minor

    def test_racing_refunds_do_not_exceed_the_payment(
        self, gateway: PaymentGateway, pay: Act
    ) -> None:
        """However many ask at once, no more goes back than was paid."""
        checkout = _start(gateway)
        pay(checkout)

        def refund(number: int) -> bool:
            key = f"back-{number}"
            try:
                gateway.refund(checkout.reference, AMOUNT, idempotency_key=key)
            except Rejected:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(refund, range(8))) == 1
        assert _refunded(gateway, checkout) == AMOUNT.minor

    def test_a_webhook_says_what_transactions_says(
        self,
        gateway: PaymentGateway,
        pay: Act,
        decline: Act,
        signed: Signed,
        news: News,
    ) -> None:
        """Heard or looked up, the order's ledger becomes the same."""
        checkout = _start(gateway)
        decline(checkout)
        pay(checkout)
        gateway.refund(checkout.reference, AMOUNT, idempotency_key="back")

        heard = [gateway.read_webhook(body, signed(body)) for body in news(checkout)]

        told = {event.transaction for event in heard if event.transaction}
        assert told == set(gateway.transactions(checkout.reference))
        assert {event.order for event in heard if event.transaction} == {REQUEST.order}

    def test_a_repeated_webhook_has_the_same_id(
        self, gateway: PaymentGateway, pay: Act, signed: Signed, news: News
    ) -> None:
        """One piece of news has one id, however often and late it is sent."""
        checkout = _start(gateway)
        pay(checkout)
        body = news(checkout)[-1]

        now = gateway.read_webhook(body, signed(body))
        earlier = gateway.read_webhook(body, signed(body, age=timedelta(seconds=60)))

        assert now == earlier

    def test_different_news_have_different_ids(
        self,
        gateway: PaymentGateway,
        pay: Act,
        decline: Act,
        signed: Signed,
        news: News,
    ) -> None:
        """An id can be remembered in order to skip what was seen."""
        checkout = _start(gateway)
        decline(checkout)
        pay(checkout)

        bodies = set(news(checkout))
        ids = {gateway.read_webhook(body, signed(body)).id for body in bodies}
        assert len(ids) == len(bodies) >= 2

    def test_unrelated_news_have_no_transaction(
        self, gateway: PaymentGateway, signed: Signed, unrelated: bytes
    ) -> None:
        """News that does not concern us is understood, and says nothing."""
        event = gateway.read_webhook(unrelated, signed(unrelated))

        assert event.id
        assert event.transaction is None

    def test_an_unsigned_webhook_is_not_permitted(
        self, gateway: PaymentGateway, pay: Act, news: News
    ) -> None:
        """Without a signature nothing is believed."""
        checkout = _start(gateway)
        pay(checkout)

        with pytest.raises(NotPermitted):
            gateway.read_webhook(news(checkout)[-1], {})

    def test_a_changed_webhook_is_not_permitted(
        self, gateway: PaymentGateway, pay: Act, signed: Signed, news: News
    ) -> None:
        """The raw body is signed: one more space is another body."""
        checkout = _start(gateway)
        pay(checkout)
        body = news(checkout)[-1]

        flipped = bytes([body[0] ^ 1]) + body[1:]
        for changed in (body + b" ", b" " + body, flipped, b""):
            with pytest.raises(NotPermitted):
                gateway.read_webhook(changed, signed(body))

    def test_a_wrong_signature_is_not_permitted(
        self, gateway: PaymentGateway, pay: Act, signed: Signed, news: News
    ) -> None:
        """The signature of other news, or of nothing, does not help."""
        checkout = _start(gateway)
        pay(checkout)
        body = news(checkout)[-1]
        stolen = signed(b"{}")

        for headers in (stolen, dict.fromkeys(stolen, ""), dict.fromkeys(stolen, "é")):
            with pytest.raises(NotPermitted):
                gateway.read_webhook(body, headers)

    def test_an_old_webhook_is_not_permitted(
        self, gateway: PaymentGateway, pay: Act, signed: Signed, news: News
    ) -> None:
        """What was signed a day ago is a replay."""
        checkout = _start(gateway)
        pay(checkout)
        body = news(checkout)[-1]

        with pytest.raises(NotPermitted):
            gateway.read_webhook(body, signed(body, age=timedelta(days=1)))

    @pytest.mark.parametrize(
        "body",
        [b"", b"{}", b"[]", b"null", b"not json", b"\xff\xfe", b"[" * 100_000],
        ids=["empty", "object", "list", "null", "text", "bytes", "deep"],
    )
    def test_signed_nonsense_is_an_invalid_value(
        self, gateway: PaymentGateway, signed: Signed, body: bytes
    ) -> None:
        """What is signed but no event is refused by its own class."""
        with pytest.raises(InvalidValue):
            gateway.read_webhook(body, signed(body))
