"""Routes that bound what they parse, and answer a repeated request once."""

import json
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from lms_core.errors import Conflict
from lms_core.ports.unit_of_work import KeptAnswer
from lms_entrypoints.bounded_json import read_json
from lms_entrypoints.http.auth import SAFE, identify, platform_of
from lms_entrypoints.http.edge import body_limit
from lms_entrypoints.http.problems import HttpProblem

MOST_DEPTH = 40
LONGEST_KEY = 255
LONGEST_KEPT = 64 * 1024


class BoundedRequest(Request):
    """A request whose JSON is read by our rules."""

    async def json(self) -> Any:
        """Return the body; `InvalidDocument` says what is wrong with it."""
        body = await self.body()
        return read_json(
            body, max_bytes=body_limit(self.url.path), max_depth=MOST_DEPTH
        )


class LmsRoute(APIRoute):
    """A route of the API.

    An unsafe request with an ``Idempotency-Key`` is answered once: the same
    request under the same key gets the same answer, another one a conflict.
    """

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Wrap the handler that FastAPI makes."""
        handle = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            request = BoundedRequest(request.scope, request.receive)
            if request.method not in SAFE:
                _require_json(request)
            key = request.headers.get("idempotency-key")
            if key is None or request.method in SAFE:
                return await handle(request)
            return await _once(request, key, handle)

        return bounded


def _require_json(request: Request) -> None:
    """Refuse bodies that a foreign form could send."""
    if request.headers.get("content-length", "0") == "0" and (
        "transfer-encoding" not in request.headers
    ):
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    raw = request.url.path.startswith("/api/v1/uploads/") or kind in _RAW
    if kind != "application/json" and not raw:
        raise HttpProblem(415, "unsupported-media-type", "send application/json")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HttpProblem(415, "unsupported-media-type", "send it uncompressed")


_RAW = {"application/zip", "application/gzip", "application/octet-stream", "text/vtt"}


async def _once(
    request: Request,
    key: str,
    handle: Callable[[Request], Awaitable[Response]],
) -> Response:
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise HttpProblem(
            400, "bad-idempotency-key", f"1 to {LONGEST_KEY} printable ASCII characters"
        )
    platform = platform_of(request)
    who = await run_in_threadpool(identify, request)
    scope = who.known.user if who.known else "nobody"
    what = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    fingerprint = sha256(what + await request.body()).hexdigest()

    def find() -> KeptAnswer | None:
        with platform.start(read_only=True) as work:
            return work.idempotency.find(scope, key)

    def keep(answer: KeptAnswer) -> None:
        with platform.start() as work:
            work.idempotency.keep(scope, key, answer, at=platform.clock.now())
            work.commit()

    kept = await run_in_threadpool(find)
    if kept is not None:
        return _replay(kept, fingerprint)
    response = await handle(request)
    body = bytes(response.body)
    worth_keeping = response.status_code < 400 and len(body) <= LONGEST_KEPT  # noqa: PLR2004
    if worth_keeping:
        try:
            text = body.decode()
            answer = KeptAnswer(
                fingerprint=fingerprint, status=response.status_code, body=text
            )
            await run_in_threadpool(keep, answer)
        except Conflict:
            kept = await run_in_threadpool(find)
            if kept is not None:
                return _replay(kept, fingerprint)
    return response


def _replay(kept: KeptAnswer, fingerprint: str) -> Response:
    if kept.fingerprint != fingerprint:
        raise HttpProblem(
            409, "idempotency-key-reused", "the key was used with another request"
        )
    return Response(
        kept.body,
        status_code=kept.status,
        media_type="application/json",
        headers={"idempotency-replayed": "true"},
    )


def json_response(data: Any, status: int = 200, **headers: str) -> Response:
    """Return *data* as JSON."""
    return Response(
        json.dumps(data, separators=(",", ":")),
        status_code=status,
        media_type="application/json",
        headers=headers,
    )
