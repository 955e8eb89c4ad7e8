"""Proof that a learner completed a course."""

from datetime import datetime
from fractions import Fraction

from attrs import evolve, frozen

from lms_core.domain.events import CertificateIssued, CertificateRevoked, Event
from lms_core.domain.ids import CertificateId, CourseId, EnrollmentId, UserId
from lms_core.errors import InvalidValue

Step = tuple["Certificate", tuple[Event, ...]]

LONGEST_REASON = 500


@frozen(kw_only=True)
class Certificate:
    """What was true when it was issued: later changes elsewhere do not reach it.

    *number* is printed and counts up; *code* cannot be guessed and lets a
    stranger verify; *status_index* is its bit in the public status list. There
    is one for each enrollment.
    """

    id: CertificateId
    enrollment: EnrollmentId
    learner: UserId
    learner_name: str
    course: CourseId
    course_title: str
    number: int
    code: str
    status_index: int
    issued_at: datetime
    grade: Fraction | None = None
    template: str = "certificate-1"
    revoked_at: datetime | None = None
    revocation_reason: str | None = None
    version: int = 0

    def issue(self) -> Step:
        """Return the new certificate with the event that tells of it."""
        issued = CertificateIssued(
            certificate=self.id,
            learner=self.learner,
            course=self.course,
            at=self.issued_at,
        )
        return self, (issued,)

    @property
    def is_revoked(self) -> bool:
        """Whether it is no longer good."""
        return self.revoked_at is not None

    def revoke(self, reason: str, *, at: datetime) -> Step:
        """Withdraw it for a stated reason; the first reason stays.

        Raises:
            InvalidValue: the reason is empty or too long.
        """
        if not reason.strip() or len(reason) > LONGEST_REASON:
            raise InvalidValue(
                f"must have 1 to {LONGEST_REASON} characters", place="reason"
            )
        if self.is_revoked:
            return self, ()
        revoked = evolve(self, revoked_at=at, revocation_reason=reason)
        event = CertificateRevoked(certificate=self.id, reason=reason, at=at)
        return revoked, (event,)

    @property
    def display_number(self) -> str:
        """The number as printed: the year and at least six digits."""
        return f"{self.issued_at.year}-{self.number:06}"
