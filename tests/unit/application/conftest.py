"""A platform in memory: every use case wired to adapters that forget."""

import json
import typing
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, ClassVar, TypeVar, cast

import attrs
import pytest
from attrs import define, field

from lms_core.application.author_course import CreateCourse, PublishCourse
from lms_core.application.enroll_learner import EnrollLearner
from lms_core.application.reactions.react import React
from lms_core.application.relay_outbox import RelayOutbox, from_message
from lms_core.application.transcode_media import TranscodeMedia
from lms_core.domain.access.conditions import EarlierLessons
from lms_core.domain.access.policy import Actor
from lms_core.domain.assessment.questions import Option, Question, SingleChoice
from lms_core.domain.assessment.quiz import Quiz
from lms_core.domain.catalog.content import (
    CourseContent,
    Lesson,
    Module,
    QuizContent,
    Text,
    Video,
)
from lms_core.domain.documents import load
from lms_core.domain.enrollment.enrollment import Enrollment, EnrollmentRules
from lms_core.domain.events import Envelope, MediaUploaded
from lms_core.domain.grading.policy import Category, GradingPolicy
from lms_core.domain.ids import CourseId, LessonId, MediaId, UserId
from lms_core.domain.media.asset import MediaAsset
from lms_core.domain.money import Money
from lms_core.domain.people.user import Role, RoleGrant, User
from lms_core.ports.renderer import MailRenderer, PdfRenderer
from lms_core.ports.sealing import PdfSealer
from lms_core.ports.unit_of_work import UnitOfWork
from lms_documents.development import make_development_identity
from lms_documents.mail import JinjaMailRenderer
from lms_documents.pades import PyhankoPdfSealer
from lms_documents.pdf import TypstPdfRenderer
from lms_local._key_ring import KeyRing
from lms_local.hmac_signer import HmacUrlSigner
from lms_local.memory.identity import MemoryPasswordHasher
from lms_local.memory.mailer import MemoryMailer
from lms_local.memory.message_queue import MemoryMessageQueue
from lms_local.memory.object_store import MemoryObjectStore
from lms_local.memory.progress_store import MemoryProgressStore
from lms_local.memory.system import CountingIds, CountingTokens, FixedClock
from lms_local.memory.transcoder import MemoryTranscoder
from lms_local.memory.unit_of_work import MemoryDatabase
from lms_local.tokens import LocalTokens
from lms_sandbox._database import Database
from lms_sandbox.payment_gateway import SandboxPaymentGateway
from lms_sandbox.state import State

T = TypeVar("T")

COURSE = CourseId("streaming")
INTRO = LessonId(COURSE, "intro")
LECTURE = LessonId(COURSE, "lecture")
QUIZ = LessonId(COURSE, "quiz")


@define(eq=False)
class World:
    """What a platform consists of; `use` wires a use case by its fields' names."""

    COURSE: ClassVar[CourseId] = COURSE
    INTRO: ClassVar[LessonId] = INTRO
    LECTURE: ClassVar[LessonId] = LECTURE
    QUIZ: ClassVar[LessonId] = QUIZ
    TEACHER: ClassVar[UserId] = UserId("teacher-of-streaming")

    mail_renderer: MailRenderer
    pdf_renderer: PdfRenderer
    pdf_sealer: PdfSealer
    clock: FixedClock = field(factory=FixedClock)
    ids: CountingIds = field(factory=CountingIds)
    tokens: CountingTokens = field(factory=CountingTokens)
    progress: MemoryProgressStore = field(factory=MemoryProgressStore)
    passwords: MemoryPasswordHasher = field(factory=MemoryPasswordHasher)
    mailer: MemoryMailer = field(factory=MemoryMailer)
    issuer_name: str = "Open School"
    portal_url: str = "https://learn.example.org"
    return_url: str = "https://learn.example.org/orders/{order}"
    database: MemoryDatabase = field(init=False)
    objects: MemoryObjectStore = field(init=False)
    transcoder: MemoryTranscoder = field(init=False)
    events_queue: MemoryMessageQueue = field(init=False)
    transcode_queue: MemoryMessageQueue = field(init=False)
    gateway: SandboxPaymentGateway = field(init=False)
    identity: LocalTokens = field(init=False)
    signer: HmacUrlSigner = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.database = MemoryDatabase(self.clock)
        self.objects = MemoryObjectStore(self.clock)
        self.transcoder = MemoryTranscoder(self.objects)
        self.events_queue = MemoryMessageQueue(self.clock, "events")
        self.transcode_queue = MemoryMessageQueue(self.clock, "transcode")
        self.gateway = SandboxPaymentGateway(
            state=State(database=Database(":memory:"), new_id=self.ids.new),
            base="https://learn.example.org/sandbox",
            keys=("webhook-key-0123456789",),
            clock=self.clock,
            tokens=self.tokens,
        )
        keys = KeyRing.of("k" * 40)
        self.identity = LocalTokens(
            keys, self.portal_url, "lms", self.clock, CountingIds("jti")
        )
        self.signer = HmacUrlSigner(keys, "https://learn.example.org/media")

    @property
    def issuer(self) -> LocalTokens:
        """The issuer checks its own tokens."""
        return self.identity

    @property
    def start(self) -> Any:
        """Begins transactions."""
        return self.database.start

    def use(self, kind: type[T]) -> T:
        """Return the use case *kind*, wired."""
        hints = typing.get_type_hints(kind)
        parts = {}
        for each in attrs.fields(cast("Any", kind)):
            wanted = hints[each.name]
            is_use_case = getattr(wanted, "__module__", "").startswith(
                "lms_core.application"
            ) and attrs.has(wanted)
            parts[each.name] = (
                self.use(wanted) if is_use_case else getattr(self, each.name)
            )
        return kind(**parts)

    # People

    def person(self, name: str, *grants: RoleGrant) -> Actor:
        """Give *name* an account."""
        user = User(
            id=UserId(name),
            email=f"{name}@example.org",
            name=name.title(),
            registered_at=self.clock.now(),
            grants=grants,
        )
        with self.start() as work:
            work.users.add(user)
            work.commit()
        return Actor.of(user)

    def actor(self, user: UserId | str) -> Actor:
        """Return somebody with the roles that were given meanwhile."""
        with self.start(read_only=True) as work:
            return Actor.of(work.users.get(UserId(user)))

    # Courses

    def publish(self, content: CourseContent, course: CourseId = COURSE) -> Actor:
        """Publish *content* as a course of a new teacher, and return her."""
        name = f"teacher-of-{course}"
        teacher = self.person(name, RoleGrant(Role.INSTRUCTOR))
        self.use(CreateCourse)(teacher, course, content)
        teacher = self.actor(name)
        self.use(PublishCourse)(teacher, course)
        return teacher

    def republish(self, change: Callable[[CourseContent], CourseContent]) -> None:
        """Change the course and let learners see it."""
        with self.start() as work:
            course = work.courses.get(COURSE)
            draft = course.edit(change(course.draft))
            work.courses.save(draft)
            work.commit()
        self.use(PublishCourse)(self.actor(f"teacher-of-{COURSE}"), COURSE)

    def learner(self, name: str = "ada") -> Actor:
        """Return a new learner with a place on the course."""
        actor = self.person(name)
        self.use(EnrollLearner)(actor, COURSE)
        return actor

    def place(self, learner: Actor, course: CourseId = COURSE) -> Enrollment | None:
        """Return the learner's place."""
        with self.start(read_only=True) as work:
            return cast("UnitOfWork", work).enrollments.find(
                UserId(str(learner.user)), course
            )

    def lecture(self, duration_ms: int = 10_000) -> MediaAsset:
        """Return a lecture that was made into a stream."""
        source = MediaAsset(
            id=MediaId("lecture-1"),
            course=COURSE,
            owner=UserId("somebody"),
            filename="lecture.mp4",
            size_bytes=20,
            content_type="video/mp4",
            created_at=self.clock.now(),
        )
        self.objects.put(source.source, f"video:640x360:{duration_ms}".encode())
        queued, _ = source.uploaded(at=self.clock.now())
        with self.start() as work:
            work.media.add(queued)
            work.commit()
        return self.use(TranscodeMedia)(source.id, 1, pause=lambda: True)

    # Background

    def events(self) -> tuple[Envelope, ...]:
        """Return what waits in the outbox."""
        with self.start(read_only=True) as work:
            return cast("UnitOfWork", work).outbox.pending(10_000)

    def drain(self) -> int:
        """Pass events on and react to them, until all is quiet."""
        relay, react, done = self.use(RelayOutbox), self.use(React), 0
        while relay() or self.events_queue.depth().ready:
            for delivery in self.events_queue.receive(limit=10):
                react(from_message(delivery.message))
                self.events_queue.acknowledge([delivery])
                done += 1
        return done

    def transcode(self) -> list[MediaAsset]:
        """Do what the transcoding queue asks for."""
        done = []
        for delivery in self.transcode_queue.receive(limit=10):
            asked = load(MediaUploaded, json.loads(delivery.message.body))
            done.append(
                self.use(TranscodeMedia)(
                    asked.media, asked.generation, pause=lambda: True
                )
            )
            self.transcode_queue.acknowledge([delivery])
        return done


def choice(key: str, *, points: int = 1) -> Question:
    """Return a question of which ``a`` is right."""
    return SingleChoice(
        key=key,
        prompt="Which?",
        points=Fraction(points),
        options=(Option(key="a", text="This"), Option(key="b", text="That")),
        correct="a",
        explanation="Because of this.",
    )


def course_content(
    *,
    prices: tuple[Money, ...] = (),
    seats: int | None = None,
    quiz: Mapping[str, Any] | None = None,
    video: MediaId | None = None,
    must_pass: bool = True,
    grading: GradingPolicy | None = None,
    days: int | None = None,
) -> CourseContent:
    """Return a course: a text, a lecture if *video* is given, and a quiz."""
    settings = {"questions": (choice("q1"), choice("q2")), **(quiz or {})}
    lessons = [Lesson(key="intro", title="Introduction", content=Text(markdown="Hi"))]
    if video is not None:
        content = Video(media=video)
        lessons.append(Lesson(key="lecture", title="Lecture", content=content))
    lessons.append(
        Lesson(
            key="quiz",
            title="Quiz",
            content=QuizContent(quiz=Quiz(**settings), must_pass=must_pass),
            category="quizzes",
            access=EarlierLessons(),
        )
    )
    root = Category(
        key="course",
        title="Course",
        categories=(Category(key="quizzes", title="Quizzes"),),
    )
    return CourseContent(
        title="Streaming",
        prices=prices,
        enrollment=EnrollmentRules(seats=seats, days=days),
        modules=(Module(key="all", title="All", lessons=tuple(lessons)),),
        grading=grading or GradingPolicy(root=root),
    )


@pytest.fixture(scope="session")
def printing() -> tuple[MailRenderer, PdfRenderer, PdfSealer]:
    """Return what makes mails and certificates, loaded once."""
    identity = make_development_identity(at=FixedClock().now())
    return (
        JinjaMailRenderer.load(),
        TypstPdfRenderer.with_fonts(),
        PyhankoPdfSealer.load(identity.key, identity.certificates),
    )


@pytest.fixture
def world(printing: tuple[MailRenderer, PdfRenderer, PdfSealer]) -> Iterator[World]:
    """Return a platform of its own."""
    made = World(*printing)
    yield made
    made.gateway.close()


@pytest.fixture
def content() -> Callable[..., CourseContent]:
    """Return what makes courses."""
    return course_content


@pytest.fixture
def question() -> Callable[..., Question]:
    """Return what makes questions."""
    return choice
