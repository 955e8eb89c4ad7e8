import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import count
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import uvicorn
from attrs import define, evolve, field, frozen

from lms_core.domain.ids import OrderId
from lms_core.domain.money import Money
from lms_core.ports.payment_gateway import CheckoutRequest
from lms_sandbox._database import Database
from lms_sandbox.asgi import CheckoutApp
from lms_sandbox.payment_gateway import SandboxPaymentGateway
from lms_sandbox.state import State

KEY = "webhook-key-0123456789"
START = datetime(2026, 1, 1, tzinfo=UTC)


@define
class SteppedClock:
    """A clock that moves when a test says so."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def step(self, **by: float) -> datetime:
        self.at += timedelta(**by)
        return self.at


@define
class Counter:
    """Ids and tokens in a row; one object may be shared between threads."""

    prefix: str
    _numbers: Iterator[int] = field(factory=count)

    def new(self) -> str:
        return f"{self.prefix}-{next(self._numbers):06}"

    token = new


@frozen
class Answer:
    """What a server said."""

    status: int
    headers: dict[str, str]
    text: str


@frozen
class Browser:
    """A browser without scripts, cookies or redirects."""

    base: str

    def get(self, path: str, *, method: str = "GET") -> Answer:
        return self.send(method, path)

    def post(self, path: str, **form: str) -> Answer:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, urlencode(form).encode(), kind)

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Any = None
    ) -> Answer:
        parts = urlsplit(self.base)
        connection = HTTPConnection(parts.netloc, timeout=10)
        try:
            connection.request(method, f"{parts.path}/{path}", body, headers or {})
            answer = connection.getresponse()
            text = answer.read().decode()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, text)
        finally:
            connection.close()


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve *app* on loopback and yield its address."""
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    try:
        # The socket listens as soon as uvicorn accepts; until then the kernel queues.
        socket.listen()
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        socket.close()


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def open_gateway(
    clock: SteppedClock,
) -> Iterator[Callable[..., SandboxPaymentGateway]]:
    opened: list[SandboxPaymentGateway] = []

    def open_(path: str = ":memory:", prefix: str = "n") -> SandboxPaymentGateway:
        gateway = SandboxPaymentGateway(
            state=State(database=Database(path), new_id=Counter(prefix).new),
            base="http://127.0.0.1:8000/sandbox",
            keys=(KEY,),
            clock=clock,
            tokens=Counter(f"token-{prefix}"),
        )
        opened.append(gateway)
        return gateway

    yield open_
    for gateway in opened:
        gateway.close()


@pytest.fixture
def gateway(
    open_gateway: Callable[..., SandboxPaymentGateway],
) -> SandboxPaymentGateway:
    return open_gateway()


@pytest.fixture
def asked() -> CheckoutRequest:
    return CheckoutRequest(
        order=OrderId("order-1"),
        amount=Money(4900, "EUR"),
        description="Adaptive streaming",
        buyer_email="ada@example.org",
        success_url="http://127.0.0.1:8000/orders/order-1",
        cancel_url="http://127.0.0.1:8000/courses/adaptive-streaming",
    )


@pytest.fixture
def browser(gateway: SandboxPaymentGateway) -> Iterator[Browser]:
    with serving(CheckoutApp.of(gateway)) as address:
        yield Browser(address)


@pytest.fixture
def card() -> Callable[[str], dict[str, str]]:
    def filled(number: str) -> dict[str, str]:
        return {"name": "Ada L", "number": number, "expiry": "12/34", "cvc": "123"}

    return filled


@pytest.fixture
def served() -> Callable[[Any], Any]:
    return serving


@pytest.fixture
def other(asked: CheckoutRequest) -> CheckoutRequest:
    return evolve(asked, order=OrderId("order-2"))
