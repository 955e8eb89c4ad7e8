"""Tables in memory, and a transaction's own view of them."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from attrs import evolve, field, frozen

from lms_core.domain.paging import Page, PageRequest
from lms_core.errors import AlreadyExists, Conflict, InvalidValue, NotFound

A = TypeVar("A")
Rule = Callable[[Any], Hashable | None]
"""What must differ among rows; `None` is never compared."""


@frozen
class View(Generic[A]):
    """One table as a transaction sees it: as it was at the start, and changed."""

    noun: str
    key: Callable[[A], Hashable]
    unique: tuple[Rule, ...]
    base: Mapping[Hashable, A] = field(repr=False)
    rows: dict[Hashable, A] = field(repr=False)
    changed: dict[Hashable, None] = field(factory=dict)

    def find(self, key: Hashable) -> A | None:
        """Return the row under *key*."""
        return self.rows.get(key)

    def get(self, key: Hashable) -> A:
        """Return the row under *key*, or raise `NotFound`."""
        found = self.rows.get(key)
        if found is None:
            raise NotFound(f"no {self.noun} {key!s:.80}", resource=str(key)[:200])
        return found

    def where(self, holds: Callable[[A], bool]) -> list[A]:
        """Return the rows for which *holds*."""
        return [row for row in self.rows.values() if holds(row)]

    def add(self, row: A) -> None:
        """Keep a new row, or raise `AlreadyExists`."""
        if self.key(row) in self.rows:
            raise AlreadyExists(f"the {self.noun} is there already")
        self._write(row)

    def save(self, row: A) -> None:
        """Keep a changed row with its version counted up, or raise `Conflict`."""
        stored: Any = self.rows.get(self.key(row))
        new: Any = row
        if stored is None or stored.version != new.version:
            raise Conflict(f"the {self.noun} was changed meanwhile")
        self._write(evolve(new, version=new.version + 1))

    def put(self, row: A) -> None:
        """Keep a row, new where its version is zero, or raise `Conflict`."""
        new: Any = row
        if new.version:
            self.save(row)
        elif self.key(row) in self.rows:
            raise Conflict(f"the {self.noun} was changed meanwhile")
        else:
            self._write(evolve(new, version=1))

    def remove(self, key: Hashable) -> None:
        """Drop a row."""
        del self.rows[key]
        self.changed[key] = None

    def _write(self, row: A) -> None:
        if clash(self, row, self.rows):
            raise AlreadyExists(f"it is taken by another {self.noun}")
        self.rows[self.key(row)] = row
        self.changed[self.key(row)] = None

    def page(
        self,
        rows: Iterable[A],
        order: Callable[[A], tuple[Any, ...]],
        request: PageRequest,
        *,
        latest_first: bool = False,
    ) -> Page[A]:
        """Return one page of *rows* by *order*; the key of a row is its cursor.

        Raises:
            InvalidValue: the cursor names no row.
        """
        ordered = sorted(rows, key=order, reverse=latest_first)
        if request.after is not None:
            anchor = self.rows.get(request.after)
            if anchor is None:
                raise InvalidValue("is not one of ours", place="after")
            here = order(anchor)
            ordered = [
                row
                for row in ordered
                if (order(row) < here if latest_first else order(row) > here)
            ]
        items = tuple(ordered[: request.limit])
        more = len(ordered) > request.limit
        return Page(items, str(self.key(items[-1])) if more else None)


def clash(view: View[A], row: A, rows: Mapping[Hashable, A]) -> bool:
    """Tell whether another of *rows* has what must be *row*'s alone."""
    return any(
        rule(other) == mine
        for rule in view.unique
        if (mine := rule(row)) is not None
        for key, other in rows.items()
        if key != view.key(row)
    )


@frozen
class Table(Generic[A]):
    """What is committed; a transaction works on a `View`."""

    noun: str
    key: Callable[[A], Hashable]
    unique: tuple[Rule, ...] = ()
    rows: dict[Hashable, A] = field(factory=dict, repr=False)

    def view(self) -> View[A]:
        """Return the table as it is now, to be changed apart."""
        base = dict(self.rows)
        return View(self.noun, self.key, self.unique, base, dict(base))

    def merged(self, view: View[A]) -> dict[Hashable, A]:
        """Return what the table will be with the changes of *view*.

        Raises:
            Conflict: somebody changed the same rows, or took what is unique.
        """
        after = dict(self.rows)
        for key in view.changed:
            if self.rows.get(key) is not view.base.get(key):
                raise Conflict(f"the {self.noun} was changed meanwhile")
            after.pop(key, None)
            if key in view.rows:
                after[key] = view.rows[key]
        for key in [key for key in view.changed if key in after]:
            if clash(view, after[key], after):
                raise Conflict(f"another {self.noun} took it meanwhile")
        return after
