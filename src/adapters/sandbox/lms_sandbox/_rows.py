"""What stands in the sandbox's file, read and compared."""

import json
import sqlite3
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from lms_core.domain.commerce.order import Transaction, TransactionKind
from lms_core.domain.ids import OrderId
from lms_core.domain.instants import utc
from lms_core.domain.money import Money
from lms_core.errors import NotFound, Rejected
from lms_core.ports.payment_gateway import CheckoutRequest


class CheckoutStatus(StrEnum):
    """Where a checkout stands; only an open one can be paid."""

    OPEN = "open"
    PAID = "paid"
    EXPIRED = "expired"


@frozen(kw_only=True)
class StoredCheckout:
    """A checkout as it was asked for, and where it stands."""

    reference: str
    request: CheckoutRequest
    expires_at: datetime
    status: CheckoutStatus


def instant(at: datetime) -> str:
    """Return *at* as text that sorts as time does."""
    return utc(at).isoformat(timespec="microseconds")


def answer_to(db: sqlite3.Connection, key: str, request: object) -> str | None:
    """Return what *key* got before, or `None` if it is new.

    Raises:
        Rejected: the key came with another request.
    """
    row = db.execute(
        "SELECT request, answer FROM idempotency_keys WHERE key = ?", (key,)
    ).fetchone()
    if row is None:
        return None
    if row["request"] != json.dumps(request, sort_keys=True):
        raise Rejected(
            "the key was used with another request", code="idempotency-key-reused"
        )
    return str(row["answer"])


def remember(db: sqlite3.Connection, key: str, request: object, answer: str) -> None:
    """Keep *answer* for the next time *key* comes with the same request."""
    db.execute(
        "INSERT INTO idempotency_keys (key, request, answer) VALUES (?, ?, ?)",
        (key, json.dumps(request, sort_keys=True), answer),
    )


def find_checkout(db: sqlite3.Connection, reference: str) -> StoredCheckout:
    """Return the checkout, or raise `NotFound`."""
    row = db.execute(
        "SELECT * FROM checkouts WHERE reference = ?", (reference,)
    ).fetchone()
    if row is None:
        raise NotFound(f"no checkout {reference!r:.80}", resource=reference[:80])
    return StoredCheckout(
        reference=row["reference"],
        request=CheckoutRequest(
            order=OrderId(row["order_id"]),
            amount=Money(row["minor"], row["currency"]),
            description=row["description"],
            buyer_email=row["buyer_email"],
            success_url=row["success_url"],
            cancel_url=row["cancel_url"],
        ),
        expires_at=datetime.fromisoformat(row["expires_at"]),
        status=CheckoutStatus(row["status"]),
    )


def ledger_of(db: sqlite3.Connection, reference: str) -> tuple[Transaction, ...]:
    """Return what happened to the checkout, oldest first."""
    rows = db.execute(
        "SELECT t.*, c.currency FROM transactions t"
        " JOIN checkouts c ON c.reference = t.checkout"
        " WHERE t.checkout = ? ORDER BY t.at, t.number",
        (reference,),
    )
    return tuple(
        Transaction(
            reference=row["reference"],
            kind=TransactionKind(row["kind"]),
            amount=Money(row["minor"], row["currency"]),
            at=datetime.fromisoformat(row["at"]),
        )
        for row in rows
    )


def demand_refundable(
    checkout: StoredCheckout, ledger: tuple[Transaction, ...], amount: Money
) -> None:
    """Raise `Rejected` unless *amount* is left of what was paid."""
    if amount.currency != checkout.request.amount.currency:
        raise Rejected("it was paid in another currency", code="currency-differs")
    if amount.minor <= 0:
        raise Rejected("a refund is above zero", code="amount-not-positive")
    if checkout.status is not CheckoutStatus.PAID:
        raise Rejected("nothing was paid", code="not-paid")
    gone = {TransactionKind.REFUND, TransactionKind.CHARGEBACK}
    left = checkout.request.amount.minor - sum(
        entry.amount.minor for entry in ledger if entry.kind in gone
    )
    if amount.minor > left:
        raise Rejected("more than is left of the payment", code="more-than-paid")
