from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount

from lms_core.ports.payment_gateway import CheckoutRequest
from lms_sandbox.asgi import CheckoutApp
from lms_sandbox.payment_gateway import SandboxPaymentGateway


def test_the_page_works_below_a_path(
    gateway: SandboxPaymentGateway,
    asked: CheckoutRequest,
    served: Callable[[Any], Any],
    card: Callable[[str], dict[str, str]],
    browser: Any,
) -> None:
    app = Starlette(routes=[Mount("/sandbox", CheckoutApp.of(gateway))])
    checkout = gateway.start_checkout(asked, idempotency_key="k")

    with served(app) as address:
        there = type(browser)(f"{address}/sandbox")
        page = there.get(checkout.reference)
        style = there.get("style.css")
        paid = there.post(checkout.reference, **card("4242424242424242"))

    assert [page.status, style.status, paid.status] == [200, 200, 303]
