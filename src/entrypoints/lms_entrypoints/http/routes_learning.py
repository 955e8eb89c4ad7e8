"""Lessons and the progress in them."""

from fastapi import APIRouter

from lms_core.application.open_lesson import OpenedLesson, OpenLesson
from lms_core.application.read_progress import ListEnrollments, ReadProgress
from lms_core.application.record_progress import ProgressReport, RecordProgress
from lms_core.domain.catalog.content import QuizContent, Text, Video
from lms_core.domain.ids import CourseId, LessonId, UserId
from lms_core.domain.paging import PageRequest
from lms_core.errors import NotFound
from lms_entrypoints.http.auth import Caller, CallerDep, PlatformDep
from lms_entrypoints.http.routes_catalogue import After, Limit
from lms_entrypoints.http.routing import LmsRoute, QuickRoute
from lms_entrypoints.http.schemas import (
    EnrollmentAnswer,
    EnrollmentPage,
    GradeAnswer,
    LessonAnswer,
    ProgressAnswer,
    ProgressBody,
    StandingAnswer,
)
from lms_entrypoints.markdown import render_markdown

router = APIRouter(prefix="/api/v1", route_class=LmsRoute, tags=["learning"])
heartbeats = APIRouter(prefix="/api/v1", route_class=QuickRoute, tags=["learning"])
"""What players send every few seconds."""


@router.get("/lessons/{lesson_id}")
def read_lesson(
    lesson_id: str, platform: PlatformDep, caller: CallerDep
) -> LessonAnswer:
    """Show a lesson that is open to the caller."""
    opened = platform.use(OpenLesson)(caller.actor, LessonId.parse(lesson_id))
    return _lesson(lesson_id, opened)


@router.get("/quizzes/{quiz_id}")
def read_quiz(quiz_id: str, platform: PlatformDep, caller: CallerDep) -> LessonAnswer:
    """Show the rules of a quiz that is open; questions come with an attempt."""
    opened = platform.use(OpenLesson)(caller.actor, LessonId.parse(quiz_id))
    if not isinstance(opened.lesson.content, QuizContent):
        raise NotFound(f"no quiz {quiz_id}", resource=quiz_id)
    return _lesson(quiz_id, opened)


def _lesson(lesson_id: str, opened: OpenedLesson) -> LessonAnswer:
    content, media = opened.lesson.content, opened.media
    markdown = content.markdown if isinstance(content, Text | Video) else ""
    quiz = content.quiz if isinstance(content, QuizContent) else None
    return LessonAnswer(
        id=lesson_id,
        title=opened.lesson.title,
        type=content.kind,
        html=render_markdown(markdown) if markdown else "",
        media_id=media.id if media else None,
        media_status=media.status if media else None,
        duration_ms=media.stream.duration_ms if media and media.stream else None,
        quiz=None
        if quiz is None
        else {
            "questions": len(quiz.questions),
            "possible": str(quiz.possible),
            "time_limit_s": quiz.time_limit_s,
            "max_attempts": quiz.max_attempts,
            "pass_mark": str(quiz.pass_mark.of_one),
            "attempts": [
                attempt.id
                for attempt in opened.standing.attempts.get(opened.lesson.key, ())
            ],
        },
        progress=ProgressAnswer.of(opened.progress),
    )


@heartbeats.put("/progress/{lesson_id}")
def record_progress(
    lesson_id: str, body: ProgressBody, platform: PlatformDep, caller: CallerDep
) -> ProgressAnswer:
    """Note what was watched or read; repeating it is harmless."""
    report = ProgressReport(
        watched=tuple((start, end) for start, end in body.watched),
        position_ms=body.position_ms,
        read=body.read,
        epoch=body.epoch,
    )
    recorded = platform.use(RecordProgress)(
        caller.actor, LessonId.parse(lesson_id), report
    )
    return ProgressAnswer.of(recorded)


@router.get("/users/{user_id}/progress")
def list_progress(
    user_id: str,
    platform: PlatformDep,
    caller: CallerDep,
    limit: Limit = 50,
    after: After = None,
) -> EnrollmentPage:
    """List a learner's places with how far each is."""
    page = platform.use(ListEnrollments)(
        caller.actor, user_named(user_id, caller), PageRequest(limit, after)
    )
    return EnrollmentPage(
        items=[EnrollmentAnswer.of(each.enrollment, each.title) for each in page.items],
        next=page.next,
    )


@router.get("/users/{user_id}/progress/{course_id}")
def read_progress(
    user_id: str, course_id: str, platform: PlatformDep, caller: CallerDep
) -> StandingAnswer:
    """Show a learner's progress and grade on one course."""
    found = platform.use(ReadProgress)(
        caller.actor, user_named(user_id, caller), CourseId(course_id)
    )
    return StandingAnswer(
        course_id=course_id,
        title=found.title,
        percent=found.progress.share.floor(),
        complete=found.progress.is_complete,
        unfinished=list(found.progress.unfinished),
        lessons=[
            ProgressAnswer.of(each)
            for _, each in sorted(found.standing.progress.items())
        ],
        grade=GradeAnswer.of(found.grade),
    )


def user_named(user_id: str, caller: Caller) -> UserId:
    """Read a user id; ``me`` is the caller."""
    return caller.user if user_id == "me" else UserId(user_id)
