"""Orders and their ledgers."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import frozen
from sqlalchemy import Connection, update

from lms_core.domain.commerce.order import Order, Transaction
from lms_core.domain.ids import CourseId, OrderId, UserId
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.errors import AlreadyExists
from lms_core.ports.unit_of_work import Orders
from lms_sql import tables
from lms_sql._kept import Kept, Kind, insert_if_absent, read_page
from lms_sql._values import micros

_T = tables.orders
_L = tables.transactions


def _order(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "user_id": order.buyer,
        "course_id": order.course,
        "status": order.status,
        "minor": order.amount.minor,
        "currency": order.amount.currency,
        "checkout": order.checkout,
        "settled": not order.is_payable,
        "placed_at": micros(order.placed_at),
    }


ORDERS = Kind(Order, _T, _order)


@frozen
class SqlOrders:
    """`Orders` in a table; their transactions are rows as well, to be unique."""

    _connection: Connection

    @property
    def _kept(self) -> Kept[Order]:
        return Kept(self._connection, ORDERS)

    def get(self, order: OrderId) -> Order:
        return self._kept.get(id=order)

    def add(self, order: Order) -> None:
        self._kept.add(order)
        self._enter(order)

    def save(self, order: Order) -> None:
        self._kept.save(order)
        self._enter(order)

    def _enter(self, order: Order) -> None:
        first = insert_if_absent(self._connection, _L)
        for entry in order.ledger:
            values = _entry(order, entry)
            if self._connection.execute(first, values).rowcount == 1:
                continue
            known = update(_L).where(
                _L.c.reference == entry.reference,
                _L.c.kind == entry.kind,
                _L.c.order_id == order.id,
            )
            known = known.values(at=values["at"])
            if self._connection.execute(known).rowcount != 1:
                raise AlreadyExists(
                    f"{entry.kind} {entry.reference:.80} belongs to another order"
                )

    def find_pending(self, buyer: UserId, course: CourseId) -> Order | None:
        query = ORDERS.rows.where(
            _T.c.user_id == buyer, _T.c.course_id == course, ~_T.c.settled
        )
        order = (_T.c.placed_at.desc(), _T.c.id.desc())
        return self._kept.first(query.order_by(*order))

    def of_buyer(self, buyer: UserId, page: PageRequest = FIRST) -> Page[Order]:
        query = ORDERS.rows.where(_T.c.user_id == buyer)
        order = [_T.c.placed_at, _T.c.id]
        return read_page(self._kept, query, order, page, latest_first=True)

    def unsettled(self, before: datetime, limit: int) -> tuple[Order, ...]:
        query = ORDERS.rows.where(
            ~_T.c.settled, _T.c.checkout.is_not(None), _T.c.placed_at < micros(before)
        )
        return self._kept.all(query.order_by(_T.c.placed_at, _T.c.id).limit(limit))


def _entry(order: Order, entry: Transaction) -> dict[str, Any]:
    return {
        "reference": entry.reference,
        "kind": entry.kind,
        "order_id": order.id,
        "minor": entry.amount.minor,
        "currency": entry.amount.currency,
        "at": micros(entry.at),
    }


if TYPE_CHECKING:
    _conforms: type[Orders] = SqlOrders
