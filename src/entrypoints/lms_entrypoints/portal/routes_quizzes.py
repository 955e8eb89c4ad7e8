"""Attempts at quizzes: begin, answer with or without scripts, hand in, look back."""

from datetime import datetime, timedelta

from fastapi import APIRouter, Response

from lms_core.application.list_attempts import ListAttempts
from lms_core.application.take_quiz import (
    AttemptView,
    ReadAttempt,
    ReviewedQuestion,
    SaveAnswers,
    StartAttempt,
    SubmitAttempt,
)
from lms_core.domain.assessment.attempt import Attempt
from lms_core.domain.ids import AttemptId
from lms_core.errors import InvalidDocument, NotFound, Refused
from lms_entrypoints.markdown import plain_text
from lms_entrypoints.portal import links, views
from lms_entrypoints.portal.outlines import lesson_named, outline_for, where
from lms_entrypoints.portal.routes_catalogue import inline_markdown, markdown
from lms_entrypoints.portal.visits import Form, FormDep, Visit, VisitDep
from lms_entrypoints.portal.words import explain_code

router = APIRouter(include_in_schema=False)

HIGHEST_REVISION = 2**53 - 1
_PREFIX = "answer."
_OVER = {"time-is-over", "attempt-is-final"}


@router.post("/learn/{course_id}/{lesson_key}/attempts")
def begin(course_id: str, lesson_key: str, visit: VisitDep, _: FormDep) -> Response:
    """Begin an attempt, or go on with the one that is open."""
    attempt = visit.platform.use(StartAttempt)(
        visit.actor, lesson_named(course_id, lesson_key)
    )
    return visit.go(links.attempt(attempt.id))


@router.get("/attempts/{attempt_id}")
def attempt(attempt_id: str, visit: VisitDep) -> Response:
    """Show the questions of an attempt that is under way."""
    found = _own(visit, attempt_id)
    if found.attempt.is_final:
        return visit.go(links.attempt_result(attempt_id))
    return visit.show(_running(visit, found))


def _own(visit: Visit, attempt_id: str) -> AttemptView:
    """Return an attempt that its learner may see; staff look at results only."""
    user = visit.require().user
    found = visit.platform.use(ReadAttempt)(visit.actor, AttemptId(attempt_id))
    if found.attempt.learner != user and not found.attempt.is_final:
        raise NotFound("the attempt is under way")
    return found


def _running(
    visit: Visit,
    found: AttemptView,
    answers: dict[str, list[str]] | None = None,
    errors: tuple[views.FieldError, ...] = (),
) -> views.View:
    attempt, given = found.attempt, answers or {}
    return views.QuizAttempt(
        where=where(outline_for(visit, attempt.lesson.course), attempt.lesson.key),
        attempt_id=attempt.id,
        number=attempt.number,
        questions=tuple(
            views.QuestionForm(
                key=each.shown.key,
                prompt=markdown(each.shown.prompt),
                points=each.shown.points,
                input=each.shown.input,
                options=tuple(
                    views.Choice(key=option.key, text=inline_markdown(option.text))
                    for option in each.shown.options
                ),
                unit=each.shown.unit,
                answer=tuple(given.get(each.shown.key, each.answer)),
            )
            for each in found.questions
        ),
        started_at=attempt.started_at,
        now=visit.platform.clock.now(),
        due_at=attempt.due_at,
        errors=errors,
    )


@router.post("/attempts/{attempt_id}")
def answer(attempt_id: str, visit: VisitDep, form: FormDep) -> Response:
    """Save the answers of the form, or hand the attempt in with them."""
    return _take(visit, form, attempt_id, form.text("action") == "submit")


@router.post("/attempts/{attempt_id}/answers")
def save(attempt_id: str, visit: VisitDep, form: FormDep) -> Response:
    """Save the answers of the form."""
    return _take(visit, form, attempt_id, hand_in=False)


@router.post("/attempts/{attempt_id}/submit")
def submit(attempt_id: str, visit: VisitDep, form: FormDep) -> Response:
    """Hand the attempt in with the answers of the form."""
    return _take(visit, form, attempt_id, hand_in=True)


def _next_revision(attempt: Attempt, now: datetime) -> int:
    """Return the revision of a form that was sent now.

    Scripts number their saves by the same clock; what somebody sends by hand is
    the latest, even where a device's clock was ahead.
    """
    elapsed = max(0, (now - attempt.started_at) // timedelta(milliseconds=1))
    highest = max((each.revision for each in attempt.answers.values()), default=-1)
    return min(max(elapsed, highest + 1), HIGHEST_REVISION)


def _take(visit: Visit, form: Form, attempt_id: str, hand_in: bool) -> Response:
    visit.require()
    found = visit.platform.use(ReadAttempt)(visit.actor, AttemptId(attempt_id))
    attempt, platform = found.attempt, visit.platform
    # Every question is in the form, so one that is missing was cleared.
    answers = {
        each.shown.key: [
            text for text in form.texts(f"{_PREFIX}{each.shown.key}") if text.strip()
        ]
        for each in found.questions
    }
    revision = _next_revision(attempt, platform.clock.now())
    try:
        if not hand_in:
            platform.use(SaveAnswers)(
                visit.actor, attempt.id, answers, revision=revision
            )
            return visit.go(links.attempt(attempt_id), said="saved")
        platform.use(SubmitAttempt)(visit.actor, attempt.id, answers, revision=revision)
    except InvalidDocument as exc:
        errors = tuple(
            views.FieldError(
                field=fault.place.replace("answers.", _PREFIX, 1),
                message=fault.message,
            )
            for fault in exc.faults
        )
        return visit.show(_running(visit, found, answers, errors), status=422)
    except Refused as exc:
        if not _OVER & {reason.code for reason in exc.reasons}:
            raise
        # What was saved in time is handed in.
        platform.use(SubmitAttempt)(visit.actor, attempt.id)
    return visit.go(links.attempt_result(attempt_id))


@router.get("/attempts/{attempt_id}/result")
def result(attempt_id: str, visit: VisitDep) -> Response:
    """Show what an attempt came to, with what is right once that may be seen."""
    found = _own(visit, attempt_id)
    attempt, quiz = found.attempt, found.quiz
    score, submitted_at = attempt.score, attempt.submitted_at
    if score is None or submitted_at is None:
        return visit.go(links.attempt(attempt_id))
    is_own = attempt.learner == visit.require().user
    counting = None
    if is_own:
        taken = visit.platform.use(ListAttempts)(visit.actor, attempt.lesson, quiz)
        counting = taken.counting
    view = views.QuizResult(
        where=where(outline_for(visit, attempt.lesson.course), attempt.lesson.key),
        number=attempt.number,
        score=score,
        pass_mark=quiz.pass_mark,
        passed=attempt.passed,
        expired=attempt.status == "expired",
        submitted_at=submitted_at,
        questions=tuple(_reviewed(each) for each in found.questions),
        show_answers=quiz.show_answers,
        answers_shown=any(each.solution for each in found.questions),
        may_retry=is_own and found.attempts_left != 0,
        counting=counting,
        combine=quiz.combine,
    )
    return visit.show(view)


def _reviewed(question: ReviewedQuestion) -> views.QuestionResult:
    shown, mark, solution = question.shown, question.mark, question.solution
    texts = {option.key: plain_text(option.text) for option in shown.options}
    correct = solution.correct if solution else ()
    explanation = (solution.explanation if solution else None) or ""
    return views.QuestionResult(
        prompt=markdown(shown.prompt),
        answer=tuple(texts.get(each, each) for each in question.answer),
        outcome=mark.outcome if mark else None,
        earned=mark.earned if mark else None,
        possible=shown.points,
        why=explain_code(mark.why) if mark and mark.why else None,
        correct=tuple(texts.get(each, each) for each in correct),
        explanation=markdown(explanation),
    )
