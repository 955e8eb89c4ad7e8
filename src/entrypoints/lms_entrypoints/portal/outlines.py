"""Where lessons stand in a course, as pages show it."""

from collections.abc import Mapping

from lms_core.application.outline_course import Outline, OutlineCourse, OutlinedLesson
from lms_core.domain.catalog.content import CourseContent
from lms_core.domain.ids import CourseId, LessonId
from lms_core.errors import InvalidValue, NotFound
from lms_entrypoints.portal import views
from lms_entrypoints.portal.visits import Visit
from lms_entrypoints.portal.words import explain


def names_in(content: CourseContent) -> Mapping[str, str]:
    """Return the titles of lessons by their keys, for sentences."""
    return {lesson.key: lesson.title for lesson in content.lessons()}


def lesson_named(course_id: str, key: str) -> LessonId:
    """Return the id of a lesson; what cannot be one is not found."""
    try:
        return LessonId(CourseId(course_id), key)
    except InvalidValue as exc:
        raise NotFound("no such lesson") from exc


def outline_for(visit: Visit, course: CourseId) -> Outline:
    """Return the outline of *course* for whoever is signed in."""
    return visit.platform.use(OutlineCourse)(visit.actor, course)


def crumb(outline: Outline) -> views.Crumb:
    """Return the course of *outline* as other pages name it."""
    standing = outline.standing
    return views.Crumb(id=standing.course, title=standing.content.title)


def where(outline: Outline, key: str) -> views.Where:
    """Return where the lesson *key* stands, or raise `NotFound`."""
    steps = [(module, each) for module in outline.modules for each in module.lessons]
    for place, (module, lesson) in enumerate(steps):
        if lesson.key == key:
            return views.Where(
                course=crumb(outline),
                key=key,
                title=lesson.title,
                module=module.title,
                done=lesson.completed,
                previous=_step(steps[place - 1][1]) if place else None,
                next=_step(steps[place + 1][1]) if place + 1 < len(steps) else None,
            )
    raise NotFound("no such lesson")


def _step(lesson: OutlinedLesson) -> views.Step:
    return views.Step(key=lesson.key, title=lesson.title)


def lesson_row(
    outline: Outline, lesson: OutlinedLesson, names: Mapping[str, str]
) -> views.LessonRow:
    """Return a lesson of the outline, with every reason where it is locked."""
    standing = outline.standing
    progress = standing.progress.get(lesson.key)
    seen = progress is not None and progress.seen_at is not None
    started = seen or bool(standing.attempts.get(lesson.key))
    if lesson.completed:
        state = "done"
    elif not lesson.access:
        state = "locked"
    else:
        state = "started" if started else "open"
    score = standing.scores.get(lesson.key)
    locked = state == "locked"
    return views.LessonRow(
        key=lesson.key,
        title=lesson.title,
        kind=lesson.kind,
        state=state,
        minutes=lesson.minutes,
        required=lesson.required,
        share=score.earned / score.possible if score and score.possible else None,
        why=tuple(
            explain(reason, names=names, course=standing.course)
            for reason in lesson.access.objections
        )
        if locked
        else (),
        opens_at=lesson.access.opens_at if locked else None,
    )
