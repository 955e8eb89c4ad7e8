"""Lists that never come whole."""

from typing import Generic, TypeVar

from attrs import frozen

from lms_core.errors import InvalidValue

T = TypeVar("T")

MOST_ITEMS = 200


@frozen
class PageRequest:
    """At most *limit* items, from where the page that gave *after* ended."""

    limit: int = 50
    after: str | None = None

    def __attrs_post_init__(self) -> None:
        if type(self.limit) is not int or not 1 <= self.limit <= MOST_ITEMS:
            raise InvalidValue(f"must be 1 to {MOST_ITEMS}", place="limit")
        if self.after is not None and not 1 <= len(self.after) <= 500:  # noqa: PLR2004
            raise InvalidValue("is not one of ours", place="after")


FIRST = PageRequest()


@frozen
class Page(Generic[T]):
    """Some items, and where the next page starts; *next* of `None` is the end."""

    items: tuple[T, ...]
    next: str | None = None
