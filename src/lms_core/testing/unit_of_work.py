"""The contract of `UnitOfWork` and its repositories, one test a clause.

A subclass supplies two fixtures: `start`, a `StartWork` on an empty database, and
`clock`, the database's clock, which has ``advance(timedelta)``.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, ClassVar

import pytest
from attrs import evolve

from lms_core.domain.assessment.attempt import Attempt
from lms_core.domain.assessment.questions import TrueFalse
from lms_core.domain.assessment.quiz import Quiz
from lms_core.domain.audit import AuditRow
from lms_core.domain.catalog.content import CourseContent, Lesson, Module, Text
from lms_core.domain.catalog.course import Course
from lms_core.domain.certification.certificate import Certificate
from lms_core.domain.commerce.order import Order, Transaction, TransactionKind
from lms_core.domain.enrollment.enrollment import Enrollment, EnrollmentStatus
from lms_core.domain.events import Envelope, UserRegistered
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
from lms_core.domain.money import Money
from lms_core.domain.paging import Page, PageRequest
from lms_core.domain.people.session import Credential, Session
from lms_core.domain.people.user import Role, RoleGrant, User
from lms_core.domain.score import Score
from lms_core.errors import (
    AlreadyExists,
    Conflict,
    InvalidValue,
    LmsError,
    NotFound,
    Refused,
)
from lms_core.ports.unit_of_work import (
    CourseFilter,
    KeptAnswer,
    StartWork,
    UnitOfWork,
)
from lms_core.testing._races import race
from lms_core.testing.message_queue import AdvanceableClock
from lms_core.testing.suite import ConformanceSuite

AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
COURSE = CourseId("streaming")
LESSON = LessonId(COURSE, "quiz")
ANN, BOB = UserId("ann"), UserId("bob")
QUIZ = Quiz(
    questions=(TrueFalse(key="q", prompt="So?", correct=True),), time_limit_s=600
)


def later(seconds: int) -> datetime:
    """Return a time after `AT`."""
    return AT + timedelta(seconds=seconds)


def user(id_: str = "ann", **more: Any) -> User:
    """Return a user."""
    fields = {"email": f"{id_}@example.org", "name": id_.title(), **more}
    return User(id=UserId(id_), registered_at=AT, **fields)


def content(title: str = "Streaming", **more: Any) -> CourseContent:
    """Return a course of one lesson."""
    lesson = Lesson(key="intro", title="Intro", content=Text(markdown="# Hi"))
    modules = (Module(key="one", title="One", lessons=(lesson,)),)
    return CourseContent(title=title, modules=modules, **more)


def course(id_: str = "streaming", **more: Any) -> Course:
    """Return a course that was never published."""
    draft = content(**{"title": id_.title(), **more})
    return Course(id=CourseId(id_), owner=ANN, draft=draft, created_at=AT)


def published(id_: str = "streaming", **more: Any) -> Course:
    """Return a course that was published once."""
    return course(id_, **more).publish(at=AT)[0]


def place(
    id_: str, learner: str = "ann", *, course: CourseId = COURSE, at: datetime = AT
) -> Enrollment:
    """Return an active place."""
    opened, _ = Enrollment.open(EnrollmentId(id_), UserId(learner), course, at=at)
    return opened.activate(at=at)[0]


def attempt(id_: str, number: int = 1, learner: str = "ann", **more: Any) -> Attempt:
    """Return an attempt that was just begun."""
    fields: dict[str, Any] = {"lesson": LESSON, "at": AT, **more}
    lesson = fields.pop("lesson")
    begun, _ = Attempt.start(
        AttemptId(id_), UserId(learner), lesson, QUIZ, number=number, seed="s", **fields
    )
    return begun


def order(id_: str = "o1", buyer: str = "ann", *, at: datetime = AT) -> Order:
    """Return an order that was just placed."""
    price = Money(4900, "EUR")
    return Order.place(OrderId(id_), UserId(buyer), COURSE, price, at=at)[0]


def payment(reference: str = "pay-1", *, at: datetime = AT) -> Transaction:
    """Return a payment of an order."""
    kind = TransactionKind.PAYMENT
    return Transaction(reference=reference, kind=kind, amount=Money(4900, "EUR"), at=at)


def certificate(n: int, learner: str = "ann", **more: Any) -> Certificate:
    """Return certificate number *n*."""
    fields: dict[str, Any] = {
        "id": CertificateId(f"c{n}"),
        "enrollment": EnrollmentId(f"e{n}"),
        "number": n,
        "code": f"code-{n}",
        "status_index": n * 7,
        **more,
    }
    return Certificate(
        learner=UserId(learner),
        learner_name="Ann",
        course=COURSE,
        course_title="Streaming",
        issued_at=later(n),
        grade=Fraction(2, 3),
        **fields,
    )


def lecture(id_: str, *, at: datetime = AT) -> MediaAsset:
    """Return a lecture that is being uploaded."""
    return MediaAsset(
        id=MediaId(id_),
        course=COURSE,
        owner=ANN,
        filename="a.mp4",
        size_bytes=10,
        content_type="video/mp4",
        created_at=at,
    )


def event(id_: str) -> Envelope:
    """Return an event in its envelope."""
    return Envelope(id=EventId(id_), event=UserRegistered(user=ANN, at=AT))


def do(start: StartWork, act: Callable[[UnitOfWork], Any]) -> Any:
    """Do *act* in a transaction of its own and return what it returned."""
    with start() as work:
        result = act(work)
        work.commit()
    return result


def read(start: StartWork, look: Callable[[UnitOfWork], Any]) -> Any:
    """Return what *look* sees in a transaction that only reads."""
    with start(read_only=True) as work:
        return look(work)


def pages(
    start: StartWork, look: Callable[[UnitOfWork, PageRequest], Page[Any]]
) -> list[Any]:
    """Return the items of all pages of two."""
    found: list[Any] = []
    after = None
    while True:
        request = PageRequest(2, after)
        with start(read_only=True) as work:
            page = look(work, request)
        assert len(page.items) <= 2
        found += page.items
        after = page.next
        if after is None:
            return found


class UnitOfWorkConformance(ConformanceSuite):
    """Subclass this and supply fixtures named `start` and `clock`."""

    racers: ClassVar[int] = 4

    # Transactions

    def test_what_is_committed_is_there(self, start: StartWork) -> None:
        """Whoever looks after a commit sees all of it."""
        ann = user(grants=(RoleGrant(Role.INSTRUCTOR, COURSE),))
        do(start, lambda work: work.users.add(ann))

        assert read(start, lambda work: work.users.get(ANN)) == ann

    def test_what_is_not_committed_never_was(self, start: StartWork) -> None:
        """Leaving without a commit undoes everything."""
        with start() as work:
            work.users.add(user())
            work.outbox.extend([event("1")])

        assert (
            read(start, lambda work: work.users.find_email("ann@example.org")) is None
        )
        assert read(start, lambda work: work.outbox.pending(10)) == ()

    def test_an_exception_undoes_everything(self, start: StartWork) -> None:
        """What fails half-way leaves nothing behind, and goes on to the caller."""

        def fail(work: UnitOfWork) -> None:
            work.users.add(user())
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            do(start, fail)
        assert do(start, lambda work: work.users.add(user())) is None

    def test_a_transaction_sees_what_it_wrote(self, start: StartWork) -> None:
        """Reads within the transaction include its own writes."""
        with start() as work:
            work.users.add(user())
            work.courses.add(published())
            work.enrollments.add(place("e1"))

            assert work.users.get(ANN).email == "ann@example.org"
            assert work.courses.published_number(COURSE) == 1
            assert work.enrollments.seats_taken(COURSE) == 1

    def test_others_do_not_see_it_before_the_commit(self, start: StartWork) -> None:
        """Half a transaction is nobody's business."""
        with start() as work:
            work.users.add(user())

            assert read(start, lambda w: w.users.page()).items == ()

    def test_after_the_commit_the_turn_is_over(self, start: StartWork) -> None:
        """A commit ends the transaction: others may write before it is left."""
        with start() as work:
            work.users.add(user())
            work.commit()
            do(start, lambda other: other.users.add(user("bob")))

            with pytest.raises(RuntimeError):
                work.users.get(ANN)

    def test_a_taken_name_leaves_the_rest_intact(self, start: StartWork) -> None:
        """`AlreadyExists` undoes its own call only; the transaction goes on."""
        do(start, lambda work: work.users.add(user()))
        with start() as work:
            work.users.add(user("bob"))
            with pytest.raises(AlreadyExists):
                work.users.add(user())
            with pytest.raises(AlreadyExists):
                work.users.save(evolve(work.users.get(BOB), email="ann@example.org"))
            work.commit()

        assert read(start, lambda work: work.users.get(BOB)).email == "bob@example.org"

    @pytest.mark.parametrize(
        "kind",
        ["user", "course", "enrollment", "attempt", "media", "order", "certificate"],
    )
    def test_what_is_not_there_is_not_found(self, start: StartWork, kind: str) -> None:
        """`get` raises `NotFound` and names what was asked for."""
        looks: dict[str, Callable[[UnitOfWork], object]] = {
            "user": lambda work: work.users.get(UserId("no-one")),
            "course": lambda work: work.courses.get(CourseId("no-one")),
            "enrollment": lambda work: work.enrollments.get(EnrollmentId("no-one")),
            "attempt": lambda work: work.attempts.get(AttemptId("no-one")),
            "media": lambda work: work.media.get(MediaId("no-one")),
            "order": lambda work: work.orders.get(OrderId("no-one")),
            "certificate": lambda work: work.certificates.get(CertificateId("no-one")),
        }
        with pytest.raises(NotFound) as caught:
            read(start, looks[kind])
        assert caught.value.resource == "no-one"

    # Versions

    def test_saving_counts_the_version_up(self, start: StartWork) -> None:
        """What was added has its own version, each save one more."""
        do(start, lambda work: work.users.add(user()))
        do(start, lambda work: work.users.save(user(language="de")))

        found = read(start, lambda work: work.users.get(ANN))
        assert (found.version, found.language) == (1, "de")

    def test_a_stale_save_is_a_conflict(self, start: StartWork) -> None:
        """Of two who read the same version, the second to save is refused."""
        do(start, lambda work: work.users.add(user()))
        stale = read(start, lambda work: work.users.get(ANN))
        do(start, lambda work: work.users.save(evolve(stale, language="de")))

        with pytest.raises(Conflict):
            do(start, lambda work: work.users.save(evolve(stale, language="fr")))
        assert read(start, lambda work: work.users.get(ANN)).language == "de"

    def test_saving_what_is_not_there_is_a_conflict(self, start: StartWork) -> None:
        """`save` never adds."""
        with pytest.raises(Conflict):
            do(start, lambda work: work.users.save(user()))

    def test_no_update_is_lost(self, start: StartWork) -> None:
        """Writers who run again on `Conflict` all have their say."""
        do(start, lambda work: work.users.add(user(name="")))

        def write(number: int) -> None:
            def append(work: UnitOfWork) -> None:
                before = work.users.get(ANN)
                work.users.save(evolve(before, name=f"{before.name}{number}"))

            do(start, append)

        race(self.racers, write)

        found = read(start, lambda work: work.users.get(ANN))
        assert sorted(found.name) == [str(n) for n in range(self.racers)]
        assert found.version == self.racers

    # People

    def test_an_address_is_taken_once(self, start: StartWork) -> None:
        """Of several who register with one address, exactly one does."""

        def register(number: int) -> None:
            new = user(f"user-{number}", email="same@example.org")
            do(start, lambda work: work.users.add(new))

        results = race(self.racers, register)

        assert results.count(None) == 1
        assert sum(isinstance(each, AlreadyExists) for each in results) == (
            self.racers - 1
        )

    def test_users_are_found(self, start: StartWork) -> None:
        """By address, by several ids, and all of them by address."""
        names = ["eve", "ann", "dan", "bob", "cat"]

        def add(work: UnitOfWork) -> None:
            for name in names:
                work.users.add(user(name))

        do(start, add)
        wanted = [ANN, BOB, UserId("nobody")]

        found = read(start, lambda work: work.users.find_email("bob@example.org"))
        assert found.id == BOB
        assert read(start, lambda w: w.users.find_email("x@example.org")) is None
        assert set(read(start, lambda w: w.users.several(wanted))) == {ANN, BOB}
        everybody = pages(start, lambda work, page: work.users.page(page))
        assert [each.id for each in everybody] == sorted(names)

    @pytest.mark.parametrize("cursor", ["nonsense", "'", "%", "\U0001f600"])
    def test_a_made_up_cursor_is_refused(self, start: StartWork, cursor: str) -> None:
        """A cursor is what a page gave, and nothing else."""
        with pytest.raises(InvalidValue):
            read(start, lambda work: work.users.page(PageRequest(2, cursor)))

    def test_a_credential_is_put(self, start: StartWork) -> None:
        """A new one where none is; afterwards only by who read the last one."""
        new = Credential(user=ANN, password_hash="one")
        do(start, lambda work: work.credentials.put(new))
        with pytest.raises(Conflict):
            do(start, lambda work: work.credentials.put(new))
        stored = read(start, lambda work: work.credentials.find(ANN))
        do(start, lambda w: w.credentials.put(evolve(stored, password_hash="two")))
        with pytest.raises(Conflict):
            do(start, lambda work: work.credentials.put(stored))

        found = read(start, lambda work: work.credentials.find(ANN))
        assert found.password_hash == "two"  # noqa: S105 - of a test
        assert read(start, lambda work: work.credentials.find(BOB)) is None

    def test_live_sessions_are_ended_together(self, start: StartWork) -> None:
        """Only the user's own, and only those that live."""

        def session(id_: str, user: UserId, hours: int) -> Session:
            return Session(
                id=SessionId(id_),
                user=user,
                digest=id_,
                started_at=AT,
                rotated_at=AT,
                expires_at=AT + timedelta(hours=hours),
            )

        def add(work: UnitOfWork) -> None:
            for new in (
                session("a", ANN, 2),
                session("b", ANN, 3),
                session("old", ANN, 1),
                session("c", BOB, 2),
            ):
                work.sessions.add(new)

        do(start, add)
        at = AT + timedelta(hours=1)

        assert do(start, lambda work: work.sessions.end_all(ANN, at=at)) == 2
        assert do(start, lambda work: work.sessions.end_all(ANN, at=at)) == 0
        ended = read(start, lambda work: work.sessions.find(SessionId("a")))
        assert ended.ended_at == at
        other = read(start, lambda work: work.sessions.find(SessionId("c")))
        assert other.ended_at is None
        assert read(start, lambda work: work.sessions.find(SessionId("x"))) is None

    # Courses

    def test_a_course_keeps_draft_and_publications(self, start: StartWork) -> None:
        """Publishing again leaves the publication before as it was."""
        first = published()
        do(start, lambda work: work.courses.add(first))
        read(start, lambda work: work.courses.get(COURSE))

        def publish(work: UnitOfWork) -> None:
            stored = work.courses.get(COURSE).edit(content("Second"))
            work.courses.save(stored.publish(at=later(1))[0])

        do(start, publish)
        found = read(start, lambda work: work.courses.get(COURSE))

        assert found.publication.number == 2
        assert found.publication.content.title == "Second"
        assert read(start, lambda w: w.courses.published_number(COURSE)) == 2
        old = read(start, lambda work: work.courses.publication(COURSE, 1))
        assert old == first.publication
        with pytest.raises(NotFound):
            read(start, lambda work: work.courses.publication(COURSE, 3))

    def test_what_was_undone_is_not_remembered(self, start: StartWork) -> None:
        """A draft or publication that was rolled back is never seen again."""
        do(start, lambda work: work.courses.add(published()))
        with start() as work:
            lost = work.courses.get(COURSE).edit(content("Lost"))
            work.courses.save(lost.publish(at=later(1))[0])
            assert work.courses.get(COURSE).draft.title == "Lost"
            assert work.courses.publication(COURSE, 2).content.title == "Lost"

        def publish(work: UnitOfWork) -> None:
            kept = work.courses.get(COURSE).edit(content("Kept"))
            work.courses.save(kept.publish(at=later(2))[0])

        do(start, publish)
        found = read(start, lambda work: work.courses.get(COURSE))
        assert found.draft.title == found.publication.content.title == "Kept"
        again = read(start, lambda work: work.courses.publication(COURSE, 2))
        assert again.content.title == "Kept"

    def test_a_course_that_is_not_published_has_no_number(
        self, start: StartWork
    ) -> None:
        """A draft is nobody's but its author's."""
        do(start, lambda work: work.courses.add(course()))

        assert read(start, lambda w: w.courses.published_number(COURSE)) is None
        assert read(start, lambda w: w.courses.published(CourseFilter())).items == ()
        assert read(start, lambda w: w.courses.find(CourseId("other"))) is None
        with pytest.raises(AlreadyExists):
            do(start, lambda work: work.courses.add(course()))

    @pytest.mark.parametrize(
        ("wanted", "ids"),
        [
            (CourseFilter(), ["algebra", "bees", "go", "percent"]),
            (CourseFilter(text="ALGEBRA"), ["algebra"]),
            (CourseFilter(text="honey  made"), ["bees"]),
            (CourseFilter(text="honey algebra"), []),
            (CourseFilter(text="100%"), ["percent"]),
            (CourseFilter(text="1%0"), []),
            (CourseFilter(text="under_score\\"), ["percent"]),
            (CourseFilter(text="'; --"), []),
            (CourseFilter(text="straße"), ["go"]),
            (CourseFilter(language="de"), ["go"]),
            (CourseFilter(free=True), ["algebra", "go", "percent"]),
            (CourseFilter(free=False), ["bees"]),
        ],
    )
    def test_published_courses_are_searched(
        self, start: StartWork, wanted: CourseFilter, ids: list[str]
    ) -> None:
        """Every word must occur in title or summary, literally, in any case."""
        price = (Money(100, "EUR"),)

        def add(work: UnitOfWork) -> None:
            work.courses.add(published("go", title="STRASSE", language="de"))
            work.courses.add(
                published("percent", title="Z 100% of", summary="under_score\\")
            )
            work.courses.add(published("algebra", title="Algebra"))
            work.courses.add(
                published(
                    "bees", title="Bees", summary="How honey is made", prices=price
                )
            )
            work.courses.add(course("hidden", title="Algebra draft"))

        do(start, add)
        found = pages(start, lambda work, page: work.courses.published(wanted, page))

        assert sorted(each.id for each in found) == ids
        titles = [each.draft.title.casefold() for each in found]
        assert titles == sorted(titles)

    def test_taught_courses_are_owned_or_granted(self, start: StartWork) -> None:
        """Those of others are not among them, published or not."""
        grant = RoleGrant(Role.INSTRUCTOR, CourseId("granted"))

        def add(work: UnitOfWork) -> None:
            work.users.add(user("ann", grants=(grant, RoleGrant(Role.INSTRUCTOR))))
            work.courses.add(published("mine"))
            work.courses.add(evolve(course("granted"), owner=BOB))
            work.courses.add(evolve(course("others"), owner=BOB))

        do(start, add)
        found = pages(start, lambda work, page: work.courses.taught_by(ANN, page))

        assert [each.id for each in found] == ["granted", "mine"]

    # Enrollments

    def test_a_place_is_held_once(self, start: StartWork) -> None:
        """Of several tries at one place on a course, exactly one succeeds."""
        results = race(
            self.racers,
            lambda n: do(start, lambda work: work.enrollments.add(place(f"e{n}"))),
        )

        assert results.count(None) == 1
        assert sum(isinstance(each, AlreadyExists) for each in results) == (
            self.racers - 1
        )
        assert read(start, lambda w: w.enrollments.seats_taken(COURSE)) == 1

    def test_the_last_seat_goes_once(self, start: StartWork) -> None:
        """Of several who want the seats left, as many get one as there are."""
        do(start, lambda work: work.enrollments.add(place("e", "first"), seats=3))
        results = race(
            self.racers + 1,
            lambda n: do(
                start,
                lambda work: work.enrollments.add(place(f"e{n}", f"user-{n}"), seats=3),
            ),
        )

        full = [each for each in results if isinstance(each, Refused)]
        assert results.count(None) == 2
        assert len(full) == self.racers - 1
        assert {each.reasons[0].code for each in full} == {"course-is-full"}
        assert read(start, lambda w: w.enrollments.seats_taken(COURSE)) == 3

    def test_a_refused_place_is_not_kept(self, start: StartWork) -> None:
        """Who is told that the course is full has no place, even after a commit."""
        with start() as work:
            work.enrollments.add(place("e1"), seats=1)
            with pytest.raises(Refused):
                work.enrollments.add(place("e2", "bob"), seats=1)
            work.commit()

        assert read(start, lambda w: w.enrollments.find(BOB, COURSE)) is None
        assert read(start, lambda w: w.enrollments.seats_taken(COURSE)) == 1

    def test_a_place_that_ends_frees_its_seat(self, start: StartWork) -> None:
        """Withdrawing lets somebody else in, and the learner in again later."""
        do(start, lambda work: work.enrollments.add(place("e1"), seats=1))

        def withdraw(work: UnitOfWork) -> None:
            held = work.enrollments.get(EnrollmentId("e1"))
            work.enrollments.save(held.withdraw(at=AT)[0])

        do(start, withdraw)
        assert read(start, lambda w: w.enrollments.seats_taken(COURSE)) == 0
        do(start, lambda work: work.enrollments.add(place("e2", "bob"), seats=1))
        with pytest.raises(Refused):
            do(start, lambda work: work.enrollments.add(place("e3"), seats=1))

    def test_the_place_that_is_held_is_found(self, start: StartWork) -> None:
        """Before any that ended; of those the last."""

        def add(work: UnitOfWork) -> None:
            work.enrollments.add(place("b", at=AT).withdraw(at=AT)[0])
            work.enrollments.add(place("a", at=later(5)).withdraw(at=later(6))[0])

        do(start, add)
        find = lambda work: work.enrollments.find(ANN, COURSE)  # noqa: E731 - used twice
        assert read(start, find).id == "a"
        do(start, lambda work: work.enrollments.add(place("0", at=later(1))))
        assert read(start, find).id == "0"

    def test_places_are_listed(self, start: StartWork) -> None:
        """A learner's the latest first, a course's by learner without the ended."""

        def add(work: UnitOfWork) -> None:
            for n, name in enumerate(["dan", "ann", "cat", "bob"]):
                work.enrollments.add(place(f"e{n}", name))
            work.enrollments.add(place("gone", "eve").withdraw(at=AT)[0])
            for n in range(3):
                other = CourseId(f"other-{n}")
                work.enrollments.add(place(f"o{n}", course=other, at=later(n)))

        do(start, add)
        held = pages(start, lambda w, page: w.enrollments.of_course(COURSE, page))
        mine = pages(start, lambda w, page: w.enrollments.of_learner(ANN, page))

        assert [each.learner for each in held] == ["ann", "bob", "cat", "dan"]
        assert [each.id for each in mine] == ["o2", "o1", "o0", "e1"]

    def test_completed_courses_are_told(self, start: StartWork) -> None:
        """Only those with a completed place."""

        def add(work: UnitOfWork) -> None:
            done = place("e1").complete(unfinished=0, grade=Fraction(1, 3), at=AT)[0]
            work.enrollments.add(done)
            work.enrollments.add(place("e2", course=CourseId("other")))

        do(start, add)

        found = read(start, lambda work: work.enrollments.completed_courses(ANN))
        assert found == {COURSE}
        kept = read(start, lambda work: work.enrollments.get(EnrollmentId("e1")))
        assert kept.grade == Fraction(1, 3)

    def test_places_whose_time_is_over_are_due(self, start: StartWork) -> None:
        """The longest overdue first; what ended or was completed is not due."""

        def add(work: UnitOfWork) -> None:
            for n, seconds in enumerate([30, 10, 20]):
                new = evolve(place(f"e{n}", f"u{n}"), expires_at=later(seconds))
                work.enrollments.add(new)
            done = evolve(
                place("done", "x"),
                status=EnrollmentStatus.COMPLETED,
                expires_at=later(1),
            )
            work.enrollments.add(done)
            work.enrollments.add(place("never", "y"))

        do(start, add)

        def due(seconds: int, limit: int = 10) -> list[str]:
            found = read(
                start, lambda w: w.enrollments.due_to_expire(later(seconds), limit)
            )
            return [each.id for each in found]

        assert due(20) == ["e1", "e2"]
        assert due(99, limit=1) == ["e1"]

    # Attempts

    def test_an_attempt_is_begun_once(self, start: StartWork) -> None:
        """Of several who begin the same attempt at once, exactly one does."""
        results = race(
            self.racers,
            lambda n: do(start, lambda work: work.attempts.add(attempt(f"a{n}"))),
        )

        assert results.count(None) == 1
        assert sum(isinstance(each, AlreadyExists) for each in results) == (
            self.racers - 1
        )

    def test_one_attempt_is_open_at_a_time(self, start: StartWork) -> None:
        """The next one waits until this one is handed in; numbers are unique."""
        do(start, lambda work: work.attempts.add(attempt("a1")))
        with pytest.raises(AlreadyExists):
            do(start, lambda work: work.attempts.add(attempt("a2", 2)))

        def submit(work: UnitOfWork) -> None:
            saved = work.attempts.get(AttemptId("a1"))
            saved = saved.save({"q": ["true"]}, revision=3, at=later(1))
            work.attempts.save(saved.submit(at=later(2))[0])

        do(start, submit)
        with pytest.raises(AlreadyExists):
            do(start, lambda work: work.attempts.add(attempt("a3", 1)))
        do(start, lambda work: work.attempts.add(attempt("a2", 2)))

        found = read(start, lambda work: work.attempts.of_lesson(ANN, LESSON))
        assert [each.id for each in found] == ["a1", "a2"]
        assert found[0].answers["q"].revision == 3
        assert found[0].score == Score.of(1, 1)

    def test_final_attempts_of_learners_are_listed(self, start: StartWork) -> None:
        """By learner and number, of those asked for, without the open ones."""

        def add(work: UnitOfWork) -> None:
            for learner in ("bob", "ann", "eve"):
                for number in (2, 1):
                    new = attempt(f"{learner}-{number}", number, learner)
                    work.attempts.add(new.submit(at=later(1))[0])
            work.attempts.add(attempt("open", 3))

        do(start, add)
        found = read(start, lambda work: work.attempts.of_course(COURSE, [BOB, ANN]))

        assert [each.id for each in found] == ["ann-1", "ann-2", "bob-1", "bob-2"]

    def test_overdue_attempts_are_found(self, start: StartWork) -> None:
        """Open ones that were over, grace included; the longest overdue first."""

        def add(work: UnitOfWork) -> None:
            work.attempts.add(attempt("b", learner="bob", at=later(5)))
            work.attempts.add(attempt("a"))
            work.attempts.add(attempt("c", learner="cat").submit(at=later(1))[0])

        do(start, add)
        over = AT + timedelta(seconds=QUIZ.grace_s + 600)

        def overdue(at: datetime) -> list[str]:
            found = read(start, lambda work: work.attempts.overdue(at, 10))
            return [each.id for each in found]

        assert overdue(over - timedelta(seconds=1)) == []
        assert overdue(over) == ["a"]
        assert overdue(over + timedelta(seconds=5)) == ["a", "b"]

    # Lectures

    def test_lectures_are_listed(self, start: StartWork) -> None:
        """A course's, the latest first; several by id."""

        def add(work: UnitOfWork) -> None:
            for n in range(3):
                work.media.add(lecture(f"m{n}", at=later(n)))

        do(start, add)
        found = pages(start, lambda work, page: work.media.of_course(COURSE, page))
        wanted = [MediaId("m1"), MediaId("m9")]

        assert [each.id for each in found] == ["m2", "m1", "m0"]
        assert set(read(start, lambda work: work.media.several(wanted))) == {"m1"}
        with pytest.raises(AlreadyExists):
            do(start, lambda work: work.media.add(lecture("m1")))

    def test_stuck_lectures_are_found(
        self, start: StartWork, clock: AdvanceableClock
    ) -> None:
        """Those in work that nobody has touched since."""
        do(start, lambda work: work.media.add(lecture("m1")))
        do(start, lambda work: work.media.add(lecture("idle")))
        clock.advance(timedelta(minutes=1))

        def upload(work: UnitOfWork) -> None:
            asset = work.media.get(MediaId("m1"))
            work.media.save(asset.uploaded(at=clock.now())[0])

        do(start, upload)
        touched = clock.now()
        after = touched + timedelta(seconds=1)

        assert read(start, lambda work: work.media.stuck(touched, 10)) == ()
        stuck = read(start, lambda work: work.media.stuck(after, 10))
        assert [each.id for each in stuck] == ["m1"]

    # Orders

    def test_an_order_keeps_its_ledger(self, start: StartWork) -> None:
        """News is kept with the order; the earliest time of one fact counts."""
        do(start, lambda work: work.orders.add(order()))

        def hear(at: datetime) -> None:
            def record(work: UnitOfWork) -> None:
                before = work.orders.get(OrderId("o1"))
                work.orders.save(before.record(payment(at=at))[0])

            do(start, record)

        hear(later(9))
        hear(later(3))
        found = read(start, lambda work: work.orders.get(OrderId("o1")))

        assert found.ledger == (payment(at=later(3)),)

    def test_a_transaction_belongs_to_one_order(self, start: StartWork) -> None:
        """The same payment cannot pay two orders."""
        do(start, lambda work: work.orders.add(order("o1").record(payment())[0]))
        do(start, lambda work: work.orders.add(order("o2", "bob")))
        other = read(start, lambda work: work.orders.get(OrderId("o2")))

        with pytest.raises(AlreadyExists):
            do(start, lambda work: work.orders.save(other.record(payment())[0]))
        found = read(start, lambda work: work.orders.get(OrderId("o2")))
        assert found.ledger == ()

    def test_a_pending_order_is_found_again(self, start: StartWork) -> None:
        """The latest of the buyer's for the course that heard no news."""

        def add(work: UnitOfWork) -> None:
            for n in range(3):
                work.orders.add(order(f"o{n}", at=later(n)))
            work.orders.add(order("paid", at=later(9)).record(payment())[0])

        do(start, add)

        assert read(start, lambda w: w.orders.find_pending(ANN, COURSE)).id == "o2"
        assert read(start, lambda w: w.orders.find_pending(BOB, COURSE)) is None
        mine = pages(start, lambda work, page: work.orders.of_buyer(ANN, page))
        assert [each.id for each in mine] == ["paid", "o2", "o1", "o0"]

    def test_unsettled_orders_are_found(self, start: StartWork) -> None:
        """Those with a checkout and no news, placed before, the oldest first."""

        def add(work: UnitOfWork) -> None:
            for n in (2, 1, 3):
                new = order(f"o{n}", at=later(n))
                work.orders.add(new.open_checkout(f"cs-{n}", "https://pay"))
            work.orders.add(order("no-checkout"))
            paid = order("paid").open_checkout("cs", "https://pay")
            work.orders.add(paid.record(payment())[0])

        do(start, add)
        found = read(start, lambda work: work.orders.unsettled(later(3), 10))

        assert [each.id for each in found] == ["o1", "o2"]

    # Certificates and grades

    def test_numbers_have_no_gaps(self, start: StartWork) -> None:
        """Each commit takes the next one; what is undone takes none."""
        with start() as work:
            assert work.certificates.next_number() == 1

        def issue(n: int) -> int:
            def add(work: UnitOfWork) -> int:
                number = work.certificates.next_number()
                new = certificate(number, enrollment=EnrollmentId(f"by-{n}"))
                work.certificates.add(new)
                return number

            return int(do(start, add))

        numbers = race(self.racers, issue)

        assert sorted(n for n in numbers if isinstance(n, int)) == list(
            range(1, self.racers + 1)
        )

    @pytest.mark.parametrize(
        "field", ["id", "enrollment", "number", "code", "status_index"]
    )
    def test_certificates_differ(self, start: StartWork, field: str) -> None:
        """Each has its own id, enrollment, number, code and index."""
        first = certificate(1)
        do(start, lambda work: work.certificates.add(first))
        same = evolve(certificate(2), **{field: getattr(first, field)})

        with pytest.raises(AlreadyExists):
            do(start, lambda work: work.certificates.add(same))

    def test_certificates_are_found(self, start: StartWork) -> None:
        """By code and enrollment; a learner's the latest first."""

        def add(work: UnitOfWork) -> None:
            for n in (1, 2, 3):
                work.certificates.add(certificate(n))

        do(start, add)

        assert read(start, lambda w: w.certificates.find_code("code-2")).number == 2
        assert read(start, lambda w: w.certificates.find_code("no")) is None
        by_place = read(
            start, lambda w: w.certificates.find_enrollment(EnrollmentId("e3"))
        )
        assert by_place == certificate(3)
        mine = pages(start, lambda w, page: w.certificates.of_learner(ANN, page))
        assert [each.number for each in mine] == [3, 2, 1]

    def test_revoked_indexes_are_told_in_order(self, start: StartWork) -> None:
        """Those that were revoked, and no others."""

        def add(work: UnitOfWork) -> None:
            for n in (3, 1, 2):
                work.certificates.add(certificate(n))

        def revoke(work: UnitOfWork) -> None:
            for n in (3, 1):
                kept = work.certificates.get(CertificateId(f"c{n}"))
                work.certificates.save(kept.revoke(reason="fraud", at=AT)[0])

        do(start, add)
        do(start, revoke)

        found = read(start, lambda work: list(work.certificates.revoked_indexes()))
        assert found == [7, 21]

    def test_an_override_is_put(self, start: StartWork) -> None:
        """New where none is, changed by who read the last one, told by learner."""
        new = Override(learner=ANN, lesson=LESSON, score=Score.of(3, 4), by=BOB, at=AT)
        do(start, lambda work: work.overrides.put(new))
        with pytest.raises(Conflict):
            do(start, lambda work: work.overrides.put(new))
        stored = read(start, lambda work: work.overrides.find(ANN, LESSON))
        changed = evolve(stored, score=None, excused=True)
        do(start, lambda work: work.overrides.put(changed))
        do(start, lambda work: work.overrides.put(evolve(new, learner=UserId("a"))))

        found = read(start, lambda work: work.overrides.of_course(COURSE, [ANN]))
        assert [(each.learner, each.excused) for each in found] == [(ANN, True)]
        assert read(start, lambda work: work.overrides.find(BOB, LESSON)) is None

    # Events, answers, acts

    def test_events_leave_in_order(self, start: StartWork) -> None:
        """The oldest first, until they are noted as passed on."""
        do(start, lambda work: work.outbox.extend([event("b"), event("a")]))
        do(start, lambda work: work.outbox.extend([event("c"), event("a")]))

        def pending(limit: int = 10) -> list[str]:
            found = read(start, lambda work: work.outbox.pending(limit))
            return [each.id for each in found]

        assert pending() == ["b", "a", "c"]
        assert pending(1) == ["b"]
        do(start, lambda work: work.outbox.passed_on([EventId("b"), EventId("c")]))
        assert pending() == ["a"]
        do(start, lambda work: work.outbox.extend([event("b")]))
        assert pending() == ["a"]
        kept = read(start, lambda work: work.outbox.pending(1))
        assert kept == (event("a"),)

    def test_an_event_is_accepted_once(self, start: StartWork) -> None:
        """Of several deliveries at once, one is told that it is the first."""
        results = race(
            self.racers,
            lambda _: do(
                start, lambda work: work.inbox.accept("mail", EventId("1"), at=AT)
            ),
        )

        assert sorted(map(bool, results)) == [False] * (self.racers - 1) + [True]
        assert read(start, lambda work: work.inbox.has("mail", EventId("1")))
        assert not read(start, lambda work: work.inbox.has("sms", EventId("1")))

    def test_accepting_is_undone_with_the_work(self, start: StartWork) -> None:
        """What failed after accepting is accepted again the next time."""
        with start() as work:
            assert work.inbox.accept("mail", EventId("1"), at=AT)

        assert do(start, lambda w: w.inbox.accept("mail", EventId("1"), at=AT))

    def test_an_answer_is_kept_once(self, start: StartWork) -> None:
        """Another request with the key is told, until the key is forgotten."""
        answer = KeptAnswer(fingerprint="f", status=201, body='{"é": 1}')
        keep = lambda work: work.idempotency.keep("ann", "k", answer, at=AT)  # noqa: E731 - used thrice
        do(start, keep)
        with pytest.raises(Conflict):
            do(start, keep)

        assert read(start, lambda work: work.idempotency.find("ann", "k")) == answer
        assert read(start, lambda work: work.idempotency.find("bob", "k")) is None
        assert do(start, lambda work: work.idempotency.forget_before(AT)) == 0
        assert do(start, lambda work: work.idempotency.forget_before(later(1))) == 1
        assert do(start, keep) is None

    def test_acts_are_listed_the_latest_first(self, start: StartWork) -> None:
        """Every row as it was appended."""
        rows = [
            AuditRow(
                id=f"r{n}",
                at=later(n // 2),
                actor=ANN if n else None,
                action="grades.override",
                subject=str(LESSON),
                details={"from": "1/3", "to": "é"},
            )
            for n in range(5)
        ]

        def append(work: UnitOfWork) -> None:
            for row in rows:
                work.audit.append(row)

        do(start, append)
        found = pages(start, lambda work, page: work.audit.page(page))

        assert found == rows[::-1]

    def test_results_of_races_are_errors_of_ours(self, start: StartWork) -> None:
        """Nobody who loses a race is told of the database."""
        do(start, lambda work: work.users.add(user()))
        results = race(
            self.racers,
            lambda n: do(start, lambda work: work.users.add(user("ann", name=str(n)))),
        )

        assert all(isinstance(each, LmsError) for each in results)
