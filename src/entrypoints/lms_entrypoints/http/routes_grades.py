"""Gradebooks, and grades set by hand."""

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from lms_core.application.view_gradebook import (
    GradebookRow,
    OverrideGrade,
    ReadOverride,
    ViewGradebook,
)
from lms_core.domain.documents import exact
from lms_core.domain.grading.gradebook import GradeItem
from lms_core.domain.grading.override import Override
from lms_core.domain.ids import CourseId, LessonId, UserId
from lms_core.domain.paging import MOST_ITEMS, PageRequest
from lms_core.domain.score import Score
from lms_core.errors import InvalidValue
from lms_entrypoints.bounded_csv import write_csv
from lms_entrypoints.http.auth import CallerDep, PlatformDep, guard_costly
from lms_entrypoints.http.problems import HttpProblem
from lms_entrypoints.http.routes_catalogue import After, Limit
from lms_entrypoints.http.routing import LmsRoute
from lms_entrypoints.http.schemas import (
    GradebookAnswer,
    GradebookRowAnswer,
    OverrideAnswer,
    OverrideBody,
    ScoreAnswer,
    percent,
)

router = APIRouter(prefix="/api/v1", route_class=LmsRoute, tags=["grades"])

IfMatch = Annotated[str | None, Header(max_length=100)]


def version_in(if_match: str | None) -> int | None:
    """Read the version that an ``If-Match`` header names."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = re.fullmatch(r'(?:W/)?"([0-9]{1,15})"', if_match.strip())
    if found is None:
        raise HttpProblem(400, "bad-if-match", 'send the ETag, as in "3"')
    return int(found[1])


@router.get("/courses/{course_id}/gradebook")
@router.get("/courses/{course_id}/grades", include_in_schema=False)
def read_gradebook(
    course_id: str,
    platform: PlatformDep,
    caller: CallerDep,
    limit: Limit = 50,
    after: After = None,
) -> GradebookAnswer:
    """Show the scores and grades of a course's learners."""
    book = platform.use(ViewGradebook)(
        caller.actor, CourseId(course_id), PageRequest(limit, after)
    )
    return GradebookAnswer(
        title=book.title,
        items=[
            {
                "key": item.key,
                "title": item.title,
                "category": item.category,
                "possible": str(item.possible),
            }
            for item in book.items
        ],
        rows=[GradebookRowAnswer.of(row) for row in book.rows.items],
        next=book.rows.next,
    )


@router.get(
    "/courses/{course_id}/grades.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def export_grades(
    course_id: str, request: Request, platform: PlatformDep, caller: CallerDep
) -> Response:
    """Return the whole gradebook as a table in which no cell is a formula."""
    guard_costly(request, caller)
    view, course = platform.use(ViewGradebook), CourseId(course_id)
    book = view(caller.actor, course, PageRequest(MOST_ITEMS))
    titles = [item.title for item in book.items]
    table = [("user", "name", "email", "status", *titles, "grade", "letter")]
    while True:
        table += [_cells(row, book.items) for row in book.rows.items]
        if book.rows.next is None:
            break
        book = view(caller.actor, course, PageRequest(MOST_ITEMS, book.rows.next))
    return Response(
        write_csv(table),
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="{course}-grades.csv"'},
    )


def _cells(row: GradebookRow, items: Sequence[GradeItem]) -> tuple[str, ...]:
    place, shares = row.enrollment, []
    for item in items:
        score, override = row.scores.get(item.key), row.overrides.get(item.key)
        excused = override is not None and override.excused
        share = score.earned / score.possible if score and score.possible else None
        shares.append("excused" if excused else percent(share) or "")
    total = percent(row.grade.share) or ""
    who = (place.learner, row.name, row.email, place.status.value)
    return (*who, *shares, total, row.grade.letter or "")


def read_score(earned: str | None, possible: str | None) -> Score | None:
    """Read points as exact text; neither means no score."""
    if earned is None and possible is None:
        return None
    if earned is None or possible is None:
        raise InvalidValue("needs both earned and possible", place="earned")
    score = Score(
        exact(earned, place="earned"),
        exact(possible, place="possible"),
    )
    if not score.possible:
        raise InvalidValue("must be more than nothing", place="possible")
    return score


@router.put("/grades/{user_id}/{lesson_id}")
def override_grade(
    user_id: str,
    lesson_id: str,
    body: OverrideBody,
    response: Response,
    platform: PlatformDep,
    caller: CallerDep,
    if_match: IfMatch = None,
) -> OverrideAnswer:
    """Set a grade by hand, excuse work, or let the computed score count again."""
    override = platform.use(OverrideGrade)(
        caller.actor,
        UserId(user_id),
        LessonId.parse(lesson_id),
        score=read_score(body.earned, body.possible),
        excused=body.excused,
        comment=body.comment,
        expected_version=version_in(if_match),
    )
    return _override(override, response)


@router.get("/grades/{user_id}/{lesson_id}")
def read_override(
    user_id: str,
    lesson_id: str,
    response: Response,
    platform: PlatformDep,
    caller: CallerDep,
) -> OverrideAnswer:
    """Show what was set by hand; its ETag goes into ``If-Match``."""
    override = platform.use(ReadOverride)(
        caller.actor, UserId(user_id), LessonId.parse(lesson_id)
    )
    return _override(override, response)


def _override(override: Override, response: Response) -> OverrideAnswer:
    response.headers["etag"] = f'"{override.version}"'
    return OverrideAnswer(
        user_id=override.learner,
        lesson_id=str(override.lesson),
        score=ScoreAnswer.of(override.score) if override.score else None,
        excused=override.excused,
        comment=override.comment,
        version=override.version,
    )
