"""Courses as their authors see them: overview, import, publishing, lectures."""

import shutil
import tempfile
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from lms_core.application.author_course import CreateCourse, PublishCourse, ReadDraft
from lms_core.application.oversee_course import OverseeCourse, OverseenCourse
from lms_core.application.transcode_media import RetryMedia
from lms_core.application.upload_media import LARGEST_BYTES, MediaType
from lms_core.domain.access.policy import Action, decide
from lms_core.domain.catalog.content import CourseContent, Lesson, QuizContent, Video
from lms_core.domain.ids import CourseId, MediaId
from lms_core.domain.media.asset import MediaAsset, MediaStatus
from lms_core.domain.paging import MOST_ITEMS, PageRequest
from lms_core.errors import (
    AlreadyExists,
    Fault,
    InvalidDocument,
    InvalidValue,
    NotFound,
)
from lms_entrypoints.http.auth import guard_costly
from lms_entrypoints.http.edge import ARCHIVE_BYTES
from lms_entrypoints.import_course import Imported, import_course, opened_course
from lms_entrypoints.portal import links, views
from lms_entrypoints.portal.grades import conditions
from lms_entrypoints.portal.outlines import names_in
from lms_entrypoints.portal.visits import FormDep, Visit, VisitDep, check_form
from lms_entrypoints.portal.words import explain_code

router = APIRouter(include_in_schema=False)

MOST_FAULTS = 200
LOOK_AGAIN_S = 4
_IN_WORK = {MediaStatus.UPLOADING, MediaStatus.QUEUED, MediaStatus.TRANSCODING}


def _may_create(visit: Visit) -> bool:
    now = visit.platform.clock.now()
    return bool(decide(visit.actor, Action.CREATE_COURSE, at=now))


def _require_author(visit: Visit) -> None:
    visit.require()
    now = visit.platform.clock.now()
    decide(visit.actor, Action.CREATE_COURSE, at=now).require()


@router.get("/teach")
def my_courses(visit: VisitDep) -> Response:
    """List the courses that the visitor teaches."""
    visit.require()
    page = visit.platform.use(OverseeCourse).taught(
        visit.actor, PageRequest(MOST_ITEMS)
    )
    view = views.AuthorCourses(
        courses=tuple(_row(each) for each in page.items),
        may_create=_may_create(visit),
    )
    return visit.show(view)


def _row(overseen: OverseenCourse) -> views.AuthorCourse:
    course = overseen.course
    statuses = [asset.status for asset in overseen.media.values()]
    return views.AuthorCourse(
        id=course.id,
        title=course.draft.title,
        lessons=sum(1 for _ in course.draft.lessons()),
        learners=overseen.learners,
        published_number=course.publication.number if course.publication else None,
        has_changes=overseen.has_changes,
        media_waiting=sum(1 for status in statuses if status in _IN_WORK),
        media_failed=statuses.count(MediaStatus.FAILED),
    )


@router.get("/teach/new")
def new_course_form(visit: VisitDep) -> Response:
    """Show the form that begins an empty course."""
    _require_author(visit)
    return visit.show(views.NewCourse())


@router.post("/teach/new")
def new_course(visit: VisitDep, form: FormDep) -> Response:
    """Begin an empty course."""
    visit.require()
    key, title = form.text("id", most=100).strip(), form.text("title", most=300)
    try:
        content = CourseContent(title=title.strip())
        course = visit.platform.use(CreateCourse)(visit.actor, key, content)
    except InvalidValue as exc:
        field = "title" if exc.place == "title" else "id"
        error = views.FieldError(field=field, message=exc.message)
    except AlreadyExists:
        error = views.FieldError(field="id", message="A course has this key already.")
    else:
        return visit.go(links.author_course(course.id), said="created")
    view = views.NewCourse(id=key, title=title, errors=(error,))
    return visit.show(view, status=422)


def _import_page(filename: str = "", *faults: Fault) -> views.View:
    return views.ImportPage(
        largest_bytes=ARCHIVE_BYTES,
        filename=filename,
        faults=fault_rows(faults[:MOST_FAULTS]),
        more_faults=max(0, len(faults) - MOST_FAULTS),
    )


def fault_rows(faults: tuple[Fault, ...]) -> tuple[views.FaultRow, ...]:
    """Return faults with their places, line numbers included."""
    return tuple(
        views.FaultRow(
            place=f"{fault.place}:{fault.line}" if fault.line else fault.place,
            message=fault.message,
            code=fault.code,
        )
        for fault in faults
    )


@router.get("/teach/import")
def import_form(visit: VisitDep) -> Response:
    """Show the form that imports a course folder."""
    _require_author(visit)
    return visit.show(_import_page())


@router.post("/teach/import")
async def import_archive(request: Request, visit: VisitDep) -> Response:
    """Import an uploaded archive, or show every fault in it by file and line."""
    # Before the upload is read: strangers cannot fill the disk.
    _require_author(visit)
    guard_costly(request, visit.caller)
    async with request.form(max_files=1, max_fields=10) as form:
        check_form(visit, form)
        archive = form.get("archive")
        if not isinstance(archive, UploadFile) or not archive.size:
            fault = Fault("", "Choose an archive first.", "missing-field")
            return visit.show(_import_page("the form", fault), status=422)
        return await run_in_threadpool(_import, visit, archive)


def _import(visit: Visit, archive: UploadFile) -> Response:
    name = (archive.filename or "archive").replace("\\", "/").rpartition("/")[2][:200]
    try:
        done = _imported(visit, archive)
    except InvalidDocument as exc:
        view = _import_page(name, *exc.faults)
        return visit.show(view, status=422)
    except InvalidValue as exc:
        view = _import_page(name, Fault(exc.place, exc.message, exc.code))
        return visit.show(view, status=422)
    return visit.go(links.author_course(done.course), said="imported")


def _imported(visit: Visit, archive: UploadFile) -> Imported:
    with tempfile.NamedTemporaryFile(prefix="lms-upload-") as kept:
        shutil.copyfileobj(archive.file, kept)
        kept.flush()
        with opened_course(Path(kept.name)) as folder:
            return import_course(visit.platform, visit.actor, folder)


@router.get("/teach/{course_id}")
def overview(course_id: str, visit: VisitDep) -> Response:
    """Show a course with its lectures, and what keeps it from being published."""
    return visit.show(_overview(visit, course_id))


def _overview(visit: Visit, course_id: str) -> views.View:
    visit.require()
    found = visit.platform.use(OverseeCourse)(visit.actor, CourseId(course_id))
    course, content = found.course, found.course.draft
    names = names_in(content)
    in_work = any(asset.status in _IN_WORK for asset in found.media.values())
    return views.AuthorOverview(
        course=views.Crumb(id=course.id, title=content.title),
        modules=tuple(
            views.AuthorModule(
                title=module.title,
                lessons=tuple(
                    views.AuthorLesson(
                        key=lesson.key,
                        title=lesson.title,
                        kind=lesson.content.kind,
                        required=lesson.required,
                        access=(
                            *conditions(module.access, names),
                            *conditions(lesson.access, names),
                        ),
                        media=_media_of(lesson, found.media),
                        questions=_questions(lesson),
                    )
                    for lesson in module.lessons
                ),
            )
            for module in content.modules
        ),
        published_number=course.publication.number if course.publication else None,
        published_at=course.publication.at if course.publication else None,
        has_changes=found.has_changes,
        learners=found.learners,
        faults=fault_rows(found.faults),
        refresh_s=LOOK_AGAIN_S if in_work else None,
    )


def _questions(lesson: Lesson) -> int | None:
    content = lesson.content
    return len(content.quiz.questions) if isinstance(content, QuizContent) else None


def _media_of(
    lesson: Lesson, media: dict[MediaId, MediaAsset]
) -> views.MediaState | None:
    if not isinstance(lesson.content, Video):
        return None
    asset = media.get(lesson.content.media) if lesson.content.media else None
    return media_state(asset) if asset else views.MediaState(status="missing")


def media_state(asset: MediaAsset) -> views.MediaState:
    """Return a lecture's state as its author sees it."""
    stream = asset.stream
    is_ready = asset.status is MediaStatus.READY
    return views.MediaState(
        status=asset.status,
        filename=asset.filename,
        size_bytes=asset.size_bytes,
        progress=asset.progress,
        duration_ms=stream.duration_ms if stream and is_ready else None,
        renditions=tuple(each.name for each in stream.renditions)
        if stream and is_ready
        else (),
        captions=tuple(track.label for track in stream.captions)
        if stream and is_ready
        else (),
        why=explain_code(asset.failure) if asset.failure else None,
        older_shown=stream is not None and not is_ready,
    )


@router.post("/teach/{course_id}/publish")
def publish(course_id: str, visit: VisitDep, _: FormDep) -> Response:
    """Let learners see the draft, or show what is still missing."""
    visit.require()
    try:
        visit.platform.use(PublishCourse)(visit.actor, CourseId(course_id))
    except InvalidDocument:
        # The overview lists every fault.
        return visit.show(_overview(visit, course_id), status=422)
    return visit.go(links.author_course(course_id), said="published")


def _video_lesson(
    visit: Visit, course_id: str, lesson_key: str
) -> tuple[CourseContent, Lesson, MediaAsset | None]:
    """Return a video lesson of a draft with its lecture, or raise `NotFound`."""
    visit.require()
    draft = visit.platform.use(ReadDraft)(visit.actor, CourseId(course_id))
    found = draft.course.draft.find(lesson_key)
    if found is None or not isinstance(found[1].content, Video):
        raise NotFound("no such video lesson")
    media = found[1].content.media
    return draft.course.draft, found[1], draft.media.get(media) if media else None


@router.get("/teach/{course_id}/lessons/{lesson_key}/upload")
def upload_page(course_id: str, lesson_key: str, visit: VisitDep) -> Response:
    """Show the page that uploads a lecture."""
    content, lesson, asset = _video_lesson(visit, course_id, lesson_key)
    view = views.UploadPage(
        course=views.Crumb(id=course_id, title=content.title),
        lesson_key=lesson_key,
        lesson_title=lesson.title,
        accept=",".join(MediaType),
        largest_bytes=LARGEST_BYTES,
        replaces=media_state(asset) if asset else None,
    )
    return visit.show(view)


@router.post("/teach/{course_id}/lessons/{lesson_key}/retry")
def retry(course_id: str, lesson_key: str, visit: VisitDep, _: FormDep) -> Response:
    """Try a failed lecture again."""
    asset = _video_lesson(visit, course_id, lesson_key)[2]
    if asset is None:
        raise NotFound("the lesson has no lecture")
    visit.platform.use(RetryMedia)(visit.actor, asset.id)
    return visit.go(links.author_course(course_id), said="retried")
