"""Queues in tables of SQLite and PostgreSQL."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from attrs import field, frozen

from lms_core.errors import InvalidValue, NotFound
from lms_core.ports.message_queue import (
    LONGEST_BODY_BYTES,
    DeadLetter,
    Delivery,
    Message,
    MessageQueue,
    MessageQueueCapability,
    QueueDepth,
)
from lms_core.ports.system import Clock, TokenSource
from lms_core.registry import Wiring
from lms_sql import _dead_letters as dead
from lms_sql import _statements as sql
from lms_sql._bell import Bell, bell_of
from lms_sql._urls import read_url
from lms_sql._values import micros, to_json
from lms_sql.engine import Database, share

_POLL_S = 0.25
_SECOND = 1_000_000


@frozen(eq=False)
class SqlMessageQueue:
    """A `MessageQueue` in a table; use it with ``with``, or `close` it.

    One column, *visible_at*, says when a message may be taken: when its delay is
    over, or its lease. Every hot path is one statement, its own transaction.
    """

    database: Database
    name: str
    clock: Clock
    tokens: TokenSource = field(repr=False)
    max_deliveries: int = 5
    _bell: Bell = field(init=False, repr=False)

    @_bell.default
    def _shared_bell(self) -> Bell:
        return bell_of(self.database.url, self.name)

    @property
    def capabilities(self) -> frozenset[MessageQueueCapability]:
        """Everything there is."""
        return frozenset(MessageQueueCapability)

    def send(self, messages: Sequence[Message], *, delay_s: int = 0) -> None:
        rows = [(_checked(message.body), _attributes(message)) for message in messages]
        if not rows:
            return
        now = self._now()
        at = now + delay_s * _SECOND
        with self.database.writing() as raw:
            if len(rows) == 1:
                raw.execute(
                    self.database.sql(sql.SEND), (self.name, *rows[0], at, now)
                ).close()
            elif self.database.is_sqlite:
                with self.database.atomic(raw):
                    raw.executemany(
                        sql.SEND, [(self.name, *row, at, now) for row in rows]
                    )
            else:
                bodies, attributes = map(list, zip(*rows, strict=True))
                raw.execute(
                    self.database.sql(sql.SEND_MANY),
                    (self.name, at, now, bodies, attributes),
                )
        self._bell.ring()

    def receive(
        self, *, limit: int = 10, lease_s: int = 60, wait_s: float = 0
    ) -> tuple[Delivery, ...]:
        ends = monotonic() + wait_s
        while True:
            heard = self._bell.rung
            found = self._claim(limit, lease_s)
            left = ends - monotonic()
            if found or left <= 0:
                return found
            self._wait(heard, left)

    def _wait(self, heard: int, left: float) -> None:
        """Wait until there may be something; look without taking any lock."""
        ends = monotonic() + left
        statement = self.database.sql(sql.NEXT)
        while (left := ends - monotonic()) > 0:
            self._bell.wait(heard, min(left, _POLL_S))
            with self.database.raw() as raw:
                if raw.execute(statement, (self.name, self._now())).fetchone():
                    return
            heard = self._bell.rung

    def _claim(self, limit: int, lease_s: int) -> tuple[Delivery, ...]:
        while True:
            token, now = self.tokens.token(), self._now()
            taken, chosen = (now + lease_s * _SECOND, token), (self.name, now, limit)
            with self.database.writing() as raw:
                if self.database.is_sqlite:
                    cursor = raw.execute(sql.CLAIM_SQLITE, (*taken, *chosen))
                else:
                    statement = self.database.sql(sql.CLAIM_POSTGRESQL)
                    cursor = raw.execute(statement, (*chosen, *taken))
                rows = cursor.fetchall()
            spent = [row[0] for row in rows if row[3] > self.max_deliveries]
            if spent:
                dead.bury(self._graves, spent, token, dead.SPENT)
            if not spent or len(spent) < len(rows):
                return tuple(
                    _delivery(row, token)
                    for row in rows
                    if row[3] <= self.max_deliveries
                )

    def extend(self, delivery: Delivery, *, lease_s: int) -> None:
        if not self._change(sql.EXTEND, delivery, lease_s):
            raise NotFound(
                "the lease has ended", resource=delivery.id[:80], code="lease-lost"
            )

    def acknowledge(self, deliveries: Sequence[Delivery]) -> tuple[Delivery, ...]:
        by_token: dict[str, dict[int, Delivery]] = defaultdict(dict)
        lost = []
        for delivery in deliveries:
            if delivery.id.isascii() and delivery.id.isdecimal():
                token = delivery.receipt.rpartition(".")[0]
                by_token[token][int(delivery.id)] = delivery
            else:
                lost.append(delivery)
        for token, group in by_token.items():
            done = self._done(list(group), token)
            lost += [each for id_, each in group.items() if id_ not in done]
        return tuple(lost)

    def _done(self, ids: list[int], token: str) -> set[int]:
        held = (self.name, token, self._now())
        with self.database.writing() as raw:
            if len(ids) == 1:
                cursor = raw.execute(self.database.sql(sql.DONE), (*ids, *held))
                return set(ids) if cursor.rowcount == 1 else set()
            if self.database.is_sqlite:
                cursor = raw.execute(sql.DONE_MANY_SQLITE, (json.dumps(ids), *held))
            else:
                cursor = raw.execute(
                    self.database.sql(sql.DONE_MANY_POSTGRESQL), (ids, *held)
                )
            return {row[0] for row in cursor.fetchall()}

    def release(self, delivery: Delivery, *, delay_s: int = 0) -> None:
        if delivery.deliveries >= self.max_deliveries:
            self.bury(delivery, reason=dead.SPENT)
        elif self._change(sql.RELEASE, delivery, delay_s):
            self._bell.ring()

    def _change(self, statement: str, delivery: Delivery, seconds: int) -> bool:
        if not (delivery.id.isascii() and delivery.id.isdecimal()):
            return False
        token, now = delivery.receipt.rpartition(".")[0], self._now()
        held = (int(delivery.id), self.name, token, now)
        with self.database.writing() as raw:
            cursor = raw.execute(
                self.database.sql(statement), (now + seconds * _SECOND, *held)
            )
            return bool(cursor.rowcount == 1)

    def bury(self, delivery: Delivery, *, reason: str) -> None:
        if delivery.id.isascii() and delivery.id.isdecimal():
            token = delivery.receipt.rpartition(".")[0]
            dead.bury(self._graves, [int(delivery.id)], token, reason)

    def depth(self) -> QueueDepth:
        return dead.depth(self._graves)

    def dead_letters(self) -> Iterator[DeadLetter]:
        return dead.letters(self._graves)

    def redrive(self, ids: Sequence[str] | None = None) -> int:
        back = dead.redrive(self._graves, ids)
        self._bell.ring()
        return back

    def purge_dead(self, ids: Sequence[str] | None = None) -> int:
        return dead.purge(self._graves, ids)

    @property
    def _graves(self) -> dead.Graveyard:
        return dead.Graveyard(
            self.database, self.name, self._now(), self.max_deliveries
        )

    def _now(self) -> int:
        return micros(self.clock.now())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def _checked(body: str) -> str:
    if "\0" in body:
        raise InvalidValue("must not hold NUL", place="body")
    # No character takes more than four bytes.
    if len(body) > LONGEST_BODY_BYTES // 4:
        try:
            length = len(body.encode())
        except UnicodeEncodeError:
            raise InvalidValue("must be well-formed Unicode", place="body") from None
        if length > LONGEST_BODY_BYTES:
            raise InvalidValue(
                f"must have at most {LONGEST_BODY_BYTES} bytes", place="body"
            )
    return body


def _attributes(message: Message) -> str:
    return to_json(dict(message.attributes)) if message.attributes else "{}"


def _delivery(row: Any, token: str) -> Delivery:
    id_, body, attributes, deliveries = row
    known = json.loads(attributes) if attributes != "{}" else {}
    return Delivery(
        id=str(id_),
        receipt=f"{token}.{id_}",
        message=Message(body=body, attributes=known),
        deliveries=deliveries,
    )


def open_message_queue(url: str, wiring: Wiring) -> SqlMessageQueue:
    """Open ``sqlite:///file.db?queue=events`` or ``postgresql://…?queue=events``.

    ``max_deliveries=5`` says when a message is given up.
    """
    address = read_url(url, wiring, own=("queue", "max_deliveries"))
    return SqlMessageQueue(
        share(address),
        name=address.options.get("queue", "default"),
        clock=wiring.clock,
        tokens=wiring.tokens,
        max_deliveries=address.number("max_deliveries", 5),
    )


if TYPE_CHECKING:
    _conforms: type[MessageQueue] = SqlMessageQueue
