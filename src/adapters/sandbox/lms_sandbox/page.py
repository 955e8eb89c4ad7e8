"""The page where a buyer pays; it needs no script and no cookie."""

from collections.abc import Mapping

from attrs import Factory, frozen
from jinja2 import Environment, PackageLoader, StrictUndefined

from lms_core.domain.money import Money
from lms_core.errors import NotFound
from lms_core.ports.system import Clock
from lms_sandbox._rows import CheckoutStatus, StoredCheckout
from lms_sandbox.cards import CARDS
from lms_sandbox.form import Filled, read_form
from lms_sandbox.payment_gateway import origin
from lms_sandbox.state import State

_TEMPLATES = Environment(
    loader=PackageLoader("lms_sandbox"), autoescape=True, undefined=StrictUndefined
)


def shown(amount: Money) -> str:
    """Return *amount* for humans, exactly.

    >>> shown(Money(123456, "EUR"))
    '1,234.56 EUR'
    """
    digits = amount.decimals
    if not digits:
        return f"{amount.minor:,} {amount.currency}"
    whole, part = divmod(amount.minor, 10**digits)
    return f"{whole:,}.{part:0{digits}} {amount.currency}"


@frozen(kw_only=True)
class Page:
    """An answer to a browser."""

    status: int
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = Factory(dict)


def policy(*form_targets: str | None) -> str:
    """Return the Content-Security-Policy of a page whose form may lead there."""
    # Browsers apply form-action to the redirect after a form as well.
    targets = " ".join(("'self'", *filter(None, form_targets)))
    return (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none';"
        f" frame-ancestors 'none'; form-action {targets}"
    )


def message(status: int, title: str, text: str, *, link: str = "") -> Page:
    """Return a page that says one thing."""
    html = _TEMPLATES.get_template("message.html").render(
        title=title, text=text, link=link
    )
    return Page(status=status, body=html.encode())


NOT_FOUND = message(
    404, "No such checkout", "Go back to the shop and start the payment again."
)


@frozen(kw_only=True)
class CheckoutPages:
    """Shows checkouts and takes test cards for them."""

    state: State
    clock: Clock

    def show(self, reference: str) -> Page:
        """Return the page of a checkout."""
        try:
            checkout = self.state.checkout(reference, at=self.clock.now())
        except NotFound:
            return NOT_FOUND
        return self._page(checkout, Filled(None), status=200)

    def submit(self, reference: str, form: Mapping[str, str]) -> Page:
        """Try the card in *form*; send the buyer back to the shop once it is paid."""
        now = self.clock.now()
        try:
            checkout = self.state.checkout(reference, at=now)
            filled = read_form(form, at=now)
            if checkout.status is CheckoutStatus.OPEN:
                if filled.card is None:
                    return self._page(checkout, filled, status=422)
                self.state.pay(reference, filled.card, at=now)
                checkout = self.state.checkout(reference, at=now)
        except NotFound:
            return NOT_FOUND
        if checkout.status is CheckoutStatus.PAID:
            # Paid just now, or in another tab: either way there is nothing to do.
            return Page(status=303, headers={"location": checkout.request.success_url})
        return self._page(checkout, filled, status=402)

    def _page(self, checkout: StoredCheckout, filled: Filled, *, status: int) -> Page:
        asked = checkout.request
        if checkout.status is CheckoutStatus.PAID:
            return message(
                200, "Already paid", "Nothing more to do.", link=asked.success_url
            )
        if checkout.status is CheckoutStatus.EXPIRED:
            return message(
                410,
                "This checkout has expired",
                "Nothing was charged. Go back to the shop and start again.",
                link=asked.cancel_url,
            )
        html = _TEMPLATES.get_template("checkout.html").render(
            asked=asked,
            amount=shown(asked.amount),
            declined=filled.card.declined if filled.card else "",
            problems=filled.problems,
            again=filled.again,
            cards=CARDS.values(),
        )
        allowed = policy(origin(asked.success_url))
        headers = {"content-security-policy": allowed}
        return Page(status=status, body=html.encode(), headers=headers)


STYLE = Page(
    status=200,
    body=_TEMPLATES.get_template("style.css").render().encode(),
    content_type="text/css; charset=utf-8",
    headers={"cache-control": "max-age=300"},
)
