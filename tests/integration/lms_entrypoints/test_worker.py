import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_core.application.author_course import CreateCourse
from lms_core.application.register_user import RegisterUser
from lms_core.application.relay_outbox import to_message
from lms_core.application.transcode_media import TranscodeFailed
from lms_core.application.upload_media import CompleteUpload, StartUpload, UploadPart
from lms_core.domain.access.policy import Actor
from lms_core.domain.catalog.content import CourseContent, Lesson, Module, Video
from lms_core.domain.ids import CourseId, LessonId, MediaId
from lms_core.domain.media.asset import MediaAsset, MediaStatus
from lms_core.errors import (
    ConfigurationError,
    Conflict,
    InvalidValue,
    LmsError,
    NotFound,
    NotPermitted,
    Rejected,
    Unavailable,
)
from lms_core.ports.message_queue import DeadLetter, Delivery, Message, MessageQueue
from lms_core.ports.system import Clock
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.consuming import (
    LEASE_S,
    MOST_DELIVERIES,
    Consumer,
    Outcome,
    pause_after,
)
from lms_entrypoints.sample_lecture import make_sample_lecture
from lms_entrypoints.worker import Loop, Worker
from lms_local.memory.system import FixedClock

Open = Callable[[Clock | None], Platform]
COURSE = CourseId("short")


def outbox(platform: Platform) -> list[Path]:
    return sorted((platform.data / "outbox").glob("*.eml"))


def register(platform: Platform) -> None:
    platform.use(RegisterUser)(
        email="mira@example.org", name="Mira", password="violet-otter-ladder"
    )


def relay(worker: Worker) -> None:
    [loop] = [loop for loop in worker.loops() if loop.name == "relay"]
    while loop.step() == 0:
        pass


def dead(queue: MessageQueue) -> list[DeadLetter]:
    return list(queue.dead_letters())


def consumer(
    platform: Platform,
    handle: Callable[[Delivery], Outcome],
    *,
    stop: Event | None = None,
    give_up: Callable[[Delivery, str], None] = lambda _delivery, _reason: None,
) -> Consumer:
    return Consumer(
        queue=platform.events_queue,
        stop=stop or Event(),
        handle=handle,
        give_up=give_up,
    )


def raising(exc: Exception) -> Callable[[Delivery], Outcome]:
    def handle(_delivery: Delivery) -> Outcome:
        raise exc

    return handle


# Events


def test_what_was_committed_reaches_its_reaction(platform: Platform) -> None:
    before = len(outbox(platform))
    worker = Worker(platform)
    relay(worker)
    worker.events()()
    register(platform)

    relay(worker)
    worker.events()()

    assert len(outbox(platform)) > before
    assert platform.events_queue.depth().ready == 0


def test_an_event_delivered_twice_is_reacted_to_once(platform: Platform) -> None:
    register(platform)
    worker = Worker(platform)
    with platform.start(read_only=True) as work:
        pending = work.outbox.pending(100)
    relay(worker)
    worker.events()()
    mails = outbox(platform)
    platform.events_queue.send([to_message(envelope) for envelope in pending])
    worker.events()()

    assert outbox(platform) == mails


@pytest.mark.parametrize("body", ["", "{", "[]", '{"id": 1}', "[" * 5000])
def test_what_nobody_can_read_is_buried_at_once(platform: Platform, body: str) -> None:
    platform.events_queue.send([Message(body=body)])

    Worker(platform).events()()

    [letter] = dead(platform.events_queue)
    assert letter.deliveries == 1
    assert letter.reason.startswith("invalid-")


@pytest.mark.parametrize(
    "exc",
    [
        InvalidValue("wrong"),
        NotFound("gone"),
        Rejected("the address is refused", code="bad-address"),
        TranscodeFailed("unreadable-media", permanent=True),
    ],
)
def test_what_can_never_be_done_is_buried_at_once(
    platform: Platform, exc: LmsError
) -> None:
    platform.events_queue.send([Message(body="x")])

    consumer(platform, raising(exc))()

    [letter] = dead(platform.events_queue)
    code = exc.reason if isinstance(exc, TranscodeFailed) else exc.code
    assert letter.reason.partition(":")[0] == code


@pytest.mark.parametrize(
    "exc",
    [
        Unavailable("later"),
        Conflict("again"),
        ConfigurationError("mended by an operator"),
        NotPermitted("new password needed"),
        TranscodeFailed("transcoder-failed", permanent=False),
        KeyError("a fault of ours"),
    ],
)
def test_what_may_pass_is_tried_again_later_and_at_last_given_up(
    platform: Platform, moment: FixedClock, exc: Exception
) -> None:
    queue = platform.events_queue
    queue.send([Message(body="x")])
    told: list[str] = []
    failing = consumer(
        platform, raising(exc), give_up=lambda _delivery, reason: told.append(reason)
    )
    for _ in range(MOST_DELIVERIES - 1):
        assert failing() == 1
        assert (dead(queue), queue.receive()) == ([], ())
        moment.advance(timedelta(hours=1))

    failing()

    [letter] = dead(queue)
    assert told == [letter.reason]
    assert letter.reason != "max-deliveries"


def test_the_reason_of_a_fault_of_ours_quotes_nothing(platform: Platform) -> None:
    platform.events_queue.send([Message(body="x")])
    failing = consumer(platform, raising(ValueError("password=hunter2")))
    clock = platform.clock
    assert isinstance(clock, FixedClock)

    for _ in range(MOST_DELIVERIES):
        failing()
        clock.advance(timedelta(hours=1))

    assert dead(platform.events_queue)[0].reason == "internal-error: ValueError"


@given(st.text(min_size=1, max_size=20), st.integers(1, 100))
def test_pauses_grow_and_are_the_same_for_the_same_delivery(
    name: str, deliveries: int
) -> None:
    delivery = Delivery(
        id=name, receipt="r", message=Message(body=""), deliveries=deliveries
    )

    pause = pause_after(delivery)

    assert pause == pause_after(delivery)
    assert 3 <= pause <= 750
    assert pause <= 5 * 4 ** (deliveries - 1) * 1.25 + 1


def test_one_that_fails_takes_no_other_with_it(platform: Platform) -> None:
    bodies = [f"{number}" for number in range(5)]
    platform.events_queue.send([Message(body=body) for body in bodies])
    done: list[str] = []

    def handle(delivery: Delivery) -> Outcome:
        if delivery.message.body == "2":
            raise NotFound("gone")
        done.append(delivery.message.body)
        return Outcome.DONE

    consumer(platform, handle)()

    assert done == ["0", "1", "3", "4"]
    assert [letter.message.body for letter in dead(platform.events_queue)] == ["2"]
    assert platform.events_queue.depth().leased == 0


# Stopping


def test_who_stops_finishes_one_and_hands_the_rest_back(platform: Platform) -> None:
    platform.events_queue.send([Message(body=f"{number}") for number in range(4)])
    stop, done = Event(), []

    def handle(delivery: Delivery) -> Outcome:
        done.append(delivery.message.body)
        stop.set()
        return Outcome.DONE

    consumer(platform, handle, stop=stop)()

    assert done == ["0"]
    depth = platform.events_queue.depth()
    assert (depth.ready, depth.leased, depth.dead) == (3, 0, 0)


def test_stopping_at_the_last_delivery_buries_nothing(
    platform: Platform, moment: FixedClock
) -> None:
    queue = platform.events_queue
    queue.send([Message(body="x")])
    for _ in range(MOST_DELIVERIES - 1):
        [delivery] = queue.receive()
        queue.release(delivery)
    leaving = consumer(platform, lambda _delivery: Outcome.HANDED_BACK)

    leaving()

    assert (queue.depth().ready, dead(queue)) == (1, [])
    del moment


def test_what_was_lost_while_others_were_done_is_left_to_who_has_it(
    platform: Platform, moment: FixedClock
) -> None:
    platform.events_queue.send([Message(body=f"{number}") for number in range(2)])
    done: list[str] = []

    def slow(delivery: Delivery) -> Outcome:
        done.append(delivery.message.body)
        moment.advance(timedelta(seconds=LEASE_S + 1))
        return Outcome.DONE

    consumer(platform, slow)()

    assert done == ["0"]
    assert platform.events_queue.depth().ready == 2


def test_trouble_ends_no_loop() -> None:
    stop = Event()
    steps: list[int] = []

    def step() -> float:
        steps.append(len(steps))
        if len(steps) == 2:
            stop.set()
            return 0
        raise OSError("the network is down")

    Loop("test", stop, step)()

    assert steps == [0, 1]


def test_a_worker_starts_and_stops_everything(platform: Platform) -> None:
    with Worker(platform) as worker:
        assert not worker.stopping.is_set()

    assert worker.stopping.is_set()


# Lectures


@pytest.fixture
def short_lecture(tmp_path: Path) -> Path:
    path = tmp_path / "short.mp4"
    make_sample_lecture(path, seconds=3)
    return path


def upload(platform: Platform, author: Actor, data: bytes) -> MediaId:
    content = CourseContent(
        title="Short",
        modules=(
            Module(
                key="only",
                title="Only",
                lessons=(Lesson(key="video", title="Video", content=Video()),),
            ),
        ),
    )
    platform.use(CreateCourse)(author, COURSE, content)
    with platform.start(read_only=True) as work:
        author = Actor.of(work.users.get(author.user or pytest.fail("nobody")))
    state = platform.use(StartUpload)(
        author,
        LessonId(COURSE, "video"),
        filename="short.mp4",
        size_bytes=len(data),
        content_type="video/mp4",
    )
    platform.use(UploadPart)(author, state.media.id, 1, data)
    platform.use(CompleteUpload)(author, state.media.id)
    worker = Worker(platform)
    relay(worker)
    worker.events()()
    return state.media.id


def asset(platform: Platform, media: MediaId) -> MediaAsset:
    with platform.start(read_only=True) as work:
        return work.media.get(media)


def test_a_lecture_is_seen_through(
    platform: Platform, author: Actor, short_lecture: Path
) -> None:
    media = upload(platform, author, short_lecture.read_bytes())

    Worker(platform).lectures()()

    assert asset(platform, media).status is MediaStatus.READY
    assert platform.transcode_queue.depth().ready == 0


def test_a_broken_lecture_is_marked_buried_and_told_to_its_author(
    platform: Platform, author: Actor
) -> None:
    media = upload(platform, author, b"not a lecture at all" * 50)
    worker = Worker(platform)

    worker.lectures()()

    assert asset(platform, media).status is MediaStatus.FAILED
    assert asset(platform, media).failure == "unreadable-media"
    [letter] = dead(platform.transcode_queue)
    assert (letter.reason, letter.deliveries) == ("unreadable-media", 1)
    before = outbox(platform)
    relay(worker)
    worker.events()()
    [mail] = set(outbox(platform)) - set(before)
    assert "short.mp4" in mail.read_text()


def test_a_redriven_lecture_gets_another_try(
    platform: Platform, author: Actor, short_lecture: Path
) -> None:
    media = upload(platform, author, b"not a lecture at all" * 50)
    worker = Worker(platform)
    worker.lectures()()
    source = asset(platform, media).source
    platform.objects.put(source, short_lecture.read_bytes(), content_type="video/mp4")

    assert platform.transcode_queue.redrive() == 1
    worker.lectures()()

    assert asset(platform, media).status is MediaStatus.READY


def test_a_lecture_given_up_is_marked_so_that_its_author_learns_why(  # noqa: PLR0917
    open_platform: Open,
    platform: Platform,
    author: Actor,
    short_lecture: Path,
    moment: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    media = upload(platform, author, short_lecture.read_bytes())
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\nkill -9 $$\n")
    broken.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(broken))
    worker = Worker(open_platform(moment))

    for _ in range(MOST_DELIVERIES):
        worker.lectures()()
        moment.advance(timedelta(hours=1))

    found = asset(platform, media)
    assert found.status is MediaStatus.FAILED
    assert [letter.reason for letter in dead(platform.transcode_queue)] == [
        found.failure
    ]


# Processes that die

_HOLD = """
import sys, time
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.settings import load_settings
from lms_entrypoints.worker import Worker
worker = Worker(Platform(load_settings()))
events = worker.events()
def handle(delivery):
    events.handle(delivery)
    print("reacted", flush=True)
    time.sleep(600)
from attrs import evolve
evolve(events, handle=handle)()
"""


@pytest.fixture
def start(
    environment: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start processes; those that still run at the end are killed."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=tmp_path,
            env=environment,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def read_until(process: "subprocess.Popen[str]", pattern: str) -> str:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if re.search(pattern, line):
            return line
    pytest.fail(f"it ended without {pattern!r}:\n{''.join(lines)}")


def wait_for(process: "subprocess.Popen[str]", seen: Callable[[], bool]) -> None:
    while not seen():
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
            pytest.fail(f"it ended: {process.communicate()[0]}")


def test_a_worker_killed_between_reaction_and_acknowledgement_did_it_once(
    platform: Platform,
    moment: FixedClock,
    start: Callable[..., "subprocess.Popen[str]"],
) -> None:
    worker = Worker(platform)
    relay(worker)
    worker.events()()
    before = outbox(platform)
    # The other process lives by the real clock, which is a minute behind.
    moment.advance(timedelta(minutes=-1))
    register(platform)
    relay(worker)
    process = start("-c", _HOLD)
    read_until(process, "reacted")
    process.kill()
    process.wait()
    assert platform.events_queue.depth().leased == 1

    moment.advance(timedelta(seconds=LEASE_S + 120))
    worker.events()()

    depth = platform.events_queue.depth()
    assert (depth.ready, depth.leased, depth.dead) == (0, 0, 0)
    assert len(outbox(platform)) == len(before) + 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_told_to_stop_hands_its_lecture_back(  # noqa: PLR0917
    platform: Platform,
    author: Actor,
    tmp_path: Path,
    start: Callable[..., "subprocess.Popen[str]"],
    moment: FixedClock,
    how: signal.Signals,
) -> None:
    moment.advance(timedelta(minutes=-1))
    long = tmp_path / "long.mp4"
    make_sample_lecture(long, seconds=20)
    media = upload(platform, author, long.read_bytes())
    process = start("-m", "lms_entrypoints.cli", "worker")
    read_until(process, "started")
    wait_for(process, lambda: asset(platform, media).status is not MediaStatus.QUEUED)

    process.send_signal(how)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 0, output
    assert "handed back" in output
    moment.advance(timedelta(seconds=60))
    depth = platform.transcode_queue.depth()
    assert (depth.ready, depth.leased, depth.dead) == (1, 0, 0)


def test_a_lecture_of_a_killed_worker_is_finished_by_the_next(
    platform: Platform,
    author: Actor,
    short_lecture: Path,
    start: Callable[..., "subprocess.Popen[str]"],
    moment: FixedClock,
) -> None:
    moment.advance(timedelta(minutes=-1))
    media = upload(platform, author, short_lecture.read_bytes())
    process = start("-m", "lms_entrypoints.cli", "worker")
    wait_for(process, lambda: asset(platform, media).status is not MediaStatus.QUEUED)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()

    moment.advance(timedelta(seconds=2 * LEASE_S))
    Worker(platform).lectures()()

    assert asset(platform, media).status is MediaStatus.READY
    assert platform.transcode_queue.depth().dead == 0
