import asyncio
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from attrs import field, frozen
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Cookies, Response

from lms_core.application.author_course import CreateCourse, PublishCourse
from lms_core.domain.access.conditions import LessonDone
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
)
from lms_core.domain.grading.policy import Category, GradingPolicy
from lms_core.domain.ids import CourseId
from lms_core.domain.money import Money
from lms_core.domain.percent import Percent
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.http.app import create_app

BASE = "http://127.0.0.1:8000"
PASSWORD = "violet-otter-ladder"
FREE = CourseId("free-course")
PAID = CourseId("paid-course")


@frozen
class Page:
    """What a browser got."""

    response: Response
    html: str = field()

    @html.default
    def _text(self) -> str:
        return self.response.text

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def location(self) -> str:
        return self.response.headers["location"]

    @property
    def heading(self) -> str:
        [found] = re.findall(r"<h1[^>]*>(.*?)</h1>", self.html, re.DOTALL)
        return unescape(re.sub(r"<[^>]*>", "", found)).strip()

    @property
    def text(self) -> str:
        inner = re.sub(r"<(script|style)\b.*?</\1>", "", self.html, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", inner)).split())

    @property
    def token(self) -> str:
        [found] = re.findall(r'<meta name="csrf-token" content="([^"]*)">', self.html)
        return str(found)

    @property
    def links(self) -> set[str]:
        return {unescape(each) for each in re.findall(r'href="([^"]*)"', self.html)}


class Browser:
    """A browser with its own cookies, and no scripts."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.cookies = Cookies()

    def plant(self, secret: str) -> None:
        """Put a session cookie into the browser."""
        self.cookies.set("lms_session", secret, domain="127.0.0.1", path="/")

    def send(self, method: str, path: str, **more: Any) -> Page:
        """Send a request that asks for a page, and keep the cookies of the answer."""

        async def sent() -> Response:
            headers = {"accept": "text/html,application/xhtml+xml"}
            transport = ASGITransport(self.app, raise_app_exceptions=False)
            async with AsyncClient(
                transport=transport,
                base_url=BASE,
                headers=headers,
                cookies=self.cookies,
            ) as client:
                response = await client.request(method, path, **more)
                self.cookies = client.cookies
            return response

        return Page(asyncio.run(sent()))

    def get(self, path: str, **more: Any) -> Page:
        return self.send("GET", path, **more)

    def post(
        self, path: str, fields: dict[str, Any] | None = None, **more: Any
    ) -> Page:
        """Send a form as a page of ours would."""
        token = self.get("/verify").token
        data = {"csrf_token": token, **(fields or {})}
        return self.send("POST", path, data=data, **more)

    def sign_up(self, email: str, name: str = "Lea Learner") -> "Browser":
        self.get("/sign-up")
        page = self.post(
            "/sign-up", {"name": name, "email": email, "password": PASSWORD}
        )
        assert page.status == 303, page.text
        return self

    def sign_in(self, email: str) -> "Browser":
        self.get("/sign-in")
        page = self.post("/sign-in", {"email": email, "password": PASSWORD})
        assert page.status == 303, page.text
        return self


@pytest.fixture
def app(platform: Platform) -> FastAPI:
    return create_app(platform)


@pytest.fixture
def open_browser(app: FastAPI) -> Callable[[], Browser]:
    return lambda: Browser(app)


@pytest.fixture
def stranger(open_browser: Callable[[], Browser]) -> Browser:
    return open_browser()


@pytest.fixture
def learner(open_browser: Callable[[], Browser]) -> Browser:
    return open_browser().sign_up("lea@example.org")


@pytest.fixture
def teacher(open_browser: Callable[[], Browser]) -> Browser:
    return open_browser().sign_in("ada@example.org")


def quiz() -> Quiz:
    return Quiz(
        questions=(
            SingleChoice(
                key="colour",
                prompt="Which one is *red*?",
                options=(
                    Option(key="rose", text="A **rose**"),
                    Option(key="grass", text="Grass"),
                ),
                correct="rose",
                explanation="Roses are red.",
            ),
            ShortAnswer(
                key="word", prompt="Say hello", accepted=(Accepted(text="hello"),)
            ),
        ),
        pass_mark=Percent.of(1, 2),
        max_attempts=2,
    )


def content(**more: Any) -> CourseContent:
    values: dict[str, Any] = {
        "title": "Reading slowly",
        "summary": "How to read.",
        "description": "# About\n\nIt is *slow*.",
        "modules": (
            Module(
                key="one",
                title="First steps",
                lessons=(
                    Lesson(
                        key="intro",
                        title="Introduction",
                        content=Text(markdown="Welcome to **reading**."),
                    ),
                    Lesson(
                        key="check",
                        title="Check yourself",
                        content=QuizContent(quiz=quiz()),
                        access=LessonDone(lesson="intro"),
                        category="quizzes",
                    ),
                    Lesson(
                        key="end",
                        title="The end",
                        content=Text(markdown="Goodbye."),
                        access=LessonDone(lesson="check"),
                    ),
                ),
            ),
        ),
        "grading": GradingPolicy(
            root=Category(
                key="course",
                title="Course",
                categories=(Category(key="quizzes", title="Quizzes"),),
            )
        ),
    }
    return CourseContent(**{**values, **more})


@pytest.fixture
def publish(
    platform: Platform, author: Actor
) -> Callable[[CourseId, CourseContent], CourseId]:
    """Let learners see a course of the author's."""

    def make(id_: CourseId, document: CourseContent) -> CourseId:
        platform.use(CreateCourse)(author, id_, document)
        with platform.start(read_only=True) as work:
            teacher = Actor.of(work.users.get(author.user or pytest.fail("nobody")))
        platform.use(PublishCourse)(teacher, id_)
        return id_

    return make


@pytest.fixture
def free(publish: Callable[[CourseId, CourseContent], CourseId]) -> CourseId:
    return publish(FREE, content())


@pytest.fixture
def paid(publish: Callable[[CourseId, CourseContent], CourseId]) -> CourseId:
    prices = (Money(4900, "EUR"), Money(5500, "USD"))
    return publish(PAID, content(title="Reading fast", prices=prices))
