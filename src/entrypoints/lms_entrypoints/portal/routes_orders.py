"""Buying a course, and what became of an order."""

from fastapi import APIRouter, Response

from lms_core.application.browse_courses import CourseView, ViewCourse
from lms_core.application.place_order import PlaceOrder, ReadOrder
from lms_core.domain.commerce.order import Order, OrderStatus, TransactionKind
from lms_core.domain.ids import CourseId, OrderId
from lms_core.errors import NotFound, Refused
from lms_entrypoints.http.auth import guard_costly
from lms_entrypoints.portal import links, views
from lms_entrypoints.portal.visits import FormDep, Visit, VisitDep

router = APIRouter(include_in_schema=False)

LOOK_AGAIN_S = 5


@router.get("/courses/{course_id}/checkout")
def summary(course_id: str, visit: VisitDep) -> Response:
    """Show what will be bought, for how much."""
    visit.require()
    found = visit.platform.use(ViewCourse)(visit.actor, CourseId(course_id))
    if found.content.is_free:
        return visit.go(links.course(course_id))
    if found.enrollment is not None and found.enrollment.lets_in:
        return visit.go(links.outline(course_id))
    found.may_enroll.require()
    return visit.show(_checkout(visit, found))


def _checkout(visit: Visit, found: CourseView, *errors: views.FieldError) -> views.View:
    content, platform = found.content, visit.platform
    return views.Checkout(
        course=views.Crumb(id=found.id, title=content.title),
        summary=content.summary,
        prices=content.prices,
        buyer_email=visit.require().email,
        access_days=content.enrollment.days,
        sandbox=platform.url_of("payment_gateway").startswith("sandbox:"),
        idempotency_key=platform.tokens.token(),
        errors=errors,
    )


@router.post("/courses/{course_id}/checkout")
@router.post("/courses/{course_id}/buy")
def buy(course_id: str, visit: VisitDep, form: FormDep) -> Response:
    """Order the course, and go on to the gateway's page."""
    visit.require()
    guard_costly(visit.request, visit.caller)
    course, currency = CourseId(course_id), form.text("currency", most=10)
    try:
        placed = visit.platform.use(PlaceOrder)(visit.actor, course, currency)
    except Refused as exc:
        codes = {reason.code for reason in exc.reasons}
        if "already-enrolled" in codes:
            return visit.go(links.outline(course_id))
        if "currency-not-offered" in codes:
            found = visit.platform.use(ViewCourse)(visit.actor, course)
            message = "Choose one of the currencies offered."
            error = views.FieldError(field="currency", message=message)
            return visit.show(_checkout(visit, found, error), status=422)
        raise
    return visit.go(placed.checkout_url)


@router.get("/orders/{order_id}")
def order(order_id: str, visit: VisitDep) -> Response:
    """Show an order to its buyer; while news may come, the page looks again."""
    visit.require()
    found = visit.platform.use(ReadOrder)(visit.actor, OrderId(order_id))
    is_pending = found.status is OrderStatus.PENDING
    view = views.OrderPage(
        id=found.id,
        course=views.Crumb(id=found.course, title=_title(visit, found.course)),
        amount=found.amount,
        status=found.status,
        placed_at=found.placed_at,
        paid_at=min(
            (
                entry.at
                for entry in found.ledger
                if entry.kind is TransactionKind.PAYMENT
            ),
            default=None,
        ),
        refunded=found.refunded,
        pay_again_href=_pay_again(found),
        refresh_s=LOOK_AGAIN_S if is_pending else None,
    )
    return visit.show(view)


def _pay_again(found: Order) -> str | None:
    if found.entitles or found.is_undone:
        return None
    if found.is_payable and found.checkout_url is not None:
        return found.checkout_url
    return links.checkout(found.course)


def _title(visit: Visit, course: CourseId) -> str:
    try:
        return visit.platform.use(ViewCourse)(visit.actor, course).content.title
    except NotFound:
        return course
