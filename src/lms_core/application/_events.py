"""Put events into envelopes."""

from collections.abc import Iterable

from lms_core.domain.events import Envelope, Event
from lms_core.domain.ids import EventId
from lms_core.ports.system import IdSource


def sealed(events: Iterable[Event], ids: IdSource) -> tuple[Envelope, ...]:
    """Give each event an id of its own."""
    return tuple(Envelope(id=EventId(ids.new()), event=event) for event in events)
