"""What happened, in the past tense.

An event is stored as a document: its `type` and its fields. A field may be added
with a default; anything else is a new type.
"""

from datetime import datetime
from fractions import Fraction

from attrs import frozen

from lms_core.domain.documents import open_set, variant
from lms_core.domain.ids import (
    AttemptId,
    CertificateId,
    CourseId,
    EnrollmentId,
    EventId,
    LessonId,
    MediaId,
    OrderId,
    UserId,
)
from lms_core.domain.money import Money


@open_set
@frozen(kw_only=True)
class Event:
    """A fact; *at* is when it became true."""

    at: datetime


@frozen(kw_only=True)
class Envelope:
    """An event on its way, under a name that consumers remember."""

    id: EventId
    event: Event


@variant("user-registered")
@frozen(kw_only=True)
class UserRegistered(Event):
    """Somebody opened an account."""

    user: UserId


@variant("password-reset-requested")
@frozen(kw_only=True)
class PasswordResetRequested(Event):
    """Somebody asked for a new password."""

    user: UserId


@variant("role-granted")
@frozen(kw_only=True)
class RoleGranted(Event):
    """Somebody was given a role, everywhere or on one course."""

    user: UserId
    role: str
    course: CourseId | None


@variant("course-published")
@frozen(kw_only=True)
class CoursePublished(Event):
    """Learners see a new version of the course."""

    course: CourseId
    number: int


@variant("course-revised")
@frozen(kw_only=True)
class CourseRevised(Event):
    """What a learner has to do on a course has changed while she is at it."""

    learner: UserId
    course: CourseId


@variant("media-uploaded")
@frozen(kw_only=True)
class MediaUploaded(Event):
    """A lecture's source has arrived whole."""

    media: MediaId
    course: CourseId
    generation: int


@variant("media-ready")
@frozen(kw_only=True)
class MediaReady(Event):
    """A lecture can be streamed."""

    media: MediaId
    course: CourseId
    generation: int


@variant("media-failed")
@frozen(kw_only=True)
class MediaFailed(Event):
    """A lecture could not be made into a stream."""

    media: MediaId
    course: CourseId
    generation: int
    reason: str


@variant("order-placed")
@frozen(kw_only=True)
class OrderPlaced(Event):
    """Somebody wants to buy a course."""

    order: OrderId
    buyer: UserId
    course: CourseId
    amount: Money


@variant("order-paid")
@frozen(kw_only=True)
class OrderPaid(Event):
    """The money for an order is there."""

    order: OrderId
    buyer: UserId
    course: CourseId
    amount: Money


@variant("place-paid-twice")
@frozen(kw_only=True)
class PlacePaidTwice(Event):
    """An order was paid for a place that its buyer held already."""

    order: OrderId
    buyer: UserId
    course: CourseId


@variant("order-refunded")
@frozen(kw_only=True)
class OrderRefunded(Event):
    """All of an order's money went back."""

    order: OrderId
    buyer: UserId
    course: CourseId
    amount: Money


@variant("enrollment-opened")
@frozen(kw_only=True)
class EnrollmentOpened(Event):
    """A learner asked for a place."""

    enrollment: EnrollmentId
    learner: UserId
    course: CourseId


@variant("enrollment-activated")
@frozen(kw_only=True)
class EnrollmentActivated(Event):
    """A learner may learn."""

    enrollment: EnrollmentId
    learner: UserId
    course: CourseId


@variant("enrollment-ended")
@frozen(kw_only=True)
class EnrollmentEnded(Event):
    """A learner lost the place; *status* says how."""

    enrollment: EnrollmentId
    learner: UserId
    course: CourseId
    status: str


@variant("enrollment-completed")
@frozen(kw_only=True)
class EnrollmentCompleted(Event):
    """A learner finished the course; *grade* is of one, if the course grades."""

    enrollment: EnrollmentId
    learner: UserId
    course: CourseId
    grade: Fraction | None


@variant("lesson-completed")
@frozen(kw_only=True)
class LessonCompleted(Event):
    """A learner finished a lesson."""

    learner: UserId
    lesson: LessonId
    epoch: int


@variant("attempt-started")
@frozen(kw_only=True)
class AttemptStarted(Event):
    """A learner began a quiz."""

    attempt: AttemptId
    learner: UserId
    lesson: LessonId


@variant("attempt-graded")
@frozen(kw_only=True)
class AttemptGraded(Event):
    """A quiz attempt was handed in, or its time ran out, and it has a score."""

    attempt: AttemptId
    learner: UserId
    lesson: LessonId
    earned: Fraction
    possible: Fraction
    passed: bool


@variant("grade-overridden")
@frozen(kw_only=True)
class GradeOverridden(Event):
    """An instructor set a grade by hand."""

    learner: UserId
    lesson: LessonId
    by: UserId


@variant("certificate-issued")
@frozen(kw_only=True)
class CertificateIssued(Event):
    """A learner can prove that the course was completed."""

    certificate: CertificateId
    learner: UserId
    course: CourseId


@variant("certificate-revoked")
@frozen(kw_only=True)
class CertificateRevoked(Event):
    """A certificate is no longer good."""

    certificate: CertificateId
    reason: str
