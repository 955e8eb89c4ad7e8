from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise, permutations
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lms_core.domain.commerce.order import (
    Order,
    OrderStatus,
    Transaction,
    TransactionKind,
)
from lms_core.domain.events import Event, OrderPaid, OrderPlaced, OrderRefunded
from lms_core.domain.ids import CourseId, OrderId, UserId
from lms_core.domain.money import Money
from lms_core.errors import InvalidValue, Refused
from lms_core.testing.strategies import ledgers, orders, transactions

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = (OrderId("order-1"), UserId("user-1"), CourseId("baking"))
PAYMENT, REFUND = TransactionKind.PAYMENT, TransactionKind.REFUND
FAILURE, EXPIRY = TransactionKind.FAILURE, TransactionKind.EXPIRY
CHARGEBACK = TransactionKind.CHARGEBACK
REINSTATEMENT = TransactionKind.REINSTATEMENT
ENTITLED = {OrderStatus.PAID, OrderStatus.PARTLY_REFUNDED}
GONE = {OrderStatus.REFUNDED, OrderStatus.CHARGED_BACK}


def placed(minor: int = 5000) -> Order:
    return Order.place(*NAMES, Money(minor, "EUR"), at=NOW)[0]


def fact(kind: TransactionKind, minor: int = 5000, reference: str = "t") -> Transaction:
    return Transaction(
        reference=reference, kind=kind, amount=Money(minor, "EUR"), at=NOW
    )


def told(order: Order, news: Iterable[Transaction]) -> tuple[Order, list[Event]]:
    """Return *order* after *news*, and every event on the way."""
    events: list[Event] = []
    for transaction in news:
        order, more = order.record(transaction)
        events.extend(more)
    return order, events


def status(*news: Transaction, minor: int = 5000) -> OrderStatus:
    return told(placed(minor), news)[0].status


def codes(caught: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [reason.code for reason in caught.value.reasons]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Transaction], list[Transaction]]:
    """Facts once each, and the same facts repeated and shuffled."""
    facts = draw(ledgers())
    copies = draw(st.lists(st.sampled_from(facts), max_size=8)) if facts else []
    return facts, draw(st.permutations(facts + copies))


@given(orders(), deliveries())
def test_late_and_repeated_news_give_the_same_order(order: Order, news: Any) -> None:
    once, shuffled = news

    assert told(order, shuffled)[0] == told(order, once)[0]


@given(orders(), deliveries())
def test_each_event_is_one_change_of_status(order: Order, news: Any) -> None:
    for transaction in news[1]:
        after, events = order.record(transaction)
        begins = after.status in ENTITLED and order.status not in ENTITLED
        ends = after.status in GONE and order.status not in GONE
        assert [type(event) for event in events] == (
            [OrderPaid] * begins + [OrderRefunded] * ends
        )
        order = after


@given(orders(), deliveries())
def test_the_last_event_fits_the_status(order: Order, news: Any) -> None:
    after, events = told(order, news[1])

    names = [type(event) for event in events]
    # Nothing is said twice in a row, however often and late the news come.
    assert all(a is not b for a, b in pairwise(names))
    assert (names[-1:] == [OrderPaid]) == (after.status in ENTITLED)
    assert (names[-1:] == [OrderRefunded]) == (after.status in GONE)


@given(orders(), ledgers(), transactions())
def test_the_books_balance(
    order: Order, facts: list[Transaction], last: Transaction
) -> None:
    names = {(entry.kind, entry.reference) for entry in facts}
    if (last.kind, last.reference) not in names:
        facts.append(last)
    after, _ = told(order, facts)

    assert sorted(map(repr, after.ledger)) == sorted(map(repr, facts))
    gone = after.refunded.minor + after.charged_back.minor
    assert after.balance.minor == after.paid.minor - gone
    assert after.overpaid.minor >= 0
    assert after.entitles == (after.status in ENTITLED)
    assert after.is_undone == (after.status in GONE)
    if after.status in ENTITLED:
        assert after.paid.minor >= order.amount.minor
    if after.status is OrderStatus.PAID:
        assert after.balance.minor >= order.amount.minor
    if after.status in GONE:
        assert after.balance.minor <= 0


def test_every_order_of_a_whole_story_is_the_same_order() -> None:
    story = [
        evolve(fact(kind, minor, reference), at=NOW + timedelta(minutes=minute))
        for minute, (kind, minor, reference) in enumerate(
            [
                (FAILURE, 5000, "try-1"),
                (PAYMENT, 5000, "pay-1"),
                (REFUND, 2000, "back-1"),
                (REFUND, 3000, "back-2"),
                (CHARGEBACK, 5000, "dispute"),
                (REINSTATEMENT, 5000, "dispute"),
                (EXPIRY, 5000, "end"),
            ]
        )
    ]
    expected, _ = told(placed(), story)

    assert expected.status is OrderStatus.REFUNDED
    assert {told(placed(), p)[0] for p in permutations(story)} == {expected}


def test_an_order_is_placed_without_money() -> None:
    order, events = Order.place(*NAMES, Money(5000, "EUR"), at=NOW)

    assert (order.status, order.ledger) == (OrderStatus.PENDING, ())
    assert [type(event) for event in events] == [OrderPlaced]


def test_no_price_is_negative() -> None:
    with pytest.raises(InvalidValue):
        Order.place(*NAMES, Money(-1, "EUR"), at=NOW)


@pytest.mark.parametrize(
    ("news", "expected"),
    [
        ([fact(FAILURE)], OrderStatus.FAILED),
        ([fact(FAILURE), fact(PAYMENT)], OrderStatus.PAID),
        ([fact(PAYMENT), fact(FAILURE)], OrderStatus.PAID),
        ([fact(EXPIRY)], OrderStatus.EXPIRED),
        ([fact(EXPIRY), fact(FAILURE)], OrderStatus.EXPIRED),
        ([fact(PAYMENT), fact(EXPIRY)], OrderStatus.PAID),
        ([fact(REFUND)], OrderStatus.PENDING),
        ([fact(REFUND), fact(PAYMENT)], OrderStatus.REFUNDED),
        ([fact(REFUND, 2000), fact(PAYMENT)], OrderStatus.PARTLY_REFUNDED),
        ([fact(PAYMENT), fact(REFUND, 0)], OrderStatus.PAID),
        ([fact(PAYMENT), fact(REFUND), fact(EXPIRY)], OrderStatus.REFUNDED),
    ],
    ids=lambda value: (
        value.value
        if isinstance(value, OrderStatus)
        else "-".join(f"{entry.kind}{entry.amount.minor}" for entry in value)
    ),
)
def test_the_ledger_adds_up(news: list[Transaction], expected: OrderStatus) -> None:
    assert status(*news) is expected


def test_less_than_the_price_does_not_pay() -> None:
    assert status(fact(PAYMENT, 4999)) is OrderStatus.PENDING
    assert status(fact(PAYMENT, 4999), fact(EXPIRY)) is OrderStatus.EXPIRED
    assert status(fact(PAYMENT, 4999), fact(PAYMENT, 1, "u")) is OrderStatus.PAID


def test_what_was_paid_twice_and_given_back_once_is_paid() -> None:
    twice = (fact(PAYMENT), fact(PAYMENT, reference="second tab"))
    order, events = told(placed(), [*twice, fact(REFUND)])

    assert (order.status, order.overpaid.minor) == (OrderStatus.PAID, 0)
    assert [type(event) for event in events] == [OrderPaid]
    assert told(placed(), twice)[0].overpaid == Money(5000, "EUR")


def test_paying_again_after_a_refund_gives_the_course_again() -> None:
    news = [fact(PAYMENT), fact(REFUND), fact(PAYMENT, reference="again")]
    order, events = told(placed(), news)

    assert order.status is OrderStatus.PAID
    assert [type(event) for event in events] == [OrderPaid, OrderRefunded, OrderPaid]


def test_a_dispute_takes_the_course_until_it_is_won() -> None:
    paid_and_disputed = (fact(PAYMENT), fact(CHARGEBACK))
    won, events = told(placed(), [*paid_and_disputed, fact(REINSTATEMENT)])

    assert status(*paid_and_disputed) is OrderStatus.CHARGED_BACK
    assert won.status is OrderStatus.PAID
    assert [type(event) for event in events] == [OrderPaid, OrderRefunded, OrderPaid]


def test_a_dispute_that_was_won_before_we_heard_of_it_changes_nothing() -> None:
    early, _ = told(placed(), [fact(PAYMENT), fact(REINSTATEMENT)])
    order, events = told(early, [fact(CHARGEBACK)])

    assert (early.status, early.balance) == (OrderStatus.PAID, early.paid)
    assert (order.status, order.overpaid.minor) == (OrderStatus.PAID, 0)
    assert events == []


def test_a_dispute_after_a_refund_leaves_a_debt() -> None:
    order, events = told(placed(), [fact(PAYMENT), fact(REFUND), fact(CHARGEBACK)])

    assert order.status is OrderStatus.CHARGED_BACK
    assert order.balance == Money(-5000, "EUR")
    assert [type(event) for event in events] == [OrderPaid, OrderRefunded]


def test_a_free_order_is_paid_by_nothing_and_ended_by_nothing() -> None:
    assert status(minor=0) is OrderStatus.PENDING
    assert status(fact(PAYMENT, 0), minor=0) is OrderStatus.PAID
    assert status(fact(PAYMENT, 0), fact(REFUND, 0), minor=0) is OrderStatus.REFUNDED


def test_events_tell_the_price_and_what_went_back() -> None:
    news = [fact(PAYMENT, 6000), fact(REFUND, 1000), fact(REFUND, 5000, "rest")]
    _, (paid, refunded) = told(placed(), news)

    assert isinstance(paid, OrderPaid)
    assert isinstance(refunded, OrderRefunded)
    assert (paid.amount.minor, refunded.amount.minor) == (5000, 6000)
    assert (paid.order, paid.buyer, paid.course) == NAMES


def test_the_earliest_news_of_a_fact_says_when_it_was() -> None:
    early, late = fact(PAYMENT), evolve(fact(PAYMENT), at=NOW + timedelta(hours=1))

    for news in ([early, late], [late, early]):
        order, events = told(placed(), news)
        assert order.ledger == (early,)
        assert len(events) == 1


def test_the_same_instant_elsewhere_is_the_same_fact() -> None:
    abroad = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))

    assert evolve(fact(PAYMENT), at=abroad) == fact(PAYMENT)


def test_a_fact_has_a_name_an_amount_and_a_zone() -> None:
    with pytest.raises(InvalidValue):
        fact(PAYMENT, reference="")
    with pytest.raises(InvalidValue):
        fact(PAYMENT, -1)
    with pytest.raises(InvalidValue):
        evolve(fact(PAYMENT), at=NOW.replace(tzinfo=None))


def test_news_that_contradict_the_ledger_are_refused() -> None:
    order, _ = told(placed(), [fact(PAYMENT)])

    with pytest.raises(Refused) as caught:
        order.record(fact(PAYMENT, 1))
    assert codes(caught) == ["transaction-differs"]
    with pytest.raises(Refused) as caught:
        order.record(evolve(fact(REFUND), amount=Money(5000, "USD")))
    assert codes(caught) == ["currency-differs"]


@pytest.mark.parametrize("news", [[], [fact(FAILURE)], [fact(EXPIRY)]])
def test_an_unpaid_order_gets_a_page(news: list[Transaction]) -> None:
    order = told(placed(), news)[0].open_checkout("checkout", "https://pay.example")

    assert order.checkout == "checkout"
    assert order.checkout_url == "https://pay.example"
    assert order.open_checkout("checkout", "https://pay.example") is order


@pytest.mark.parametrize(
    "news", [[fact(PAYMENT)], [fact(PAYMENT), fact(REFUND)], [fact(PAYMENT, 6000)]]
)
def test_a_settled_order_gets_no_second_page(news: list[Transaction]) -> None:
    order = placed().open_checkout("checkout", "https://pay.example")
    order, _ = told(order, news)

    assert order.open_checkout("checkout", "https://pay.example") is order
    with pytest.raises(Refused) as caught:
        order.open_checkout("second", "https://pay.example")
    assert codes(caught) == ["order-is-settled"]
