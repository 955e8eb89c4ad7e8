"""Events as documents: a name, a version and the fields."""

import json
from functools import cache
from typing import Any

from lms_core.domain import events
from lms_core.domain.documents import Json, dump, load
from lms_core.domain.events import Envelope, Event
from lms_core.domain.ids import EventId
from lms_core.errors import InvalidValue

VERSION = 1


@cache
def _named() -> dict[str, type[Event]]:
    found = (value for value in vars(events).values() if isinstance(value, type))
    return {cls.__name__: cls for cls in found if issubclass(cls, Event)}


def dump_event(event: Event) -> Json:
    """Return *event* as a document that `load_event` reads."""
    return {"name": type(event).__name__, "version": VERSION, **dump(event)}


def load_event(data: Any) -> Event:
    """Read an event.

    Raises:
        InvalidValue: it is none that is known, or its fields do not fit.
    """
    fields = dict(data) if isinstance(data, dict) else {}
    name, version = fields.pop("name", None), fields.pop("version", None)
    cls = _named().get(name) if isinstance(name, str) else None
    if cls is None or version != VERSION:
        raise InvalidValue(f"no such event: {name!r:.80}, version {version!r:.20}")
    return load(cls, fields)


def write_envelope(envelope: Envelope) -> str:
    """Return *envelope* as text for a queue; `read_envelope` reads it."""
    document = {"id": envelope.id, "event": dump_event(envelope.event)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def read_envelope(text: str) -> Envelope:
    """Read what `write_envelope` wrote, or raise `InvalidValue`."""
    try:
        document = json.loads(text)
        id_, event = document["id"], document["event"]
    except (ValueError, KeyError, TypeError) as exc:
        raise InvalidValue("not an event in its envelope") from exc
    if not isinstance(id_, str):
        raise InvalidValue("not the id of an event")
    return Envelope(id=EventId(id_), event=load_event(event))
