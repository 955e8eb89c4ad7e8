"""Buying: prices are ours, webhooks come in any order, money is never kept twice."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from attrs import evolve

from lms_core.application.place_order import (
    PlaceOrder,
    ReadOrder,
    RecordPayment,
    RefundOrder,
)
from lms_core.domain.commerce.order import OrderStatus, Transaction, TransactionKind
from lms_core.domain.enrollment.enrollment import EnrollmentStatus
from lms_core.domain.ids import OrderId
from lms_core.domain.money import Money
from lms_core.domain.people.user import Role, RoleGrant
from lms_core.errors import InvalidValue, NotFound, NotPermitted, Refused, Rejected
from lms_sandbox.cards import CARDS
from lms_sandbox.events import event_body
from lms_sandbox.signing import HEADER, signature

PRICE = Money(4900, "EUR")
GOOD_CARD = CARDS["4242424242424242"]


@pytest.fixture
def shop(world: Any, content: Callable[..., Any]) -> Any:
    world.publish(content(prices=(PRICE,)))
    return world


def pay(world: Any, order: Any) -> None:
    world.gateway.state.pay(order.checkout, GOOD_CARD, at=world.clock.now())


def tell(world: Any, order: Any, transaction: Transaction) -> None:
    body = event_body(transaction, checkout=order.checkout, order=order.id)
    signed = signature(body, world.gateway.keys, at=world.clock.now())
    world.use(RecordPayment).from_webhook(body, {HEADER: signed})


def news(world: Any, kind: str, minor: int = 4900, after: int = 0) -> Transaction:
    return Transaction(
        reference=f"{kind}-{after}",
        kind=TransactionKind(kind),
        amount=Money(minor, "EUR"),
        at=world.clock.now() + timedelta(seconds=after),
    )


def order_of(world: Any, order: Any) -> Any:
    with world.start(read_only=True) as work:
        return work.orders.get(order.id)


def test_the_price_is_the_published_one_and_asking_again_offers_the_same(
    shop: Any,
) -> None:
    ada = shop.person("ada")

    first = shop.use(PlaceOrder)(ada, shop.COURSE, "EUR")
    again = shop.use(PlaceOrder)(ada, shop.COURSE, "EUR")

    assert first.order.amount == PRICE
    assert (again.order.id, again.checkout_url) == (first.order.id, first.checkout_url)


def test_an_old_checkout_is_not_offered_again(shop: Any) -> None:
    ada = shop.person("ada")
    first = shop.use(PlaceOrder)(ada, shop.COURSE, "EUR")

    shop.clock.advance(timedelta(minutes=21))

    assert shop.use(PlaceOrder)(ada, shop.COURSE, "EUR").order.id != first.order.id


@pytest.mark.parametrize("currency", ["USD", "XXX"])
def test_other_currencies_are_not_taken(shop: Any, currency: str) -> None:
    with pytest.raises(Refused, match="currency-not-offered"):
        shop.use(PlaceOrder)(shop.person("ada"), shop.COURSE, currency)


def test_a_free_course_is_not_sold(world: Any, content: Callable[..., Any]) -> None:
    world.publish(content())

    with pytest.raises(Refused, match="course-is-free"):
        world.use(PlaceOrder)(world.person("ada"), world.COURSE, "EUR")


def test_a_paid_order_lets_in_and_who_is_in_cannot_buy_again(shop: Any) -> None:
    ada = shop.person("ada")
    order = shop.use(PlaceOrder)(ada, shop.COURSE, "EUR").order

    pay(shop, order)
    shop.use(RecordPayment).from_gateway(order.id)

    assert shop.place(ada).lets_in
    with pytest.raises(Refused, match="already-enrolled"):
        shop.use(PlaceOrder)(ada, shop.COURSE, "EUR")


def test_who_has_paid_gets_a_place_even_on_a_full_course(
    world: Any, content: Callable[..., Any]
) -> None:
    world.publish(content(prices=(PRICE,), seats=1))
    ada, bob = world.person("ada"), world.person("bob")
    orders = [world.use(PlaceOrder)(p, world.COURSE, "EUR").order for p in (ada, bob)]

    for order in orders:
        pay(world, order)
        world.use(RecordPayment).from_gateway(order.id)

    assert world.place(ada).lets_in
    assert world.place(bob).lets_in


HISTORY = (("failure", 4900), ("payment", 4900), ("refund", 4900))


@pytest.mark.parametrize("order_of_news", list(permutations(range(3))))
def test_news_in_any_order_and_twice_come_to_the_same(
    shop: Any, order_of_news: tuple[int, ...]
) -> None:
    ada = shop.person("ada")
    order = shop.use(PlaceOrder)(ada, shop.COURSE, "EUR").order
    facts = [news(shop, *each, after=n) for n, each in enumerate(HISTORY)]

    for n in order_of_news:
        tell(shop, order, facts[n])
        tell(shop, order, facts[n])

    stored = order_of(shop, order)
    assert stored.status is OrderStatus.REFUNDED
    assert sorted(entry.reference for entry in stored.ledger) == [
        "failure-0",
        "payment-1",
        "refund-2",
    ]
    place = shop.place(ada)
    assert place is None or place.status is EnrollmentStatus.REFUNDED


def test_a_part_given_back_leaves_the_place(shop: Any) -> None:
    ada = shop.person("ada")
    order = shop.use(PlaceOrder)(ada, shop.COURSE, "EUR").order
    tell(shop, order, news(shop, "payment"))

    tell(shop, order, news(shop, "refund", 1000, after=1))

    assert order_of(shop, order).status is OrderStatus.PARTLY_REFUNDED
    assert shop.place(ada).lets_in


def test_a_charge_back_ends_the_place_and_a_won_dispute_gives_one_again(
    shop: Any,
) -> None:
    ada = shop.person("ada")
    order = shop.use(PlaceOrder)(ada, shop.COURSE, "EUR").order
    tell(shop, order, news(shop, "payment"))

    tell(shop, order, news(shop, "chargeback", after=1))
    assert not shop.place(ada).lets_in

    tell(shop, order, news(shop, "reinstatement", after=2))
    assert shop.place(ada).lets_in


def test_a_place_paid_twice_is_given_back_once(shop: Any) -> None:
    ada = shop.person("ada")
    first = shop.use(PlaceOrder)(ada, shop.COURSE, "EUR").order
    shop.clock.advance(timedelta(minutes=21))
    second = shop.use(PlaceOrder)(ada, shop.COURSE, "EUR").order
    for order in (first, second):
        pay(shop, order)
        shop.use(RecordPayment).from_gateway(order.id)

    shop.drain()

    assert order_of(shop, first).status is OrderStatus.PAID
    assert order_of(shop, second).status is OrderStatus.REFUNDED
    assert shop.place(ada).lets_in
    kinds = [each.kind.value for each in shop.gateway.transactions(second.checkout)]
    assert kinds == ["payment", "refund"]


def test_the_second_payment_buys_the_place_that_the_first_has_lost(shop: Any) -> None:
    ada = shop.person("ada")
    first = shop.use(PlaceOrder)(ada, shop.COURSE, "EUR").order
    shop.clock.advance(timedelta(minutes=21))
    second = shop.use(PlaceOrder)(ada, shop.COURSE, "EUR").order
    for order in (first, second):
        pay(shop, order)
        shop.use(RecordPayment).from_gateway(order.id)

    tell(shop, first, news(shop, "chargeback", after=1))
    shop.drain()

    assert shop.place(ada).lets_in
    assert shop.place(ada).order == second.id
    assert order_of(shop, second).status is OrderStatus.PAID


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": Money(4900, "USD")}, "currency-differs"),
        ({"amount": Money(1, "EUR")}, None),
    ],
)
def test_news_of_other_money_do_not_pay(
    shop: Any, change: dict[str, Any], code: str | None
) -> None:
    ada = shop.person("ada")
    order = shop.use(PlaceOrder)(ada, shop.COURSE, "EUR").order
    fact = evolve(news(shop, "payment"), **change)

    if code is None:
        tell(shop, order, fact)
    else:
        with pytest.raises(Refused, match=code):
            tell(shop, order, fact)

    assert order_of(shop, order).status is OrderStatus.PENDING
    assert shop.place(ada) is None


def test_a_refused_webhook_is_heard_when_it_comes_again(shop: Any) -> None:
    ada = shop.person("ada")
    order = shop.use(PlaceOrder)(ada, shop.COURSE, "EUR").order
    fact = news(shop, "payment")
    body = event_body(fact, checkout=order.checkout, order=OrderId("not-there"))
    headers = {HEADER: signature(body, shop.gateway.keys, at=shop.clock.now())}

    for _ in range(2):
        with pytest.raises(NotFound):
            shop.use(RecordPayment).from_webhook(body, headers)
    tell(shop, order, fact)

    assert shop.place(ada).lets_in


def test_only_the_gateway_is_believed(shop: Any) -> None:
    order = shop.use(PlaceOrder)(shop.person("ada"), shop.COURSE, "EUR").order
    body = event_body(news(shop, "payment"), checkout=order.checkout, order=order.id)
    signed = signature(body, shop.gateway.keys, at=shop.clock.now())

    for headers in ({}, {HEADER: signature(body, ["x" * 20], at=shop.clock.now())}):
        with pytest.raises(NotPermitted):
            shop.use(RecordPayment).from_webhook(body, headers)
    with pytest.raises(NotPermitted):
        shop.use(RecordPayment).from_webhook(body + b" ", {HEADER: signed})

    assert order_of(shop, order).ledger == ()


@pytest.fixture
def bought(shop: Any) -> Any:
    order = shop.use(PlaceOrder)(shop.person("ada"), shop.COURSE, "EUR").order
    pay(shop, order)
    return shop.use(RecordPayment).from_gateway(order.id)


def test_a_refund_under_the_same_key_is_made_once(shop: Any, bought: Any) -> None:
    admin = shop.person("root", RoleGrant(Role.ADMIN))
    refund = shop.use(RefundOrder)

    for _ in range(2):
        after = refund(admin, bought.id, Money(1000, "EUR"), idempotency_key="once")

    assert after.refunded == Money(1000, "EUR")
    assert shop.place(shop.actor("ada")).lets_in


def test_a_whole_refund_ends_the_place(shop: Any, bought: Any) -> None:
    admin = shop.person("root", RoleGrant(Role.ADMIN))

    shop.use(RefundOrder)(admin, bought.id, PRICE, idempotency_key="all")

    assert shop.place(shop.actor("ada")).status is EnrollmentStatus.REFUNDED


@pytest.mark.parametrize(
    ("amount", "error"),
    [
        (Money(4901, "EUR"), Refused),
        (Money(100, "USD"), InvalidValue),
        (Money(0, "EUR"), InvalidValue),
    ],
)
def test_more_than_was_paid_does_not_go_back(
    shop: Any, bought: Any, amount: Money, error: type[Exception]
) -> None:
    admin = shop.person("root", RoleGrant(Role.ADMIN))

    with pytest.raises(error):
        shop.use(RefundOrder)(admin, bought.id, amount, idempotency_key="k")

    with shop.start(read_only=True) as work:
        assert work.audit.page().items[0].action != "orders.refund"


def test_two_partial_refunds_never_exceed_what_was_paid(shop: Any, bought: Any) -> None:
    admin = shop.person("root", RoleGrant(Role.ADMIN))
    refund = shop.use(RefundOrder)
    refund(admin, bought.id, Money(4000, "EUR"), idempotency_key="1")

    with pytest.raises(Rejected):
        refund(admin, bought.id, Money(1000, "EUR"), idempotency_key="2")

    assert order_of(shop, bought).refunded == Money(4000, "EUR")


def test_buyers_do_not_refund_themselves_and_see_only_their_own(
    shop: Any, bought: Any
) -> None:
    ada, bob = shop.actor("ada"), shop.person("bob")

    with pytest.raises(Refused):
        shop.use(RefundOrder)(ada, bought.id, PRICE, idempotency_key="mine")
    with pytest.raises(NotFound):
        shop.use(ReadOrder)(bob, bought.id)

    assert shop.use(ReadOrder)(ada, bought.id).id == bought.id
