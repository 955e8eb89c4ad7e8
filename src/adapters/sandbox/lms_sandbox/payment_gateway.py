"""A payment gateway without money, that behaves like one with."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

from attrs import field, frozen

from lms_core.domain.commerce.order import Transaction
from lms_core.domain.money import Money
from lms_core.errors import ConfigurationError, Rejected
from lms_core.ports.payment_gateway import (
    Checkout,
    CheckoutRequest,
    PaymentGateway,
    PaymentGatewayCapability,
    WebhookEvent,
)
from lms_core.ports.system import Clock, TokenSource
from lms_core.registry import Wiring
from lms_sandbox._database import Database
from lms_sandbox.events import read_event
from lms_sandbox.signing import HEADER, check, checked_keys
from lms_sandbox.state import State

# Short, because whoever starts again meanwhile has two pages that take money.
_OPEN_FOR = timedelta(minutes=30)
_HIGHEST = 99_999_999  # minor units; what hosted gateways take as well
# A host goes into a Content-Security-Policy, where other characters mean more.
_HOST = re.compile(
    r"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?|\[[0-9a-f:]+\](?::[0-9]{1,5})?"
)


def origin(url: str) -> str | None:
    """Return scheme and host of an absolute web address, or `None`."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(parts.netloc):
        return None
    plain = url.isascii() and url.isprintable()
    return f"{parts.scheme}://{parts.netloc}" if plain else None


@frozen(kw_only=True)
class SandboxPaymentGateway:
    """A `PaymentGateway` that takes test cards on a page under *base*.

    *keys* sign its webhooks; any of them is believed.
    """

    state: State
    base: str
    keys: tuple[str, ...] = field(converter=checked_keys, repr=False)
    clock: Clock
    tokens: TokenSource
    capabilities = frozenset({PaymentGatewayCapability.PARTIAL_REFUND})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the state's file."""
        self.state.database.close()

    def start_checkout(
        self, request: CheckoutRequest, *, idempotency_key: str
    ) -> Checkout:
        if not 0 < request.amount.minor <= _HIGHEST:
            raise Rejected("no payment of this amount", code="amount-not-payable")
        if origin(request.success_url) is None or origin(request.cancel_url) is None:
            raise Rejected("not a web address to return to", code="url-not-allowed")
        stored = self.state.start(
            request,
            key=idempotency_key,
            # Whoever knows the reference sees the page, so nobody may guess it.
            reference=f"checkout_{self.tokens.token()}",
            until=self.clock.now() + _OPEN_FOR,
        )
        return Checkout(
            reference=stored.reference,
            url=f"{self.base}/{stored.reference}",
            expires_at=stored.expires_at,
        )

    def transactions(self, reference: str) -> tuple[Transaction, ...]:
        return self.state.transactions(reference, at=self.clock.now())

    def refund(
        self, reference: str, amount: Money, *, idempotency_key: str
    ) -> Transaction:
        return self.state.refund(
            reference, amount, key=idempotency_key, at=self.clock.now()
        )

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        check(headers.get(HEADER), body, self.keys, at=self.clock.now())
        return read_event(body)


def open_payment_gateway(url: str, wiring: Wiring) -> SandboxPaymentGateway:
    """Open ``sandbox://?state=FILE&base=URL&key=secret://NAME``.

    *state* is the file for the books, `:memory:` unless given; *base* is where
    the checkout pages are mounted. *key* may be given more than once: webhooks
    are signed with each, which is how one is replaced by the next.

    Raises:
        ConfigurationError: a part is missing, unknown or unusable.
        NotFound: there is no such secret.
    """
    given = parse_qs(urlsplit(url).query, keep_blank_values=True)
    unknown = given.keys() - {"state", "base", "key"}
    base = given.get("base", [""])[-1].rstrip("/")
    if unknown or origin(base) is None:
        raise ConfigurationError(
            "the sandbox is opened by sandbox://?state=FILE&base=URL&key=secret://NAME"
        )
    keys = checked_keys([wiring.secret(key) for key in given.get("key", [])])
    return SandboxPaymentGateway(
        state=State(
            database=Database(given.get("state", [":memory:"])[-1]),
            new_id=wiring.ids.new,
        ),
        base=base,
        keys=keys,
        clock=wiring.clock,
        tokens=wiring.tokens,
    )


if TYPE_CHECKING:
    _conforms: type[PaymentGateway] = SandboxPaymentGateway
