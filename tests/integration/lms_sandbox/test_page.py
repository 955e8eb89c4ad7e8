from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import Any

import pytest
from attrs import evolve

from lms_core.domain.money import Money
from lms_core.ports.payment_gateway import Checkout, CheckoutRequest
from lms_sandbox.page import shown
from lms_sandbox.payment_gateway import SandboxPaymentGateway

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
Card = Callable[[str], dict[str, str]]


class Elements(HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.found if name == tag]


@pytest.fixture
def checkout(gateway: SandboxPaymentGateway, asked: CheckoutRequest) -> Checkout:
    return gateway.start_checkout(asked, idempotency_key="k")


@pytest.fixture
def kinds(gateway: SandboxPaymentGateway, checkout: Checkout) -> Callable[[], Any]:
    return lambda: [e.kind.value for e in gateway.transactions(checkout.reference)]


def test_the_page_says_what_is_paid_and_that_it_is_a_sandbox(
    browser: Any, checkout: Checkout
) -> None:
    page = browser.get(checkout.reference)

    assert page.status == 200
    for words in ("Sandbox.", "No real money", "49.00 EUR", "Adaptive", "ada@example"):
        assert words in page.text


def test_every_input_has_a_label_and_a_hint(browser: Any, checkout: Checkout) -> None:
    page = Elements(browser.get(checkout.reference).text)
    labels = {label["for"] for label in page.all("label")}
    ids = {attrs.get("id") for _, attrs in page.found}

    names = [entry["id"] for entry in page.all("input")]
    assert names == ["name", "number", "expiry", "cvc"]
    assert set(names) == labels
    for entry in page.all("input"):
        assert set((entry["aria-describedby"] or "").split()) <= ids


def test_the_page_allows_its_own_style_and_nothing_else(
    browser: Any, checkout: Checkout
) -> None:
    page = browser.get(checkout.reference)
    policy = page.headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert policy.endswith("form-action 'self' http://127.0.0.1:8000")
    assert "script" not in page.text
    assert "style=" not in page.text
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"
    style = browser.get("style.css")
    assert style.headers["content-type"].startswith("text/css")


def test_a_good_card_pays_and_leads_back_to_the_shop(
    browser: Any, checkout: Checkout, card: Card, kinds: Any, asked: CheckoutRequest
) -> None:
    form = card("4242 4242 4242 4242") | {"success_url": "https://evil.example"}
    answer = browser.post(
        f"{checkout.reference}?success_url=https://evil.example", **form
    )

    assert answer.status == 303
    assert answer.headers["location"] == asked.success_url
    assert kinds() == ["payment"]


@pytest.mark.parametrize("number", ["4000 0000 0000 0002", "4000000000009995"])
def test_a_declined_card_may_be_followed_by_another(
    browser: Any, checkout: Checkout, card: Card, kinds: Any, number: str
) -> None:
    declined = browser.post(checkout.reference, **card(number))
    paid = browser.post(checkout.reference, **card("4242-4242-4242-4242"))

    assert (declined.status, paid.status) == (402, 303)
    assert 'role="alert"' in declined.text
    assert "Nothing was charged" in declined.text
    assert kinds() == ["failure", "payment"]


def test_two_tabs_pay_once(
    browser: Any, checkout: Checkout, card: Card, kinds: Any
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda _: browser.post(checkout.reference, **card("4242424242424242")),
                range(16),
            )
        )

    assert {answer.status for answer in answers} == {303}
    assert kinds() == ["payment"]


def test_a_paid_checkout_leads_on_whatever_is_sent(
    browser: Any, checkout: Checkout, card: Card, kinds: Any, asked: CheckoutRequest
) -> None:
    browser.post(checkout.reference, **card("4242424242424242"))

    again = browser.post(checkout.reference, **card("4000000000000002"))
    page = browser.get(checkout.reference)

    assert again.headers["location"] == asked.success_url
    assert "Already paid" in page.text
    assert asked.success_url in page.text
    assert kinds() == ["payment"]


def test_the_buyer_can_cancel(
    browser: Any, checkout: Checkout, asked: CheckoutRequest, kinds: Any
) -> None:
    links = Elements(browser.get(checkout.reference).text).all("a")

    assert [link["href"] for link in links] == [asked.cancel_url]
    assert kinds() == []


def test_an_expired_checkout_takes_no_card(
    browser: Any, checkout: Checkout, card: Card, kinds: Any, clock: Any
) -> None:
    clock.step(hours=24)

    assert browser.get(checkout.reference).status == 410
    assert browser.post(checkout.reference, **card("4242424242424242")).status == 410
    assert kinds() == ["expiry"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("number", ""),
        ("number", "4111 1111 1111 1111"),
        ("number", "4242"),
        ("number", "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"),
        ("number", "4242424242424242; DROP TABLE checkouts"),
        ("expiry", ""),
        ("expiry", "13/34"),
        ("expiry", "00/34"),
        ("expiry", "12/25"),
        ("expiry", "1234567"),
        ("cvc", ""),
        ("cvc", "12"),
        ("cvc", "12345"),
        ("cvc", "abc"),
    ],
)
def test_a_problem_stands_beside_its_field(
    browser: Any, checkout: Checkout, card: Card, kinds: Any, *, field: str, value: str
) -> None:
    answer = browser.post(
        checkout.reference, **card("4242424242424242") | {field: value}
    )
    wrong = [
        entry["id"]
        for entry in Elements(answer.text).all("input")
        if entry.get("aria-invalid") == "true"
    ]

    assert answer.status == 422
    assert wrong == [field]
    assert f'id="{field}-problem"' in answer.text
    assert kinds() == []


@pytest.mark.parametrize("expiry", ["01/26", "01 / 26", "12/2034", "1234"])
def test_a_date_is_read_as_people_write_it(
    browser: Any, checkout: Checkout, card: Card, expiry: str
) -> None:
    form = card("4242424242424242") | {"expiry": expiry}

    assert browser.post(checkout.reference, **form).status == 303


def test_a_number_that_may_be_real_is_not_shown_again(
    browser: Any, checkout: Checkout, card: Card
) -> None:
    answer = browser.post(checkout.reference, **card("4111111111111111"))

    assert answer.status == 422
    assert "4111" not in answer.text
    assert "Ada L" in answer.text


def test_what_is_shown_is_text(
    browser: Any, gateway: SandboxPaymentGateway, asked: CheckoutRequest
) -> None:
    hostile = '"><img src=x onerror=alert(1)> {{ 7*7 }}'
    request = evolve(asked, description=hostile, buyer_email=hostile)
    checkout = gateway.start_checkout(request, idempotency_key="hostile")

    page = browser.get(checkout.reference).text
    wrong = browser.post(checkout.reference, name=hostile).text

    for html in (page, wrong):
        assert "<img" not in html
        assert "{{ 7*7 }}" in html


@pytest.mark.parametrize("path", ["", "unknown", "a/b", "..%2Fstyle.css", "%ff", "%00"])
def test_an_unknown_checkout_is_not_found(browser: Any, path: str, card: Card) -> None:
    assert browser.get(path).status == 404
    assert browser.post(path, **card("4242424242424242")).status == 404


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"name=" + b"x" * 9000, FORM, 413),
        (b"&".join(b"a%d=1" % n for n in range(30)), FORM, 413),
        (b"{}", {"Content-Type": "application/json"}, 415),
        (b"name=x", {}, 415),
        (b"\xff\x00=%ff&&==", FORM, 422),
        (b"", FORM, 422),
    ],
    ids=["large", "many fields", "json", "no type", "bytes", "empty"],
)
def test_a_body_that_is_no_form_pays_nothing(
    browser: Any,
    checkout: Checkout,
    kinds: Any,
    *,
    body: bytes,
    headers: dict[str, str],
    status: int,
) -> None:
    assert browser.send("POST", checkout.reference, body, headers).status == status
    assert kinds() == []


def test_other_methods_are_not_allowed(browser: Any, checkout: Checkout) -> None:
    answer = browser.get(checkout.reference, method="DELETE")
    head = browser.get(checkout.reference, method="HEAD")

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert (head.status, head.text) == (200, "")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Money(5, "EUR"), "0.05 EUR"),
        (Money(123_456_789, "USD"), "1,234,567.89 USD"),
        (Money(4900, "JPY"), "4,900 JPY"),
        (Money(4900, "KWD"), "4.900 KWD"),
    ],
)
def test_an_amount_is_shown_in_its_currency(amount: Money, text: str) -> None:
    assert shown(amount) == text
