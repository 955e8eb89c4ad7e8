"""Every exception this library raises on purpose.

LmsError
├── InvalidValue          a value broke its own invariant (also a ValueError)
│   └── InvalidDocument   a document has faults; all of them, each with its place
├── Refused               a rule of the domain said no, and says why
├── ConfigurationError    the program was wired wrongly; raised at start-up
└── PortError             the outside world did not do its part
    ├── NotFound
    ├── AlreadyExists
    ├── Conflict          somebody else changed it first
    ├── NotPermitted
    ├── Rejected          the provider understood and declined
    ├── Unsupported       the capability was never declared
    └── Unavailable       worth another try; see `effect`

Each class has a stable `code`; an instance may carry a more precise one.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Literal

from attrs import Factory, frozen


class LmsError(Exception):
    """Base of every exception this library raises on purpose."""

    code: str = "error"


class InvalidValue(LmsError, ValueError):
    """A value broke its own invariant.

    *place* says where in a larger document it stands, as in
    ``modules[0].lessons[2].title``.
    """

    code = "invalid-value"

    def __init__(self, message: str, *, place: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.message = message
        self.place = place


@frozen
class Fault:
    """One thing that is wrong with a document, and where.

    *place* is a path inside the document or the name of a file, *line* counts
    from one, *code* is stable.
    """

    place: str
    message: str
    code: str = "invalid-value"
    line: int | None = None

    def __str__(self) -> str:
        where = f"{self.place}:{self.line}" if self.line else self.place
        return f"{where}: {self.message}" if where else self.message


class InvalidDocument(InvalidValue):
    """A document has faults; `faults` holds all of them, in reading order."""

    code = "invalid-document"

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


class ConfigurationError(LmsError):
    """The program was wired wrongly."""

    code = "configuration"


@frozen
class Reason:
    """Why a rule said no: a stable code, what it is about, and when it passes.

    *about* holds what a sentence for humans needs (``{"lesson": "intro"}``).
    *opens_at* is the instant from which this reason is gone by itself, or
    `None` when waiting does not help.
    """

    code: str
    about: Mapping[str, str | int] = Factory(dict)
    opens_at: datetime | None = None


class Refused(LmsError):
    """A rule of the domain said no; `reasons` holds every objection."""

    code = "refused"

    def __init__(self, *reasons: Reason | str) -> None:
        self.reasons = tuple(
            Reason(reason) if isinstance(reason, str) else reason for reason in reasons
        )
        super().__init__("; ".join(reason.code for reason in self.reasons))


class PortError(LmsError):
    """The outside world did not do its part.

    Act on the class, never on the message. An adapter chains the vendor's
    exception as ``__cause__``. *effect* says whether the call may have had its
    effect all the same: repeat an ``unknown`` one only with the same
    idempotency key.
    """

    code = "port"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        resource: str = "",
        effect: Literal["none", "unknown"] = "none",
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.resource = resource
        self.effect = effect
        if code is not None:
            self.code = code


class NotFound(PortError):
    """The thing asked for is not there."""

    code = "not-found"


class AlreadyExists(PortError):
    """The thing must not exist yet, but does."""

    code = "already-exists"


class Conflict(PortError):
    """Somebody else changed it first."""

    code = "conflict"


class NotPermitted(PortError):
    """The credentials do not allow this."""

    code = "not-permitted"


class Rejected(PortError):
    """The provider understood the request and declined it."""

    code = "rejected"


class Unsupported(PortError):
    """The adapter never declared this capability."""

    code = "unsupported"


class Unavailable(PortError):
    """The provider could not answer; trying again may help."""

    code = "unavailable"
    retryable = True
