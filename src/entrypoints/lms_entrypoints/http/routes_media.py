"""Playback grants, and the delivery of media behind signed links."""

import re
from collections.abc import Iterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from lms_core.application.open_lesson import GrantPlayback
from lms_core.domain.ids import MediaId, ObjectKey
from lms_core.errors import NotPermitted, Rejected, Unsupported
from lms_core.ports.object_store import ObjectInfo, ObjectReader
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.http.auth import CallerDep, PlatformDep, identify
from lms_entrypoints.http.problems import HttpProblem
from lms_entrypoints.http.routing import LmsRoute
from lms_entrypoints.http.schemas import PlaybackAnswer
from lms_local.hmac_signer import HmacUrlSigner

router = APIRouter(route_class=LmsRoute, tags=["media"])

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
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
    if request.headers.get("if-none-match") == f'"{info.etag}"':
        return Response(status_code=304, headers=_headers(info))
    window = wanted_range(request.headers.get("range"), info.size_bytes)
    if request.headers.get("if-range") not in {None, f'"{info.etag}"'}:
        window = None
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
    return StreamingResponse(_chunks(reader), status_code=status, headers=headers)


def _allowed(platform: Platform, request: Request, token: str, path: str) -> ObjectKey:
    signer = platform.signer
    if not isinstance(signer, HmacUrlSigner):
        raise Unsupported("media is delivered elsewhere", code="not-found")
    try:
        grant = signer.verify(token, path, at=platform.clock.now())
        known = identify(request).known
    except NotPermitted as exc:
        raise HttpProblem(403, exc.code, str(exc)) from exc
    if known is not None and known.user != grant.viewer:
        raise HttpProblem(403, "link-of-another", "the link is somebody else's")
    with platform.start(read_only=True) as work:
        if work.users.get(grant.viewer).suspended:
            raise HttpProblem(403, "account-suspended", "the account is suspended")
    return ObjectKey(path)


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


def _chunks(reader: ObjectReader) -> Iterator[bytes]:
    with reader:
        yield from reader
