"""Buying a course, and what the gateway has to say."""

from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.concurrency import run_in_threadpool

from lms_core.application.place_order import (
    PlaceOrder,
    ReadOrder,
    RecordPayment,
    RefundOrder,
)
from lms_core.domain.ids import CourseId, OrderId
from lms_core.domain.money import Money
from lms_core.errors import NotFound, NotPermitted, Refused
from lms_entrypoints.http.auth import CallerDep, PlatformDep, guard_costly
from lms_entrypoints.http.problems import HttpProblem
from lms_entrypoints.http.routing import LmsRoute
from lms_entrypoints.http.schemas import CheckoutBody, OrderAnswer, RefundBody

router = APIRouter(prefix="/api/v1", route_class=LmsRoute, tags=["payments"])


@router.post("/payments/checkout", status_code=200)
def checkout(
    body: CheckoutBody, request: Request, platform: PlatformDep, caller: CallerDep
) -> OrderAnswer:
    """Order a course and open the gateway's page for it."""
    guard_costly(request, caller)
    placed = platform.use(PlaceOrder)(
        caller.actor, CourseId(body.course_id), body.currency
    )
    return OrderAnswer.of(placed.order, placed.checkout_url)


@router.get("/payments/{order_id}")
def read_order(order_id: str, platform: PlatformDep, caller: CallerDep) -> OrderAnswer:
    """Show an order to its buyer."""
    return OrderAnswer.of(platform.use(ReadOrder)(caller.actor, OrderId(order_id)))


@router.post("/payments/{order_id}/refund")
def refund(
    order_id: str,
    body: RefundBody,
    platform: PlatformDep,
    caller: CallerDep,
    idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
) -> OrderAnswer:
    """Give money back; the header ``Idempotency-Key`` is required."""
    if not idempotency_key:
        raise HttpProblem(
            400, "idempotency-key-missing", "a refund needs an Idempotency-Key"
        )
    order = platform.use(RefundOrder)(
        caller.actor,
        OrderId(order_id),
        Money(body.minor, body.currency),
        idempotency_key=idempotency_key,
    )
    return OrderAnswer.of(order)


# Not of the API's own kind: the gateway signs the very bytes that it sends.
webhook_router = APIRouter(tags=["payments"])


@webhook_router.post("/api/v1/payments/webhook", status_code=200)
async def webhook(request: Request, platform: PlatformDep) -> dict[str, bool]:
    """Take news from the gateway; its signature is all that counts."""
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    record = platform.use(RecordPayment)
    try:
        await run_in_threadpool(record.from_webhook, body, headers)
    except NotPermitted as exc:
        raise HttpProblem(400, "signature-invalid", str(exc)) from exc
    except NotFound as exc:
        raise HttpProblem(422, "order-unknown", "no such order") from exc
    except Refused as exc:
        # It does not fit the order: news of another amount or currency.
        raise HttpProblem(422, exc.reasons[0].code, str(exc)) from exc
    return {"received": True}
