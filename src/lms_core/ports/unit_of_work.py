"""Change several aggregates together, or none of them.

Repositories return whole aggregates. `save` compares *version* with what is
stored and raises `Conflict` when somebody else was faster; the use case then
runs again from the start. What is scarce (an address, a place, an attempt) is
decided by a constraint when it is added, never by a look beforehand.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from attrs import frozen

from lms_core.domain.assessment.attempt import Attempt
from lms_core.domain.audit import AuditRow
from lms_core.domain.catalog.course import Course, Publication
from lms_core.domain.certification.certificate import Certificate
from lms_core.domain.commerce.order import Order
from lms_core.domain.enrollment.enrollment import Enrollment
from lms_core.domain.events import Envelope
from lms_core.domain.grading.override import Override
from lms_core.domain.ids import (
    AttemptId,
    CertificateId,
    CourseId,
    EnrollmentId,
    EventId,
    LessonId,
    MediaId,
    OrderId,
    SessionId,
    UserId,
)
from lms_core.domain.media.asset import MediaAsset
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.domain.people.session import Credential, Session
from lms_core.domain.people.user import User


class Users(Protocol):
    """People with accounts."""

    def get(self, user: UserId) -> User:
        """Return the user, or raise `NotFound`."""
        ...

    def find_email(self, email: str) -> User | None:
        """Return who has the address, in its normal form."""
        ...

    def add(self, user: User) -> None:
        """Keep a new user, or raise `AlreadyExists` for a taken address or id."""
        ...

    def save(self, user: User) -> None:
        """Keep a changed user, or raise `Conflict`, or `AlreadyExists`."""
        ...

    def several(self, users: Sequence[UserId]) -> dict[UserId, User]:
        """Return those of *users* that there are, at most 1,000 asked for."""
        ...

    def page(self, page: PageRequest = FIRST) -> Page[User]:
        """Return everybody, by address."""
        ...


class Credentials(Protocol):
    """How local accounts prove themselves."""

    def find(self, user: UserId) -> Credential | None:
        """Return the user's credential, if it is a local account."""
        ...

    def put(self, credential: Credential) -> None:
        """Keep a new or changed credential, or raise `Conflict`."""
        ...


class Sessions(Protocol):
    """Sign-ins."""

    def find(self, session: SessionId) -> Session | None:
        """Return the session, if there is one."""
        ...

    def add(self, session: Session) -> None:
        """Keep a new session."""
        ...

    def save(self, session: Session) -> None:
        """Keep a changed session, or raise `Conflict`."""
        ...

    def end_all(self, user: UserId, *, at: datetime) -> int:
        """End every live session of *user*; return how many there were."""
        ...


@frozen(kw_only=True)
class CourseFilter:
    """Which published courses to list; *text* is searched in title and summary."""

    text: str = ""
    language: str | None = None
    free: bool | None = None


class Courses(Protocol):
    """Courses, their drafts and their publications."""

    def get(self, course: CourseId) -> Course:
        """Return the course, or raise `NotFound`."""
        ...

    def find(self, course: CourseId) -> Course | None:
        """Return the course, if there is one."""
        ...

    def published_number(self, course: CourseId) -> int | None:
        """Return the number of the latest publication, cheaply; `None` if none.

        Callers cache a `Publication` by its number: it never changes.
        """
        ...

    def publication(self, course: CourseId, number: int) -> Publication:
        """Return one publication, current or past, or raise `NotFound`."""
        ...

    def add(self, course: Course) -> None:
        """Keep a new course, or raise `AlreadyExists` for a taken id."""
        ...

    def save(self, course: Course) -> None:
        """Keep a changed course and its publication, or raise `Conflict`."""
        ...

    def published(
        self, wanted: CourseFilter, page: PageRequest = FIRST
    ) -> Page[Course]:
        """Return published courses that match, by title and id."""
        ...

    def taught_by(self, user: UserId, page: PageRequest = FIRST) -> Page[Course]:
        """Return the courses that *user* owns or instructs, by id."""
        ...


class Enrollments(Protocol):
    """Places on courses."""

    def get(self, enrollment: EnrollmentId) -> Enrollment:
        """Return the enrollment, or raise `NotFound`."""
        ...

    def find(self, learner: UserId, course: CourseId) -> Enrollment | None:
        """Return the place that *learner* holds, else the one that ended last."""
        ...

    def add(self, enrollment: Enrollment, *, seats: int | None = None) -> None:
        """Keep a new place.

        Raises:
            AlreadyExists: the learner holds a place on the course.
            Refused: *seats* places are held (``course-is-full``). Of several
                who want the last one, exactly one gets it.
        """
        ...

    def save(self, enrollment: Enrollment) -> None:
        """Keep a changed place, or raise `Conflict`; one that ends frees its seat."""
        ...

    def seats_taken(self, course: CourseId) -> int:
        """Count the places held."""
        ...

    def of_learner(
        self, learner: UserId, page: PageRequest = FIRST
    ) -> Page[Enrollment]:
        """Return a learner's places, the latest first."""
        ...

    def of_course(
        self, course: CourseId, page: PageRequest = FIRST
    ) -> Page[Enrollment]:
        """Return the places held on a course or completed, by learner."""
        ...

    def completed_courses(self, learner: UserId) -> frozenset[CourseId]:
        """Return the courses that *learner* has completed."""
        ...

    def due_to_expire(self, at: datetime, limit: int) -> tuple[Enrollment, ...]:
        """Return places whose time was over at *at* and that have not ended."""
        ...


class Attempts(Protocol):
    """Tries at quizzes."""

    def get(self, attempt: AttemptId) -> Attempt:
        """Return the attempt, or raise `NotFound`."""
        ...

    def add(self, attempt: Attempt) -> None:
        """Keep a new attempt.

        Raises:
            AlreadyExists: the learner has one with that number, or one that is
                still open. Of several who start at once, exactly one does.
        """
        ...

    def save(self, attempt: Attempt) -> None:
        """Keep a changed attempt, or raise `Conflict`."""
        ...

    def of_lesson(self, learner: UserId, lesson: LessonId) -> tuple[Attempt, ...]:
        """Return a learner's attempts at a quiz, by number."""
        ...

    def of_course(
        self, course: CourseId, learners: Sequence[UserId]
    ) -> tuple[Attempt, ...]:
        """Return the final attempts of at most 200 learners, by learner and number."""
        ...

    def overdue(self, at: datetime, limit: int) -> tuple[Attempt, ...]:
        """Return open attempts that were over at *at*, grace included."""
        ...


class MediaAssets(Protocol):
    """Lectures."""

    def get(self, media: MediaId) -> MediaAsset:
        """Return the lecture, or raise `NotFound`."""
        ...

    def several(self, media: Iterable[MediaId]) -> dict[MediaId, MediaAsset]:
        """Return those of *media* that there are."""
        ...

    def add(self, asset: MediaAsset) -> None:
        """Keep a new lecture, or raise `AlreadyExists`."""
        ...

    def save(self, asset: MediaAsset) -> None:
        """Keep a changed lecture, or raise `Conflict`."""
        ...

    def of_course(
        self, course: CourseId, page: PageRequest = FIRST
    ) -> Page[MediaAsset]:
        """Return a course's lectures, the latest first."""
        ...

    def stuck(self, before: datetime, limit: int) -> tuple[MediaAsset, ...]:
        """Return lectures queued or in transcoding, unchanged since *before*."""
        ...


class Orders(Protocol):
    """Orders and their ledgers."""

    def get(self, order: OrderId) -> Order:
        """Return the order, or raise `NotFound`."""
        ...

    def add(self, order: Order) -> None:
        """Keep a new order, or raise `AlreadyExists`."""
        ...

    def save(self, order: Order) -> None:
        """Keep a changed order and its ledger, or raise `Conflict`.

        A transaction's reference and kind are unique over all orders.
        """
        ...

    def find_pending(self, buyer: UserId, course: CourseId) -> Order | None:
        """Return the buyer's latest order of the course that may still be paid."""
        ...

    def of_buyer(self, buyer: UserId, page: PageRequest = FIRST) -> Page[Order]:
        """Return a buyer's orders, the latest first."""
        ...

    def unsettled(self, before: datetime, limit: int) -> tuple[Order, ...]:
        """Return orders placed before, whose checkout may still be paid."""
        ...


class Certificates(Protocol):
    """Certificates issued."""

    def next_number(self) -> int:
        """Return the next number, from one; taken when the work is committed."""
        ...

    def get(self, certificate: CertificateId) -> Certificate:
        """Return the certificate, or raise `NotFound`."""
        ...

    def find_code(self, code: str) -> Certificate | None:
        """Return the certificate with that verification code."""
        ...

    def find_enrollment(self, enrollment: EnrollmentId) -> Certificate | None:
        """Return the certificate issued for *enrollment*."""
        ...

    def add(self, certificate: Certificate) -> None:
        """Keep a new one, or raise `AlreadyExists`: one for each enrollment."""
        ...

    def save(self, certificate: Certificate) -> None:
        """Keep a changed one, or raise `Conflict`."""
        ...

    def of_learner(
        self, learner: UserId, page: PageRequest = FIRST
    ) -> Page[Certificate]:
        """Return a learner's certificates, the latest first."""
        ...

    def revoked_indexes(self) -> Iterator[int]:
        """Yield the status indexes of all that were revoked, in order."""
        ...


class Overrides(Protocol):
    """Grades set by hand."""

    def find(self, learner: UserId, lesson: LessonId) -> Override | None:
        """Return what was set for a learner's lesson."""
        ...

    def put(self, override: Override) -> None:
        """Keep a new or changed one, or raise `Conflict`."""
        ...

    def of_course(
        self, course: CourseId, learners: Sequence[UserId]
    ) -> tuple[Override, ...]:
        """Return what was set for at most 200 learners."""
        ...


class Outbox(Protocol):
    """Events on their way out, in the order in which they were committed."""

    def extend(self, events: Iterable[Envelope]) -> None:
        """Keep *events* with the work; an id that is known is left alone."""
        ...

    def pending(self, limit: int) -> tuple[Envelope, ...]:
        """Return events not yet passed on, the oldest first."""
        ...

    def passed_on(self, events: Sequence[EventId]) -> None:
        """Note that *events* reached the queue."""
        ...


class Inbox(Protocol):
    """What consumers have already done."""

    def has(self, consumer: str, event: EventId) -> bool:
        """Tell whether *consumer* has accepted *event*, without noting anything."""
        ...

    def accept(self, consumer: str, event: EventId, *, at: datetime) -> bool:
        """Tell whether *consumer* sees *event* for the first time, and note it.

        Two that ask at once: one is told yes; the other is told no, or gets a
        `Conflict`, once the first has committed.
        """
        ...


@frozen(kw_only=True)
class KeptAnswer:
    """What a request under an idempotency key was answered."""

    fingerprint: str
    status: int
    body: str


class IdempotencyKeys(Protocol):
    """Answers given under clients' keys."""

    def find(self, scope: str, key: str) -> KeptAnswer | None:
        """Return the answer kept under *key* of *scope*, which names the caller."""
        ...

    def keep(self, scope: str, key: str, answer: KeptAnswer, *, at: datetime) -> None:
        """Keep an answer, or raise `Conflict`: another request has the key."""
        ...

    def forget_before(self, at: datetime) -> int:
        """Drop what was kept before *at*; return how many."""
        ...


class AuditTrail(Protocol):
    """Rows that are only ever added."""

    def append(self, row: AuditRow) -> None:
        """Keep a row with the work."""
        ...

    def page(self, page: PageRequest = FIRST) -> Page[AuditRow]:
        """Return rows, the latest first."""
        ...


class UnitOfWork(Protocol):
    """One transaction; leaving without `commit` undoes everything.

    Reads see what the transaction wrote. Nothing is sent from inside one.
    """

    @property
    def users(self) -> Users:
        """People with accounts."""
        ...

    @property
    def credentials(self) -> Credentials:
        """How local accounts prove themselves."""
        ...

    @property
    def sessions(self) -> Sessions:
        """Sign-ins."""
        ...

    @property
    def courses(self) -> Courses:
        """Courses and their publications."""
        ...

    @property
    def enrollments(self) -> Enrollments:
        """Places on courses."""
        ...

    @property
    def attempts(self) -> Attempts:
        """Tries at quizzes."""
        ...

    @property
    def media(self) -> MediaAssets:
        """Lectures."""
        ...

    @property
    def orders(self) -> Orders:
        """Orders and their ledgers."""
        ...

    @property
    def certificates(self) -> Certificates:
        """Certificates issued."""
        ...

    @property
    def overrides(self) -> Overrides:
        """Grades set by hand."""
        ...

    @property
    def outbox(self) -> Outbox:
        """Events on their way out."""
        ...

    @property
    def inbox(self) -> Inbox:
        """What consumers have done."""
        ...

    @property
    def idempotency(self) -> IdempotencyKeys:
        """Answers given under clients' keys."""
        ...

    @property
    def audit(self) -> AuditTrail:
        """Who did what."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None: ...

    def commit(self) -> None:
        """Make the work permanent.

        Raises:
            Conflict: somebody else was faster, or the database asks to repeat
                the transaction; nothing was changed.
            Unavailable: with an unknown effect, it may have been committed: run
                the use case again, which finds out.
        """
        ...


class StartWork(Protocol):
    """Begins transactions: ``with start() as work: ... work.commit()``."""

    def __call__(self, *, read_only: bool = False) -> UnitOfWork:
        """Return a transaction, begun when it is entered.

        One that is not *read_only* takes its turn from its beginning where the
        database knows one writer only (SQLite), so that it never has to fail
        half-way for want of the write lock.
        """
        ...
