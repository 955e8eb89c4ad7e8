"""Use case: pass committed events on to the queue."""

import json

from attrs import frozen

from lms_core.domain.documents import dump, load
from lms_core.domain.events import Envelope
from lms_core.errors import InvalidValue
from lms_core.ports.message_queue import Message, MessageQueue
from lms_core.ports.unit_of_work import StartWork

BATCH = 100


@frozen(kw_only=True)
class RelayOutbox:
    """Pass events on, in the order of their commits, at least once.

    An event is marked after the queue has it. A crash in between sends it
    again, which consumers take: an envelope keeps its id.
    """

    start: StartWork
    events_queue: MessageQueue

    def __call__(self) -> int:
        """Pass on one batch; return how many events it held."""
        with self.start(read_only=True) as work:
            pending = work.outbox.pending(BATCH)
        if not pending:
            return 0
        self.events_queue.send([to_message(envelope) for envelope in pending])
        with self.start() as work:
            work.outbox.passed_on([envelope.id for envelope in pending])
            work.commit()
        return len(pending)


def to_message(envelope: Envelope) -> Message:
    """Return *envelope* as a message."""
    return Message(body=json.dumps(dump(envelope), separators=(",", ":")))


def from_message(message: Message) -> Envelope:
    """Read an envelope back.

    Raises:
        InvalidValue: the message holds none.
    """
    try:
        data = json.loads(message.body)
    except (ValueError, RecursionError) as exc:
        raise InvalidValue("not JSON") from exc
    if type(data) is not dict:
        raise InvalidValue("not an event")
    return load(Envelope, data)
