"""YAML as this project reads it: plain data, exact numbers, nothing hidden.

Of the implicit types of YAML 1.2 there are null, true and false, whole and
decimal numbers; everything else is text, ``yes``, ``off`` and dates included.
Anchors, aliases, tags, repeated fields and several documents are refused.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

import yaml

from lms_core.errors import Fault
from lms_entrypoints.course_folder._nodes import Node, Scalar, Spot

DEEPEST = 64
NULL = re.compile(r"|~|null|Null|NULL")
BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
DECIMAL = re.compile(r"-?[0-9]{1,18}\.[0-9]{1,18}")


class YamlFault(Exception):
    """The text is not YAML as read here."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def read_yaml(text: str, file: str, *, first_line: int = 1) -> Node:
    """Read *text*, which starts on *first_line* of *file*; nothing reads as null.

    Raises:
        YamlFault: it is not YAML, or uses what is refused.
    """
    events = yaml.parse(text, Loader=yaml.CSafeLoader)
    reader = _Reader(file, first_line)
    try:
        return reader.document(events)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        where = Spot(file, line + first_line)
        message = f"is not YAML: {error.problem or error.context}"
        raise YamlFault(where.fault(message, "yaml-syntax")) from error
    except yaml.YAMLError as error:
        message = "is not YAML: it holds a character that must be escaped"
        line = text.count("\n", 0, getattr(error, "position", 0)) + first_line
        raise YamlFault(Spot(file, line).fault(message, "yaml-syntax")) from error


def resolve(text: str) -> Scalar:
    """Return what an unquoted *text* means."""
    if NULL.fullmatch(text):
        return None
    if BOOL.fullmatch(text):
        return text.lower() == "true"
    if WHOLE.fullmatch(text):
        return int(text)
    if DECIMAL.fullmatch(text):
        return Decimal(text)
    return text


class _Reader:
    def __init__(self, file: str, first_line: int) -> None:
        self._file = file
        self._first_line = first_line

    def _refuse(self, event: yaml.Event, message: str, code: str) -> YamlFault:
        return YamlFault(self._spot(event, "").fault(message, code))

    def _spot(self, event: yaml.Event, path: str) -> Spot:
        mark = event.start_mark
        line = mark.line + self._first_line if mark is not None else None
        return Spot(self._file, line, path)

    def document(self, events: Iterator[yaml.Event]) -> Node:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self._refuse(
                        event, "must be one document", "yaml-several-documents"
                    )
                root = self._node(next(events), events, "", 0)
        return root or Node(None, Spot(self._file, self._first_line))

    def _node(
        self, event: yaml.Event, events: Iterator[yaml.Event], path: str, depth: int
    ) -> Node:
        if isinstance(event, yaml.AliasEvent):
            raise self._refuse(event, "aliases are not read", "yaml-alias")
        if getattr(event, "anchor", None) is not None:
            raise self._refuse(event, "anchors are not read", "yaml-alias")
        if getattr(event, "tag", None) is not None:
            raise self._refuse(event, "tags are not read", "yaml-tag")
        if depth > DEEPEST:
            raise self._refuse(event, f"is nested deeper than {DEEPEST}", "too-deep")
        spot = self._spot(event, path)
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0]
            value = resolve(event.value) if plain else event.value
            return Node(value, spot, raw=event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(events, spot, depth)
        return self._mapping(events, spot, depth)

    def _list(self, events: Iterator[yaml.Event], spot: Spot, depth: int) -> Node:
        entries: list[Node] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            path = (spot / len(entries)).path
            entries.append(self._node(event, events, path, depth + 1))
        return Node(tuple(entries), spot)

    def _mapping(self, events: Iterator[yaml.Event], spot: Spot, depth: int) -> Node:
        fields: dict[str, Node] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, spot.path, depth + 1)
            if isinstance(key.value, tuple | dict):
                raise self._refuse(event, "a field's name must be text", "yaml-syntax")
            if key.raw in fields:
                message = f"the field {key.raw!r:.80} is written twice"
                raise self._refuse(event, message, "duplicate-field")
            path = (spot / key.raw[:80]).path
            child = self._node(next(events), events, path, depth + 1)
            # A field is where its name is, though its value may start below.
            line = key.spot.line
            fields[key.raw] = Node(
                child.value, Spot(self._file, line, path), raw=child.raw
            )
        return Node(fields, spot)
