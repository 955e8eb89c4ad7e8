"""What passes through: events out and in, answers kept, acts noted."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import frozen
from sqlalchemy import Connection, delete, select, update

from lms_core.domain.audit import AuditRow
from lms_core.domain.documents import dump, load
from lms_core.domain.events import Envelope, Event
from lms_core.domain.ids import EventId
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.errors import AlreadyExists, Conflict
from lms_core.ports.unit_of_work import (
    AuditTrail,
    IdempotencyKeys,
    Inbox,
    KeptAnswer,
    Outbox,
)
from lms_sql import tables
from lms_sql._kept import insert_if_absent, page_of
from lms_sql._values import document, micros, read_document, to_json

_OUT = tables.outbox
_IN = tables.inbox
_K = tables.idempotency
_A = tables.audit


@frozen
class SqlOutbox:
    """An `Outbox` in a table.

    A row's place is taken when it is written: what was committed before another
    transaction wrote comes before it.
    """

    _connection: Connection

    def extend(self, events: Iterable[Envelope]) -> None:
        rows = [
            {"id": each.id, "document": to_json(dump(each.event))} for each in events
        ]
        if rows:
            self._connection.execute(insert_if_absent(self._connection, _OUT), rows)

    def pending(self, limit: int) -> tuple[Envelope, ...]:
        query = select(_OUT.c.id, _OUT.c.document).where(~_OUT.c.passed_on)
        query = query.order_by(_OUT.c.sequence).limit(limit)
        return tuple(
            Envelope(id=EventId(row.id), event=load(Event, json.loads(row.document)))
            for row in self._connection.execute(query)
        )

    def passed_on(self, events: Sequence[EventId]) -> None:
        noted = update(_OUT).where(_OUT.c.id.in_(set(events))).values(passed_on=True)
        self._connection.execute(noted)


@frozen
class SqlInbox:
    """An `Inbox` in a table."""

    _connection: Connection

    def has(self, consumer: str, event: EventId) -> bool:
        query = select(_IN.c.at).where(_IN.c.consumer == consumer)
        query = query.where(_IN.c.event_id == event)
        return self._connection.execute(query).first() is not None

    def accept(self, consumer: str, event: EventId, *, at: datetime) -> bool:
        row = {"consumer": consumer, "event_id": event, "at": micros(at)}
        first = insert_if_absent(self._connection, _IN)
        return self._connection.execute(first, row).rowcount == 1


@frozen
class SqlIdempotencyKeys:
    """`IdempotencyKeys` in a table."""

    _connection: Connection

    def find(self, scope: str, key: str) -> KeptAnswer | None:
        query = select(_K.c.fingerprint, _K.c.status, _K.c.body)
        query = query.where(_K.c.scope == scope, _K.c.key == key)
        row = self._connection.execute(query).first()
        if row is None:
            return None
        return KeptAnswer(fingerprint=row.fingerprint, status=row.status, body=row.body)

    def keep(self, scope: str, key: str, answer: KeptAnswer, *, at: datetime) -> None:
        row = {
            "scope": scope,
            "key": key,
            "fingerprint": answer.fingerprint,
            "status": answer.status,
            "body": answer.body,
            "at": micros(at),
        }
        first = insert_if_absent(self._connection, _K)
        if self._connection.execute(first, row).rowcount != 1:
            raise Conflict("another request has the key")

    def forget_before(self, at: datetime) -> int:
        return self._connection.execute(delete(_K).where(_K.c.at < micros(at))).rowcount


@frozen
class SqlAuditTrail:
    """An `AuditTrail` in a table."""

    _connection: Connection

    def append(self, row: AuditRow) -> None:
        values = {
            "id": row.id,
            "at": micros(row.at),
            "actor_id": row.actor,
            "action": row.action,
            "subject": row.subject,
            "document": document(row),
        }
        first = insert_if_absent(self._connection, _A)
        if self._connection.execute(first, values).rowcount != 1:
            raise AlreadyExists(f"the row {row.id:.80} is there already")

    def page(self, page: PageRequest = FIRST) -> Page[AuditRow]:
        order = [_A.c.at, _A.c.id]
        rows, cursor = page_of(
            self._connection, select(_A.c.document), order, page, latest_first=True
        )
        return Page(tuple(read_document(AuditRow, r.document) for r in rows), cursor)


if TYPE_CHECKING:
    _outbox_conforms: type[Outbox] = SqlOutbox
    _inbox_conforms: type[Inbox] = SqlInbox
    _keys_conform: type[IdempotencyKeys] = SqlIdempotencyKeys
    _audit_conforms: type[AuditTrail] = SqlAuditTrail
