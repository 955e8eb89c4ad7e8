"""Names of things.

A course is named by its key, which its author chooses once
(``adaptive-streaming``); a lesson by its course and its key within it
(``adaptive-streaming.segments``). Everything else has an id from an `IdSource`.
"""

import re
from typing import NewType, Self

from attrs import frozen

from lms_core.errors import InvalidValue

UserId = NewType("UserId", str)
EnrollmentId = NewType("EnrollmentId", str)
AttemptId = NewType("AttemptId", str)
MediaId = NewType("MediaId", str)
OrderId = NewType("OrderId", str)
CertificateId = NewType("CertificateId", str)
EventId = NewType("EventId", str)
SessionId = NewType("SessionId", str)

CourseId = NewType("CourseId", str)

_KEY = re.compile("[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_LONGEST_OBJECT_KEY = 1000  # bytes; every supported provider takes at least this


def key(text: str, *, place: str = "") -> str:
    """Return *text* if it is a key: a-z, 0-9 and inner dashes, at most 64.

    >>> key("adaptive-streaming")
    'adaptive-streaming'

    Raises:
        InvalidValue: it is anything else.
    """
    if type(text) is not str or not _KEY.fullmatch(text):
        raise InvalidValue(
            f"not a key: {text!r:.80}; use a-z, 0-9 and dashes, at most 64", place=place
        )
    return text


RESERVED = frozenset({"import", "new"})
"""Keys that addresses of pages and of the API need for themselves."""


def course_id(text: str) -> CourseId:
    """Return *text* as the id of a course, or raise `InvalidValue`."""
    if text in RESERVED:
        raise InvalidValue(f"is reserved: {text!r}; choose another key")
    return CourseId(key(text))


@frozen(order=True)
class LessonId:
    """A lesson: its course and its key within the course.

    >>> str(LessonId.parse("adaptive-streaming.segments"))
    'adaptive-streaming.segments'
    """

    course: CourseId
    key: str

    def __attrs_post_init__(self) -> None:
        key(self.course)
        key(self.key)

    def __str__(self) -> str:
        return f"{self.course}.{self.key}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``course.lesson``, or raise `InvalidValue`."""
        course, dot, lesson = text.partition(".")
        if not dot:
            raise InvalidValue(f"not a lesson id: {text!r:.80}; use course.lesson")
        return cls(CourseId(course), lesson)


@frozen(order=True)
class ObjectKey:
    """A name in an object store that every provider takes as it stands."""

    value: str

    def __attrs_post_init__(self) -> None:
        if type(self.value) is not str:
            raise InvalidValue(f"not an object key: {self.value!r:.80}")
        parts = self.value.split("/")
        try:
            length = len(self.value.encode())
        except UnicodeEncodeError:
            length = _LONGEST_OBJECT_KEY + 1
        if (
            length > _LONGEST_OBJECT_KEY
            or any(part in {"", ".", ".."} for part in parts)
            or not self.value.isprintable()
            or "\\" in self.value
        ):
            raise InvalidValue(f"not an object key: {self.value!r:.80}")

    def __str__(self) -> str:
        return self.value

    def __truediv__(self, part: str) -> "ObjectKey":
        """Return the key of *part* below this one."""
        return ObjectKey(f"{self.value}/{part}")
