import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from html import unescape
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import Match

from lms_core.application.author_course import CreateCourse, PublishCourse
from lms_core.application.grant_role import GrantRole
from lms_core.application.issue_certificate import RevokeCertificate
from lms_core.application.place_order import RecordPayment
from lms_core.application.reactions.react import React
from lms_core.application.record_progress import ProgressReport, RecordProgress
from lms_core.application.relay_outbox import RelayOutbox, from_message
from lms_core.application.upload_media import CompleteUpload, StartUpload, UploadPart
from lms_core.domain.access.policy import Actor
from lms_core.domain.assessment.questions import Accepted, ShortAnswer
from lms_core.domain.assessment.quiz import Quiz
from lms_core.domain.catalog.content import (
    CourseContent,
    Lesson,
    Module,
    QuizContent,
    Video,
)
from lms_core.domain.ids import CertificateId, CourseId, LessonId, ObjectKey, OrderId
from lms_core.domain.media.asset import CaptionTrack, MediaAsset, Stream
from lms_core.domain.people.user import Role
from lms_core.ports.message_queue import Message
from lms_entrypoints.accounts import OPERATOR, find_account
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.portal import links
from lms_entrypoints.sample_courses import LEARNING, copy_sample_course
from lms_local.memory.system import FixedClock


def react(platform: Platform) -> None:
    """Do what follows from everything that has happened."""
    while platform.use(RelayOutbox)():
        for delivery in platform.events_queue.receive(limit=100):
            platform.use(React)(from_message(delivery.message))
            platform.events_queue.acknowledge([delivery])


def finish(browser: Any, platform: Platform) -> str:
    """Finish the free course; return the id of the certificate."""
    browser.post("/courses/free-course/enroll")
    browser.post("/learn/free-course/intro/read")
    attempt = browser.post("/learn/free-course/check/attempts").location
    browser.post(
        attempt, {"action": "submit", "answer.colour": "rose", "answer.word": "hello"}
    )
    react(platform)
    browser.post("/learn/free-course/end/read")
    react(platform)
    [row] = {
        each
        for each in browser.get("/certificates").links
        if each.startswith("/certificates/")
    }
    return str(row).rpartition("/")[2]


@pytest.fixture
def admin(open_browser: Callable[[], Any], platform: Platform) -> Any:
    browser = open_browser().sign_up("root@example.org", "Ana Admin")
    user = find_account(platform, "root@example.org")
    platform.use(GrantRole)(OPERATOR, user.id, Role.ADMIN)
    return browser


@pytest.mark.usefixtures("free", "paid")
def test_every_page_answers_with_one_heading(
    stranger: Any,
    learner: Any,
    teacher: Any,
    admin: Any,
    platform: Platform,
) -> None:
    certificate = finish(learner, platform)
    learner.post("/courses/paid-course/checkout", {"currency": "EUR"})
    lea = find_account(platform, "lea@example.org").id
    [order] = re.findall('/orders/[^"]+', learner.get("/courses/paid-course").html)
    [attempt] = re.findall(
        '/attempts/[^"]+/result', learner.get("/learn/free-course/check").html
    )
    platform.events_queue.send([Message(body="what is this <b>?")])
    [delivery] = platform.events_queue.receive()
    platform.events_queue.bury(delivery, reason="invalid-value: no event")
    seen = {
        stranger: ["/", "/courses", "/courses/free-course", "/sign-up", "/sign-in",
                   "/sign-out", "/verify", "/courses?q=nothing&price=paid"],
        learner: ["/learn", "/learn/free-course", "/learn/free-course/intro",
                  "/learn/free-course/check", attempt, "/grades/free-course",
                  "/certificates", f"/certificates/{certificate}", order,
                  "/courses/paid-course/checkout", "/sign-out", "/courses/free-course"],
        teacher: ["/teach", "/teach/new", "/teach/import", "/teach/free-course",
                  "/teach/free-course/gradebook", "/learn/free-course",
                  f"/teach/free-course/gradebook/{lea}",
                  f"/teach/free-course/gradebook/{lea}?item=check", attempt,
                  "/teach/free-course/gradebook?q=lea"],
        admin: ["/admin/users", "/admin/users?q=lea", "/admin/queues", "/teach",
                "/teach/free-course", "/teach/free-course/gradebook"],
    }  # fmt: skip

    for browser, paths in seen.items():
        for path in paths:
            page = browser.get(path)
            assert page.status == 200, (path, page.status, page.text[:300])
            assert page.heading, path
            assert page.html.count("<main") == 1


def test_every_link_of_the_portal_leads_to_a_route(app: FastAPI) -> None:
    def leads_somewhere(path: str) -> bool:
        return any(
            route.matches({"type": "http", "path": path, "method": method})[0]
            is Match.FULL
            for route in app.routes
            for method in ("GET", "POST")
        )

    named = [
        function
        for name, function in vars(links).items()
        if getattr(function, "__module__", "") == links.__name__
        and not name.startswith("_")
        and name not in {"with_query", "static", "content_version"}
    ]
    paths = [
        function(*["x"] * len(signature(function).parameters)) for function in named
    ]

    assert len(paths) > 30
    assert [path for path in paths if not leads_somewhere(path.partition("?")[0])] == []
    assert not leads_somewhere("/nowhere")


@pytest.mark.usefixtures("free", "paid")
def test_what_is_somebody_elses_does_not_exist(
    learner: Any,
    open_browser: Callable[[], Any],
    platform: Platform,
) -> None:
    certificate = finish(learner, platform)
    attempt = re.findall(
        '/attempts/[^"/]+', learner.get("/learn/free-course/check").html
    )[0]
    learner.post("/courses/paid-course/checkout", {"currency": "EUR"})
    order = re.findall('/orders/[^"]+', learner.get("/courses/paid-course").html)[0]
    other = open_browser().sign_up("eve@example.org", "Eve")

    for path in (
        f"/certificates/{certificate}",
        f"/certificates/{certificate}/certificate.pdf",
        f"/certificates/{certificate}/credential.json",
        attempt,
        f"{attempt}/result",
        order,
        "/teach/free-course",
        "/teach/free-course/lessons/intro/upload",
    ):
        assert other.get(path).status == 404, path
    assert other.post(attempt, {"action": "submit"}).status == 404
    for path in ("/teach/free-course/gradebook", "/admin/users", "/admin/queues"):
        page = other.get(path)
        assert page.status == 403, path
        assert "Your account is not allowed to do this." in page.text
    for path in ("/teach/free-course/publish", "/admin/queues/events/redrive"):
        assert other.post(path).status == 403, path
    assert other.post("/teach/new", {"id": "mine", "title": "Mine"}).status == 403


@pytest.mark.usefixtures("free")
def test_an_attempt_under_way_is_its_learners_alone(learner: Any, teacher: Any) -> None:
    learner.post("/courses/free-course/enroll")
    learner.post("/learn/free-course/intro/read")
    attempt = learner.post("/learn/free-course/check/attempts").location

    assert teacher.get(attempt).status == 404
    assert teacher.post(attempt, {"action": "submit"}).status == 404


@pytest.mark.usefixtures("paid")
def test_a_course_is_bought_on_the_gateways_page(
    learner: Any, platform: Platform
) -> None:
    assert learner.post("/courses/paid-course/enroll").status == 402
    summary = learner.get("/courses/paid-course/checkout")
    assert "€49.00" in summary.text
    assert "$55.00" in summary.text
    wrong = learner.post("/courses/paid-course/checkout", {"currency": "GBP"})
    assert (wrong.status, "Choose one of the currencies" in wrong.text) == (422, True)

    placed = learner.post("/courses/paid-course/checkout", {"currency": "USD"})
    assert placed.status == 303
    gateway = placed.location.removeprefix("http://127.0.0.1:8000")
    order = re.findall('/orders/[^"]+', learner.get("/courses/paid-course").html)[0]
    waiting = learner.get(order)
    assert 'http-equiv="refresh"' in waiting.html
    assert "Waiting for your payment" in waiting.text
    card = {"name": "L", "number": "4242424242424242", "expiry": "12/40", "cvc": "123"}
    paid_for = learner.send("POST", gateway, data=card)
    assert paid_for.location.endswith(order)
    platform.use(RecordPayment).from_gateway(OrderId(order.rpartition("/")[2]))

    done = learner.get(order)
    assert done.heading == "Paid"
    assert "http-equiv" not in done.html
    assert learner.get("/learn/paid-course").status == 200
    again = learner.post("/courses/paid-course/checkout", {"currency": "USD"})
    assert again.location == "/learn/paid-course"
    assert "/learn/paid-course" in learner.get("/courses/paid-course").links


@pytest.mark.usefixtures("free")
def test_a_certificate_can_be_verified_by_strangers_until_it_is_revoked(
    learner: Any, stranger: Any, platform: Platform
) -> None:
    certificate = finish(learner, platform)
    shown = learner.get(f"/certificates/{certificate}")
    code = re.findall("/verify/([A-Za-z0-9_-]+)", shown.html)[0]

    pdf = learner.get(f"/certificates/{certificate}/certificate.pdf").response
    badge = learner.get(f"/certificates/{certificate}/credential.json").response
    valid = stranger.get(f"/verify/{code}")
    typed = stranger.get("/verify", params={"code": f" {code} "})
    unknown = stranger.get("/verify/nobody-knows")
    platform.use(RevokeCertificate)(
        OPERATOR, CertificateId(certificate), "Issued <i>twice</i>."
    )
    revoked = stranger.get(f"/verify/{code}")

    assert pdf.content.startswith(b"%PDF-")
    assert badge.json()["issuer"]["name"] == "lms-core"
    assert (valid.status, valid.heading) == (200, "This certificate is valid")
    assert "Lea Learner" in valid.text
    assert typed.heading == valid.heading
    assert (unknown.status, unknown.heading) == (404, "No certificate has this code")
    assert revoked.heading == "This certificate was revoked"
    assert "Issued &lt;i&gt;twice&lt;/i&gt;." in revoked.html


@pytest.mark.usefixtures("free")
def test_a_grade_is_set_by_hand_with_reasons_and_not_over_anothers(
    learner: Any, teacher: Any, platform: Platform
) -> None:
    finish(learner, platform)
    lea = find_account(platform, "lea@example.org").id
    place = f"/teach/free-course/gradebook/{lea}"
    form = {"mode": "score", "earned": "1,5", "comment": "Late.", "version": "0"}

    too_much = teacher.post(f"{place}/check", {**form, "earned": "3"})
    no_number = teacher.post(f"{place}/check", {**form, "earned": "all"})
    done = teacher.post(f"{place}/check", form)
    stale = teacher.post(f"{place}/check", {**form, "earned": "2"})

    assert (too_much.status, "More points than" in too_much.text) == (409, True)
    assert no_number.status == 422
    assert 'href="#f-earned"' in no_number.html
    assert done.location == f"{place}?said=graded"
    assert stale.status == 409
    assert "Somebody else has set this grade meanwhile." in stale.text
    assert "75 %" in teacher.get(place).text
    assert "1.5" in teacher.get("/teach/free-course/gradebook").text
    grades = learner.get("/grades/free-course").text
    assert "75 %" in grades
    assert "“Late.”" in grades
    excused = teacher.post(f"{place}/check", {**form, "mode": "excuse", "version": "1"})
    assert excused.status == 303
    assert "Excused" in learner.get("/grades/free-course").text


def test_an_archive_becomes_a_course_that_is_published(
    teacher: Any, stranger: Any, tmp_path: Path
) -> None:
    copy_sample_course(LEARNING, tmp_path / "course")
    archive = Path(shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path / "course"))
    files = {"archive": ("course.zip", archive.read_bytes())}

    imported = teacher.post("/teach/import", files=files)
    draft = teacher.get(imported.location)
    hidden = stranger.get(f"/courses/{LEARNING}")
    published = teacher.post(f"/teach/{LEARNING}/publish")

    assert imported.location == f"/teach/{LEARNING}?said=imported"
    assert draft.heading == "Learning from video"
    assert "Draft" in draft.text
    assert hidden.status == 404
    assert published.location == f"/teach/{LEARNING}?said=published"
    assert stranger.get(f"/courses/{LEARNING}").heading == "Learning from video"


def test_faults_of_an_archive_are_listed_by_file_and_line(
    teacher: Any, tmp_path: Path
) -> None:
    copy_sample_course(LEARNING, tmp_path / "course")
    file = tmp_path / "course" / "course.yaml"
    file.write_text(file.read_text() + "colour: <b>red</b>\n")
    archive = Path(shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path / "course"))

    name = '"><img src=x onerror=alert(1)>.zip'
    page = teacher.post(
        "/teach/import", files={"archive": (name, archive.read_bytes())}
    )

    assert page.status == 422
    assert re.search(r"course\.yaml:[0-9]+", page.text)
    assert "colour" in page.text
    assert "<img src=x" not in page.html


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parents[3] / "data" / "archives").iterdir())
)
def test_hostile_archives_are_reported_and_leave_nothing(
    teacher: Any, file: Path
) -> None:
    page = teacher.post(
        "/teach/import", files={"archive": (file.name, file.read_bytes())}
    )

    assert page.status == 422
    assert "Nothing was imported" in page.text
    assert "No courses yet" in teacher.get("/teach").text


def test_only_authors_may_upload_archives(learner: Any, stranger: Any) -> None:
    files = {"archive": ("a.zip", b"PK\x03\x04")}

    assert learner.post("/teach/import", files=files).status == 403
    assert learner.get("/teach/import").status == 403
    assert stranger.post("/teach/import", files=files).location == "/sign-in"
    assert learner.send("POST", "/teach/import", files=files).status == 403


def test_an_import_needs_our_form_and_a_file(teacher: Any) -> None:
    files = {"archive": ("a.zip", b"PK\x03\x04")}

    forged = teacher.send("POST", "/teach/import", files=files)
    empty = teacher.post("/teach/import", files={"archive": ("", b"")})

    assert forged.status == 403
    assert (empty.status, "Choose an archive first." in empty.text) == (422, True)


def test_a_course_that_lacks_something_is_not_published(teacher: Any) -> None:
    new = teacher.post("/teach/new", {"id": "empty", "title": "Empty"})
    taken = teacher.post("/teach/new", {"id": "empty", "title": "Empty"})
    bad = teacher.post("/teach/new", {"id": "Not a key", "title": "Empty"})

    page = teacher.post("/teach/empty/publish")

    assert new.location == "/teach/empty?said=created"
    assert (taken.status, "A course has this key" in taken.text) == (422, True)
    assert bad.status == 422
    assert page.status == 422
    assert "must have a lesson" in page.text
    assert "1 thing to correct" in page.text


def test_a_video_lesson_waits_for_its_lecture(teacher: Any, platform: Platform) -> None:
    user = find_account(platform, "ada@example.org")
    lesson = Lesson(key="film", title="A film", content=Video())
    module = Module(key="one", title="One", lessons=(lesson,))
    platform.use(CreateCourse)(
        Actor.of(user), "films", CourseContent(title="Films", modules=(module,))
    )

    overview = teacher.get("/teach/films")
    upload = teacher.get("/teach/films/lessons/film/upload")

    assert "No video yet" in overview.text
    assert "has no video yet" in overview.text
    assert upload.heading == "Upload the video"
    assert 'data-lesson="film"' in upload.html
    assert teacher.get("/teach/films/lessons/none/upload").status == 404
    assert teacher.post("/teach/films/lessons/film/retry").status == 404


def test_an_admin_gives_roles_and_puts_work_back(
    admin: Any, learner: Any, platform: Platform
) -> None:
    lea = find_account(platform, "lea@example.org").id
    platform.events_queue.send([Message(body='{"event": {"name": "<b>Odd</b>"}}')])
    [delivery] = platform.events_queue.receive()
    platform.events_queue.bury(delivery, reason="max-deliveries")
    assert learner.get("/teach/new").status == 403

    queues = admin.get("/admin/queues")
    back = admin.post("/admin/queues/events/redrive")
    given = admin.post(f"/admin/users/{lea}/roles", {"role": "instructor"})

    assert "<b>Odd</b>" in unescape(queues.html)
    assert "<b>Odd</b>" not in queues.html
    assert back.location == "/admin/queues?said=put-back"
    assert platform.events_queue.depth().dead == 0
    assert given.location == "/admin/users?said=role-given"
    assert learner.get("/teach/new").status == 200
    assert "Instructor" in admin.get("/admin/users?q=lea").text
    assert admin.post("/admin/queues/nothing/redrive").status == 404


def test_a_forgotten_password_is_chosen_anew_by_the_link_in_the_mail(
    learner: Any, stranger: Any, platform: Platform
) -> None:
    asked = stranger.post("/forgot-password", {"email": "Lea@Example.org"})
    nobody = stranger.post("/forgot-password", {"email": "nobody@example.org"})
    react(platform)
    mails = "".join(
        decoded
        for file in (platform.data / "outbox").rglob("*.eml")
        for decoded in _texts_of(file)
    )
    [token] = set(re.findall(r"/reset-password\?token=([A-Za-z0-9._~%-]+)", mails))
    fields = {"token": token, "password": "garnet-walrus-kettle"}

    form = stranger.get("/reset-password", params={"token": token})
    weak = stranger.post("/reset-password", {**fields, "password": "short"})
    done = stranger.post("/reset-password", fields)
    again = stranger.post("/reset-password", fields)

    assert asked.location == nobody.location == "/forgot-password?sent=1"
    assert f'value="{token}"' in form.html
    assert (weak.status, again.status) == (422, 422)
    assert done.location == "/sign-in?said=new-password"
    assert "Your password was changed" in stranger.get(done.location).text
    assert learner.get("/learn").location.startswith("/sign-in")
    assert (
        stranger.post(
            "/sign-in", {"email": "lea@example.org", "password": fields["password"]}
        ).status
        == 303
    )


def _texts_of(file: Path) -> list[str]:
    message = message_from_bytes(file.read_bytes(), policy=default)
    return [
        str(part.get_content())
        for part in message.walk()
        if part.get_content_maintype() == "text"
    ]


@pytest.fixture
def film(platform: Platform, teacher: Any) -> MediaAsset:
    """Return a lecture of a published course, uploaded and not yet a stream."""
    assert teacher.get("/teach").status == 200
    author = find_account(platform, "ada@example.org")
    lesson = Lesson(key="film", title="A film", content=Video(markdown="*Notes*"))
    module = Module(key="one", title="One", lessons=(lesson,))
    course = CourseId("films")
    platform.use(CreateCourse)(
        Actor.of(author), course, CourseContent(title="Films", modules=(module,))
    )
    teaching = Actor.of(find_account(platform, "ada@example.org"))
    upload = platform.use(StartUpload)(
        teaching,
        LessonId(course, "film"),
        filename="film.mp4",
        size_bytes=5,
        content_type="video/mp4",
    )
    platform.use(UploadPart)(teaching, upload.media.id, 1, b"movie")
    platform.use(PublishCourse)(teaching, course)
    return platform.use(CompleteUpload)(teaching, upload.media.id)


def test_a_lecture_is_shown_once_it_is_a_stream(
    learner: Any, teacher: Any, platform: Platform, film: MediaAsset
) -> None:
    learner.post("/courses/films/enroll")
    waiting = learner.get("/learn/films/film")
    queued = teacher.get("/teach/films")
    prefix = ObjectKey(f"media/films/{film.id}/1")
    stream = Stream(
        prefix=prefix,
        duration_ms=60_000,
        playlist="main.m3u8",
        progressive="whole.mp4",
        poster="poster.jpg",
        thumbnails=None,
        captions=(CaptionTrack(path="en.vtt", language="en", label="English"),),
        renditions=(),
    )
    with platform.start() as work:
        asset, _ = work.media.get(film.id).ready(1, stream, at=platform.clock.now())
        work.media.save(asset)
        work.commit()
    platform.objects.put(
        ObjectKey(f"{prefix}/main.m3u8"),
        b"#EXTM3U\n",
        content_type="application/vnd.apple.mpegurl",
    )
    report = ProgressReport(watched=((0, 30_000),), position_ms=30_000)
    lea = find_account(platform, "lea@example.org")
    platform.use(RecordProgress)(
        Actor.of(lea), LessonId(CourseId("films"), "film"), report
    )

    page = learner.get("/learn/films/film")
    [playlist] = re.findall('data-playlist="([^"]*)"', page.html)
    path = unescape(playlist).removeprefix("http://127.0.0.1:8000")

    assert waiting.status == 200
    assert "data-player" not in waiting.html
    assert "Queued" in queued.text
    assert "50 % watched" in page.text
    assert "<em>Notes</em>" in page.html
    assert 'data-lesson="films.film"' in page.html
    assert learner.get(path).response.content == b"#EXTM3U\n"
    assert "hls-script" not in page.html


def test_a_failed_lecture_is_tried_again(
    teacher: Any, platform: Platform, film: MediaAsset
) -> None:
    with platform.start() as work:
        failed, _ = work.media.get(film.id).failed(
            1, "unreadable-media", at=platform.clock.now()
        )
        work.media.save(failed)
        work.commit()

    shown = teacher.get("/teach/films")
    again = teacher.post("/teach/films/lessons/film/retry")

    assert "The file is damaged, or no video that can be read." in shown.text
    assert again.location == "/teach/films?said=retried"
    assert "Queued" in teacher.get("/teach/films").text


def test_time_that_runs_out_hands_in_what_was_saved(
    learner: Any, publish: Callable[..., CourseId], moment: FixedClock
) -> None:
    question = ShortAnswer(key="q", prompt="Hello?", accepted=(Accepted(text="hi"),))
    quiz = QuizContent(quiz=Quiz(questions=(question,), time_limit_s=60, grace_s=0))
    lesson = Lesson(key="quick", title="Quick", content=quiz)
    module = Module(key="one", title="One", lessons=(lesson,))
    publish(CourseId("timed"), CourseContent(title="Timed", modules=(module,)))
    learner.post("/courses/timed/enroll")
    attempt = learner.post("/learn/timed/quick/attempts").location
    assert "Hand in by" in learner.get(attempt).text
    learner.post(attempt, {"action": "save", "answer.q": "hi"})

    moment.advance(timedelta(minutes=2))
    late = learner.post(attempt, {"action": "save", "answer.q": "too late"})
    result = learner.get(late.location)

    assert late.location == f"{attempt}/result"
    assert result.heading == "Passed"
    assert "Time ran out" in result.text
    assert "too late" not in result.text


@pytest.mark.usefixtures("free")
def test_the_last_attempt_is_the_last_and_the_page_says_so(learner: Any) -> None:
    learner.post("/courses/free-course/enroll")
    learner.post("/learn/free-course/intro/read")
    for _ in range(2):
        attempt = learner.post("/learn/free-course/check/attempts").location
        learner.post(attempt, {"action": "submit", "answer.colour": "grass"})

    intro = learner.get("/learn/free-course/check")
    more = learner.post("/learn/free-course/check/attempts")

    assert "You have used every attempt (2)." in intro.text
    assert "Try again" not in learner.get(f"{attempt}/result").text
    assert (more.status, more.heading) == (409, "Not as things stand")
    assert "You have used every attempt (2)." in more.text
