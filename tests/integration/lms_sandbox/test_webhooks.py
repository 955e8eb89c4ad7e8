import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from lms_core.domain.commerce.order import Order, OrderStatus
from lms_core.domain.ids import CourseId, UserId
from lms_core.errors import ConfigurationError
from lms_core.ports.payment_gateway import CheckoutRequest, WebhookEvent
from lms_sandbox.cards import CARDS
from lms_sandbox.payment_gateway import SandboxPaymentGateway
from lms_sandbox.webhooks import WebhookSender

OpenGateway = Callable[..., SandboxPaymentGateway]
DELAYED, JUMBLED, DISPUTED = "4000000000000077", "4000000000003220", "4000000000000259"


@define
class Shop:
    """A receiver of webhooks: *answers* are used up first, then it says 204."""

    answers: list[int]
    heard: list[tuple[bytes, dict[str, str]]] = field(factory=list)
    address: str = ""
    called: threading.Event = field(factory=threading.Event)
    may_answer: threading.Event = field(factory=threading.Event)

    def __attrs_post_init__(self) -> None:
        self.may_answer.set()

    def events(self, gateway: SandboxPaymentGateway) -> list[WebhookEvent]:
        return [gateway.read_webhook(*message) for message in self.heard]

    def kinds(self, gateway: SandboxPaymentGateway) -> list[str]:
        news = (event.transaction for event in self.events(gateway))
        return [entry.kind.value for entry in news if entry]


@contextmanager
def shop_open(*answers: int) -> Iterator[Shop]:
    shop = Shop(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            shop.heard.append((body, headers))
            shop.called.set()
            assert shop.may_answer.wait(timeout=60)
            self.send_response(shop.answers.pop(0) if shop.answers else 204)
            self.send_header("location", f"{shop.address}/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test's output to itself."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shop.address = f"http://127.0.0.1:{server.server_port}/webhook"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def shop() -> Iterator[Shop]:
    with shop_open() as open_shop:
        yield open_shop


@pytest.fixture
def pay(asked: CheckoutRequest, clock: Any) -> Callable[..., str]:
    def act(gateway: SandboxPaymentGateway, number: str = "4242424242424242") -> str:
        reference = gateway.start_checkout(asked, idempotency_key="k").reference
        gateway.state.pay(reference, CARDS[number], at=clock.now())
        return reference

    return act


def placed(asked: CheckoutRequest, clock: Any) -> Order:
    order, _ = Order.place(
        asked.order, UserId("u"), CourseId("c"), asked.amount, at=clock.now()
    )
    return order


def test_a_payment_is_told_once_when_it_is_heard(
    gateway: SandboxPaymentGateway, pay: Any, shop: Shop, clock: Any
) -> None:
    reference = pay(gateway)
    sender = WebhookSender.of(gateway, shop.address)

    assert [sender.deliver_due(clock.now()), sender.deliver_due(clock.now())] == [1, 0]
    assert sender.deliver_due(clock.step(days=1)) == 0

    clock.step(days=-1)
    (event,) = shop.events(gateway)
    assert (event.transaction,) == gateway.transactions(reference)
    assert shop.heard[0][1]["content-type"] == "application/json"


def test_a_shop_that_fails_twice_hears_it_the_third_time(
    gateway: SandboxPaymentGateway, pay: Any, clock: Any
) -> None:
    pay(gateway)
    with shop_open(500, 503) as shop:
        sender = WebhookSender.of(gateway, shop.address)
        delivered = [
            sender.deliver_due(clock.now()),
            sender.deliver_due(clock.step(seconds=1)),
            sender.deliver_due(clock.step(seconds=1)),
            sender.deliver_due(clock.step(seconds=3)),
            sender.deliver_due(clock.step(seconds=1)),
        ]

        assert delivered == [0, 0, 0, 0, 1]
        assert len(shop.heard) == 3
        assert {body for body, _ in shop.heard} == {shop.heard[0][0]}
        # Each attempt is signed anew, so a late one is not taken for a replay.
        assert len({h["lms-sandbox-signature"] for _, h in shop.heard}) == 3
        clock.step(minutes=4)
        assert len({event.id for event in shop.events(gateway)}) == 1


@pytest.mark.parametrize("answer", [301, 302, 307, 400, 404, 410, 429, 500])
def test_any_other_answer_is_no_receipt(
    gateway: SandboxPaymentGateway, pay: Any, clock: Any, answer: int
) -> None:
    pay(gateway)
    with shop_open(answer) as shop:
        sender = WebhookSender.of(gateway, shop.address)

        assert sender.deliver_due(clock.now()) == 0
        assert sender.deliver_due(clock.step(seconds=2)) == 1
        assert len(shop.heard) == 2


def test_news_wait_for_a_shop_that_is_down_and_survive_a_restart(
    open_gateway: OpenGateway, pay: Any, clock: Any, tmp_path: Path
) -> None:
    path = str(tmp_path / "sandbox.db")
    with shop_open() as shop:
        closed = shop.address
    with open_gateway(path) as gateway:
        pay(gateway)
        assert WebhookSender.of(gateway, closed).deliver_due(clock.now()) == 0

    again = open_gateway(path, prefix="later")
    with shop_open() as shop:
        sender = WebhookSender.of(again, shop.address)
        assert sender.deliver_due(clock.step(seconds=2)) == 1
        assert shop.kinds(again) == ["payment"]


SEND = """
import sys
from datetime import datetime
from lms_sandbox._database import Database
from lms_sandbox.state import State
from lms_sandbox.webhooks import WebhookSender

path, endpoint, at = sys.argv[1:]
state = State(database=Database(path), new_id=lambda: "n")
sender = WebhookSender(state=state, endpoint=endpoint, keys=["webhook-key-0123456789"])
sender.deliver_due(datetime.fromisoformat(at))
"""


def test_a_sender_that_is_killed_in_the_middle_loses_nothing(
    open_gateway: OpenGateway, pay: Any, clock: Any, tmp_path: Path
) -> None:
    path = str(tmp_path / "sandbox.db")
    gateway = open_gateway(path)
    pay(gateway)
    with shop_open() as shop:
        shop.may_answer.clear()
        arguments = [path, shop.address, clock.now().isoformat()]
        command = [sys.executable, "-c", SEND, *arguments]
        with subprocess.Popen(command) as process:  # noqa: S603  our own script
            assert shop.called.wait(timeout=60)
            process.kill()
        shop.may_answer.set()
        sender = WebhookSender.of(gateway, shop.address)

        # The claim of the dead sender runs out; nobody has to clear it.
        assert sender.deliver_due(clock.step(seconds=29)) == 0
        assert sender.deliver_due(clock.step(seconds=1)) == 1
        assert len(shop.heard) == 2


def test_two_senders_share_the_work(
    open_gateway: OpenGateway, asked: CheckoutRequest, clock: Any, tmp_path: Path
) -> None:
    path = str(tmp_path / "sandbox.db")
    gateways = [open_gateway(path, prefix=name) for name in ("a", "b")]
    for number in range(20):
        key = f"key-{number}"
        checkout = gateways[0].start_checkout(asked, idempotency_key=key)
        gateways[0].state.pay(
            checkout.reference, CARDS["4242424242424242"], at=clock.now()
        )

    with shop_open() as shop, ThreadPoolExecutor(2) as pool:
        senders = [WebhookSender.of(each, shop.address) for each in gateways]
        counts = list(pool.map(lambda each: each.deliver_due(clock.now()), senders))

        assert sum(counts) == 20
        assert len(shop.heard) == 20


def test_a_delayed_webhook_is_late(
    gateway: SandboxPaymentGateway, pay: Any, shop: Shop, clock: Any
) -> None:
    reference = pay(gateway, DELAYED)
    sender = WebhookSender.of(gateway, shop.address)

    assert sender.deliver_due(clock.step(seconds=29)) == 0
    # Whoever asks meanwhile learns it at once.
    assert [e.kind.value for e in gateway.transactions(reference)] == ["payment"]
    assert sender.deliver_due(clock.step(seconds=1)) == 1


def test_a_jumbled_webhook_comes_twice_and_out_of_order(
    gateway: SandboxPaymentGateway,
    pay: Any,
    shop: Shop,
    clock: Any,
    asked: CheckoutRequest,
) -> None:
    reference = pay(gateway, JUMBLED)
    WebhookSender.of(gateway, shop.address).deliver_due(clock.now())

    happened = [e.kind.value for e in gateway.transactions(reference)]
    assert happened == ["failure", "payment"]
    assert shop.kinds(gateway) == ["payment", "failure", "payment"]
    order = placed(asked, clock)
    for event in shop.events(gateway):
        assert event.transaction
        order, _ = order.record(event.transaction)
    assert order.status is OrderStatus.PAID


def test_a_checkout_that_nobody_pays_is_told_of(
    gateway: SandboxPaymentGateway, asked: CheckoutRequest, shop: Shop, clock: Any
) -> None:
    gateway.start_checkout(asked, idempotency_key="k")
    sender = WebhookSender.of(gateway, shop.address)

    assert sender.deliver_due(clock.step(hours=24)) == 1
    assert shop.kinds(gateway) == ["expiry"]


def test_one_call_tries_so_many_that_their_signatures_stay_fresh(
    gateway: SandboxPaymentGateway, asked: CheckoutRequest, shop: Shop, clock: Any
) -> None:
    checkout = gateway.start_checkout(asked, idempotency_key="k")
    for _ in range(25):
        card = CARDS["4000000000000002"]
        gateway.state.pay(checkout.reference, card, at=clock.now())
    sender = WebhookSender.of(gateway, shop.address)

    assert [sender.deliver_due(clock.now()) for _ in range(3)] == [20, 5, 0]


@pytest.mark.parametrize("url", ["", "ftp://shop.example", "shop.example", "http://"])
def test_webhooks_go_to_web_addresses_only(
    gateway: SandboxPaymentGateway, url: str
) -> None:
    with pytest.raises(ConfigurationError):
        WebhookSender.of(gateway, url)


@pytest.fixture
def story(
    gateway: SandboxPaymentGateway,
    pay: Any,
    shop: Shop,
    clock: Any,
    asked: CheckoutRequest,
) -> tuple[Order, Order, list[WebhookEvent]]:
    """Return an order, what the gateway says became of it, and what was heard."""
    pay(gateway, "4000000000000002")
    clock.step(seconds=5)
    reference = pay(gateway)
    for number, minor in enumerate((2000, 2900)):
        part = type(asked.amount)(minor, asked.amount.currency)
        clock.step(seconds=5)
        gateway.refund(reference, part, idempotency_key=f"back-{number}")
    WebhookSender.of(gateway, shop.address).deliver_due(clock.now())
    order = looked_up = placed(asked, clock)
    for transaction in gateway.transactions(reference):
        looked_up, _ = looked_up.record(transaction)
    return order, looked_up, shop.events(gateway)


def test_any_sequence_of_webhooks_gives_the_ledger_that_can_be_looked_up(
    story: tuple[Order, Order, list[WebhookEvent]],
) -> None:
    order, looked_up, heard = story
    assert looked_up.status is OrderStatus.REFUNDED
    assert len(heard) == 4

    @given(st.lists(st.sampled_from(heard), max_size=8), st.permutations(heard))
    def holds(before: list[WebhookEvent], whole: list[WebhookEvent]) -> None:
        after = order
        for event in (*before, *whole):
            assert event.transaction
            after, _ = after.record(event.transaction)
        assert after == looked_up

    holds()
