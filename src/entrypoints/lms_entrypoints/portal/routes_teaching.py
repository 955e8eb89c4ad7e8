"""The gradebook, and one learner in it."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from lms_core.application.oversee_course import OverseeCourse
from lms_core.application.read_learner import ReadLearner, TaughtLearner
from lms_core.application.search_gradebook import SearchGradebook
from lms_core.application.view_gradebook import (
    Gradebook,
    GradebookRow,
    OverrideGrade,
    ViewGradebook,
)
from lms_core.domain.assessment.answers import read_number
from lms_core.domain.ids import CourseId, UserId
from lms_core.domain.paging import PageRequest
from lms_core.domain.score import Score
from lms_core.errors import InvalidValue, NotFound, Refused
from lms_entrypoints.portal import links, show, views
from lms_entrypoints.portal.grades import grade_groups, statuses
from lms_entrypoints.portal.outlines import lesson_named
from lms_entrypoints.portal.routes_catalogue import After, pager
from lms_entrypoints.portal.visits import Form, FormDep, Visit, VisitDep
from lms_entrypoints.portal.words import explain

router = APIRouter(include_in_schema=False)

ROWS = 50
_IN_FORM = {"score-too-high", "grade-has-changed"}


@router.get("/teach/{course_id}/gradebook")
def gradebook(
    course_id: str,
    visit: VisitDep,
    q: Annotated[str, Query(max_length=200)] = "",
    after: After = None,
) -> Response:
    """Show everybody's results, a page at a time."""
    visit.require()
    course = CourseId(course_id)
    if q.strip():
        book = visit.platform.use(SearchGradebook)(visit.actor, course, q, limit=ROWS)
    else:
        page = PageRequest(ROWS, after or None)
        book = visit.platform.use(ViewGradebook)(visit.actor, course, page)
    view = views.Gradebook(
        course=views.Crumb(id=course_id, title=book.title),
        columns=tuple(
            views.GradebookColumn(
                key=item.key, title=item.title, possible=item.possible
            )
            for item in book.items
        ),
        rows=tuple(_row(book, row) for row in book.rows.items),
        learners=visit.platform.use(OverseeCourse)(visit.actor, course).learners,
        query=q,
        pager=pager(links.gradebook(course_id), {}, after, book.rows.next),
    )
    return visit.show(view)


def _row(book: Gradebook, row: GradebookRow) -> views.GradebookRow:
    became = dict(statuses(row.grade.explanation))
    set_by_hand = {
        key for key, override in row.overrides.items() if not override.is_withdrawn
    }
    return views.GradebookRow(
        user_id=row.enrollment.learner,
        name=row.name,
        progress=row.enrollment.progress,
        share=row.grade.share,
        letter=row.grade.letter,
        cells=tuple(
            views.GradebookCell(
                # Work of a category that the course lacks is in no grade.
                status=became.get(item.key, "ignored"),
                score=row.scores.get(item.key),
                overridden=item.key in set_by_hand,
            )
            for item in book.items
        ),
    )


@router.get("/teach/{course_id}/gradebook/{user_id}")
def learner(
    course_id: str,
    user_id: str,
    visit: VisitDep,
    item: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Show one learner, with the form for the item that is to be changed."""
    found = _learner(visit, course_id, user_id)
    form = _form_for(found, item) if item else None
    return visit.show(_page(found, form))


def _learner(visit: Visit, course_id: str, user_id: str) -> TaughtLearner:
    visit.require()
    return visit.platform.use(ReadLearner)(
        visit.actor, CourseId(course_id), UserId(user_id)
    )


def _form_for(found: TaughtLearner, item: str) -> views.OverrideForm:
    override = found.standing.overrides.get(item)
    score = found.standing.scores.get(item)
    excused = override is not None and override.excused
    return views.OverrideForm(
        lesson=item,
        mode="excuse" if excused else "score",
        earned=show.points(score.earned) if score else "",
        comment=override.comment if override else "",
        version=override.version if override else 0,
    )


def _page(
    found: TaughtLearner, form: views.OverrideForm | None, *errors: views.FieldError
) -> views.View:
    standing, place = found.standing, found.enrollment
    grade = standing.grade()
    graded = _graded(found, form.lesson) if form else None
    seen = [each.seen_at for each in standing.progress.values() if each.seen_at]
    return views.LearnerDetail(
        course=views.Crumb(id=standing.course, title=standing.content.title),
        user_id=found.user.id,
        name=found.user.name,
        email=found.user.email,
        status=place.status,
        enrolled_at=place.opened_at,
        last_seen_at=max(seen, default=None),
        progress=standing.course_progress().share,
        share=grade.share,
        letter=grade.letter,
        groups=grade_groups(standing.content.grading, grade, standing.overrides),
        form=form,
        form_title=graded.title if graded else "",
        form_possible=graded.possible if graded else None,
        errors=errors,
    )


def _graded(found: TaughtLearner, key: str) -> views.GradebookColumn:
    """Return the graded work *key*, or raise `NotFound`."""
    lesson = found.standing.content.find(key)
    content = lesson[1].content if lesson else None
    quiz = getattr(content, "quiz", None)
    if lesson is None or quiz is None:
        raise NotFound("no such graded work")
    return views.GradebookColumn(key=key, title=lesson[1].title, possible=quiz.possible)


@router.post("/teach/{course_id}/gradebook/{user_id}/{lesson_key}")
def override(
    course_id: str, user_id: str, lesson_key: str, visit: VisitDep, form: FormDep
) -> Response:
    """Set a grade by hand, excuse work, or let the computed score count again."""
    found = _learner(visit, course_id, user_id)
    graded = _graded(found, lesson_key)
    entered = _entered(form, lesson_key)
    try:
        score = _score(entered, graded) if entered.mode == "score" else None
        visit.platform.use(OverrideGrade)(
            visit.actor,
            found.user.id,
            lesson_named(course_id, lesson_key),
            score=score,
            excused=entered.mode == "excuse",
            comment=entered.comment,
            expected_version=entered.version,
        )
    except InvalidValue as exc:
        field = exc.place if exc.place in {"earned", "comment"} else ""
        error = views.FieldError(field=field, message=exc.message)
        return visit.show(_page(found, entered, error), status=422)
    except Refused as exc:
        if not {reason.code for reason in exc.reasons} <= _IN_FORM:
            raise
        said = explain(exc.reasons[0])
        error = views.FieldError(field="", message=f"{said.sentence} {said.remedy}")
        # The form takes the version of now: what is shown beside it is what is new.
        fresh = _form_for(found, lesson_key)
        again = views.OverrideForm(
            lesson=lesson_key,
            mode=entered.mode,
            earned=entered.earned,
            comment=entered.comment,
            version=fresh.version,
        )
        return visit.show(_page(found, again, error), status=409)
    return visit.go(links.teach_learner(course_id, user_id), said="graded")


def _entered(form: Form, lesson: str) -> views.OverrideForm:
    mode, version = form.text("mode"), form.text("version", most=15)
    return views.OverrideForm(
        lesson=lesson,
        mode=mode if mode in {"score", "excuse", "none"} else "score",
        earned=form.text("earned", most=40),
        comment=form.text("comment", most=2001),
        version=int(version) if version.isascii() and version.isdigit() else 0,
    )


def _score(entered: views.OverrideForm, graded: views.GradebookColumn) -> Score:
    number = read_number(entered.earned)
    if number is None or number < 0:
        raise InvalidValue("Enter the points as a number, as in 3.5.", place="earned")
    return Score(number, graded.possible)
