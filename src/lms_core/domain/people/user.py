"""People and the roles they were given."""

import re
import unicodedata
from datetime import datetime
from enum import StrEnum

from attrs import evolve, frozen

from lms_core.domain.events import Event, RoleGranted, UserRegistered
from lms_core.domain.ids import CourseId, UserId
from lms_core.errors import InvalidValue

_EMAIL = re.compile(
    r"[^\s@<>\",;:\\()\[\]]{1,64}@[^\s@<>\",;:\\()\[\].]+(?:\.[^\s@<>\",;:\\()\[\].]+)*"
)
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LONGEST_EMAIL = 254
_LONGEST_NAME = 120


def normal_email(text: str) -> str:
    """Return the form by which an address is unique: NFKC, lower case.

    Raises:
        InvalidValue: it is not an address of the form name@host.
    """
    short = text.strip()[: _LONGEST_EMAIL + 1]
    address = unicodedata.normalize("NFKC", short).strip().lower()
    if (
        len(address) > _LONGEST_EMAIL
        or not address.isprintable()
        or not _EMAIL.fullmatch(address)
    ):
        raise InvalidValue("not a mail address; write name@host", place="email")
    return address


def display_name(text: str) -> str:
    """Return *text* as a name for display: one line with something to see, trimmed.

    Joiners stay, for scripts and emoji that need them.

    Raises:
        InvalidValue: it shows nothing, is too long, or holds control characters,
            those that turn the direction of writing included.
    """
    name = unicodedata.normalize("NFC", text).strip()
    kinds = {unicodedata.category(char) for char in name}
    if (
        len(name) > _LONGEST_NAME
        or kinds & {"Cc", "Cs", "Zl", "Zp"}
        or not _TURNS.isdisjoint(name)
        or not any(kind[0] in "LNPS" for kind in kinds)
    ):
        raise InvalidValue(
            f"must be one line of 1 to {_LONGEST_NAME} characters", place="name"
        )
    return name


class Role(StrEnum):
    """What somebody may be; everybody signed in is a student."""

    STUDENT = "student"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"


@frozen(order=True)
class RoleGrant:
    """A role, for one course or, where *course* is `None`, for the platform.

    An instructor of the platform may create courses; teaching one, and what
    comes with it, takes the role for that course.
    """

    role: Role
    course: CourseId | None = None


Step = tuple["User", tuple[Event, ...]]


@frozen(kw_only=True)
class User:
    """A person with an account; *email* is in its normal form and unique."""

    id: UserId
    email: str
    name: str
    registered_at: datetime
    language: str = "en"
    grants: tuple[RoleGrant, ...] = ()
    suspended: bool = False
    version: int = 0

    @classmethod
    def register(cls, id_: UserId, *, email: str, name: str, at: datetime) -> Step:
        """Open an account; nobody registers with a role."""
        user = cls(
            id=id_, email=normal_email(email), name=display_name(name), registered_at=at
        )
        return user, (UserRegistered(user=id_, at=at),)

    def grant(self, role: Role, course: CourseId | None, *, at: datetime) -> Step:
        """Give a role; giving it twice changes nothing."""
        new = RoleGrant(role, course)
        if new in self.grants:
            return self, ()
        granted = RoleGranted(user=self.id, role=role, course=course, at=at)
        return evolve(self, grants=(*self.grants, new)), (granted,)
