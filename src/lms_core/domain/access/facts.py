"""What a decision about one learner on one course rests on."""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction

from attrs import Factory, frozen

from lms_core.domain.ids import CourseId


@frozen(kw_only=True)
class Facts:
    """Everything access conditions may ask; absent facts satisfy nothing.

    *enrolled_at* is set while the enrollment lets the learner in. *completed*
    holds lesson keys, *scores* the counting share per lesson key, *earlier* the
    required lessons before the one in question.
    """

    enrolled_at: datetime | None = None
    completed: frozenset[str] = frozenset()
    scores: Mapping[str, Fraction] = Factory(dict)
    earlier: tuple[str, ...] = ()
    completed_courses: frozenset[CourseId] = frozenset()
    roles: frozenset[str] = frozenset()
