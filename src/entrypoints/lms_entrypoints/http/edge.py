"""What every request passes before a route sees it: ids, limits, headers."""

import asyncio
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from ipaddress import IPv6Address, IPv6Network, ip_address
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field, frozen
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lms_core.ports.object_store import PART_BYTES
from lms_core.ports.system import IdSource
from lms_entrypoints.http.problems import HttpProblem, edge_document, problem
from lms_entrypoints.settings import Settings

SMALL_BYTES = 256 * 1024
"""What a request body may have where nothing else is said."""

ARCHIVE_BYTES = 512 * 1024 * 1024
SLOWEST_S = 30
"""How long a client may take between two pieces of a body."""

_LIMITS = (
    (re.compile(r"/api/v1/uploads/[^/]+/parts/[0-9]+"), PART_BYTES),
    (re.compile(r"/api/v1/courses/[^/]+/import"), ARCHIVE_BYTES),
    (re.compile(r"/teach/import"), ARCHIVE_BYTES),
    (re.compile(r"/api/v1/media/[^/]+/captions/[^/]+"), 2 * 1024 * 1024),
    (re.compile(r"/api/v1/courses(/[^/]+)?"), 8 * 1024 * 1024),
)
_LOG = logging.getLogger("lms.http")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def body_limit(path: str) -> int:
    """Return how many bytes a request to *path* may carry."""
    return next(
        (limit for pattern, limit in _LIMITS if pattern.fullmatch(path)), SMALL_BYTES
    )


@frozen
class LimitBodies:
    """Refuse bodies that are too long, before and while they are read."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes in."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = body_limit(scope["path"])
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isascii() or not announced.isdigit():
            await self._refuse(scope, receive, send, 400, limit)
            return
        if int(announced) > limit:
            await self._refuse(scope, receive, send, 413, limit)
            return
        seen, whole = 0, False

        async def counted() -> Message:
            nonlocal seen, whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout(SLOWEST_S):
                    message = await receive()
            except TimeoutError:
                raise HttpProblem(408, "body-too-slow", "send it faster") from None
            seen += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if seen > limit:
                raise HttpProblem(413, "body-too-large", f"at most {limit} bytes")
            return message

        await self.app(scope, counted, send)

    async def _refuse(
        self, scope: Scope, receive: Receive, send: Send, status: int, limit: int
    ) -> None:
        code = "body-too-large" if status == 413 else "bad-content-length"  # noqa: PLR2004
        document = edge_document(status, code, f"at most {limit} bytes")
        response = _answer(scope, document)
        response.headers["connection"] = "close"
        await response(scope, receive, send)


def _answer(scope: Scope, document: Mapping[str, Any]) -> Response:
    """Return a problem for programs, and for people what the portal makes of it."""
    page_of = getattr(getattr(scope.get("app"), "state", None), "refusal_page", None)
    page = page_of(scope, document["status"], document["code"]) if page_of else None
    return page if isinstance(page, Response) else problem(document)


def content_security_policy(settings: Settings) -> str:
    """Return the policy for pages: our own scripts and styles, nothing inline."""
    media = "'self'"
    base = urlsplit(settings.base_url)
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src {media} data:",
            f"media-src {media} blob:",
            "connect-src 'self'",
            "font-src 'self'",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            f"form-action 'self' {base.scheme}://{base.netloc}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


@frozen
class SecureHeaders:
    """Add what browsers need to be told, and an id that logs and clients share."""

    app: ASGIApp
    settings: Settings
    ids: IdSource
    _always: tuple[tuple[bytes, bytes], ...] = field(init=False, repr=False)
    _unless_said: tuple[tuple[bytes, bytes], ...] = field(init=False, repr=False)

    @_always.default
    def _what_browsers_hear(self) -> tuple[tuple[bytes, bytes], ...]:
        told = {
            b"x-content-type-options": b"nosniff",
            b"referrer-policy": b"same-origin",
            b"cross-origin-opener-policy": b"same-origin",
            b"permissions-policy": (
                b"camera=(), microphone=(), geolocation=(), payment=()"
            ),
        }
        if self.settings.base_url.startswith("https:"):
            told[b"strict-transport-security"] = b"max-age=31536000"
        return tuple(told.items())

    @_unless_said.default
    def _what_routes_may_change(self) -> tuple[tuple[bytes, bytes], ...]:
        policy = content_security_policy(self.settings)
        return (
            (b"content-security-policy", policy.encode("latin-1")),
            (b"cache-control", b"no-store"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add headers to every response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        named = Headers(scope=scope).get("x-request-id", "")
        request_id = named if _REQUEST_ID.fullmatch(named) else self.ids.new()
        scope.setdefault("state", {})["request_id"] = request_id
        always = (*self._always, (b"x-request-id", request_id.encode("latin-1")))
        ours = {name for name, _ in always}
        started = False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                given = [each for each in message["headers"] if each[0] not in ours]
                said = {name for name, _ in given}
                rest = (each for each in self._unless_said if each[0] not in said)
                message["headers"] = [*given, *always, *rest]
                started = True
            await send(message)

        try:
            await self.app(scope, receive, with_headers)
        except Exception as exc:
            if started:
                raise
            method, path = scope["method"], scope["path"]
            _LOG.exception("%s %s: %r", method, path, exc)
            document = edge_document(500, "internal", "this is our fault")
            await _answer(scope, document)(scope, receive, with_headers)


@define
class RateLimiter:
    """A token bucket for each principal, in this process.

    A bucket holds *burst* requests and fills up at *per_minute*. The least
    recently used buckets are forgotten, so memory is bounded whatever comes.
    """

    per_minute: float
    burst: int
    most_buckets: int = 50_000
    _buckets: OrderedDict[str, tuple[float, float]] = field(
        factory=OrderedDict, init=False
    )
    _lock: Lock = field(factory=Lock, init=False)

    def seconds_to_wait(self, principal: str) -> int:
        """Take one request; return 0, or how long to wait before the next."""
        now = time.monotonic()
        rate = self.per_minute / 60
        with self._lock:
            level, since = self._buckets.pop(principal, (float(self.burst), now))
            level = min(float(self.burst), level + (now - since) * rate)
            allowed = level >= 1
            self._buckets[principal] = (level - 1 if allowed else level, now)
            if len(self._buckets) > self.most_buckets:
                self._buckets.popitem(last=False)
        return 0 if allowed else max(1, round((1 - level) / rate))


def client_address(scope: Scope, settings: Settings) -> str:
    """Return who sends the request, as far as trusted proxies tell.

    ``x-forwarded-for`` is believed from the right, one entry for each trusted
    proxy; what a client itself put there is never reached.
    """
    client = scope.get("client")
    direct = str(client[0]) if client else "unknown"
    if settings.trusted_proxies == 0:
        return _network(direct)
    # A client may send the header itself: what proxies add comes after it.
    lines = Headers(scope=scope).getlist("x-forwarded-for")
    chain = [part.strip() for part in ",".join(lines).split(",") if part.strip()]
    if len(chain) < settings.trusted_proxies:
        return _network(direct)
    return _network(chain[-settings.trusted_proxies])


def _network(text: str) -> str:
    """Return what one subscriber has: an IPv4 address, or an IPv6 network of /64."""
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return text[:64]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Network((int(address), 64), strict=False))
    return str(address)
