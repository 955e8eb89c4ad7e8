import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from lms_core.ports.payment_gateway import CheckoutRequest
from lms_sandbox.asgi import CheckoutApp
from lms_sandbox.payment_gateway import SandboxPaymentGateway

Card = Callable[[str], dict[str, str]]


def exchange(
    app: CheckoutApp, scope: Mapping[str, Any], *messages: Mapping[str, Any]
) -> list[Any]:
    """Return what *app* sends when it receives *messages*."""
    pending, sent = list(messages), []

    async def receive() -> Any:
        return pending.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(dict(scope), receive, send))
    return sent


@pytest.fixture
def scope(gateway: SandboxPaymentGateway, asked: CheckoutRequest) -> dict[str, Any]:
    checkout = gateway.start_checkout(asked, idempotency_key="k")
    return {
        "type": "http",
        "method": "POST",
        "path": f"/{checkout.reference}",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
    }


def part(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_form_may_come_in_pieces(
    gateway: SandboxPaymentGateway, scope: dict[str, Any], card: Card
) -> None:
    body = urlencode(card("4242424242424242")).encode()
    pieces = [part(body[:10], more=True), part(body[10:], more=False)]

    sent = exchange(CheckoutApp.of(gateway), scope, *pieces)

    assert sent[0]["status"] == 303


def test_a_form_that_breaks_off_pays_nothing(
    gateway: SandboxPaymentGateway, scope: dict[str, Any], card: Card
) -> None:
    body = urlencode(card("4242424242424242")).encode()

    exchange(
        CheckoutApp.of(gateway),
        scope,
        part(body, more=True),
        {"type": "http.disconnect"},
    )

    assert gateway.transactions(scope["path"][1:]) == ()


def test_no_more_is_read_than_a_form_is_long(
    gateway: SandboxPaymentGateway, scope: dict[str, Any]
) -> None:
    # The app would fail on asking for a fourth piece, because there is none.
    pieces = [part(b"x" * 4096, more=True)] * 3

    sent = exchange(CheckoutApp.of(gateway), scope, *pieces)

    assert sent[0]["status"] == 413


def test_there_is_no_socket_to_talk_to(gateway: SandboxPaymentGateway) -> None:
    app = CheckoutApp.of(gateway)

    assert exchange(app, {"type": "websocket"}) == [{"type": "websocket.close"}]
    assert exchange(app, {"type": "lifespan"}) == []
