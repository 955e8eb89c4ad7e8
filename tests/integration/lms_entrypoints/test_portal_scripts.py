"""The portal's scripts in a real browser: what they report, keep and resume."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import pytest
import uvicorn
from imageio_ffmpeg import get_ffmpeg_exe
from markupsafe import Markup
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount
from starlette.routing import Route as Path_
from starlette.staticfiles import StaticFiles

from lms_core.domain.percent import NONE, Percent
from lms_entrypoints.portal import views
from lms_entrypoints.portal.pages import CONTENT_SECURITY_POLICY, STATIC, render

pytestmark = pytest.mark.browser

DURATION_MS = 20_000
START = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
COURSE = views.Crumb(id="streaming", title="Streaming")
WHERE = views.Where(course=COURSE, key="ladder", title="A ladder", module="Basics")


@attrs.define
class Site:
    """A server that shows pages and writes down what scripts send."""

    media: Path
    url: str = ""
    pages: dict[str, views.View] = attrs.Factory(dict)
    sent: list[tuple[str, str, Any]] = attrs.Factory(list)
    broken: bool = False
    good_signature: str = "1"
    parts: set[int] = attrs.Factory(set)
    part_failures: list[int] = attrs.Factory(list)

    def bodies(self, method: str, path: str) -> list[Any]:
        return [body for m, p, body in self.sent if (m, p) == (method, path)]

    def watched(self) -> list[tuple[int, int]]:
        """Return the union of all ranges that arrived."""
        ranges = sorted(
            tuple(each)
            for body in self.bodies("PUT", "/api/v1/progress/streaming.ladder")
            for each in body["watched"]
        )
        union: list[tuple[int, int]] = []
        for start, end in ranges:
            if union and start <= union[-1][1]:
                union[-1] = (union[-1][0], max(end, union[-1][1]))
            else:
                union.append((start, end))
        return union

    async def page(self, request: Request) -> Response:
        view = self.pages[request.path_params["name"]]
        shell = views.Shell(
            site_name="Lectern",
            csrf_token="a-token",
            path=request.url.path,
            person=views.Person(id="u-1", name="Ada"),
        )
        headers = {"content-security-policy": CONTENT_SECURITY_POLICY}
        return HTMLResponse(render(view, shell), headers=headers)

    async def form(self, request: Request) -> Response:
        body = dict(await request.form())
        self.sent.append(("POST", request.url.path, body))
        return HTMLResponse("<title>handed in</title>")

    async def file(self, request: Request) -> Response:
        if request.query_params.get("sig") != self.good_signature:
            return Response(status_code=403)
        return FileResponse(self.media / request.path_params["name"])

    async def api(self, request: Request) -> Response:
        if request.headers.get("x-csrf-token") != "a-token":
            return Response(status_code=403)
        if self.broken:
            return JSONResponse({"detail": "out of order"}, status_code=503)
        path = request.url.path
        if "/parts/" in path:
            return await self.part(request, int(path.rsplit("/", 1)[1]))
        raw = await request.body()
        self.sent.append((request.method, path, await request.json() if raw else None))
        if path.endswith("/playback"):
            return JSONResponse(_grant("2"))
        if path.startswith("/api/v1/uploads") and not path.endswith("/complete"):
            parts = {"upload_id": "up-1", "part_bytes": 4, "parts": sorted(self.parts)}
            return JSONResponse(parts)
        return JSONResponse({})

    async def part(self, request: Request, number: int) -> Response:
        if number in self.part_failures:
            self.part_failures.remove(number)
            return Response(status_code=503)
        length = len(await request.body())
        self.sent.append(("PUT", request.url.path, length))
        self.parts.add(number)
        return JSONResponse({})


def _app(site: Site) -> Starlette:
    methods = ["GET", "POST", "PUT"]
    return Starlette(
        routes=[
            Path_("/p/{name}", site.page),
            Path_("/attempts/{id}", site.form, methods=["POST"]),
            Path_("/media/{name}", site.file),
            Path_("/api/{rest:path}", site.api, methods=methods),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
    )


def _grant(signature: str) -> dict[str, Any]:
    expires = datetime(2999, 1, 1, tzinfo=UTC)
    return {
        "playlist_url": f"/media/main.m3u8?sig={signature}",
        "progressive_url": f"/media/video.mp4?sig={signature}",
        "poster_url": "/static/icon.svg",
        "thumbnails_url": None,
        "captions": [],
        "expires_at": expires.isoformat(),
    }


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lecture")
    seconds = str(DURATION_MS // 1000)
    source = ["-f", "lavfi", "-i", f"testsrc2=size=160x90:rate=10:duration={seconds}"]
    video = [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-g",
        "10",
    ]
    subprocess.run(  # noqa: S603 - a fixed command of the test
        [
            *(get_ffmpeg_exe(), "-v", "error", *source, *video),
            *("-movflags", "+faststart", str(folder / "video.mp4")),
        ],
        check=True,
    )
    return folder


@contextmanager
def _serving(site: Site) -> Iterator[None]:
    config = uvicorn.Config(
        _app(site), host="127.0.0.1", port=0, log_level="error", lifespan="off"
    )
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    # Connections wait from now on, until the thread takes them.
    listener.listen()
    site.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture
def site(lecture: Path) -> Iterator[Site]:
    site = Site(media=lecture)
    site.pages["catalogue"] = views.Catalogue(cards=())
    with _serving(site):
        yield site


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a page on which an error in a script fails the test."""
    context = browser.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def video_lesson(**changes: Any) -> views.VideoLesson:
    grant = _grant("1")
    lesson = views.VideoLesson(
        where=WHERE,
        lesson_id="streaming.ladder",
        asset_id="m-1",
        duration_ms=DURATION_MS,
        # Without the playlist's type every browser here takes the file.
        playlist_url=grant["playlist_url"],
        progressive_url=grant["progressive_url"],
        poster_url=grant["poster_url"],
        thumbnails_url=None,
        now=datetime.now(UTC),  # noqa: TID251 - the browser's clock is real, too
        expires_at=datetime(2999, 1, 1, tzinfo=UTC),
        needed=Percent.of(95, 100),
        share=NONE,
    )
    return attrs.evolve(lesson, **changes)


def without_native_hls(page: Page) -> None:
    page.add_init_script("HTMLMediaElement.prototype.canPlayType = () => ''")


def played_to(page: Page, seconds: float) -> None:
    page.wait_for_function(
        "s => document.querySelector('video').currentTime >= s", arg=seconds
    )


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Let the browser work until *holds*, for ten seconds at most."""
    for _ in range(200):
        if holds():
            return
        page.wait_for_timeout(50)
    assert holds()


def sent(page: Page, site: Site, method: str, path: str) -> list[Any]:
    """Wait until such a request has arrived, and return the bodies of all."""
    until(page, lambda: bool(site.bodies(method, path)))
    return site.bodies(method, path)


def last_position(site: Site) -> int:
    """Return the last position that was reported."""
    positions = [body.get("position_ms") for body in site.bodies("PUT", PROGRESS)]
    return next((each for each in reversed(positions) if each is not None), 0)


PROGRESS = "/api/v1/progress/streaming.ladder"


def test_only_what_was_played_is_reported(page: Page, site: Site) -> None:
    site.pages["video"] = video_lesson()
    without_native_hls(page)

    page.goto(f"{site.url}/p/video")
    page.get_by_role("button", name="Play").click()
    played_to(page, 1.5)
    page.get_by_label("Position").fill("12000")
    played_to(page, 13)
    page.get_by_role("button", name="Pause").click()
    until(page, lambda: last_position(site) >= 12_700)

    (first, second) = site.watched()
    assert first[0] < 500
    assert 1000 <= first[1] < 6000
    assert 11_500 <= second[0] <= 12_600
    assert 12_700 <= second[1] < 18_000
    assert site.bodies("PUT", PROGRESS)[-1]["epoch"] == 0


def test_a_faster_speed_counts_in_full(page: Page, site: Site) -> None:
    site.pages["video"] = video_lesson()
    without_native_hls(page)

    page.goto(f"{site.url}/p/video")
    page.get_by_label("Speed").select_option("2")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(
        "() => document.querySelector('video').ended", timeout=30_000
    )
    page.wait_for_function(
        "() => document.querySelector('[data-share]').textContent === '100 %'"
    )
    until(page, lambda: site.watched() == [(0, DURATION_MS)])


def test_it_resumes_where_the_learner_left(page: Page, site: Site) -> None:
    site.pages["video"] = video_lesson(position_ms=9000)
    without_native_hls(page)

    page.goto(f"{site.url}/p/video")

    played_to(page, 9)


def test_an_outage_loses_nothing_that_was_watched(page: Page, site: Site) -> None:
    site.pages["video"] = video_lesson()
    without_native_hls(page)
    site.broken = True

    page.goto(f"{site.url}/p/video")
    page.get_by_role("button", name="Play").click()
    played_to(page, 1.5)
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("kept on this device").wait_for()
    assert site.watched() == []
    site.broken = False
    page.goto(f"{site.url}/p/catalogue")

    sent(page, site, "PUT", PROGRESS)
    assert site.watched()[0][1] >= 1000
    page.wait_for_function(
        "() => !Object.keys(localStorage).some(key => key.startsWith('watched:'))"
    )


def test_an_expired_address_is_renewed_at_the_same_place(
    page: Page, site: Site
) -> None:
    site.pages["video"] = video_lesson(position_ms=9000)
    site.good_signature = "2"
    without_native_hls(page)

    page.goto(f"{site.url}/p/video")

    played_to(page, 9)
    assert len(site.bodies("POST", "/api/v1/media/m-1/playback")) == 1


def test_a_stream_that_cannot_be_played_gives_way_to_the_file(
    page: Page, site: Site
) -> None:
    site.pages["video"] = video_lesson(position_ms=9000)
    site.good_signature = "2"
    page.add_init_script("HTMLMediaElement.prototype.canPlayType = () => 'maybe'")

    page.goto(f"{site.url}/p/video")

    # There is no playlist on this site: native playback fails, with a fresh address
    # as well, and the player takes the progressive file.
    played_to(page, 9)


def test_keys_play_and_seek(page: Page, site: Site) -> None:
    site.pages["video"] = video_lesson()
    without_native_hls(page)

    page.goto(f"{site.url}/p/video")
    page.wait_for_function("() => document.querySelector('video').readyState > 1")
    page.keyboard.press("ArrowRight")
    played_to(page, 5)
    page.keyboard.press(" ")
    page.wait_for_function("() => !document.querySelector('video').paused")
    page.keyboard.press(" ")

    page.wait_for_function("() => document.querySelector('video').paused")


def quiz(**changes: Any) -> views.QuizAttempt:
    def question(key: str, kind: str) -> views.QuestionForm:
        choices = tuple(
            views.Choice(key=each, text=Markup(each.upper()))  # noqa: S704 - constant
            for each in ("a", "b", "c")
        )
        return views.QuestionForm(
            key=key,
            prompt=Markup("<p>Which?</p>"),
            points=Fraction(1),
            input=kind,
            options=choices if kind in {"one", "many"} else (),
        )

    attempt = views.QuizAttempt(
        where=WHERE,
        attempt_id="a-1",
        number=1,
        questions=(question("q1", "many"), question("q2", "text")),
        started_at=START,
        now=START + timedelta(seconds=60),
    )
    return attrs.evolve(attempt, **changes)


ANSWERS = "/api/v1/attempts/a-1/answers"


def test_answers_are_saved_while_they_are_given(page: Page, site: Site) -> None:
    site.pages["quiz"] = quiz()

    page.goto(f"{site.url}/p/quiz")
    page.get_by_label("A", exact=True).check()
    page.get_by_label("C", exact=True).check()
    page.get_by_label("Your answer").fill("playlist")
    page.get_by_text("All answers are saved").wait_for()

    bodies = site.bodies("PUT", ANSWERS)
    saved = {key: value for body in bodies for key, value in body["answers"].items()}
    assert saved == {"q1": ["a", "c"], "q2": ["playlist"]}
    revisions = [body["revision"] for body in bodies]
    # Milliseconds since the start, by the server's clock.
    assert all(60_000 <= revision < 120_000 for revision in revisions)
    assert revisions == sorted(set(revisions))


def test_answers_outlive_an_outage_and_a_reload(page: Page, site: Site) -> None:
    site.pages["quiz"] = quiz()
    site.broken = True

    page.goto(f"{site.url}/p/quiz")
    page.get_by_label("B", exact=True).check()
    page.get_by_label("Your answer").fill("segment")
    page.get_by_text("kept on this device").wait_for()
    site.broken = False
    page.reload()
    page.get_by_text("All answers are saved").wait_for()

    assert page.get_by_label("B", exact=True).is_checked()
    assert page.get_by_label("Your answer").input_value() == "segment"
    bodies = site.bodies("PUT", ANSWERS)
    saved = {key: value for body in bodies for key, value in body["answers"].items()}
    assert saved == {"q1": ["b"], "q2": ["segment"]}


def test_it_hands_in_by_itself_when_time_is_over(page: Page, site: Site) -> None:
    site.pages["quiz"] = quiz(due_at=START + timedelta(seconds=62))

    page.goto(f"{site.url}/p/quiz")
    page.get_by_label("Your answer").fill("late")
    page.wait_for_url("**/attempts/a-1")

    (form,) = site.bodies("POST", "/attempts/a-1")
    assert form["action"] == "submit"
    assert form["csrf_token"] == "a-token"
    assert form["answer.q2"] == "late"


def test_enter_in_a_field_does_not_hand_in(page: Page, site: Site) -> None:
    site.pages["quiz"] = quiz()

    page.goto(f"{site.url}/p/quiz")
    page.get_by_label("Your answer").fill("x")
    page.get_by_label("Your answer").press("Enter")
    page.get_by_text("All answers are saved").wait_for()

    assert site.bodies("POST", "/attempts/a-1") == []


def upload_page() -> views.UploadPage:
    return views.UploadPage(
        course=COURSE,
        lesson_key="ladder",
        lesson_title="A ladder",
        accept="video/*",
        largest_bytes=1000,
    )


def test_an_upload_survives_a_failed_part_and_a_reload(
    page: Page, site: Site, tmp_path: Path
) -> None:
    site.pages["upload"] = upload_page()
    file = tmp_path / "lecture.mp4"
    file.write_bytes(b"0123456789")
    # The first part fails once, the third until the page is loaded again.
    site.part_failures = [1, *[3] * 100]
    page.on("dialog", lambda dialog: dialog.accept())

    page.goto(f"{site.url}/p/upload")
    page.get_by_label("Video file").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    sent(page, site, "PUT", "/api/v1/uploads/up-1/parts/1")
    sent(page, site, "PUT", "/api/v1/uploads/up-1/parts/2")
    site.part_failures.clear()
    page.goto(f"{site.url}/p/upload")
    page.get_by_label("Video file").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    sent(page, site, "POST", "/api/v1/uploads/up-1/complete")

    opened = site.bodies("POST", "/api/v1/uploads")
    assert [body["size_bytes"] for body in opened] == [10]
    sizes = {p[-1]: size for m, p, size in site.sent if m == "PUT"}
    assert sizes == {"1": 4, "2": 4, "3": 2}
    assert len([p for m, p, _ in site.sent if m == "PUT"]) == 3


def test_a_file_that_is_too_large_is_not_sent(
    page: Page, site: Site, tmp_path: Path
) -> None:
    site.pages["upload"] = upload_page()
    file = tmp_path / "lecture.mp4"
    file.write_bytes(b"x" * 1001)

    page.goto(f"{site.url}/p/upload")
    page.get_by_label("Video file").set_input_files(file)

    assert page.get_by_role("button", name="Upload").is_disabled()
    assert "at most 1 kB" in page.locator("[data-state]").inner_text()


def test_one_click_changes_the_theme_once_and_for_good(page: Page, site: Site) -> None:
    site.pages["live"] = views.AuthorOverview(
        course=COURSE,
        modules=(),
        published_number=None,
        published_at=None,
        has_changes=True,
        learners=0,
        refresh_s=1,
    )

    page.goto(f"{site.url}/p/live")
    page.get_by_role("button", name="Switch between light and dark").click()
    page.goto(f"{site.url}/p/catalogue")

    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_a_page_of_work_in_progress_keeps_itself_fresh(page: Page, site: Site) -> None:
    def overview(percent: int) -> views.AuthorOverview:
        lesson = views.AuthorLesson(
            key="ladder",
            title="A ladder",
            kind="video",
            required=True,
            media=views.MediaState(
                status="transcoding", progress=Percent.of(percent, 100)
            ),
        )
        return views.AuthorOverview(
            course=COURSE,
            modules=(views.AuthorModule(title="Basics", lessons=(lesson,)),),
            published_number=None,
            published_at=None,
            has_changes=True,
            learners=0,
            refresh_s=1,
        )

    site.pages["live"] = overview(10)
    page.goto(f"{site.url}/p/live")
    page.locator("main").get_by_text("10 %").first.wait_for()

    site.pages["live"] = overview(73)

    page.locator("main").get_by_text("73 %").first.wait_for()
