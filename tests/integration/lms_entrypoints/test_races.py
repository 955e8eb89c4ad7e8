"""Many do the same at the same moment, on each database."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from threading import Barrier
from threading import Event as Pause
from typing import TypeVar

import pytest

from lms_core.application.author_course import CreateCourse, PublishCourse
from lms_core.application.enroll_learner import EnrollLearner
from lms_core.application.issue_certificate import IssueCertificate
from lms_core.application.place_order import PlaceOrder
from lms_core.application.recompute_course import RecomputeCourse
from lms_core.application.record_progress import ProgressReport, RecordProgress
from lms_core.application.relay_outbox import to_message
from lms_core.application.take_quiz import StartAttempt, SubmitAttempt
from lms_core.domain.access.policy import Actor
from lms_core.domain.assessment.questions import Option, SingleChoice
from lms_core.domain.assessment.quiz import Quiz
from lms_core.domain.catalog.content import (
    CourseContent,
    Lesson,
    Module,
    QuizContent,
    Text,
)
from lms_core.domain.enrollment.enrollment import EnrollmentRules, EnrollmentStatus
from lms_core.domain.events import (
    AttemptGraded,
    EnrollmentCompleted,
    Event,
    LessonCompleted,
)
from lms_core.domain.ids import CourseId, LessonId, UserId
from lms_core.domain.money import Money
from lms_core.domain.people.user import Role, RoleGrant, User
from lms_core.errors import Refused
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.preparing import make_secrets
from lms_entrypoints.settings import Settings
from lms_entrypoints.worker import Worker

COURSE, SMALL, PAID = CourseId("course"), CourseId("small"), CourseId("paid")
SEATS = 3
AT_ONCE = 12

T = TypeVar("T")


@pytest.fixture
def platform(database_url: str, tmp_path: Path) -> Iterator[Platform]:
    platform = Platform(Settings(data=tmp_path / "data", database=database_url))
    platform.data.mkdir()
    make_secrets(platform)
    yield platform
    if "gateway" in vars(platform):
        vars(platform)["gateway"].close()


def person(platform: Platform, name: str, *grants: RoleGrant) -> Actor:
    with platform.start() as work:
        user, _ = User.register(
            UserId(name),
            email=f"{name}@example.org",
            name=name,
            at=platform.clock.now(),
        )
        work.users.add(user)
        for grant in grants:
            found = work.users.get(user.id)
            user, _ = found.grant(grant.role, grant.course, at=platform.clock.now())
            work.users.save(user)
        work.commit()
    return Actor.of(user)


@pytest.fixture
def learner(platform: Platform) -> Actor:
    """Return somebody for whom three courses are there."""
    admin = person(platform, "admin", RoleGrant(Role.ADMIN))
    question = SingleChoice(
        key="q",
        prompt="Which?",
        options=(Option(key="a", text="This"), Option(key="b", text="That")),
        correct="a",
    )
    text = Lesson(key="text", title="Text", content=Text(markdown="Read."))
    quiz = Lesson(
        key="quiz", title="Quiz", content=QuizContent(quiz=Quiz(questions=(question,)))
    )
    module = Module(key="all", title="All", lessons=(text, quiz))
    for course, content in {
        COURSE: CourseContent(title="Course", modules=(module,)),
        SMALL: CourseContent(
            title="Small", modules=(module,), enrollment=EnrollmentRules(seats=SEATS)
        ),
        PAID: CourseContent(
            title="Paid", modules=(module,), prices=(Money(900, "EUR"),)
        ),
    }.items():
        platform.use(CreateCourse)(admin, course, content)
        platform.use(PublishCourse)(admin, course)
    return person(platform, "learner")


def at_once(do: Callable[[int], T], number: int = AT_ONCE) -> list[T]:
    """Do it in so many threads, which all begin together."""
    together = Barrier(number)

    def one(which: int) -> T:
        together.wait(30)
        return do(which)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def events(platform: Platform, kind: type[Event]) -> int:
    with platform.start(read_only=True) as work:
        pending = work.outbox.pending(1000)
    return sum(isinstance(each.event, kind) for each in pending)


@pytest.mark.usefixtures("learner")
def test_the_last_seats_go_to_as_many_as_there_are(platform: Platform) -> None:
    people = [person(platform, f"p{number}") for number in range(AT_ONCE)]

    def enroll(which: int) -> str:
        try:
            platform.use(EnrollLearner)(people[which], SMALL)
        except Refused as exc:
            return exc.reasons[0].code
        return "in"

    seen = at_once(enroll)

    assert sorted(seen) == ["course-is-full"] * (AT_ONCE - SEATS) + ["in"] * SEATS


def test_a_double_click_on_buy_makes_one_order(
    platform: Platform, learner: Actor
) -> None:
    placed = at_once(lambda _: platform.use(PlaceOrder)(learner, PAID, "EUR"))

    assert len({each.order.id for each in placed}) == 1
    assert len({each.checkout_url for each in placed}) == 1


def test_a_learner_at_many_devices_does_everything_once(
    platform: Platform, learner: Actor
) -> None:
    text, quiz = LessonId(COURSE, "text"), LessonId(COURSE, "quiz")
    places = at_once(lambda _: platform.use(EnrollLearner)(learner, COURSE))
    read = ProgressReport(read=True)
    at_once(lambda _: platform.use(RecordProgress)(learner, text, read))
    started = at_once(lambda _: platform.use(StartAttempt)(learner, quiz))
    [attempt] = {each.id for each in started}
    hand_in = platform.use(SubmitAttempt)
    at_once(lambda _: hand_in(learner, attempt, {"q": ["a"]}, revision=1))
    assert learner.user is not None
    user = learner.user
    found = at_once(lambda _: platform.use(RecomputeCourse)(user, COURSE))
    [place] = {each.id for each in places}
    issued = at_once(lambda _: platform.use(IssueCertificate)(place))

    assert {each.status for each in found if each} == {EnrollmentStatus.COMPLETED}
    assert len({each.id for each in issued if each}) == 1
    assert events(platform, LessonCompleted) == 2
    assert events(platform, AttemptGraded) == 1
    assert events(platform, EnrollmentCompleted) == 1


def quiet(platform: Platform) -> bool:
    depth = platform.events_queue.depth()
    with platform.start(read_only=True) as work:
        return not (work.outbox.pending(1) or depth.ready or depth.leased)


def test_two_workers_and_events_that_come_twice_in_any_order_do_everything_once(
    platform: Platform, learner: Actor
) -> None:
    place = platform.use(EnrollLearner)(learner, COURSE)
    text, quiz = LessonId(COURSE, "text"), LessonId(COURSE, "quiz")
    platform.use(RecordProgress)(learner, text, ProgressReport(read=True))
    attempt = platform.use(StartAttempt)(learner, quiz)
    platform.use(SubmitAttempt)(learner, attempt.id, {"q": ["a"]}, revision=1)
    with platform.start(read_only=True) as work:
        messages = [to_message(each) for each in work.outbox.pending(1000)] * 2
    Random(4).shuffle(messages)  # noqa: S311 - not a secret
    for message in messages:
        platform.events_queue.send([message])
    second, pause = Platform(platform.settings), Pause()

    with Worker(platform), Worker(second):
        for _ in range(1200):
            if quiet(platform):
                break
            pause.wait(0.05)

    vars(second)["gateway"].close()
    with platform.start(read_only=True) as work:
        assert work.enrollments.get(place.id).status is EnrollmentStatus.COMPLETED
        assert work.certificates.find_enrollment(place.id) is not None
    assert len(list((platform.data / "outbox").glob("*.eml"))) == 2
    assert not list(platform.events_queue.dead_letters())


def test_a_password_in_the_address_of_a_database_is_refused() -> None:
    Settings(database="postgresql://lms:@/lms?host=/run/postgresql")
    with pytest.raises(ValueError, match="secret://"):
        Settings(database="postgresql://lms:hunter2@db/lms")
