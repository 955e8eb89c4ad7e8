"""The catalogue, and places on its courses."""

from typing import Annotated

from fastapi import APIRouter, Query

from lms_core.application.browse_courses import BrowseCourses, ViewCourse
from lms_core.application.enroll_learner import EnrollLearner
from lms_core.application.enroll_learners import EnrollLearners
from lms_core.application.outline_course import OutlineCourse
from lms_core.application.withdraw_learner import WithdrawLearner
from lms_core.domain.ids import CourseId, UserId
from lms_core.domain.paging import MOST_ITEMS, PageRequest
from lms_core.ports.unit_of_work import CourseFilter
from lms_entrypoints.http.auth import CallerDep, PlatformDep
from lms_entrypoints.http.routing import LmsRoute
from lms_entrypoints.http.schemas import (
    CourseAnswer,
    CourseCardAnswer,
    CoursePage,
    EnrollBody,
    EnrollmentAnswer,
    EnrollmentsAnswer,
    OutlineAnswer,
)

router = APIRouter(prefix="/api/v1", route_class=LmsRoute, tags=["courses"])

Limit = Annotated[int, Query(ge=1, le=MOST_ITEMS)]
After = Annotated[str | None, Query(min_length=1, max_length=500)]


@router.get("/courses")
def list_courses(
    platform: PlatformDep,
    _: CallerDep,
    text: Annotated[str, Query(max_length=200)] = "",
    language: Annotated[str | None, Query(min_length=2, max_length=35)] = None,
    free: Annotated[bool | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> CoursePage:
    """List published courses that match."""
    page = platform.use(BrowseCourses)(
        CourseFilter(text=text, language=language, free=free), PageRequest(limit, after)
    )
    return CoursePage(
        items=[CourseCardAnswer.of(card) for card in page.items], next=page.next
    )


@router.get("/courses/{course_id}")
def read_course(
    course_id: str, platform: PlatformDep, caller: CallerDep
) -> CourseAnswer:
    """Show a published course."""
    return CourseAnswer.of(platform.use(ViewCourse)(caller.actor, CourseId(course_id)))


@router.get("/courses/{course_id}/lessons")
def outline(course_id: str, platform: PlatformDep, caller: CallerDep) -> OutlineAnswer:
    """Show a course's lessons with what is open to the caller, and why not."""
    found = platform.use(OutlineCourse)(caller.actor, CourseId(course_id))
    return OutlineAnswer.of(found)


@router.post("/enrollments/{course_id}", status_code=200)
def enroll(
    course_id: str, platform: PlatformDep, caller: CallerDep
) -> EnrollmentAnswer:
    """Take a place on a free course; asking again returns the same place."""
    place = platform.use(EnrollLearner)(caller.actor, CourseId(course_id))
    return EnrollmentAnswer.of(place)


@router.post("/courses/{course_id}/enrollments", status_code=200)
def enroll_learners(
    course_id: str, body: EnrollBody, platform: PlatformDep, caller: CallerDep
) -> EnrollmentsAnswer:
    """Put learners on a course, all of them or none, as who teaches it."""
    places = platform.use(EnrollLearners)(
        caller.actor,
        CourseId(course_id),
        [UserId(each) for each in body.user_ids],
        beyond_seats=body.beyond_seats,
    )
    return EnrollmentsAnswer(items=[EnrollmentAnswer.of(place) for place in places])


@router.delete("/enrollments/{course_id}")
def withdraw(
    course_id: str, platform: PlatformDep, caller: CallerDep
) -> EnrollmentAnswer:
    """Give the caller's place up."""
    place = platform.use(WithdrawLearner)(
        caller.actor, caller.user, CourseId(course_id)
    )
    return EnrollmentAnswer.of(place)
