"""The API as clients meet it, over ASGI, on a platform of its own."""

import asyncio
from collections.abc import Callable
from email import message_from_bytes, policy
from hashlib import sha256
from typing import Any, cast

import pytest
from attrs import define, evolve, field, frozen
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from lms_core.application.author_course import CreateCourse, PublishCourse
from lms_core.application.reactions.react import React
from lms_core.application.relay_outbox import RelayOutbox, from_message
from lms_core.domain.access.conditions import EarlierLessons
from lms_core.domain.access.policy import Actor
from lms_core.domain.assessment.questions import (
    Accepted,
    Option,
    ShortAnswer,
    SingleChoice,
)
from lms_core.domain.assessment.quiz import Quiz
from lms_core.domain.catalog.content import (
    CourseContent,
    Lesson,
    Module,
    QuizContent,
    Text,
    Video,
)
from lms_core.domain.commerce.order import Transaction, TransactionKind
from lms_core.domain.documents import dump
from lms_core.domain.enrollment.enrollment import EnrollmentRules
from lms_core.domain.grading.policy import Category, GradingPolicy
from lms_core.domain.ids import CourseId, MediaId, OrderId, SessionId, UserId
from lms_core.domain.media.asset import MediaAsset, MediaStatus, Stream
from lms_core.domain.money import Money
from lms_core.domain.people.session import Session
from lms_core.domain.people.user import Role, RoleGrant, User
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.http.app import create_app
from lms_entrypoints.http.edge import RateLimiter
from lms_local.memory.system import FixedClock
from lms_sandbox.events import event_body
from lms_sandbox.payment_gateway import SandboxPaymentGateway
from lms_sandbox.signing import HEADER, signature

BASE = "http://127.0.0.1:8000"
SECRET_ANSWER = "zanzibar-marker"
SECRET_WHY = "because-marker"


@frozen
class Person:
    """Somebody with an account and a session."""

    id: UserId
    session: str
    secret: str
    token: str = field(repr=False)

    @property
    def cookie(self) -> str:
        """What a browser keeps."""
        return f"{self.session}.{self.secret}"


@define(eq=False)
class Api:
    """Sends requests to the app, and arranges what they meet."""

    platform: Platform
    clock: FixedClock
    app: FastAPI = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.app = create_app(self.platform)

    async def send(
        self, method: str, path: str, who: Person | None = None, **more: Any
    ) -> Response:
        headers = dict(more.pop("headers", {}))
        if who is not None:
            headers["authorization"] = f"Bearer {who.token}"
        transport = ASGITransport(
            self.app, raise_app_exceptions=False, client=("127.0.0.1", 50_000)
        )
        async with AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.request(method, path, headers=headers, **more)

    def __call__(
        self, method: str, path: str, who: Person | None = None, **more: Any
    ) -> Response:
        """Send a request to a path below ``/api/v1``."""
        return self.at(method, f"/api/v1{path}", who, **more)

    def at(
        self, method: str, path: str, who: Person | None = None, **more: Any
    ) -> Response:
        """Send a request to any path."""
        return asyncio.run(self.send(method, path, who, **more))

    def together(self, *calls: tuple[Any, ...], **more: Any) -> list[Response]:
        """Send several at once."""

        async def all_of_them() -> list[Response]:
            sent = (self.send(m, f"/api/v1{p}", who, **more) for m, p, who in calls)
            return list(await asyncio.gather(*sent))

        return asyncio.run(all_of_them())

    def raw(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        body: tuple[bytes, ...] = (b"",),
        query: bytes = b"",
    ) -> tuple[int, dict[str, str], bytes]:
        """Send what no well-behaved client would."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode("utf-8", "replace"),
            "root_path": "",
            "scheme": "http",
            "query_string": query,
            "headers": [
                (name.lower().encode(), value.encode("latin-1"))
                for name, value in {"host": "127.0.0.1:8000", **(headers or {})}.items()
            ],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 8000),
        }
        pieces = [
            {"type": "http.request", "body": part, "more_body": n < len(body) - 1}
            for n, part in enumerate(body)
        ]
        sent: list[dict[str, Any]] = []

        async def receive() -> Any:
            return pieces.pop(0) if pieces else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        start = next(m for m in sent if m["type"] == "http.response.start")
        found = {k.decode(): v.decode("latin-1") for k, v in start["headers"]}
        rest = (m.get("body", b"") for m in sent if m["type"] == "http.response.body")
        return start["status"], found, b"".join(rest)

    # What requests meet

    def person(self, name: str, *grants: RoleGrant) -> Person:
        """Open an account and sign it in, without a slow hash."""
        now = self.clock.now()
        user = User(
            id=UserId(name),
            email=f"{name}@mail.example",
            name=name.title(),
            registered_at=now,
            grants=grants,
        )
        with self.platform.start() as work:
            work.users.add(user)
            work.commit()
        return self.sign_in(name)

    def sign_in(self, name: str) -> Person:
        """Begin a session for somebody who has an account."""
        now, secret = self.clock.now(), self.platform.tokens.token()
        session = SessionId(self.platform.ids.new())
        with self.platform.start() as work:
            work.sessions.add(
                Session(
                    id=session,
                    user=UserId(name),
                    digest=sha256(secret.encode()).hexdigest(),
                    started_at=now,
                    rotated_at=now,
                    expires_at=now.replace(year=now.year + 1),
                )
            )
            work.commit()
        token = self.platform.issuer.issue(
            UserId(name), session=session, lifetime_s=900
        )
        return Person(UserId(name), session, secret, token)

    def admin(self) -> Person:
        """Return somebody who may do everything that is not others' own."""
        return self.person("root", RoleGrant(Role.ADMIN))

    def course(self, key: str = "streaming", **settings: Any) -> Person:
        """Publish a course, and return who teaches it."""
        name = f"teacher-of-{key}"
        person = self.person(name, RoleGrant(Role.INSTRUCTOR))
        self.platform.use(CreateCourse)(self.actor(name), key, content(**settings))
        self.platform.use(PublishCourse)(self.actor(name), CourseId(key))
        return person

    def lecture(self, key: str = "streaming", data: bytes = b"0123456789") -> str:
        """Let the course show a lecture of ten seconds, ready to be played."""
        asset = MediaAsset(
            id=MediaId(f"lecture-of-{key}"),
            course=CourseId(key),
            owner=UserId(f"teacher-of-{key}"),
            filename="a.mp4",
            size_bytes=10,
            content_type="video/mp4",
            created_at=self.clock.now(),
        )
        stream = Stream(
            prefix=asset.destination,
            duration_ms=10_000,
            playlist="master.m3u8",
            progressive="progressive.mp4",
            poster="poster.jpg",
            thumbnails=None,
            captions=(),
            renditions=(),
        )
        asset = evolve(asset, status=MediaStatus.READY, stream=stream)
        self.platform.objects.put(
            asset.destination / "progressive.mp4", data, content_type="video/mp4"
        )
        self.platform.objects.put(
            asset.destination / "notes.html", b"<script>", content_type="text/html"
        )
        lesson = Lesson(
            key="lecture",
            title="Lecture",
            content=Video(media=asset.id),
            required=False,
        )
        with self.platform.start() as work:
            work.media.add(asset)
            course = work.courses.get(asset.course)
            module = course.draft.modules[0]
            more = evolve(module, lessons=(*module.lessons, lesson))
            draft = evolve(course.draft, modules=(more, *course.draft.modules[1:]))
            work.courses.save(course.edit(draft))
            work.commit()
        actor = self.actor(f"teacher-of-{key}")
        self.platform.use(PublishCourse)(actor, asset.course)
        return asset.id

    def learner(self, name: str = "ada", key: str = "streaming") -> Person:
        """Return somebody with a place on the course."""
        person = self.person(name)
        answer = self("POST", f"/enrollments/{key}", person)
        assert answer.status_code == 200, answer.text
        return person

    def actor(self, name: str) -> Actor:
        """Return somebody as use cases know her."""
        with self.platform.start(read_only=True) as work:
            return Actor.of(work.users.get(UserId(name)))

    def suspend(self, person: Person) -> None:
        """Lock somebody out."""
        with self.platform.start() as work:
            work.users.save(evolve(work.users.get(person.id), suspended=True))
            work.commit()

    def without_refill(self) -> None:
        """Let limiters fill up so slowly that no test is slow enough to see it."""
        for name, known in self.app.state.limiters.items():
            limiter = RateLimiter(per_minute=0.001, burst=known.burst)
            self.app.state.limiters[name] = limiter

    @property
    def stored(self) -> Any:
        """A look at what is stored, in a ``with``."""
        return self.platform.start(read_only=True)

    def drain(self) -> None:
        """React to every event, until all is quiet."""
        relay, react = self.platform.use(RelayOutbox), self.platform.use(React)
        queue = self.platform.events_queue
        while relay() or queue.depth().ready:
            for delivery in queue.receive(limit=10):
                react(from_message(delivery.message))
                queue.acknowledge([delivery])

    def mails(self) -> list[str]:
        """Return the mails that were sent, as text."""
        folder = self.platform.data / "outbox"
        found = []
        for path in sorted(folder.glob("*.eml")):
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            plain = mail.get_body(("plain",))
            assert plain is not None
            found.append(f"To: {mail['to']}\n{plain.get_content()}")
        return found

    def news(
        self, order: dict[str, Any], kind: str = "payment", **change: Any
    ) -> tuple[bytes, dict[str, str]]:
        """Return a webhook of the gateway about *order*, and its headers."""
        said = {"minor": 4900, "currency": "EUR", "name": kind, **change}
        transaction = Transaction(
            reference=f"t-{said['name']}",
            kind=TransactionKind(kind),
            amount=Money(said["minor"], said["currency"]),
            at=self.clock.now(),
        )
        checkout = order["checkout_url"].rpartition("/")[2]
        body = event_body(transaction, checkout=checkout, order=OrderId(order["id"]))
        gateway = self.platform.gateway
        assert isinstance(gateway, SandboxPaymentGateway)
        signed = signature(body, gateway.keys, at=self.clock.now())
        return body, {HEADER: signed, "content-type": "application/json"}

    def tell(self, order: dict[str, Any], kind: str = "payment", **change: Any) -> Any:
        """Let the gateway tell about *order*."""
        body, headers = self.news(order, kind, **change)
        return self("POST", "/payments/webhook", content=body, headers=headers)


def content(
    *,
    prices: tuple[Money, ...] = (),
    seats: int | None = None,
    title: str = "Streaming",
    **quiz: Any,
) -> CourseContent:
    """Return a course of a text and a quiz with answers to look for."""
    questions = (
        SingleChoice(
            key="q1",
            prompt="Which?",
            options=(Option(key="left", text="This"), Option(key="right", text="That")),
            correct="right",
            explanation=SECRET_WHY,
        ),
        ShortAnswer(
            key="q2",
            prompt="Where?",
            accepted=(Accepted(text=SECRET_ANSWER),),
        ),
    )
    lessons = (
        Lesson(
            key="intro",
            title="Introduction",
            content=Text(markdown="Hi <script>alert(1)</script> **there**"),
        ),
        Lesson(
            key="quiz",
            title="Quiz",
            content=QuizContent(quiz=Quiz(questions=questions, **quiz)),
            category="quizzes",
            access=EarlierLessons(),
        ),
    )
    root = Category(
        key="course",
        title="Course",
        categories=(Category(key="quizzes", title="Quizzes"),),
    )
    return CourseContent(
        title=title,
        summary="How video comes through.",
        prices=prices,
        enrollment=EnrollmentRules(seats=seats),
        modules=(Module(key="all", title="All", lessons=lessons),),
        grading=GradingPolicy(root=root),
    )


@pytest.fixture
def api(platform: Platform, moment: FixedClock) -> Api:
    """Return the API of a platform of its own."""
    return Api(platform, moment)


@pytest.fixture
def document() -> Callable[..., dict[str, Any]]:
    """Return what makes course documents."""

    def make(**settings: Any) -> dict[str, Any]:
        return cast("dict[str, Any]", dump(content(**settings), compact=True))

    return make


@pytest.fixture
def secrets() -> tuple[str, str]:
    """Return what no learner may see before it is due."""
    return SECRET_ANSWER, SECRET_WHY
