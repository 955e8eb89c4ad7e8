"""Take money and give it back."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from attrs import frozen

from lms_core.domain.commerce.order import Transaction
from lms_core.domain.ids import OrderId
from lms_core.domain.money import Money


class PaymentGatewayCapability(StrEnum):
    """What some gateways can do and others cannot."""

    PARTIAL_REFUND = "partial-refund"


@frozen(kw_only=True)
class CheckoutRequest:
    """What a buyer is asked to pay, and where the browser goes afterwards."""

    order: OrderId
    amount: Money
    description: str
    buyer_email: str
    success_url: str
    cancel_url: str


@frozen(kw_only=True)
class Checkout:
    """A page of the gateway where the buyer pays.

    *reference* is the gateway's name for the payment. Coming back to the
    success URL proves nothing: only a transaction does.
    """

    reference: str
    url: str
    expires_at: datetime


@frozen(kw_only=True)
class WebhookEvent:
    """What a gateway told us, checked to be from it.

    *id* is the same when the gateway repeats itself. *transaction* is `None`
    for news that does not concern us.
    """

    id: str
    order: OrderId | None
    transaction: Transaction | None


class PaymentGateway(Protocol):
    """A payment provider with a hosted page and signed webhooks."""

    @property
    def capabilities(self) -> frozenset[PaymentGatewayCapability]:
        """What this gateway can do beyond the contract."""
        ...

    def start_checkout(
        self, request: CheckoutRequest, *, idempotency_key: str
    ) -> Checkout:
        """Open a checkout; the same key gives the same one.

        Raises:
            Rejected: the gateway declined the request (amount, currency), or
                the key was used with another request.
            Unavailable: with an unknown effect, ask again with the same key.
        """
        ...

    def transactions(self, reference: str) -> tuple[Transaction, ...]:
        """Return everything that has happened to the payment, oldest first.

        This is how a lost webhook is made good. Raises `NotFound`.
        """
        ...

    def refund(
        self, reference: str, amount: Money, *, idempotency_key: str
    ) -> Transaction:
        """Give *amount* back; the same key gives it back once.

        Raises:
            NotFound: there is no such payment.
            Rejected: more than was paid, or not paid at all, or the key was used
                with another request.
            Unsupported: a part was asked for without `PARTIAL_REFUND`.
            Unavailable: with an unknown effect, ask again with the same key.
        """
        ...

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        """Check a webhook against its signature and say what it means.

        *headers* have lower-case names. The raw *body* is what is signed.

        Raises:
            NotPermitted: the signature is missing, wrong or too old.
            InvalidValue: it is signed, but not an event.
        """
        ...
