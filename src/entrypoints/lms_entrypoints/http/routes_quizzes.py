"""Quizzes: begin, autosave, hand in, look back."""

from fastapi import APIRouter

from lms_core.application.take_quiz import (
    ReadAttempt,
    SaveAnswers,
    StartAttempt,
    SubmitAttempt,
)
from lms_core.domain.documents import write_instant
from lms_core.domain.ids import AttemptId, LessonId
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.http.auth import Caller, CallerDep, PlatformDep
from lms_entrypoints.http.routing import LmsRoute
from lms_entrypoints.http.schemas import (
    AnswersBody,
    AttemptAnswer,
    SavedAnswer,
    SubmitBody,
    instant,
)

router = APIRouter(prefix="/api/v1", route_class=LmsRoute, tags=["quizzes"])


def _shown(platform: Platform, caller: Caller, attempt: AttemptId) -> AttemptAnswer:
    view = platform.use(ReadAttempt)(caller.actor, attempt)
    return AttemptAnswer.of(view, platform.clock.now())


@router.post("/quizzes/{quiz_id}/attempts", status_code=200)
def start_attempt(
    quiz_id: str, platform: PlatformDep, caller: CallerDep
) -> AttemptAnswer:
    """Begin an attempt, or go on with the one that is open."""
    attempt = platform.use(StartAttempt)(caller.actor, LessonId.parse(quiz_id))
    return _shown(platform, caller, attempt.id)


@router.get("/attempts/{attempt_id}")
def read_attempt(
    attempt_id: str, platform: PlatformDep, caller: CallerDep
) -> AttemptAnswer:
    """Show an attempt; what is right is in it only once it may be seen."""
    return _shown(platform, caller, AttemptId(attempt_id))


@router.put("/attempts/{attempt_id}/answers")
@router.put("/attempts/{attempt_id}", include_in_schema=False)
def save_answers(
    attempt_id: str, body: AnswersBody, platform: PlatformDep, caller: CallerDep
) -> SavedAnswer:
    """Keep answers while the attempt runs; the higher revision wins."""
    attempt = platform.use(SaveAnswers)(
        caller.actor, AttemptId(attempt_id), body.answers, revision=body.revision
    )
    return SavedAnswer(
        attempt_id=attempt.id,
        status=attempt.status,
        revisions={key: saved.revision for key, saved in attempt.answers.items()},
        due_at=instant(attempt.due_at),
        now=write_instant(platform.clock.now()),
    )


@router.post("/attempts/{attempt_id}/submit")
def submit_attempt(
    attempt_id: str,
    platform: PlatformDep,
    caller: CallerDep,
    body: SubmitBody | None = None,
) -> AttemptAnswer:
    """Hand in and mark; handing in twice returns the same."""
    attempt = platform.use(SubmitAttempt)(
        caller.actor,
        AttemptId(attempt_id),
        body.answers if body else None,
        revision=body.revision if body else 0,
    )
    return _shown(platform, caller, attempt.id)
