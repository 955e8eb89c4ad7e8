"""What a queue does seldom: give up, count, bring back."""

import json
from collections.abc import Iterator, Sequence

from attrs import frozen
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from lms_core.ports.message_queue import DeadLetter, Message, QueueDepth
from lms_sql._values import instant
from lms_sql.engine import Database
from lms_sql.tables import dead_letters, messages

SPENT = "max-deliveries"

_M = messages.c
_D = dead_letters.c
_SOME = 500


@frozen
class Graveyard:
    """The dead letters of one queue at one moment."""

    database: Database
    queue: str
    now: int
    max_deliveries: int


def bury(graves: Graveyard, ids: Sequence[int], token: str, reason: str) -> None:
    """Make messages that are held under *token* dead letters."""
    held = (
        _M.id.in_(ids),
        _M.receipt == token,
        _M.visible_at > graves.now,
    )
    with graves.database.transaction() as connection:
        _give_up(connection, graves, reason, *held)


def _give_up(
    connection: Connection,
    graves: Graveyard,
    reason: str,
    *which: ColumnElement[bool],
) -> int:
    columns = (
        _M.id,
        _M.queue,
        _M.body,
        _M.attributes,
        _M.deliveries,
    )
    query = select(*columns, _M.created_at).where(_M.queue == graves.queue, *which)
    query = query.order_by(_M.id).limit(_SOME).with_for_update()
    rows = [
        {
            **row,
            "deliveries": min(row["deliveries"], graves.max_deliveries),
            "reason": reason,
            "died_at": graves.now,
        }
        for row in connection.execute(query).mappings()
    ]
    if rows:
        connection.execute(insert(dead_letters), rows)
        gone = [row["id"] for row in rows]
        connection.execute(delete(messages).where(_M.id.in_(gone)))
    return len(rows)


def _sweep(graves: Graveyard) -> None:
    """Give up what was delivered for the last time and not finished."""
    spent = (
        _M.deliveries >= graves.max_deliveries,
        _M.receipt.is_not(None),
        _M.visible_at <= graves.now,
    )
    query = select(_M.id).where(_M.queue == graves.queue, *spent).limit(1)
    with graves.database.reading() as connection:
        if connection.execute(query).first() is None:
            return
    while True:
        with graves.database.transaction() as connection:
            if _give_up(connection, graves, SPENT, *spent) < _SOME:
                return


def depth(graves: Graveyard) -> QueueDepth:
    """Count what waits, what is held and what was given up."""
    _sweep(graves)
    leased = _M.receipt.is_not(None) & (_M.visible_at > graves.now)
    of_queue = select(func.count(), func.count().filter(leased)).select_from(messages)
    buried = (
        select(func.count()).select_from(dead_letters).where(_D.queue == graves.queue)
    )
    with graves.database.reading() as connection:
        row = connection.execute(of_queue.where(_M.queue == graves.queue)).one()
        gone = connection.execute(buried).scalar_one()
    return QueueDepth(ready=row[0] - row[1], leased=row[1], dead=gone)


def letters(graves: Graveyard) -> Iterator[DeadLetter]:
    """Yield dead letters, the oldest first."""
    _sweep(graves)
    after = 0
    while True:
        query = select(dead_letters).where(
            _D.queue == graves.queue, _D.sequence > after
        )
        with graves.database.reading() as connection:
            rows = connection.execute(query.order_by(_D.sequence).limit(_SOME)).all()
        for row in rows:
            yield DeadLetter(
                id=str(row.id),
                message=Message(body=row.body, attributes=json.loads(row.attributes)),
                reason=row.reason,
                deliveries=row.deliveries,
                died_at=instant(row.died_at),
            )
        if len(rows) < _SOME:
            return
        after = rows[-1].sequence


def redrive(graves: Graveyard, ids: Sequence[str] | None) -> int:
    """Put dead letters back; return how many."""
    _sweep(graves)
    return sum(_redrive(graves, which) for which in _chosen(graves, ids))


def _redrive(graves: Graveyard, which: ColumnElement[bool]) -> int:
    columns = (
        _D.id,
        _D.queue,
        _D.body,
        _D.attributes,
        _D.created_at,
    )
    query = select(*columns).where(which).order_by(_D.sequence).with_for_update()
    with graves.database.transaction() as connection:
        rows = [
            {**row, "visible_at": graves.now, "deliveries": 0}
            for row in connection.execute(query).mappings()
        ]
        if rows:
            gone = [row["id"] for row in rows]
            here = _D.queue == graves.queue
            connection.execute(delete(dead_letters).where(here, _D.id.in_(gone)))
            connection.execute(insert(messages), rows)
    return len(rows)


def purge(graves: Graveyard, ids: Sequence[str] | None) -> int:
    """Delete dead letters; return how many."""
    _sweep(graves)
    gone = 0
    for which in _chosen(graves, ids):
        with graves.database.transaction() as connection:
            gone += connection.execute(delete(dead_letters).where(which)).rowcount
    return gone


def _chosen(
    graves: Graveyard, ids: Sequence[str] | None
) -> Iterator[ColumnElement[bool]]:
    """Yield conditions that together choose *ids*, or all; a few rows each."""
    here = _D.queue == graves.queue
    if ids is None:
        query = select(_D.id).where(here).order_by(_D.sequence)
        with graves.database.reading() as connection:
            numbers = list(connection.execute(query).scalars())
    else:
        numbers = [int(each) for each in ids if each.isascii() and each.isdecimal()]
    for start in range(0, len(numbers), _SOME):
        yield here & _D.id.in_(numbers[start : start + _SOME])
