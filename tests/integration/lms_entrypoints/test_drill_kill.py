"""The server is killed again and again while people work; nothing may show it."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from attrs import define, field

from lms_core.application.author_course import CreateCourse, PublishCourse
from lms_core.domain.access.policy import Actor, signed_in
from lms_core.domain.assessment.questions import Option, SingleChoice
from lms_core.domain.assessment.quiz import Quiz
from lms_core.domain.catalog.content import (
    CourseContent,
    Lesson,
    Module,
    QuizContent,
    Text,
    Video,
)
from lms_core.domain.commerce.order import OrderStatus
from lms_core.domain.enrollment.enrollment import EnrollmentStatus
from lms_core.domain.ids import CourseId, LessonId, OrderId, UserId
from lms_core.domain.media.asset import MediaStatus
from lms_core.domain.money import Money
from lms_core.ports.object_store import PART_BYTES
from lms_core.ports.system import Clock
from lms_entrypoints.bootstrap import QUEUES, Platform
from lms_entrypoints.consuming import LEASE_S
from lms_entrypoints.settings import Settings
from lms_entrypoints.worker import Worker
from lms_ffmpeg.binary import find_ffmpeg
from lms_local.memory.system import FixedClock
from lms_local.system import SystemClock

Open = Callable[[Clock | None], Platform]

FREE, PAID, FILMED = CourseId("free"), CourseId("paid"), CourseId("filmed")
TEXTS = ("one", "two", "three")
LEARNERS = 3
KILLS = 5
KILLED_AFTER_S = (0.05, 0.9)
PASSWORD = "violet-otter-ladder"
CARD = {"name": "Mira", "number": "4242 4242 4242 4242", "expiry": "12/34"} | {
    "cvc": "123"
}
ALL_SETTLED_WITHIN_S = 60.0


def lessons(*each: Lesson) -> tuple[Module, ...]:
    return (Module(key="all", title="All", lessons=each),)


def texts() -> tuple[Lesson, ...]:
    return tuple(
        Lesson(key=key, title=key, content=Text(markdown=key)) for key in TEXTS
    )


def quiz() -> Lesson:
    question = SingleChoice(
        key="q",
        prompt="Which?",
        options=(Option(key="a", text="This"), Option(key="b", text="That")),
        correct="a",
    )
    return Lesson(
        key="quiz", title="Quiz", content=QuizContent(quiz=Quiz(questions=(question,)))
    )


def teach(platform: Platform, author: Actor) -> None:
    """Make a course to complete, one to buy, and one to upload a lecture for."""
    film = Lesson(key="film", title="Film", content=Video())
    contents = {
        FREE: CourseContent(title="Free", modules=lessons(*texts(), quiz())),
        PAID: CourseContent(
            title="Paid", modules=lessons(*texts()), prices=(Money(2900, "EUR"),)
        ),
        FILMED: CourseContent(title="Filmed", modules=lessons(film)),
    }
    for course, content in contents.items():
        platform.use(CreateCourse)(author, course, content)
    with platform.start(read_only=True) as work:
        teacher = Actor.of(work.users.get(signed_in(author)))
    for course in (FREE, PAID):
        platform.use(PublishCourse)(teacher, course)


def make_film(folder: Path) -> bytes:
    """Return a lecture of one second that takes more than one part."""
    path = folder / "film.mp4"
    arguments = ("-f", "lavfi", "-i", "testsrc2=s=128x72:r=10:d=1", "-an")
    command = [str(find_ffmpeg()), "-v", "error", "-nostdin", *arguments, str(path)]
    subprocess.run(command, check=True)  # noqa: S603 - arguments are ours
    padding = PART_BYTES
    return path.read_bytes() + (8 + padding).to_bytes(4) + b"free" + bytes(padding)


# Importing takes longer than starting: one process imports, and forks each server.
LAUNCHER = """
import importlib.metadata, os, sys
import lms_entrypoints.http.app, lms_entrypoints.serving, lms_sql.schema
from lms_entrypoints.cli import main

found = importlib.metadata.entry_points()
for group in found.groups:
    if group.startswith("lms_core."):
        for adapter in found.select(group=group):
            adapter.load()

for _ in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os.close(0)
        os.dup2(2, 1)
        main(["serve", "--port", sys.argv[1]])
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


@define
class Server:
    """`lms serve` with its worker, in a process that may be killed."""

    port: int
    _launcher: "subprocess.Popen[str]"
    _pid: int | None = field(default=None, init=False)

    @classmethod
    @contextmanager
    def launched(cls, environment: dict[str, str], folder: Path) -> "Iterator[Server]":
        """Prepare a server that is not started yet; it ends with the context."""
        port = free_port()
        more = {"LMS_BASE_URL": f"http://127.0.0.1:{port}"}
        with (folder / "server.log").open("ab") as log:
            launcher = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-c", LAUNCHER, str(port)],
                env={**environment, **more},
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        server = cls(port, launcher)
        with launcher:
            try:
                yield server
            finally:
                server.end(signal.SIGKILL)
                assert launcher.stdin is not None
                launcher.stdin.close()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        assert self._launcher.stdin is not None
        self._launcher.stdin.write("start\n")
        self._launcher.stdin.flush()
        self._pid = self._told()
        for _ in patience("the server"):
            # It listens long before it answers.
            with suppress(httpx.TransportError):
                httpx.get(f"{self.base}/api/v1/health", timeout=10)
                return

    def end(self, number: signal.Signals) -> int | None:
        """Send a signal, and return how the process ended."""
        pid, self._pid = self._pid, None
        if pid is None:
            return None
        os.kill(pid, number)
        return os.waitstatus_to_exitcode(self._told())

    def _told(self) -> int:
        assert self._launcher.stdout is not None
        return int(self._launcher.stdout.readline())


def patience(what: str, within_s: float = ALL_SETTLED_WITHIN_S) -> Iterator[None]:
    """Look until there is something to see, or fail."""
    ends = time.monotonic() + within_s
    pause = Event()
    while time.monotonic() < ends:
        yield
        pause.wait(0.05)
    pytest.fail(f"{what}: nothing after {within_s:.0f} s")


@define
class Client:
    """Sends each request until it is answered, under one key."""

    http: httpx.Client
    who: str
    _sent: int = 0

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        self._sent += 1
        headers = {"idempotency-key": f"{self.who}-{self._sent}"}
        for _ in patience(f"{method} {path}"):
            try:
                answer = self.http.request(method, path, headers=headers, **more)
            except httpx.TransportError:
                continue
            if answer.status_code not in {429, 503}:
                return answer
        raise AssertionError

    def done(self, method: str, path: str, **more: Any) -> Any:
        answer = self.ask(method, f"/api/v1/{path}", **more)
        assert answer.is_success, f"{self.who}: {path}: {answer.text}"
        return answer.json()

    def sign_in(self, email: str) -> None:
        body = {"email": email, "password": PASSWORD}
        token = self.done("POST", "auth/token", json=body)["access_token"]
        self.http.headers["authorization"] = f"Bearer {token}"


@define
class Learner:
    """Somebody who registers, completes one course and buys another."""

    client: Client
    email: str
    user: UserId = field(init=False)
    attempt: str = field(init=False)
    order: OrderId = field(init=False)

    def __call__(self) -> None:
        ask, done = self.client.ask, self.client.done
        body = {"email": self.email, "name": "Mira", "password": PASSWORD}
        # Whoever was not told that it worked is told that the address is taken.
        assert ask("POST", "/api/v1/auth/register", json=body).status_code in {201, 409}
        self.client.sign_in(self.email)
        self.user = UserId(done("GET", "users/me")["id"])
        done("POST", f"enrollments/{FREE}")
        for key in TEXTS:
            done("PUT", f"progress/{FREE}.{key}", json={"read": True})
        self.attempt = done("POST", f"quizzes/{FREE}.quiz/attempts")["id"]
        answers = {"answers": {"q": ["a"]}, "revision": 1}
        done("PUT", f"attempts/{self.attempt}/answers", json=answers)
        marked = done("POST", f"attempts/{self.attempt}/submit", json={})
        assert marked["passed"]
        wanted = {"course_id": PAID, "currency": "EUR"}
        placed = done("POST", "payments/checkout", json=wanted)
        self.order = OrderId(placed["id"])
        paid = self.client.ask("POST", placed["checkout_url"], data=CARD)
        assert paid.status_code == 303


@define
class Author:
    """Somebody who uploads a lecture in parts."""

    client: Client
    email: str
    film: bytes
    media: str = ""

    def __call__(self) -> None:
        self.client.sign_in(self.email)
        body = {
            "course": FILMED,
            "lesson": "film",
            "filename": "film.mp4",
            "size_bytes": len(self.film),
            "content_type": "video/mp4",
        }
        upload = self.client.done("POST", "uploads", json=body)
        where = f"uploads/{upload['upload_id']}"
        for number in range(1, upload["part_count"] + 1):
            part = self.film[(number - 1) * PART_BYTES : number * PART_BYTES]
            self.client.done("PUT", f"{where}/parts/{number}", content=part)
        self.media = self.client.done("POST", f"{where}/complete")["id"]


def kill_at_random(server: Server, kills: int, seed: int) -> None:
    """Start *server* and kill it, so many times; leave it running at the end."""
    chance, pause = random.Random(seed), Event()  # noqa: S311 - not a secret
    for _ in range(kills):
        server.start()
        pause.wait(chance.uniform(*KILLED_AFTER_S))
        server.end(signal.SIGKILL)
    server.start()


def settle(platform: Platform, orders: list[OrderId]) -> None:
    """Do what is left, at a time when what killed workers held is free again."""
    with Worker(platform):
        for _ in patience("the end of all work"):
            depths = [platform.queue(name).depth() for name in QUEUES]
            with platform.start(read_only=True) as work:
                pending = work.outbox.pending(1)
                assets = work.media.of_course(FILMED).items
                known = [work.orders.get(order) for order in orders]
            if (
                not pending
                and all(order.status is OrderStatus.PAID for order in known)
                and not any(depth.ready or depth.leased for depth in depths)
                and all(each.status is MediaStatus.READY for each in assets)
            ):
                return


def mails(platform: Platform) -> Counter[tuple[str, str]]:
    """Count the mails by whom they are for, and how their subject begins."""
    found = Counter[tuple[str, str]]()
    for path in (platform.data / "outbox").glob("*.eml"):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        found[str(mail["to"]), str(mail["subject"])] += 1
    return found


def processes_about(folder: Path) -> list[str]:
    """Return the command lines of processes that name *folder*."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line and int(path.parent.name) != os.getpid():
            found.append(line)
    return found


def scratch_files(data: Path) -> list[Path]:
    """Return files in folders for what is not finished; locks stay there."""
    return [
        path
        for path in data.rglob("*")
        if path.is_file()
        and not path.name.startswith(".lms-")
        and {".scratch", "scratch", "transcoding"} & set(path.relative_to(data).parts)
    ]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def test_what_was_acknowledged_is_there_once_however_often_the_server_is_killed(
    data: Path,
    author: Actor,
    open_platform: Open,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    teach(open_platform(None), author)
    with open_platform(None).start(read_only=True) as work:
        email = work.users.get(signed_in(author)).email
    with ExitStack() as stack:
        server = stack.enter_context(Server.launched(environment, tmp_path))
        client = [
            Client(
                stack.enter_context(httpx.Client(base_url=server.base, timeout=20)),
                f"client-{number}",
            )
            for number in range(LEARNERS + 1)
        ]
        learners = [
            Learner(client[number], f"learner-{number}@example.org")
            for number in range(LEARNERS)
        ]
        uploader = Author(client[-1], email, make_film(tmp_path))
        pool = stack.enter_context(ThreadPoolExecutor(LEARNERS + 1))
        people: list[Callable[[], None]] = [*learners, uploader]
        running = [pool.submit(each) for each in people]
        kill_at_random(server, KILLS, seed=len(learners))
        for each in running:
            each.result()
        later = FixedClock(SystemClock().now() + timedelta(seconds=LEASE_S + 1))
        settings = Settings(data=data, base_url=server.base)
        platform = Platform(settings, clock=later)
        stack.callback(close, platform)
        settle(platform, [each.order for each in learners])
        assert server.end(signal.SIGTERM) == 0
    check(platform, learners, uploader)
    assert not processes_about(data)
    assert not scratch_files(data)


def close(platform: Platform) -> None:
    for part in ("gateway", "transcoder"):
        if part in vars(platform):
            vars(platform)[part].close()


def check(platform: Platform, learners: list[Learner], uploader: Author) -> None:
    """Compare what is stored with what the clients were told."""
    written = mails(platform)
    with platform.start(read_only=True) as work:
        for each in learners:
            places = work.enrollments.of_learner(each.user).items
            status = {place.course: place.status for place in places}
            assert len(places) == 2
            assert status[FREE] is EnrollmentStatus.COMPLETED
            assert status[PAID] is EnrollmentStatus.ACTIVE
            [attempt] = work.attempts.of_lesson(each.user, LessonId(FREE, "quiz"))
            assert attempt.id == each.attempt
            [certificate] = work.certificates.of_learner(each.user).items
            order = work.orders.get(each.order)
            assert len(order.ledger) == 1
            assert order.paid == Money(2900, "EUR")
            [place] = [place for place in places if place.course == PAID]
            assert place.order == order.id
            assert work.orders.find_pending(each.user, PAID) is None
            to_her = Counter(
                {subject: n for (to, subject), n in written.items() if to == each.email}
            )
            assert sorted(to_her.values()) == [1, 1, 1, 1], to_her
            assert certificate.learner == each.user
        [asset] = work.media.of_course(FILMED).items
    assert asset.id == uploader.media
    assert asset.generation == 1
    assert all(not list(platform.queue(name).dead_letters()) for name in QUEUES)
