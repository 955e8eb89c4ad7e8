from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pytest
from attrs import evolve, frozen

from lms_core.domain.money import Money
from lms_core.errors import ConfigurationError, Rejected
from lms_core.ports.payment_gateway import Checkout, CheckoutRequest
from lms_core.registry import Registry, Wiring
from lms_core.testing.payment_gateway import (
    Act,
    News,
    PaymentGatewayConformance,
    Signed,
)
from lms_sandbox.cards import CARDS
from lms_sandbox.payment_gateway import SandboxPaymentGateway, open_payment_gateway
from lms_sandbox.signing import HEADER, signature

KEY = "webhook-key-0123456789"


class Clock(Protocol):
    def now(self) -> Any: ...

    def step(self, **by: float) -> Any: ...


class TestInMemory(PaymentGatewayConformance):
    path: ClassVar[str] = ":memory:"

    @pytest.fixture
    def gateway(
        self, open_gateway: Callable[..., SandboxPaymentGateway], tmp_path: Path
    ) -> SandboxPaymentGateway:
        return open_gateway(self.path.format(tmp=tmp_path))

    @pytest.fixture
    def pay(self, gateway: SandboxPaymentGateway, clock: Clock) -> Act:
        def act(checkout: Checkout) -> None:
            card = CARDS["4242424242424242"]
            gateway.state.pay(checkout.reference, card, at=clock.now())

        return act

    @pytest.fixture
    def decline(self, gateway: SandboxPaymentGateway, clock: Clock) -> Act:
        def act(checkout: Checkout) -> None:
            card = CARDS["4000000000000002"]
            gateway.state.pay(checkout.reference, card, at=clock.now())

        return act

    @pytest.fixture
    def signed(self, clock: Clock) -> Signed:
        def headers(body: bytes, *, age: timedelta = timedelta(0)) -> dict[str, str]:
            return {HEADER: signature(body, [KEY], at=clock.now() - age)}

        return headers

    @pytest.fixture
    def news(self, gateway: SandboxPaymentGateway) -> News:
        def bodies(checkout: Checkout) -> tuple[bytes, ...]:
            with gateway.state.database.transaction() as db:
                rows = db.execute("SELECT body FROM deliveries ORDER BY number")
                found = tuple(bytes(row["body"]) for row in rows)
            return tuple(b for b in found if checkout.reference.encode() in b)

        return bodies

    @pytest.fixture
    def unrelated(self) -> bytes:
        return b'{"id":"evt-1","type":"payout.sent","data":{}}'


class TestInAFile(TestInMemory):
    path: ClassVar[str] = "{tmp}/sandbox.db"


@pytest.fixture
def wiring(clock: Any) -> Wiring:
    @frozen
    class Names:
        def new(self) -> str:
            return "name-1"

        token = new

    @frozen
    class Secrets:
        values: dict[str, str]

        def get(self, name: str) -> str:
            return self.values[name]

        refresh = get

    secrets = Secrets({"payments/webhook-key": KEY, "empty": "", "short": "x" * 15})
    return Wiring(clock=clock, ids=Names(), tokens=Names(), secrets=secrets)


URL = "sandbox://?base=http%3A%2F%2F127.0.0.1%3A8000%2Fsandbox"


def test_a_url_opens_it_on_a_file(
    wiring: Wiring, tmp_path: Path, asked: CheckoutRequest
) -> None:
    state = tmp_path / "sandbox.db"
    url = f"{URL}&state={state}&key=secret%3A%2F%2Fpayments%2Fwebhook-key"

    with Registry.installed("payment_gateway").open(
        "payment_gateway", url, wiring
    ) as gateway:
        checkout = gateway.start_checkout(asked, idempotency_key="k")
    with open_payment_gateway(url, wiring) as again:
        assert again.transactions(checkout.reference) == ()

    assert checkout.url == f"http://127.0.0.1:8000/sandbox/{checkout.reference}"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "&key=secret%3A%2F%2Fempty",
        "&key=secret%3A%2F%2Fshort",
        "&key=webhook-key-0123456789",
        "&key=secret%3A%2F%2Fpayments%2Fwebhook-key&key=secret%3A%2F%2Fempty",
        "&key=secret%3A%2F%2Fpayments%2Fwebhook-key&clock=fast",
        "&key=secret%3A%2F%2Fpayments%2Fwebhook-key&state=/no/such/folder/x.db",
        "&key=secret%3A%2F%2Fpayments%2Fwebhook-key&base=javascript%3Aalert(1)",
    ],
)
def test_an_unsafe_url_does_not_open(wiring: Wiring, query: str) -> None:
    with pytest.raises(ConfigurationError):
        open_payment_gateway(URL + query, wiring)


def test_a_file_that_is_no_database_does_not_open(
    wiring: Wiring, tmp_path: Path
) -> None:
    state = tmp_path / "sandbox.db"
    state.write_bytes(b"something else entirely" * 100)
    key = "secret%3A%2F%2Fpayments%2Fwebhook-key"

    with pytest.raises(ConfigurationError):
        open_payment_gateway(f"{URL}&state={state}&key={key}", wiring)


def test_the_keys_do_not_show(gateway: SandboxPaymentGateway) -> None:
    assert KEY not in repr(gateway)


def test_a_reused_key_has_its_code(
    gateway: SandboxPaymentGateway, asked: CheckoutRequest, other: CheckoutRequest
) -> None:
    checkout = gateway.start_checkout(asked, idempotency_key="k")
    with pytest.raises(Rejected) as caught:
        gateway.start_checkout(other, idempotency_key="k")
    assert caught.value.code == "idempotency-key-reused"

    # A key is spent whatever it was spent on.
    with pytest.raises(Rejected) as caught:
        gateway.refund(checkout.reference, Money(1, "EUR"), idempotency_key="k")
    assert caught.value.code == "idempotency-key-reused"


def test_a_rejected_request_does_not_spend_its_key(
    gateway: SandboxPaymentGateway, asked: CheckoutRequest
) -> None:
    checkout = gateway.start_checkout(asked, idempotency_key="k")
    with pytest.raises(Rejected, match="nothing was paid"):
        gateway.refund(checkout.reference, asked.amount, idempotency_key="back")
    gateway.state.pay(
        checkout.reference, CARDS["4242424242424242"], at=gateway.clock.now()
    )

    refund = gateway.refund(checkout.reference, asked.amount, idempotency_key="back")

    assert refund.amount == asked.amount


@pytest.mark.parametrize("minor", [0, 100_000_000, 2**53 - 1])
def test_an_amount_no_card_takes_is_rejected(
    gateway: SandboxPaymentGateway, asked: CheckoutRequest, minor: int
) -> None:
    with pytest.raises(Rejected):
        gateway.start_checkout(
            evolve(asked, amount=Money(minor, "EUR")), idempotency_key="k"
        )


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "//evil.example",
        "/relative",
        "",
        "https://shop.example;script-src *",
        "https://shop.example\r\nset-cookie: a=b",
        "https://user@shop.example/",
        "https://[::1",
        "https://shop.example/\u2028",
    ],
)
def test_a_buyer_is_sent_to_web_addresses_only(
    gateway: SandboxPaymentGateway, asked: CheckoutRequest, url: str
) -> None:
    for request in (evolve(asked, success_url=url), evolve(asked, cancel_url=url)):
        with pytest.raises(Rejected):
            gateway.start_checkout(request, idempotency_key="k")


def test_a_refund_of_nothing_is_rejected(
    gateway: SandboxPaymentGateway, asked: CheckoutRequest
) -> None:
    checkout = gateway.start_checkout(asked, idempotency_key="k")
    gateway.state.pay(
        checkout.reference, CARDS["4242424242424242"], at=gateway.clock.now()
    )

    for minor in (0, -1):
        with pytest.raises(Rejected):
            gateway.refund(
                checkout.reference, Money(minor, "EUR"), idempotency_key="back"
            )


def test_what_the_bank_took_back_is_not_refunded_as_well(
    gateway: SandboxPaymentGateway, asked: CheckoutRequest
) -> None:
    checkout = gateway.start_checkout(asked, idempotency_key="k")
    gateway.state.pay(
        checkout.reference, CARDS["4000000000000259"], at=gateway.clock.now()
    )

    with pytest.raises(Rejected):
        gateway.refund(checkout.reference, Money(1, "EUR"), idempotency_key="back")


def test_an_unpaid_checkout_expires_once(
    gateway: SandboxPaymentGateway, asked: CheckoutRequest, clock: Clock
) -> None:
    checkout = gateway.start_checkout(asked, idempotency_key="k")
    clock.step(minutes=30)

    assert not gateway.state.pay(
        checkout.reference, CARDS["4242424242424242"], at=clock.now()
    )
    first = gateway.transactions(checkout.reference)
    clock.step(hours=24)

    assert [entry.kind for entry in first] == ["expiry"]
    assert first[0].at == checkout.expires_at
    assert gateway.transactions(checkout.reference) == first


def test_many_may_open_a_new_file_at_once(
    open_gateway: Callable[..., SandboxPaymentGateway],
    asked: CheckoutRequest,
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "sandbox.db")

    def start(number: int) -> str:
        gateway = open_gateway(path, prefix=f"n{number}")
        return gateway.start_checkout(asked, idempotency_key="k").reference

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(start, range(8)))) == 1
