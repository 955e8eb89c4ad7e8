"""Answers that can explain themselves."""

from datetime import datetime
from typing import Self

from attrs import frozen

from lms_core.errors import Reason, Refused


@frozen
class Decision:
    """Yes when no rule objects; otherwise no, with every objection.

    *opens_at* is the instant from which the answer becomes yes by itself, or
    `None` when waiting alone does not help.

    >>> bool(Decision.unless(course_is_full=False, deadline_has_passed=True))
    False
    """

    objections: tuple[Reason, ...] = ()
    opens_at: datetime | None = None

    @classmethod
    def unless(cls, **objections: bool) -> Self:
        """Object to everything that holds; underscores become dashes in codes."""
        return cls(
            tuple(
                Reason(name.replace("_", "-"))
                for name, holds in objections.items()
                if holds
            )
        )

    def __bool__(self) -> bool:
        return not self.objections

    def require(self) -> None:
        """Raise `Refused` with all objections unless the answer is yes."""
        if self.objections:
            raise Refused(*self.objections)
