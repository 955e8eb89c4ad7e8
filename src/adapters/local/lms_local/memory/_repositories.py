"""Repositories over a transaction's view of the tables."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from attrs import frozen

from lms_core.domain.assessment.attempt import Attempt
from lms_core.domain.audit import AuditRow
from lms_core.domain.catalog.course import Course, Publication
from lms_core.domain.catalog.search import folded, searchable, words
from lms_core.domain.certification.certificate import Certificate
from lms_core.domain.commerce.order import Order
from lms_core.domain.enrollment.enrollment import (
    CURRENT,
    Enrollment,
    EnrollmentStatus,
)
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
from lms_core.domain.media.asset import MediaAsset, MediaStatus
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.domain.people.session import Credential, Session
from lms_core.domain.people.user import Role, User
from lms_core.errors import Conflict, NotFound, Refused
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import CourseFilter, KeptAnswer
from lms_local.memory._tables import View

_IN_WORK = {MediaStatus.QUEUED, MediaStatus.TRANSCODING}


@frozen
class MemoryUsers:
    """`Users` in memory."""

    _rows: View[User]

    def get(self, user: UserId) -> User:
        return self._rows.get(user)

    def find_email(self, email: str) -> User | None:
        return next(iter(self._rows.where(lambda u: u.email == email)), None)

    def add(self, user: User) -> None:
        self._rows.add(user)

    def save(self, user: User) -> None:
        self._rows.save(user)

    def several(self, users: Sequence[UserId]) -> dict[UserId, User]:
        wanted = set(users)
        return {user.id: user for user in self._rows.where(lambda u: u.id in wanted)}

    def page(self, page: PageRequest = FIRST) -> Page[User]:
        everybody = self._rows.rows.values()
        return self._rows.page(everybody, lambda u: (u.email, u.id), page)


@frozen
class MemoryCredentials:
    """`Credentials` in memory."""

    _rows: View[Credential]

    def find(self, user: UserId) -> Credential | None:
        return self._rows.find(user)

    def put(self, credential: Credential) -> None:
        self._rows.put(credential)


@frozen
class MemorySessions:
    """`Sessions` in memory."""

    _rows: View[Session]

    def find(self, session: SessionId) -> Session | None:
        return self._rows.find(session)

    def add(self, session: Session) -> None:
        self._rows.add(session)

    def save(self, session: Session) -> None:
        self._rows.save(session)

    def end_all(self, user: UserId, *, at: datetime) -> int:
        live = self._rows.where(lambda s: s.user == user and s.is_live(at))
        for session in live:
            self._rows.save(session.end(at=at))
        return len(live)


@frozen
class MemoryCourses:
    """`Courses` in memory."""

    _rows: View[Course]
    _publications: View[tuple[CourseId, Publication]]
    _users: View[User]

    def get(self, course: CourseId) -> Course:
        return self._rows.get(course)

    def find(self, course: CourseId) -> Course | None:
        return self._rows.find(course)

    def published_number(self, course: CourseId) -> int | None:
        found = self._rows.find(course)
        return found.publication.number if found and found.publication else None

    def publication(self, course: CourseId, number: int) -> Publication:
        found = self._publications.find((course, number))
        if found is None:
            name = f"{course}/{number}"
            raise NotFound(f"no publication {name:.80}", resource=name)
        return found[1]

    def add(self, course: Course) -> None:
        self._rows.add(course)
        self._publish(course, None)

    def save(self, course: Course) -> None:
        before = self.published_number(course.id)
        self._rows.save(course)
        self._publish(course, before)

    def _publish(self, course: Course, before: int | None) -> None:
        publication = course.publication
        if publication is None or publication.number == before:
            return
        if self._publications.find((course.id, publication.number)):
            raise Conflict(f"the course {course.id} was published meanwhile")
        self._publications.add((course.id, publication))

    def published(
        self, wanted: CourseFilter, page: PageRequest = FIRST
    ) -> Page[Course]:
        found = self._rows.where(lambda course: _matches(wanted, course))
        return self._rows.page(found, lambda c: (_title(c), c.id), page)

    def taught_by(self, user: UserId, page: PageRequest = FIRST) -> Page[Course]:
        known = self._users.find(user)
        grants = known.grants if known else ()
        taught = {grant.course for grant in grants if grant.role is Role.INSTRUCTOR}
        found = self._rows.where(lambda c: c.owner == user or c.id in taught)
        return self._rows.page(found, lambda c: (c.id,), page)


def _title(course: Course) -> str:
    shown = course.publication.content if course.publication else course.draft
    return folded(shown.title)


def _matches(wanted: CourseFilter, course: Course) -> bool:
    if course.publication is None:
        return False
    content = course.publication.content
    text = searchable(content)
    return (
        all(word in text for word in words(wanted.text))
        and wanted.language in {None, content.language}
        and wanted.free in {None, content.is_free}
    )


@frozen
class MemoryEnrollments:
    """`Enrollments` in memory."""

    _rows: View[Enrollment]
    _limits: dict[CourseId, int]

    def get(self, enrollment: EnrollmentId) -> Enrollment:
        return self._rows.get(enrollment)

    def find(self, learner: UserId, course: CourseId) -> Enrollment | None:
        # One place is held at a time, so what was opened last ended last.
        return max(
            self._rows.where(lambda e: (e.learner, e.course) == (learner, course)),
            key=lambda e: (e.status in CURRENT, e.opened_at, e.id),
            default=None,
        )

    def add(self, enrollment: Enrollment, *, seats: int | None = None) -> None:
        self._rows.add(enrollment)
        if seats is None or enrollment.status not in CURRENT:
            return
        if self.seats_taken(enrollment.course) > seats:
            self._rows.remove(enrollment.id)
            raise Refused("course-is-full")
        self._limits[enrollment.course] = seats

    def save(self, enrollment: Enrollment) -> None:
        self._rows.save(enrollment)

    def seats_taken(self, course: CourseId) -> int:
        return len(self._held(course))

    def _held(self, course: CourseId) -> list[Enrollment]:
        return self._rows.where(lambda e: e.course == course and e.status in CURRENT)

    def of_learner(
        self, learner: UserId, page: PageRequest = FIRST
    ) -> Page[Enrollment]:
        found = self._rows.where(lambda e: e.learner == learner)
        return self._rows.page(
            found, lambda e: (e.opened_at, e.id), page, latest_first=True
        )

    def of_course(
        self, course: CourseId, page: PageRequest = FIRST
    ) -> Page[Enrollment]:
        return self._rows.page(self._held(course), lambda e: (e.learner, e.id), page)

    def completed_courses(self, learner: UserId) -> frozenset[CourseId]:
        done = EnrollmentStatus.COMPLETED
        found = self._rows.where(lambda e: e.learner == learner and e.status is done)
        return frozenset(place.course for place in found)

    def due_to_expire(self, at: datetime, limit: int) -> tuple[Enrollment, ...]:
        found = [
            (place.expires_at, place.id, place)
            for place in self._rows.rows.values()
            if place.status in CURRENT
            and place.status is not EnrollmentStatus.COMPLETED
            and place.expires_at is not None
            and place.expires_at <= at
        ]
        return tuple(place for _, _, place in sorted(found, key=_by_two)[:limit])


def _by_two(row: tuple[datetime, str, object]) -> tuple[datetime, str]:
    return row[0], row[1]


@frozen
class MemoryAttempts:
    """`Attempts` in memory."""

    _rows: View[Attempt]

    def get(self, attempt: AttemptId) -> Attempt:
        return self._rows.get(attempt)

    def add(self, attempt: Attempt) -> None:
        self._rows.add(attempt)

    def save(self, attempt: Attempt) -> None:
        self._rows.save(attempt)

    def of_lesson(self, learner: UserId, lesson: LessonId) -> tuple[Attempt, ...]:
        found = self._rows.where(lambda a: (a.learner, a.lesson) == (learner, lesson))
        return tuple(sorted(found, key=lambda a: a.number))

    def of_course(
        self, course: CourseId, learners: Sequence[UserId]
    ) -> tuple[Attempt, ...]:
        wanted = set(learners)
        found = self._rows.where(
            lambda a: a.lesson.course == course and a.learner in wanted and a.is_final
        )
        order = sorted(found, key=lambda a: (a.learner, a.number, a.lesson.key))
        return tuple(order)

    def overdue(self, at: datetime, limit: int) -> tuple[Attempt, ...]:
        found = [
            (attempt.closes_at, attempt.id, attempt)
            for attempt in self._rows.where(lambda a: not a.is_final)
            if attempt.closes_at is not None and attempt.is_over(at)
        ]
        return tuple(attempt for _, _, attempt in sorted(found, key=_by_two)[:limit])


@frozen
class MemoryMediaAssets:
    """`MediaAssets` in memory."""

    _rows: View[MediaAsset]
    _changed_at: dict[MediaId, datetime]
    _clock: Clock

    def get(self, media: MediaId) -> MediaAsset:
        return self._rows.get(media)

    def several(self, media: Iterable[MediaId]) -> dict[MediaId, MediaAsset]:
        wanted = set(media)
        return {asset.id: asset for asset in self._rows.where(lambda m: m.id in wanted)}

    def add(self, asset: MediaAsset) -> None:
        self._rows.add(asset)
        self._changed_at[asset.id] = self._clock.now()

    def save(self, asset: MediaAsset) -> None:
        self._rows.save(asset)
        self._changed_at[asset.id] = self._clock.now()

    def of_course(
        self, course: CourseId, page: PageRequest = FIRST
    ) -> Page[MediaAsset]:
        found = self._rows.where(lambda m: m.course == course)
        return self._rows.page(
            found, lambda m: (m.created_at, m.id), page, latest_first=True
        )

    def stuck(self, before: datetime, limit: int) -> tuple[MediaAsset, ...]:
        found = [
            (self._changed_at[asset.id], asset.id, asset)
            for asset in self._rows.where(lambda m: m.status in _IN_WORK)
            if self._changed_at[asset.id] < before
        ]
        return tuple(asset for _, _, asset in sorted(found, key=_by_two)[:limit])


@frozen
class MemoryOrders:
    """`Orders` in memory."""

    _rows: View[Order]
    _entries: View[tuple[str, str, OrderId]]

    def get(self, order: OrderId) -> Order:
        return self._rows.get(order)

    def add(self, order: Order) -> None:
        self._rows.add(order)
        self._enter(order)

    def save(self, order: Order) -> None:
        self._rows.save(order)
        self._enter(order)

    def _enter(self, order: Order) -> None:
        for entry in order.ledger:
            row = (entry.reference, entry.kind.value, order.id)
            if self._entries.find(row[:2]) != row:
                self._entries.add(row)

    def find_pending(self, buyer: UserId, course: CourseId) -> Order | None:
        return max(
            self._rows.where(
                lambda o: (o.buyer, o.course) == (buyer, course) and o.is_payable
            ),
            key=lambda o: (o.placed_at, o.id),
            default=None,
        )

    def of_buyer(self, buyer: UserId, page: PageRequest = FIRST) -> Page[Order]:
        found = self._rows.where(lambda o: o.buyer == buyer)
        return self._rows.page(
            found, lambda o: (o.placed_at, o.id), page, latest_first=True
        )

    def unsettled(self, before: datetime, limit: int) -> tuple[Order, ...]:
        found = self._rows.where(
            lambda o: o.is_payable and o.checkout is not None and o.placed_at < before
        )
        return tuple(sorted(found, key=lambda o: (o.placed_at, o.id))[:limit])


@frozen
class MemoryCertificates:
    """`Certificates` in memory."""

    _rows: View[Certificate]
    _numbers: View[tuple[str, int]]

    def next_number(self) -> int:
        before = self._numbers.find("certificates")
        number = before[1] + 1 if before else 1
        self._numbers.rows["certificates"] = ("certificates", number)
        self._numbers.changed["certificates"] = None
        return number

    def get(self, certificate: CertificateId) -> Certificate:
        return self._rows.get(certificate)

    def find_code(self, code: str) -> Certificate | None:
        return next(iter(self._rows.where(lambda c: c.code == code)), None)

    def find_enrollment(self, enrollment: EnrollmentId) -> Certificate | None:
        found = self._rows.where(lambda c: c.enrollment == enrollment)
        return next(iter(found), None)

    def add(self, certificate: Certificate) -> None:
        self._rows.add(certificate)

    def save(self, certificate: Certificate) -> None:
        self._rows.save(certificate)

    def of_learner(
        self, learner: UserId, page: PageRequest = FIRST
    ) -> Page[Certificate]:
        found = self._rows.where(lambda c: c.learner == learner)
        return self._rows.page(
            found, lambda c: (c.issued_at, c.id), page, latest_first=True
        )

    def revoked_indexes(self) -> Iterator[int]:
        revoked = self._rows.where(lambda c: c.is_revoked)
        yield from sorted(certificate.status_index for certificate in revoked)


@frozen
class MemoryOverrides:
    """`Overrides` in memory."""

    _rows: View[Override]

    def find(self, learner: UserId, lesson: LessonId) -> Override | None:
        return self._rows.find((learner, lesson))

    def put(self, override: Override) -> None:
        self._rows.put(override)

    def of_course(
        self, course: CourseId, learners: Sequence[UserId]
    ) -> tuple[Override, ...]:
        wanted = set(learners)
        found = self._rows.where(
            lambda o: o.lesson.course == course and o.learner in wanted
        )
        return tuple(sorted(found, key=lambda o: (o.learner, o.lesson.key)))


@frozen
class OutboxRow:
    """An event, and whether it reached the queue."""

    envelope: Envelope
    passed_on: bool = False


@frozen
class MemoryOutbox:
    """An `Outbox` in memory; rows keep the order of their commits."""

    _rows: View[OutboxRow]

    def extend(self, events: Iterable[Envelope]) -> None:
        for envelope in events:
            if self._rows.find(envelope.id) is None:
                self._rows.add(OutboxRow(envelope))

    def pending(self, limit: int) -> tuple[Envelope, ...]:
        waiting = self._rows.where(lambda row: not row.passed_on)
        return tuple(row.envelope for row in waiting[:limit])

    def passed_on(self, events: Sequence[EventId]) -> None:
        for event in events:
            row = self._rows.find(event)
            if row is not None and not row.passed_on:
                self._rows.rows[event] = OutboxRow(row.envelope, passed_on=True)
                self._rows.changed[event] = None


@frozen
class MemoryInbox:
    """An `Inbox` in memory."""

    _rows: View[tuple[str, EventId]]

    def has(self, consumer: str, event: EventId) -> bool:
        return self._rows.find((consumer, event)) is not None

    def accept(self, consumer: str, event: EventId, *, at: datetime) -> bool:
        if self.has(consumer, event):
            return False
        self._rows.add((consumer, event))
        return True


Answer = tuple[tuple[str, str], KeptAnswer, datetime]


@frozen
class MemoryIdempotencyKeys:
    """`IdempotencyKeys` in memory."""

    _rows: View[Answer]

    def find(self, scope: str, key: str) -> KeptAnswer | None:
        found = self._rows.find((scope, key))
        return None if found is None else found[1]

    def keep(self, scope: str, key: str, answer: KeptAnswer, *, at: datetime) -> None:
        if self._rows.find((scope, key)) is not None:
            raise Conflict("another request has the key")
        self._rows.add(((scope, key), answer, at))

    def forget_before(self, at: datetime) -> int:
        old = self._rows.where(lambda row: row[2] < at)
        for row in old:
            self._rows.remove(row[0])
        return len(old)


@frozen
class MemoryAuditTrail:
    """An `AuditTrail` in memory."""

    _rows: View[AuditRow]

    def append(self, row: AuditRow) -> None:
        self._rows.add(row)

    def page(self, page: PageRequest = FIRST) -> Page[AuditRow]:
        rows = self._rows.rows.values()
        return self._rows.page(rows, lambda a: (a.at, a.id), page, latest_first=True)
