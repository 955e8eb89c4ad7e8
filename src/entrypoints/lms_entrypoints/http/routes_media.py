"""Playback grants, and the delivery of media behind signed links."""

import re
import time
from collections import OrderedDict
from threading import Lock

from attrs import define, field
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from lms_core.application.open_lesson import GrantPlayback, MayStillWatch
from lms_core.domain.ids import MediaId, ObjectKey, UserId
from lms_core.errors import NotFound, NotPermitted, Rejected
from lms_core.ports.object_store import ObjectInfo, ObjectReader
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.http.auth import CallerDep, PlatformDep, identify
from lms_entrypoints.http.problems import HttpProblem
from lms_entrypoints.http.routing import LmsRoute
from lms_entrypoints.http.schemas import PlaybackAnswer
from lms_local.hmac_signer import HmacUrlSigner

router = APIRouter(route_class=LmsRoute, tags=["media"])

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
RECHECK_S = 15.0
"""How old the answer may be whether the holder of a link may still watch."""

_PLAYED = {
    # What is delivered inline; everything else would be downloaded.
    "application/vnd.apple.mpegurl",
    "video/mp4",
    "video/iso.segment",
    "audio/mp4",
    "text/vtt",
    "image/jpeg",
    "image/png",
}


@router.post("/api/v1/media/{media_id}/playback")
def grant_playback(
    media_id: str, platform: PlatformDep, caller: CallerDep
) -> PlaybackAnswer:
    """Give signed links to a lecture whose lesson is open to the caller."""
    playback = platform.use(GrantPlayback)(caller.actor, MediaId(media_id))
    return PlaybackAnswer.of(playback)


def wanted_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return start and stop of a byte range (RFC 9110, section 14).

    `None` means the whole object: no header, or one that is no single range,
    which a server may ignore.

    Raises:
        HttpProblem: 416, no byte of the range is there.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or found[1] == found[2] == "":
        return None
    if not found[1]:
        start, stop = max(0, size - int(found[2])), size
    else:
        start = int(found[1])
        stop = min(size, int(found[2]) + 1) if found[2] else size
        if found[2] and int(found[2]) < start:
            return None
    if start >= size or start >= stop:
        raise HttpProblem(
            416,
            "bad-range",
            f"the object has {size} bytes",
            headers={"content-range": f"bytes */{size}"},
        )
    return start, stop


@router.api_route(
    "/media/{token}/{path:path}",
    methods=["GET", "HEAD"],
    include_in_schema=False,
    response_class=Response,
)
def deliver(token: str, path: str, request: Request, platform: PlatformDep) -> Response:
    """Stream an object to whoever holds a good link to it.

    A link is one viewer's: a browser that is signed in as somebody else is
    refused, so that a link passed on is of no use to other members.
    """
    key = _allowed(platform, request, token, path)
    info = platform.objects.info(key)
    if _is_known(request.headers.get("if-none-match"), info.etag):
        return Response(status_code=304, headers=_headers(info))
    window = None
    # Only GET has ranges, and only of the very object that the client has.
    if request.method == "GET" and (
        request.headers.get("if-range") in {None, f'"{info.etag}"'}
    ):
        window = wanted_range(request.headers.get("range"), info.size_bytes)
    start, stop = window or (0, info.size_bytes)
    headers = _headers(info) | {"content-length": str(stop - start)}
    if window is not None:
        headers["content-range"] = f"bytes {start}-{stop - 1}/{info.size_bytes}"
    status = 200 if window is None else 206
    if request.method == "HEAD" or start == stop:
        return Response(status_code=status, headers=headers)
    try:
        reader = platform.objects.open(key, start=start, stop=stop)
    except Rejected as exc:
        raise HttpProblem(416, "bad-range", "the object has changed") from exc
    return _Delivery(reader, status_code=status, headers=headers)


def _allowed(platform: Platform, request: Request, token: str, path: str) -> ObjectKey:
    signer = platform.signer
    if not isinstance(signer, HmacUrlSigner):
        raise NotFound("media is delivered elsewhere")
    try:
        grant = signer.verify(token, path, at=platform.clock.now())
        known = identify(request).known
    except NotPermitted as exc:
        raise HttpProblem(403, exc.code, str(exc)) from exc
    if known is not None and known.user != grant.viewer:
        raise HttpProblem(403, "link-of-another", "the link is somebody else's")
    viewers: RecentViewers = request.app.state.viewers
    if not viewers.may_watch(platform, grant.viewer, grant.prefix):
        raise HttpProblem(403, "link-revoked", "the lecture is not open any more")
    return ObjectKey(path)


class _Delivery(StreamingResponse):
    """The bytes of a reader, which is closed however the delivery ends.

    Players leave as soon as they have enough, often before the first byte.
    """

    def __init__(
        self, reader: ObjectReader, *, status_code: int, headers: dict[str, str]
    ) -> None:
        super().__init__(reader, status_code=status_code, headers=headers)
        self._reader = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._reader.close()


@define
class RecentViewers:
    """Asks now and then whether who holds a link may still watch."""

    most: int = 10_000
    _asked: OrderedDict[tuple[UserId, ObjectKey], tuple[float, bool]] = field(
        factory=OrderedDict, init=False, repr=False
    )
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    def may_watch(self, platform: Platform, viewer: UserId, prefix: ObjectKey) -> bool:
        """Return the answer, at most `RECHECK_S` old."""
        name, now = (viewer, prefix), time.monotonic()
        with self._lock:
            at, answer = self._asked.get(name, (-RECHECK_S, False))
        if now - at < RECHECK_S:
            return answer
        answer = platform.use(MayStillWatch)(viewer, prefix)
        with self._lock:
            self._asked[name] = (now, answer)
            self._asked.move_to_end(name)
            if len(self._asked) > self.most:
                self._asked.popitem(last=False)
        return answer


def _is_known(header: str | None, etag: str) -> bool:
    """Tell whether ``If-None-Match`` names what there is (RFC 9110, 13.1.2)."""
    if header is None:
        return False
    names = {name.strip().removeprefix("W/") for name in header.split(",")}
    return bool(names & {"*", f'"{etag}"'})


def _headers(info: ObjectInfo) -> dict[str, str]:
    kind = info.content_type
    headers = {
        "content-type": kind if kind in _PLAYED else "application/octet-stream",
        "etag": f'"{info.etag}"',
        "accept-ranges": "bytes",
        # Names never change their content; the link is private to one viewer.
        "cache-control": "private, max-age=86400, immutable",
        "content-security-policy": "default-src 'none'; sandbox",
        "cross-origin-resource-policy": "same-origin",
    }
    if kind not in _PLAYED:
        headers["content-disposition"] = "attachment"
    return headers
