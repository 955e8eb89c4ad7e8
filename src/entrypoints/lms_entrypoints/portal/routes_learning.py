"""A learner's courses, their outlines and lessons."""

from fastapi import APIRouter, Response

from lms_core.application.issue_certificate import ReadCertificate
from lms_core.application.list_attempts import ListAttempts
from lms_core.application.open_lesson import GrantPlayback, OpenedLesson, OpenLesson
from lms_core.application.outline_course import Outline
from lms_core.application.read_progress import (
    ListedEnrollment,
    ListEnrollments,
    ReadProgress,
)
from lms_core.application.record_progress import ProgressReport, RecordProgress
from lms_core.domain.access.policy import Action, Resource, decide
from lms_core.domain.catalog.content import QuizContent, Text, Video
from lms_core.domain.enrollment.enrollment import EnrollmentStatus
from lms_core.domain.ids import CourseId
from lms_core.domain.media.asset import MediaAsset
from lms_core.domain.paging import MOST_ITEMS, PageRequest
from lms_core.domain.percent import ALL
from lms_core.errors import NotFound, Refused
from lms_entrypoints.portal import links, views
from lms_entrypoints.portal.grades import grade_groups
from lms_entrypoints.portal.outlines import (
    crumb,
    lesson_named,
    lesson_row,
    names_in,
    outline_for,
    where,
)
from lms_entrypoints.portal.routes_catalogue import markdown
from lms_entrypoints.portal.visits import FormDep, Visit, VisitDep
from lms_entrypoints.portal.words import explain

router = APIRouter(include_in_schema=False)

MY_COURSES = 50
HLS_SCRIPT = "/static/vendor/hls.min.js"
_FIRST = {
    EnrollmentStatus.ACTIVE: 0,
    EnrollmentStatus.PENDING: 1,
    EnrollmentStatus.SUSPENDED: 2,
    EnrollmentStatus.COMPLETED: 3,
}


def certificates_by_course(visit: Visit) -> dict[str, str]:
    """Return the ids of the visitor's certificates, by course; the latest counts."""
    page = visit.platform.use(ReadCertificate).of_learner(
        visit.actor, visit.require().user, PageRequest(MOST_ITEMS)
    )
    return {each.course: each.id for each in reversed(page.items)}


@router.get("/learn")
def my_courses(visit: VisitDep) -> Response:
    """Show the visitor's courses, those to go on with first."""
    page = visit.platform.use(ListEnrollments)(
        visit.actor, visit.require().user, PageRequest(MY_COURSES)
    )
    certificates = certificates_by_course(visit)
    # A course taken twice has two places, of which the latest comes first.
    latest = {each.enrollment.course: each for each in reversed(page.items)}
    ordered = sorted(
        latest.values(),
        key=lambda each: (
            _FIRST.get(each.enrollment.status, len(_FIRST)),
            each.title.casefold(),
        ),
    )
    courses = tuple(
        _my_course(visit, each, certificates.get(each.enrollment.course))
        for each in ordered
    )
    return visit.show(views.MyCourses(courses=courses))


def _my_course(
    visit: Visit, listed: ListedEnrollment, certificate: str | None
) -> views.MyCourse:
    place = listed.enrollment
    outline = None
    if place.status is EnrollmentStatus.ACTIVE:
        try:
            outline = outline_for(visit, place.course)
        except NotFound:
            # Nothing of it is published any more; the place stays in the list.
            outline = None
    following = outline.next_lesson if outline else None
    return views.MyCourse(
        id=place.course,
        title=listed.title,
        status=place.status,
        progress=outline.progress.share if outline else place.progress,
        next_lesson=following.key if following else None,
        next_title=following.title if following else None,
        grade=place.grade,
        certificate_id=certificate,
        order_id=place.order,
        expires_at=place.expires_at,
    )


@router.get("/learn/{course_id}")
def outline(course_id: str, visit: VisitDep) -> Response:
    """Show a course with what is open, and why the rest is not."""
    visit.require()
    found = outline_for(visit, CourseId(course_id))
    standing = found.standing
    is_staff = bool(
        decide(
            visit.actor,
            Action.PREVIEW_COURSE,
            Resource(course=standing.course),
            at=visit.platform.clock.now(),
        )
    )
    place = standing.enrollment
    if place is None and not is_staff:
        return visit.go(links.course(course_id))
    names = names_in(standing.content)
    following = found.next_lesson
    view = views.Outline(
        course=crumb(found),
        progress=found.progress.share,
        modules=tuple(
            views.ModuleRows(
                title=module.title,
                lessons=tuple(
                    lesson_row(found, lesson, names) for lesson in module.lessons
                ),
            )
            for module in found.modules
        ),
        done=len(found.progress.finished),
        required=len(found.progress.finished) + len(found.progress.unfinished),
        next_lesson=following.key if following else None,
        next_title=following.title if following else None,
        grade=standing.grade().share if standing.scores else None,
        certificate_id=certificates_by_course(visit).get(standing.course),
        expires_at=place.expires_at if place else None,
        preview=is_staff and (place is None or not place.lets_in),
    )
    return visit.show(view)


@router.get("/learn/{course_id}/{lesson_key}")
def lesson(course_id: str, lesson_key: str, visit: VisitDep) -> Response:
    """Show a lesson that is open, or why it is not."""
    visit.require()
    id_ = lesson_named(course_id, lesson_key)
    found = outline_for(visit, id_.course)
    try:
        here = where(found, lesson_key)
    except NotFound:
        if lesson_key == "progress":
            # No lesson has that key here, so the address is free to mean this.
            return visit.go(links.grades(course_id))
        raise
    try:
        opened = visit.platform.use(OpenLesson)(visit.actor, id_)
    except Refused as exc:
        return _locked(visit, found, here, exc)
    return visit.show(_lesson(visit, here, opened))


def _locked(
    visit: Visit, outline: Outline, here: views.Where, exc: Refused
) -> Response:
    standing = outline.standing
    names = names_in(standing.content)
    access = next(
        each.access
        for module in outline.modules
        for each in module.lessons
        if each.key == here.key
    )
    view = views.LessonLocked(
        where=here,
        why=tuple(
            explain(reason, names=names, course=standing.course)
            for reason in exc.reasons
        ),
        opens_at=access.opens_at,
    )
    return visit.show(view, status=403)


def _lesson(visit: Visit, here: views.Where, opened: OpenedLesson) -> views.View:
    content = opened.lesson.content
    if isinstance(content, Video):
        if opened.media is None or opened.media.stream is None:
            status = opened.media.status if opened.media else "missing"
            return views.VideoPending(where=here, status=status)
        return _video(visit, here, opened, content, opened.media)
    if isinstance(content, QuizContent):
        return _quiz(visit, here, opened, content)
    text = content.markdown if isinstance(content, Text) else ""
    return views.TextLesson(
        where=here, body=markdown(text), minutes=opened.lesson.minutes
    )


def _video(
    visit: Visit,
    here: views.Where,
    opened: OpenedLesson,
    content: Video,
    media: MediaAsset,
) -> views.View:
    platform = visit.platform
    playback = platform.use(GrantPlayback)(visit.actor, media.id)
    stream, access, progress = playback.stream, playback.access, opened.progress
    return views.VideoLesson(
        where=here,
        lesson_id=str(progress.lesson),
        asset_id=media.id,
        duration_ms=stream.duration_ms,
        playlist_url=access.url(stream.playlist),
        progressive_url=access.url(stream.progressive) if stream.progressive else None,
        poster_url=access.url(stream.poster),
        thumbnails_url=access.url(stream.thumbnails) if stream.thumbnails else None,
        now=platform.clock.now(),
        expires_at=playback.expires_at,
        needed=content.coverage,
        captions=tuple(
            views.Caption(
                url=access.url(track.path), language=track.language, label=track.label
            )
            for track in stream.captions
        ),
        watched=tuple(progress.watched.ranges()),
        share=(
            progress.watched.share_of(stream.duration_ms) if stream.duration_ms else ALL
        ),
        position_ms=progress.position_ms,
        epoch=progress.epoch,
        hls_script=HLS_SCRIPT if platform.settings.hls_js is not None else None,
        body=markdown(content.markdown),
    )


def _quiz(
    visit: Visit, here: views.Where, opened: OpenedLesson, content: QuizContent
) -> views.View:
    quiz = content.quiz
    taken = visit.platform.use(ListAttempts)(visit.actor, opened.progress.lesson, quiz)
    return views.QuizIntro(
        where=here,
        questions=len(quiz.questions),
        possible=quiz.possible,
        pass_mark=quiz.pass_mark,
        time_limit_s=quiz.time_limit_s,
        max_attempts=quiz.max_attempts,
        combine=quiz.combine,
        show_answers=quiz.show_answers,
        instructions=markdown(quiz.instructions),
        attempts=tuple(
            views.AttemptRow(
                id=each.id,
                number=each.number,
                status=each.status,
                started_at=each.started_at,
                score=each.score,
                passed=each.passed,
            )
            for each in taken.attempts
        ),
        open_attempt=taken.running,
        counting=taken.counting,
        why=tuple(explain(reason) for reason in taken.may_start.objections),
    )


@router.post("/learn/{course_id}/{lesson_key}/read")
def mark_read(course_id: str, lesson_key: str, visit: VisitDep, _: FormDep) -> Response:
    """Note that a text was read."""
    visit.platform.use(RecordProgress)(
        visit.actor, lesson_named(course_id, lesson_key), ProgressReport(read=True)
    )
    return visit.go(links.lesson(course_id, lesson_key))


@router.get("/grades/{course_id}")
def grades(course_id: str, visit: VisitDep) -> Response:
    """Show the visitor's own grade, explained."""
    found = visit.platform.use(ReadProgress)(
        visit.actor, visit.require().user, CourseId(course_id)
    )
    policy = found.standing.content.grading
    view = views.Grades(
        course=views.Crumb(id=course_id, title=found.title),
        share=found.grade.share,
        letter=found.grade.letter,
        pass_mark=policy.pass_mark,
        progress=found.progress.share,
        groups=grade_groups(policy, found.grade, found.standing.overrides),
    )
    return visit.show(view)
