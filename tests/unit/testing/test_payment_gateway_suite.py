import inspect
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from attrs import define, evolve, field

from lms_core.domain.commerce.order import Transaction, TransactionKind
from lms_core.domain.ids import OrderId
from lms_core.domain.money import Money
from lms_core.errors import LmsError, NotFound, Rejected
from lms_core.ports.payment_gateway import Checkout, CheckoutRequest, WebhookEvent
from lms_core.testing.payment_gateway import REQUEST, PaymentGatewayConformance
from lms_sandbox._database import Database
from lms_sandbox.cards import CARDS
from lms_sandbox.events import read_event
from lms_sandbox.payment_gateway import SandboxPaymentGateway
from lms_sandbox.signing import HEADER, signature
from lms_sandbox.state import State

KEY = "webhook-key-0123456789"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NUMBERS = count()


class Still:
    def now(self) -> datetime:
        return NOW


@define
class Names:
    _numbers: Iterator[int] = field(factory=count)

    def new(self) -> str:
        return f"name-{next(self._numbers):06}"

    token = new


class Sound(SandboxPaymentGateway):
    """The gateway that the broken ones differ from."""


class ForgetsKeys(Sound):
    def start_checkout(
        self, request: CheckoutRequest, *, idempotency_key: str
    ) -> Checkout:
        key = f"{idempotency_key}-{next(NUMBERS)}"
        return super().start_checkout(request, idempotency_key=key)


class HasOneCheckout(Sound):
    def start_checkout(
        self, request: CheckoutRequest, *, idempotency_key: str
    ) -> Checkout:
        assert idempotency_key
        return super().start_checkout(request, idempotency_key="the one")


class ComparesNothing(Sound):
    def start_checkout(
        self, request: CheckoutRequest, *, idempotency_key: str
    ) -> Checkout:
        plain = evolve(request, amount=Money(4999, "EUR"), order=OrderId("any"))
        return super().start_checkout(plain, idempotency_key=idempotency_key)


class ForgetsTheZone(Sound):
    def start_checkout(
        self, request: CheckoutRequest, *, idempotency_key: str
    ) -> Checkout:
        opened = super().start_checkout(request, idempotency_key=idempotency_key)
        return evolve(opened, expires_at=opened.expires_at.replace(tzinfo=None))


class Reads(Sound):
    """A gateway that tells its transactions wrongly."""

    def retold(self, ledger: tuple[Transaction, ...]) -> tuple[Transaction, ...]:
        return ledger

    def transactions(self, reference: str) -> tuple[Transaction, ...]:
        return self.retold(super().transactions(reference))


class PaysByItself(Reads):
    def retold(self, ledger: tuple[Transaction, ...]) -> tuple[Transaction, ...]:
        amount = Money(4999, "EUR")
        kind = TransactionKind.PAYMENT
        return ledger or (
            Transaction(reference="early", kind=kind, amount=amount, at=NOW),
        )


class LosesACent(Reads):
    def retold(self, ledger: tuple[Transaction, ...]) -> tuple[Transaction, ...]:
        return tuple(
            evolve(e, amount=evolve(e.amount, minor=e.amount.minor - 1)) for e in ledger
        )


class TakesFailureForPayment(Reads):
    def retold(self, ledger: tuple[Transaction, ...]) -> tuple[Transaction, ...]:
        paid = TransactionKind.PAYMENT
        return tuple(
            evolve(e, kind=paid) if e.kind is TransactionKind.FAILURE else e
            for e in ledger
        )


class ReadsNewestFirst(Reads):
    def retold(self, ledger: tuple[Transaction, ...]) -> tuple[Transaction, ...]:
        return ledger[::-1]


class RenamesTransactions(Reads):
    def retold(self, ledger: tuple[Transaction, ...]) -> tuple[Transaction, ...]:
        return tuple(evolve(e, reference=f"t-{next(NUMBERS)}") for e in ledger)


class ShrugsAtUnknown(Sound):
    def transactions(self, reference: str) -> tuple[Transaction, ...]:
        try:
            return super().transactions(reference)
        except NotFound:
            return ()


class RefundsAnything(Sound):
    """Gives back whatever it is asked for."""

    def refund(
        self, reference: str, amount: Money, *, idempotency_key: str
    ) -> Transaction:
        assert idempotency_key
        done = Transaction(
            reference=f"refund-{next(NUMBERS)}",
            kind=TransactionKind.REFUND,
            amount=Money(amount.minor, "EUR"),
            at=NOW,
        )
        with self.state.database.transaction() as db:
            found = db.execute(
                "INSERT INTO transactions (reference, checkout, kind, minor, at)"
                " SELECT ?, reference, 'refund', ?, ? FROM checkouts"
                " WHERE reference = ?",
                (done.reference, amount.minor, NOW.isoformat(), reference),
            )
            assert found.rowcount <= 1
        return done


class ComparesNoRefunds(Sound):
    def refund(
        self, reference: str, amount: Money, *, idempotency_key: str
    ) -> Transaction:
        key = f"{reference}-{idempotency_key}"
        return super().refund(reference, amount, idempotency_key=key)


class OnlySaysSo(Sound):
    def refund(
        self, reference: str, amount: Money, *, idempotency_key: str
    ) -> Transaction:
        assert reference
        return Transaction(
            reference=idempotency_key,
            kind=TransactionKind.REFUND,
            amount=amount,
            at=NOW,
        )


class RefundsInSilence(Sound):
    capabilities = frozenset()


class RefundsWholeOnly(Sound):
    def refund(
        self, reference: str, amount: Money, *, idempotency_key: str
    ) -> Transaction:
        if amount.minor != 4999:
            raise Rejected("the whole or nothing")
        return super().refund(reference, amount, idempotency_key=idempotency_key)


class Trusts(Sound):
    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        assert headers is not None
        return read_event(body)


class HearsNothing(Sound):
    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        return evolve(super().read_webhook(body, headers), transaction=None)


class CountsNews(Sound):
    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        event = super().read_webhook(body, headers)
        return evolve(event, id=f"event-{next(NUMBERS)}")


class HasOneId(Sound):
    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        return evolve(super().read_webhook(body, headers), id="event")


class SeesPaymentsEverywhere(Sound):
    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        event = super().read_webhook(body, headers)
        seen = Transaction(
            reference="t",
            kind=TransactionKind.PAYMENT,
            amount=Money(1, "EUR"),
            at=NOW,
        )
        return evolve(event, transaction=event.transaction or seen)


class AcceptsNonsense(Sound):
    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        try:
            return super().read_webhook(body, headers)
        except ValueError:
            return WebhookEvent(id="event", order=None, transaction=None)


NOTICED_BY: dict[type[Sound], set[str]] = {
    ForgetsKeys: {
        "test_the_same_key_gives_the_same_checkout",
        "test_the_same_key_gives_the_same_checkout_after_payment",
        "test_one_key_at_once_opens_one_checkout",
    },
    HasOneCheckout: {
        "test_another_key_gives_another_checkout",
        "test_payments_do_not_mix",
    },
    ComparesNothing: {
        "test_a_key_is_not_used_for_two_requests",
        "test_an_amount_below_zero_is_declined",
    },
    ForgetsTheZone: {"test_a_checkout_is_a_page_that_expires"},
    PaysByItself: {"test_nothing_has_happened_to_a_new_checkout"},
    LosesACent: {"test_a_payment_is_one_transaction_of_the_amount"},
    TakesFailureForPayment: {"test_a_declined_card_pays_nothing"},
    ReadsNewestFirst: {"test_transactions_come_oldest_first"},
    RenamesTransactions: {"test_transactions_are_the_same_each_time"},
    ShrugsAtUnknown: {"test_transactions_of_an_unknown_payment_are_not_found"},
    RefundsAnything: {
        "test_the_same_key_refunds_once",
        "test_one_key_at_once_refunds_once",
        "test_the_money_goes_back_only_once",
        "test_no_more_goes_back_than_was_paid",
        "test_what_was_not_paid_is_not_refunded",
        "test_a_refund_is_in_the_currency_of_the_payment",
        "test_a_refund_of_an_unknown_payment_is_not_found",
        "test_racing_refunds_do_not_exceed_the_payment",
        "test_a_part_is_refunded_only_where_declared",
    },
    ComparesNoRefunds: {"test_a_refund_key_is_not_used_for_two_requests"},
    OnlySaysSo: {"test_a_refund_gives_the_money_back"},
    RefundsInSilence: {"test_a_part_is_refunded_only_where_declared"},
    RefundsWholeOnly: {"test_a_part_is_refunded_only_where_declared"},
    Trusts: {
        "test_an_unsigned_webhook_is_not_permitted",
        "test_a_changed_webhook_is_not_permitted",
        "test_a_wrong_signature_is_not_permitted",
        "test_an_old_webhook_is_not_permitted",
    },
    HearsNothing: {"test_a_webhook_says_what_transactions_says"},
    CountsNews: {"test_a_repeated_webhook_has_the_same_id"},
    HasOneId: {"test_different_news_have_different_ids"},
    SeesPaymentsEverywhere: {"test_unrelated_news_have_no_transaction"},
    AcceptsNonsense: {"test_signed_nonsense_is_an_invalid_value"},
}
CLAUSES = {name for name in vars(PaymentGatewayConformance) if name.startswith("test_")}
PAIRS = [(broken, clause) for broken, all_ in NOTICED_BY.items() for clause in all_]


def run(kind: type[Sound], clause: str) -> None:
    """Run one clause against a fresh gateway of *kind*."""
    with kind(
        state=State(database=Database(":memory:"), new_id=Names().new),
        base="https://gateway.example.org",
        keys=(KEY,),
        clock=Still(),
        tokens=Names(),
    ) as gateway:

        def act(number: str) -> Callable[[Checkout], None]:
            def pay(checkout: Checkout) -> None:
                gateway.state.pay(checkout.reference, CARDS[number], at=NOW)

            return pay

        def signed(body: bytes, *, age: timedelta = timedelta(0)) -> dict[str, str]:
            return {HEADER: signature(body, [KEY], at=NOW - age)}

        def news(_: Checkout) -> tuple[bytes, ...]:
            with gateway.state.database.transaction() as db:
                rows = db.execute("SELECT body FROM deliveries ORDER BY number")
                return tuple(bytes(row["body"]) for row in rows)

        fixtures: dict[str, Any] = {
            "gateway": gateway,
            "pay": act("4242424242424242"),
            "decline": act("4000000000000002"),
            "signed": signed,
            "news": news,
            "unrelated": b'{"id":"evt-1","type":"payout.sent"}',
            "other": evolve(REQUEST, order=OrderId("another")),
            "body": b"{}",
        }
        suite = PaymentGatewayConformance()
        wanted = inspect.signature(getattr(suite, clause)).parameters
        getattr(suite, clause)(**{name: fixtures[name] for name in wanted})


@pytest.mark.parametrize("clause", sorted(CLAUSES))
def test_a_sound_gateway_keeps_the_clause(clause: str) -> None:
    run(Sound, clause)


@pytest.mark.parametrize(
    ("broken", "clause"),
    [pytest.param(b, c, id=f"{b.__name__}-{c}") for b, c in sorted(PAIRS, key=str)],
)
def test_a_broken_gateway_is_noticed(broken: type[Sound], clause: str) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception, LmsError)):
        run(broken, clause)


def test_every_clause_notices_something() -> None:
    assert {clause for _, clause in PAIRS} == CLAUSES
