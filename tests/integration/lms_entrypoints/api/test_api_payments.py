"""Buying over HTTP, and what the gateway has to say."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from lms_core.domain.money import Money
from lms_sandbox.cards import CARDS

PRICE = (Money(4900, "EUR"),)
BUY = {"course_id": "streaming", "currency": "EUR"}


@pytest.fixture
def order(api: Any) -> Any:
    """Return an order of ada's, its checkout open."""
    api.course(prices=PRICE)
    return api("POST", "/payments/checkout", api.person("ada"), json=BUY).json()


def status(api: Any, order: Any) -> str:
    ada = api.sign_in("ada")
    return str(api("GET", f"/payments/{order['id']}", ada).json()["status"])


def lets_in(api: Any) -> bool:
    answer = api("GET", "/lessons/streaming.intro", api.sign_in("ada"))
    return bool(answer.status_code == 200)


@pytest.mark.parametrize(
    "more", [{"price": 1}, {"minor": 1}, {"quantity": -1}, {"currency": "eur"}]
)
def test_the_price_is_ours_to_say(api: Any, order: Any, more: Any) -> None:
    answer = api("POST", "/payments/checkout", api.sign_in("ada"), json={**BUY, **more})

    assert answer.status_code == 422
    assert order["amount"] == {"minor": 4900, "currency": "EUR"}


def test_a_double_click_is_one_order(api: Any, order: Any) -> None:
    ada = api.sign_in("ada")

    answers = api.together(*(("POST", "/payments/checkout", ada),) * 4, json=BUY)

    assert {a.json()["id"] for a in answers} == {order["id"]}
    assert {a.json()["checkout_url"] for a in answers} == {order["checkout_url"]}


def test_a_webhook_lets_in_once_however_often_it_comes(api: Any, order: Any) -> None:
    answers = [api.tell(order) for _ in range(3)]

    assert {a.status_code for a in answers} == {200}
    assert (status(api, order), lets_in(api)) == ("paid", True)
    api.drain()
    assert len([mail for mail in api.mails() if "ada@mail.example" in mail]) == 1
    again = api("POST", "/payments/checkout", api.sign_in("ada"), json=BUY)
    assert (again.status_code, again.json()["code"]) == (409, "already-enrolled")


@pytest.mark.parametrize(
    "sequence", list(permutations(("payment", "refund", "failure")))
)
def test_news_in_any_order_come_to_the_same(
    api: Any, order: Any, sequence: tuple[str, ...]
) -> None:
    for kind in (*sequence, *sequence):
        assert api.tell(order, kind).status_code == 200

    assert (status(api, order), lets_in(api)) == ("refunded", False)


def test_what_the_gateway_did_not_sign_is_refused(api: Any, order: Any) -> None:
    body, headers = api.news(order)
    [(name, signed)] = [(k, v) for k, v in headers.items() if k != "content-type"]
    api.clock.advance(timedelta(seconds=1))

    def post(data: bytes, value: str | None) -> Any:
        sent = {} if value is None else {name: value}
        return api("POST", "/payments/webhook", content=data, headers=sent)

    forged = [
        post(body, None),
        post(body, ""),
        post(body, signed[:-1] + ("0" if signed[-1] != "0" else "1")),
        post(body.replace(b"4900", b"0001"), signed),
        post(body + b" ", signed),
        post(b"\xff\x00garbage", "t=1,v1=00"),
        post(b"", signed),
    ]
    api.clock.advance(timedelta(minutes=6))
    stale = post(body, signed)

    for answer in (*forged, stale):
        assert answer.status_code == 400
        assert answer.json()["code"] == "signature-invalid"
    assert (status(api, order), lets_in(api)) == ("pending", False)


@pytest.mark.parametrize(
    ("change", "code"), [({"currency": "USD"}, 422), ({"minor": 1}, 200)]
)
def test_news_that_do_not_fit_the_order_pay_nothing(
    api: Any, order: Any, change: Any, code: int
) -> None:
    assert api.tell(order, **change).status_code == code
    assert (status(api, order), lets_in(api)) == ("pending", False)


def test_news_of_an_order_that_is_not_there_are_refused_and_heard_again(
    api: Any, order: Any
) -> None:
    for _ in range(2):
        assert api.tell({**order, "id": "not-there"}).status_code == 422

    assert api.tell(order).status_code == 200
    assert lets_in(api)


def test_a_charge_back_ends_the_place(api: Any, order: Any) -> None:
    api.tell(order)

    api.tell(order, "chargeback")

    assert (status(api, order), lets_in(api)) == ("charged-back", False)


def test_refunds_are_for_admins_and_under_a_key(api: Any, order: Any) -> None:
    reference = order["checkout_url"].rpartition("/")[2]
    card = CARDS["4242424242424242"]
    api.platform.gateway.state.pay(reference, card, at=api.clock.now())
    [paid] = api.platform.gateway.transactions(reference)
    api.tell(order, name="payment")
    root, ada = api.admin(), api.sign_in("ada")
    path, body = f"/payments/{order['id']}/refund", {"minor": 1000, "currency": "EUR"}
    key = {"idempotency-key": "refund-1"}

    assert api("POST", path, root, json=body).status_code == 400
    assert api("POST", path, ada, json=body, headers=key).status_code == 403
    first = api("POST", path, root, json=body, headers=key)
    again = api("POST", path, root, json=body, headers=key)
    other = api("POST", path, root, json={**body, "minor": 2}, headers=key)
    too_much = api(
        "POST",
        path,
        root,
        json={**body, "minor": 99_999},
        headers={"idempotency-key": "refund-2"},
    )

    assert paid.amount.minor == 4900
    assert (
        first.json()["refunded"]["minor"] == again.json()["refunded"]["minor"] == 1000
    )
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")
    assert (too_much.status_code, too_much.json()["code"]) == (409, "refund-too-high")
    refunds = api.platform.gateway.transactions(reference)[1:]
    assert [t.amount.minor for t in refunds] == [1000]


def test_the_orders_of_others_do_not_exist(api: Any, order: Any) -> None:
    path = f"/payments/{order['id']}"

    assert api("GET", path, api.person("bob")).status_code == 404
    assert api("GET", path).status_code == 404
    assert api("GET", path, api.sign_in("ada")).status_code == 200
