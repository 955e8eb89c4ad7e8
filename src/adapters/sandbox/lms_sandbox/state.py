"""What the sandbox remembers: checkouts, money, and whom to tell."""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Any

from attrs import asdict, frozen

from lms_core.domain.commerce.order import Transaction, TransactionKind
from lms_core.domain.money import Money
from lms_core.ports.payment_gateway import CheckoutRequest
from lms_sandbox._database import Database
from lms_sandbox._rows import (
    CheckoutStatus,
    StoredCheckout,
    answer_to,
    demand_refundable,
    find_checkout,
    instant,
    ledger_of,
    remember,
)
from lms_sandbox.cards import Card
from lms_sandbox.events import event_body


@frozen(kw_only=True)
class State:
    """The books; every change is whole, and its webhooks are part of it."""

    database: Database
    new_id: Callable[[], str]

    def start(
        self, request: CheckoutRequest, *, key: str, reference: str, until: datetime
    ) -> StoredCheckout:
        """Open a checkout under *reference*, or return the one *key* got before."""
        asked: dict[str, Any] = {"checkout": asdict(request)}
        with self.database.transaction() as db:
            known = answer_to(db, key, asked)
            if known is None:
                remember(db, key, asked, reference)
                db.execute(
                    "INSERT INTO checkouts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open')",
                    (
                        reference,
                        request.order,
                        request.amount.minor,
                        request.amount.currency,
                        request.description,
                        request.buyer_email,
                        request.success_url,
                        request.cancel_url,
                        instant(until),
                    ),
                )
            return find_checkout(db, known or reference)

    def checkout(self, reference: str, *, at: datetime) -> StoredCheckout:
        """Return where the checkout stands, or raise `NotFound`."""
        with self.database.transaction() as db:
            self._expire(db, at)
            return find_checkout(db, reference)

    def transactions(self, reference: str, *, at: datetime) -> tuple[Transaction, ...]:
        """Return all that happened, oldest first, or raise `NotFound`."""
        with self.database.transaction() as db:
            self._expire(db, at)
            find_checkout(db, reference)
            return ledger_of(db, reference)

    def pay(self, reference: str, card: Card, *, at: datetime) -> bool:
        """Try *card*; `False` when the checkout is no longer open.

        However many try at once, a checkout is paid at most once. Raises
        `NotFound`.
        """
        with self.database.transaction() as db:
            self._expire(db, at)
            checkout = find_checkout(db, reference)
            if checkout.status is not CheckoutStatus.OPEN:
                return False
            if TransactionKind.PAYMENT in card.happens:
                db.execute(
                    "UPDATE checkouts SET status = 'paid' WHERE reference = ?",
                    (reference,),
                )
            happened = [
                self._add(db, checkout, kind, checkout.request.amount, at)
                for kind in card.happens
            ]
            for position in card.news:
                self._tell(db, checkout, happened[position], at + card.news_after)
            return True

    def refund(
        self, reference: str, amount: Money, *, key: str, at: datetime
    ) -> Transaction:
        """Give *amount* back, once for a *key*.

        Raises:
            NotFound: there is no such checkout.
            Rejected: it is not paid, or less than *amount* is left.
        """
        asked = {"refund": [reference, asdict(amount)]}
        with self.database.transaction() as db:
            self._expire(db, at)
            checkout = find_checkout(db, reference)
            known = answer_to(db, key, asked)
            if known is None:
                demand_refundable(checkout, ledger_of(db, reference), amount)
                done = self._add(db, checkout, TransactionKind.REFUND, amount, at)
                self._tell(db, checkout, done, at)
                remember(db, key, asked, done.reference)
                return done
            return next(
                entry for entry in ledger_of(db, reference) if entry.reference == known
            )

    def expire(self, *, at: datetime) -> None:
        """Close what nobody paid in time, and tell of it."""
        with self.database.transaction() as db:
            self._expire(db, at)

    def _expire(self, db: sqlite3.Connection, at: datetime) -> None:
        over = db.execute(
            "SELECT reference FROM checkouts WHERE status = 'open' AND expires_at <= ?",
            (instant(at),),
        ).fetchall()
        for row in over:
            checkout = find_checkout(db, row["reference"])
            db.execute(
                "UPDATE checkouts SET status = 'expired' WHERE reference = ?",
                (checkout.reference,),
            )
            when, amount = checkout.expires_at, checkout.request.amount
            ended = self._add(db, checkout, TransactionKind.EXPIRY, amount, when)
            self._tell(db, checkout, ended, when)

    def _add(
        self,
        db: sqlite3.Connection,
        checkout: StoredCheckout,
        kind: TransactionKind,
        amount: Money,
        at: datetime,
    ) -> Transaction:
        reference = f"{kind.value}-{self.new_id()}"
        db.execute(
            "INSERT INTO transactions (reference, checkout, kind, minor, at)"
            " VALUES (?, ?, ?, ?, ?)",
            (reference, checkout.reference, kind.value, amount.minor, instant(at)),
        )
        return Transaction(reference=reference, kind=kind, amount=amount, at=at)

    @staticmethod
    def _tell(
        db: sqlite3.Connection, about: StoredCheckout, news: Transaction, due: datetime
    ) -> None:
        body = event_body(news, checkout=about.reference, order=about.request.order)
        db.execute(
            "INSERT INTO deliveries (body, due_at) VALUES (?, ?)", (body, instant(due))
        )
