"""Access conditions as authors write them.

A condition is its name alone (``earlier-lessons``), its name with its one value
(``lesson-completed: welcome``), or its name with its fields (``dates:
{opens_at: …}``). A list means that all of it holds. The forms follow from the
classes, so new conditions have one without a word here.
"""

import typing
from types import NoneType
from typing import Any, cast

import attrs

from lms_core.domain.access.conditions import AllOf, Condition
from lms_core.domain.documents import dump
from lms_core.errors import Fault
from lms_entrypoints.course_folder._nodes import Node

_ALL = "all"


def _variants() -> dict[str, type[Condition]]:
    return dict(cast("Any", Condition).__variants__)


def _hints(cls: type[Condition]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {
        field.name: hints[field.name]
        for field in attrs.fields(cls)
        if field.init and not field.metadata.get("derived")
    }


def read_condition(node: Node, faults: list[Fault]) -> Node:
    """Return the document of the condition that *node* writes."""
    if isinstance(node.value, tuple):
        children = tuple(read_condition(child, faults) for child in node.value)
        return node.holding({"type": node.holding(_ALL), "of": node.holding(children)})
    if node.text is not None:
        return node.holding({"type": node})
    if len(node.fields) != 1:
        message = "must be one condition, or a list of conditions"
        faults.append(node.spot.fault(message, "not-a-condition"))
        return node.holding({"type": node.holding(_ALL)})
    [(name, value)] = node.fields.items()
    hints = _hints(_variants()[name]) if name in _variants() else {}
    fields = {next(iter(hints)): value} if len(hints) == 1 else value.fields
    if len(hints) != 1 and not isinstance(value.value, dict | NoneType):
        faults.append(value.spot.fault("must be fields: name: value"))
    return node.holding(
        {
            "type": value.holding(name),
            **{
                field: _read_nested(child, hints.get(field), faults)
                for field, child in fields.items()
            },
        }
    )


def _read_nested(node: Node, hint: Any, faults: list[Fault]) -> Node:
    if hint == Condition:
        return read_condition(node, faults)
    if hint == tuple[Condition, ...]:
        children = tuple(read_condition(child, faults) for child in node.entries)
        return node.holding(children) if isinstance(node.value, tuple) else node
    return node


def write_condition(condition: Condition, *, outermost: bool = True) -> Any:
    """Return what an author would write for *condition*."""
    if outermost and type(condition) is AllOf:
        return [write_condition(child, outermost=False) for child in condition.of]
    name = cast("Any", type(condition)).__variant__
    hints = _hints(type(condition))
    if not hints:
        return name
    compact = dump(condition, compact=True)
    fields = {
        field: _write_nested(getattr(condition, field), hint)
        for field, hint in hints.items()
        if field in compact or len(hints) == 1
    }
    return {name: next(iter(fields.values())) if len(hints) == 1 else fields}


def _write_nested(value: Any, hint: Any) -> Any:
    if hint == Condition:
        return write_condition(value, outermost=False)
    if hint == tuple[Condition, ...]:
        return [write_condition(child, outermost=False) for child in value]
    return dump(value)
