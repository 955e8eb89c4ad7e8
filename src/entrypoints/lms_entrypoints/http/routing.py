"""Routes that bound what they parse, and answer a repeated request once."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any, get_type_hints
from weakref import WeakValueDictionary

from attrs import frozen
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from lms_core.errors import LmsError
from lms_core.ports.unit_of_work import KeptAnswer
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.bounded_json import read_json
from lms_entrypoints.http.auth import (
    SAFE,
    caller,
    client_address_of,
    is_same_origin,
    platform_of,
)
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
            body, max_bytes=body_limit(self.scope["path"]), max_depth=MOST_DEPTH
        )


class LmsRoute(APIRoute):
    """A route of the API.

    An unsafe request with an ``Idempotency-Key`` is answered once: the same
    request under the same key gets the same answer, another one a conflict.
    """

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Wrap the handler of the endpoint."""
        handle = self._handler()

        async def bounded(request: Request) -> Response:
            request = BoundedRequest(request.scope, request.receive)
            _refuse_nul(request)
            if request.method not in SAFE:
                _require_own_page(request)
                _require_json(request)
            key = request.headers.get("idempotency-key")
            try:
                if key is None or _is_never_kept(request):
                    return await handle(request)
                return await _once(request, key, handle)
            except HTTPException as exc:
                # FastAPI says "bad request" for whatever ends a body's reading.
                if isinstance(exc.__cause__, LmsError | HttpProblem):
                    raise exc.__cause__ from None
                raise

        return bounded

    def _handler(self) -> Callable[[Request], Awaitable[Response]]:
        """Return what answers a request that has passed: what FastAPI makes."""
        return super().get_route_handler()


class QuickRoute(LmsRoute):
    """A route for what clients send all the time, answered in one go by one thread.

    Its endpoint takes path parameters as text, a *body*, *platform* and *caller*,
    and returns a model. What FastAPI would do it does in the same order: read the
    body, identify the caller, validate the body, call, write the answer. But the
    threads are few and its own (`QUICK_THREADS`): each change of threads costs as
    much as the work, and many threads mostly wait for one another.
    """

    def _handler(self) -> Callable[[Request], Awaitable[Response]]:
        endpoint = self.endpoint
        model: type[BaseModel] = get_type_hints(endpoint)["body"]

        async def handle(request: Request) -> Response:
            data = await _json_of(request)

            def work() -> Response:
                who = caller(request)
                answer: BaseModel = endpoint(
                    **request.path_params,
                    body=_validated(model, data),
                    platform=platform_of(request),
                    caller=who,
                )
                text = answer.model_dump_json()
                return Response(text, media_type="application/json")

            threads: ThreadPoolExecutor = request.app.state.quick_threads
            return await asyncio.get_running_loop().run_in_executor(threads, work)

        return handle


QUICK_THREADS = 4


async def _json_of(request: Request) -> Any:
    """Return the JSON that *request* carries, or `None` where it has no body."""
    try:
        return await request.json() if await request.body() else None
    except ClientDisconnect as exc:
        raise HTTPException(400, "the body broke off") from exc


def _validated(model: type[BaseModel], data: Any) -> BaseModel:
    """Return *data* as a *model*, or raise what FastAPI would."""
    if data is None:
        missing = {"type": "missing", "loc": ("body",), "msg": "Field required"}
        raise RequestValidationError([missing])
    try:
        return model.model_validate(data)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False)
        faults = [{**each, "loc": ("body", *each["loc"])} for each in errors]
        raise RequestValidationError(faults) from exc


def _refuse_nul(request: Request) -> None:
    """Refuse what PostgreSQL cannot even compare with what it has."""
    if "\0" in request.scope["path"]:
        raise HttpProblem(404, "not-found", "there is no such thing")
    if b"%00" in request.scope["query_string"]:
        raise HttpProblem(422, "invalid-document", "parameters must not hold NUL")


def _require_own_page(request: Request) -> None:
    """Refuse what a foreign page makes a browser send without credentials.

    What carries a token was put together by the client itself; what carries our
    cookie is held to more than this, by `caller`.
    """
    if "authorization" not in request.headers and not is_same_origin(request):
        raise HttpProblem(403, "csrf", "the request did not come from our own pages")


def _is_never_kept(request: Request) -> bool:
    """Tell whether the answer would be a secret, changes nothing, or is a part's.

    A part replaces itself when it is sent again, and is too large to be compared.
    """
    path = request.scope["path"]
    return request.method in SAFE or path.startswith(_UNKEPT)


def _require_json(request: Request) -> None:
    """Refuse bodies that a foreign form could send."""
    if request.headers.get("content-length", "0") == "0" and (
        "transfer-encoding" not in request.headers
    ):
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    raw = request.scope["path"].startswith("/api/v1/uploads/") or kind in _RAW
    if kind != "application/json" and not raw:
        raise HttpProblem(415, "unsupported-media-type", "send application/json")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HttpProblem(415, "unsupported-media-type", "send it uncompressed")


_UNKEPT = ("/api/v1/auth/", "/api/v1/uploads/")
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
    who = await run_in_threadpool(caller, request)
    address = client_address_of(request)
    scope = who.known.user if who.known else f"nobody/{address}"
    locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = request.app.state.locks
    # The second of two at once waits for the first one's answer.
    lock = locks.setdefault((scope, key), asyncio.Lock())
    async with lock:
        return await _answer(request, _Key(platform_of(request), scope, key), handle)


@frozen
class _Key:
    """A client's key, and what is kept under it."""

    platform: Platform
    scope: str
    key: str

    def find(self) -> KeptAnswer | None:
        with self.platform.start(read_only=True) as work:
            return work.idempotency.find(self.scope, self.key)

    def keep(self, answer: KeptAnswer) -> None:
        now = self.platform.clock.now()
        with self.platform.start() as work:
            work.idempotency.keep(self.scope, self.key, answer, at=now)
            work.commit()


async def _answer(
    request: Request, key: _Key, handle: Callable[[Request], Awaitable[Response]]
) -> Response:
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    what = f"{request.method} {path}?{query}\n".encode()
    fingerprint = sha256(what + await request.body()).hexdigest()
    kept = await run_in_threadpool(key.find)
    if kept is not None:
        return _replay(kept, fingerprint)
    try:
        response = await handle(request)
        answer = _kept(response, fingerprint)
        if answer is not None:
            await run_in_threadpool(key.keep, answer)
    except LmsError:
        # Another process may have answered the same request meanwhile.
        kept = await run_in_threadpool(key.find)
        if kept is None:
            raise
        return _replay(kept, fingerprint)
    return response


def _kept(response: Response, fingerprint: str) -> KeptAnswer | None:
    """Return *response* as it is kept: a line of headers, then the body."""
    if response.status_code >= 400 or len(response.body) > LONGEST_KEPT:  # noqa: PLR2004
        return None
    headers = {k: v for k, v in response.headers.items() if k != "content-length"}
    body = bytes(response.body).decode()
    return KeptAnswer(
        fingerprint=fingerprint,
        status=response.status_code,
        body=f"{json.dumps(headers)}\n{body}",
    )


def _replay(kept: KeptAnswer, fingerprint: str) -> Response:
    if kept.fingerprint != fingerprint:
        raise HttpProblem(
            409, "idempotency-key-reused", "the key was used with another request"
        )
    headers, _, body = kept.body.partition("\n")
    return Response(
        body,
        status_code=kept.status,
        headers={**json.loads(headers), "idempotency-replayed": "true"},
    )


def json_response(data: Any, status: int = 200, **headers: str) -> Response:
    """Return *data* as JSON."""
    return Response(
        json.dumps(data, separators=(",", ":")),
        status_code=status,
        media_type="application/json",
        headers=headers,
    )
