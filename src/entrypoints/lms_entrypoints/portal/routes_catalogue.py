"""The catalogue, a course in it, and taking a free place."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from markupsafe import Markup, escape

from lms_core.application.browse_courses import BrowseCourses, CourseView, ViewCourse
from lms_core.application.enroll_learner import EnrollLearner
from lms_core.application.find_order import FindPendingOrder
from lms_core.application.read_progress import ListEnrollments
from lms_core.domain.ids import CourseId
from lms_core.domain.paging import MOST_ITEMS, PageRequest
from lms_core.ports.unit_of_work import CourseFilter
from lms_entrypoints.markdown import plain_text, render_markdown
from lms_entrypoints.portal import links, views
from lms_entrypoints.portal.visits import FormDep, Visit, VisitDep
from lms_entrypoints.portal.words import LANGUAGE, explain

router = APIRouter(include_in_schema=False)

CARDS = 24
After = Annotated[str | None, Query(max_length=500)]
_FREE = {"free": True, "paid": False}


def markdown(text: str) -> Markup:
    """Return Markdown as what a template prints as it stands."""
    # The renderer has sanitised it.
    return Markup(render_markdown(text))  # noqa: S704


def inline_markdown(text: str) -> Markup:
    """Return Markdown for where only a phrase may stand; blocks become their words."""
    html = render_markdown(text).strip()
    inner = html.removeprefix("<p>").removesuffix("</p>")
    if len(inner) == len(html) - len("<p></p>") and "<p" not in inner:
        return Markup(inner)  # noqa: S704 - the renderer has sanitised it
    return escape(plain_text(text))


@router.get("/")
@router.get("/courses")
def catalogue(
    visit: VisitDep,
    q: Annotated[str, Query(max_length=200)] = "",
    language: Annotated[str, Query(max_length=35)] = "",
    price: Annotated[str, Query(max_length=10)] = "any",
    after: After = None,
) -> Response:
    """Show published courses that match."""
    price = price if price in _FREE else "any"
    wanted = CourseFilter(text=q, language=language or None, free=_FREE.get(price))
    page = visit.platform.use(BrowseCourses)(wanted, PageRequest(CARDS, after or None))
    held = _held(visit)
    chosen = {"q": q, "language": language, "price": price if price in _FREE else ""}
    offered = sorted({*LANGUAGE, *([language] if language else [])})
    view = views.Catalogue(
        cards=tuple(
            views.CourseCard(
                id=card.id,
                title=card.title,
                summary=card.summary,
                language=card.language,
                lessons=card.lessons,
                price=next((each for each in card.prices if each.minor), None),
                enrolled=card.id in held,
            )
            for card in page.items
        ),
        query=q,
        language=language,
        price=price,
        languages=tuple(offered),
        pager=pager(links.home(), chosen, after, page.next),
    )
    return visit.show(view)


def pager(
    path: str, chosen: dict[str, str], after: str | None, following: str | None
) -> views.Pager:
    """Return links to the first page and to the next one."""
    return views.Pager(
        # Lists go forward only, so the way back leads to the beginning.
        previous_href=links.with_query(path, chosen) if after else None,
        next_href=(
            links.with_query(path, {**chosen, "after": following})
            if following
            else None
        ),
    )


def _held(visit: Visit) -> frozenset[str]:
    if visit.known is None:
        return frozenset()
    places = visit.platform.use(ListEnrollments)(
        visit.actor, visit.known.user, PageRequest(MOST_ITEMS)
    )
    return frozenset(
        each.enrollment.course for each in places.items if each.enrollment.lets_in
    )


@router.get("/courses/{course_id}")
def course(course_id: str, visit: VisitDep) -> Response:
    """Show a course and what its visitor may do next."""
    found = visit.platform.use(ViewCourse)(visit.actor, CourseId(course_id))
    content = found.content
    lessons = list(content.lessons())
    minutes = sum(lesson.minutes or 0 for lesson in lessons)
    offer, order = _offer(visit, found)
    view = views.CoursePage(
        id=found.id,
        title=content.title,
        summary=content.summary,
        description=markdown(content.description),
        language=content.language,
        offer=offer,
        instructor=found.instructor,
        modules=tuple(
            views.OutlineModule(
                title=module.title,
                lessons=tuple(
                    views.OutlineLesson(
                        title=lesson.title,
                        kind=lesson.content.kind,
                        minutes=lesson.minutes,
                        required=lesson.required,
                    )
                    for lesson in module.lessons
                ),
            )
            for module in content.modules
        ),
        lessons=len(lessons),
        minutes=minutes or None,
        price=next((each for each in content.prices if each.minor), None),
        access_days=content.enrollment.days,
        certificate=content.certificate,
        order_id=order,
        why=tuple(
            explain(reason, course=course_id) for reason in found.may_enroll.objections
        ),
    )
    return visit.show(view)


def _offer(visit: Visit, found: CourseView) -> tuple[str, str | None]:
    """Return which button there is, and the order that waits, if one does."""
    place = found.enrollment
    if place is not None and place.is_held_by_learner:
        return "continue", None
    if visit.known is not None:
        order = visit.platform.use(FindPendingOrder)(visit.actor, found.id)
        if order is not None:
            return "pay", order.id
    if not found.may_enroll:
        return "closed", None
    if visit.known is None:
        return "sign-in", None
    return ("enroll" if found.content.is_free else "buy"), None


@router.post("/courses/{course_id}/enroll")
def enroll(course_id: str, visit: VisitDep, _: FormDep) -> Response:
    """Take a place on a free course."""
    visit.platform.use(EnrollLearner)(visit.actor, CourseId(course_id))
    return visit.go(links.outline(course_id), said="enrolled")
