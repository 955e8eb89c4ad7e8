"""Data that remembers where its author wrote it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import evolve, frozen

from lms_core.errors import Fault


@frozen
class Spot:
    """A place in a file: its line, and the path of fields that leads to it."""

    file: str
    line: int | None = None
    path: str = ""

    def __truediv__(self, name: str | int) -> "Spot":
        """Return the spot of a field or an entry below, on the same line."""
        if isinstance(name, int):
            return evolve(self, path=f"{self.path}[{name}]")
        return evolve(self, path=f"{self.path}.{name}" if self.path else name)

    def fault(self, message: str, code: str = "invalid-value") -> Fault:
        """Return a fault here."""
        text = f"{self.path}: {message}" if self.path else message
        return Fault(place=self.file, message=text, code=code, line=self.line)


Scalar = None | bool | int | str | Decimal


@frozen
class Node:
    """A scalar, a list of nodes or named nodes, each with its spot.

    *raw* is the text of a scalar as it was written.
    """

    value: "Scalar | tuple[Node, ...] | Mapping[str, Node]"
    spot: Spot
    raw: str = ""

    @property
    def fields(self) -> "dict[str, Node]":
        """The named nodes; none where this is something else."""
        return dict(self.value) if isinstance(self.value, Mapping) else {}

    @property
    def entries(self) -> "tuple[Node, ...]":
        """The nodes of a list; none where this is something else."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def text(self) -> str | None:
        """The text, where this is one."""
        return self.value if isinstance(self.value, str) else None

    def holding(
        self, value: "Scalar | tuple[Node, ...] | Mapping[str, Node]"
    ) -> "Node":
        """Return another value at the same spot."""
        return Node(value, self.spot)


@frozen
class Places:
    """Where the parts of a document were written, by their place in it."""

    spots: dict[str, Spot]

    def plain(self, node: Node, place: str) -> Any:
        """Return the data of *node*, noting under *place* where each part is."""
        self.spots[place] = node.spot
        value = node.value
        if isinstance(value, Mapping):
            return {
                name: self.plain(child, f"{place}.{name}" if place else name)
                for name, child in value.items()
            }
        if isinstance(value, tuple):
            return [
                self.plain(child, f"{place}[{index}]")
                for index, child in enumerate(value)
            ]
        return value

    def at(self, fault: Fault) -> Fault:
        """Return *fault* with its file and line instead of its place."""
        place, rest = fault.place, ""
        while place not in self.spots:
            cut = max(place.rfind("."), place.rfind("["), 0)
            place, rest = place[:cut], place[cut:] + rest
            if not cut:
                rest = f".{rest}"
        spot = self.spots[place]
        path = f"{spot.path}{rest}".lstrip(".").rstrip(".")
        return evolve(spot, path=path).fault(fault.message, fault.code)
