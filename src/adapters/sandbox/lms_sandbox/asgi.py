"""The checkout page as a plain ASGI application.

Mount it where the gateway's *base* points; it needs no framework.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from attrs import frozen

from lms_sandbox.page import NOT_FOUND, STYLE, CheckoutPages, Page, message, policy
from lms_sandbox.payment_gateway import SandboxPaymentGateway

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_LONGEST_BODY = 8192
_MOST_FIELDS = 20
_REFERENCE = re.compile("[A-Za-z0-9_-]{1,128}")
_FORM = b"application/x-www-form-urlencoded"


@frozen
class CheckoutApp:
    """Answers requests for `pages`; a slow disk does not stop the event loop."""

    pages: CheckoutPages

    @classmethod
    def of(cls, gateway: SandboxPaymentGateway) -> "CheckoutApp":
        """Serve the checkouts of *gateway*."""
        return cls(CheckoutPages(state=gateway.state, clock=gateway.clock))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        if scope["type"] == "http":
            page = await self._answer(scope, receive)
            await _send(page, send, head=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope, receive: Receive) -> Page:
        path = scope["path"].removeprefix(scope.get("root_path", "")).strip("/")
        reading = scope["method"] in {"GET", "HEAD"}
        if not reading and scope["method"] != "POST":
            return Page(status=405, headers={"allow": "GET, HEAD, POST"})
        if path == "style.css" and reading:
            return STYLE
        if not _REFERENCE.fullmatch(path):
            return NOT_FOUND
        if reading:
            return await asyncio.to_thread(self.pages.show, path)
        return await self._submit(path, dict(scope["headers"]), receive)

    async def _submit(
        self, reference: str, headers: dict[bytes, bytes], receive: Receive
    ) -> Page:
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip()
        if kind.lower() != _FORM:
            return message(415, "Not a form", "Send the form of the checkout page.")
        body = await _body(receive)
        if body is None:
            return message(413, "Too much", "The form is larger than any card needs.")
        try:
            pairs = parse_qsl(body.decode("latin-1"), max_num_fields=_MOST_FIELDS)
        except ValueError:
            return message(413, "Too much", "The form has more fields than the page.")
        return await asyncio.to_thread(self.pages.submit, reference, dict(pairs))


async def _body(receive: Receive) -> bytes | None:
    """Return the whole body, or `None` if it is too long or breaks off."""
    body = b""
    while len(body) <= _LONGEST_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body if len(body) <= _LONGEST_BODY else None
    return None


async def _send(page: Page, send: Send, *, head: bool) -> None:
    headers = {
        "content-type": page.content_type,
        "content-length": str(len(page.body)),
        "content-security-policy": policy(),
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        **page.headers,
    }
    await send(
        {
            "type": "http.response.start",
            "status": page.status,
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in headers.items()],
        }
    )
    body = b"" if head else page.body
    await send({"type": "http.response.body", "body": body})
