"""Courses as their authors see them, and the lectures in them."""

import errno
import os
import tempfile
from asyncio import get_running_loop
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import IO

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from lms_core.application.author_course import (
    CreateCourse,
    EditCourse,
    PublishCourse,
    ReadDraft,
)
from lms_core.application.upload_media import (
    AttachCaptions,
    CompleteUpload,
    StartUpload,
    UploadPart,
    read_upload_id,
)
from lms_core.domain.catalog.content import CourseContent
from lms_core.domain.documents import load
from lms_core.domain.ids import CourseId, LessonId, MediaId, course_id
from lms_core.domain.paging import PageRequest
from lms_core.errors import Unavailable
from lms_entrypoints.http.auth import CallerDep, PlatformDep, guard_costly
from lms_entrypoints.http.problems import HttpProblem
from lms_entrypoints.http.routes_catalogue import After, Limit
from lms_entrypoints.http.routes_grades import IfMatch, version_in
from lms_entrypoints.http.routing import LmsRoute
from lms_entrypoints.http.schemas import (
    CreateCourseBody,
    DraftAnswer,
    EditCourseBody,
    MediaAnswer,
    PartAnswer,
    TaughtCourse,
    TaughtPage,
    UploadAnswer,
    UploadBody,
)

router = APIRouter(prefix="/api/v1", route_class=LmsRoute, tags=["authoring"])

_STORING = ThreadPoolExecutor(3, thread_name_prefix="lms-part")
"""Bounds how many parts are in memory at a time, on their way to the store.

Its threads do nothing else: what a thread has used of memory stays with it, so
that all of a server's threads would come to hold a part each.
"""

_PIECE_BYTES = 256 * 1024
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_RAW = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"}
            }
        },
    }
}


@router.get("/teach/courses")
def list_taught(
    platform: PlatformDep, caller: CallerDep, limit: Limit = 50, after: After = None
) -> TaughtPage:
    """List the courses that the caller teaches."""
    page = platform.use(ReadDraft).taught(caller.actor, PageRequest(limit, after))
    return TaughtPage(
        items=[
            TaughtCourse(
                id=course.id,
                title=course.draft.title,
                published=course.publication.number if course.publication else None,
            )
            for course in page.items
        ],
        next=page.next,
    )


@router.post("/courses", status_code=201)
def create_course(
    body: CreateCourseBody,
    response: Response,
    platform: PlatformDep,
    caller: CallerDep,
) -> DraftAnswer:
    """Create a course as a draft."""
    content = load(CourseContent, body.content, place="content")
    course = platform.use(CreateCourse)(caller.actor, body.id, content)
    response.headers["etag"] = f'"{course.version}"'
    response.headers["location"] = f"/api/v1/courses/{course.id}/draft"
    return DraftAnswer.of(course)


@router.get("/courses/{course_id}/draft")
def read_draft(
    course_id: str, response: Response, platform: PlatformDep, caller: CallerDep
) -> DraftAnswer:
    """Show a course's draft to those who teach it."""
    found = platform.use(ReadDraft)(caller.actor, CourseId(course_id))
    response.headers["etag"] = f'"{found.course.version}"'
    return DraftAnswer.of(
        found.course, [MediaAnswer.of(asset) for asset in found.media.values()]
    )


@router.put("/courses/{course_id}")
def edit_course(
    course_id: str,
    body: EditCourseBody,
    response: Response,
    platform: PlatformDep,
    caller: CallerDep,
    if_match: IfMatch = None,
) -> DraftAnswer:
    """Replace a course's draft; ``If-Match`` says which version was changed."""
    version = version_in(if_match)
    if version is None:
        raise HttpProblem(428, "if-match-missing", "send the draft's ETag in If-Match")
    content = load(CourseContent, body.content, place="content")
    course = platform.use(EditCourse)(
        caller.actor, CourseId(course_id), content, version=version
    )
    response.headers["etag"] = f'"{course.version}"'
    return DraftAnswer.of(course)


@router.post("/courses/{course_id}/publish")
def publish_course(
    course_id: str, response: Response, platform: PlatformDep, caller: CallerDep
) -> DraftAnswer:
    """Let learners see the draft."""
    course = platform.use(PublishCourse)(caller.actor, CourseId(course_id))
    response.headers["etag"] = f'"{course.version}"'
    return DraftAnswer.of(course)


@router.post("/uploads")
@router.post("/media/uploads", include_in_schema=False)
def start_upload(
    body: UploadBody, request: Request, platform: PlatformDep, caller: CallerDep
) -> UploadAnswer:
    """Begin the upload of a lecture, or resume it with the same file."""
    guard_costly(request, caller)
    state = platform.use(StartUpload)(
        caller.actor,
        LessonId(course_id(body.course), body.lesson),
        filename=body.filename,
        fingerprint=body.fingerprint,
        size_bytes=body.size_bytes,
        content_type=body.content_type,
    )
    return UploadAnswer.of(state)


@router.get("/uploads/{upload_id}")
def read_upload(
    upload_id: str, platform: PlatformDep, caller: CallerDep
) -> UploadAnswer:
    """Tell which parts have arrived."""
    media, generation = read_upload_id(upload_id)
    return UploadAnswer.of(
        platform.use(UploadPart).state(caller.actor, media, generation=generation)
    )


@router.put("/uploads/{upload_id}/parts/{number}", openapi_extra=_RAW)
async def upload_part(
    upload_id: str,
    number: int,
    request: Request,
    platform: PlatformDep,
    caller: CallerDep,
) -> PartAnswer:
    """Take one part, as raw bytes; sending it again replaces it."""
    media, generation = read_upload_id(upload_id)
    async with _on_disk(request) as file:

        def put() -> PartAnswer:
            # Asking for what is there needs no second buffer.
            data = os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)
            part = platform.use(UploadPart)(
                caller.actor, media, number, data, generation=generation
            )
            return PartAnswer(number=part.number, size_bytes=part.size_bytes)

        return await get_running_loop().run_in_executor(_STORING, put)


@asynccontextmanager
async def _on_disk(request: Request) -> AsyncIterator[IO[bytes]]:
    """Receive a body into a file: however many come, and however slowly.

    In memory, what arrives at once would add up; whoever waited for a turn with
    others would wait for the slowest client.

    Raises:
        Unavailable: there is no room for it (``storage-full``).
    """
    with tempfile.TemporaryFile(buffering=0) as file:
        pieces = bytearray()
        async for piece in request.stream():
            pieces += piece
            if len(pieces) >= _PIECE_BYTES:
                await run_in_threadpool(_append, file, bytes(pieces))
                pieces.clear()
        await run_in_threadpool(_append, file, bytes(pieces))
        yield file


def _append(file: IO[bytes], data: bytes) -> None:
    try:
        # A disk that is getting full takes a part of it, and then complains.
        while data:
            data = data[file.write(data) :]
    except OSError as exc:
        raise Unavailable(
            f"cannot keep what was sent: {exc.strerror or exc}",
            resource="temporary files",
            code="storage-full" if exc.errno in _FULL else None,
        ) from exc


@router.post("/uploads/{upload_id}/complete")
def complete_upload(
    upload_id: str, platform: PlatformDep, caller: CallerDep
) -> MediaAnswer:
    """Put the parts together; transcoding follows."""
    media, generation = read_upload_id(upload_id)
    return MediaAnswer.of(
        platform.use(CompleteUpload)(caller.actor, media, generation=generation)
    )


@router.put("/media/{media_id}/captions/{language}", openapi_extra=_RAW)
async def attach_captions(
    media_id: str,
    language: str,
    request: Request,
    platform: PlatformDep,
    caller: CallerDep,
    label: str = "",
) -> MediaAnswer:
    """Attach captions (WebVTT or SubRip), as raw bytes."""
    data = await request.body()

    def attach() -> MediaAnswer:
        asset = platform.use(AttachCaptions)(
            caller.actor,
            MediaId(media_id),
            language=language,
            label=label or language,
            data=data,
        )
        return MediaAnswer.of(asset)

    return await run_in_threadpool(attach)
