"""The whole journey in a real browser, on a platform that is really served."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader

pytestmark = pytest.mark.browser

NAME = "Mira Möller"
PASSWORD = "violet-otter-ladder"
COURSE = "How adaptive streaming works"
PATH = "/learn/adaptive-streaming"
LESSON = "adaptive-streaming.the-idea-in-forty-seconds"
LECTURE = "The idea in forty seconds"
WRONG = {
    "The picture stops": ["The server has deleted"],
    "There are 10 seconds": "5",
}
RIGHT = {
    "The picture stops": ["The buffer ran empty"],
    "There are 10 seconds": "20",
    "Which of these belong": ["Every rendition is cut", "Each rung needs"],
    "The server decides": ["False"],
    "One kind of file": "playlist",
    "The ladder has": ["1.4 Mbit/s"],
}


def playing(page: Page) -> dict[str, Any]:
    """Return what the video element says of itself."""
    state: dict[str, Any] = page.evaluate(
        """() => {
            const video = document.querySelector("video");
            const { currentTime, playbackRate, videoWidth, duration } = video;
            const { totalVideoFrames } = video.getVideoPlaybackQuality();
            const sound = video.webkitAudioDecodedByteCount;
            const address = video.currentSrc;
            return { currentTime, playbackRate, videoWidth, duration, sound,
                     frames: totalVideoFrames, address };
        }"""
    )
    return state


def played_to(page: Page, seconds: float) -> None:
    page.wait_for_function(
        "s => document.querySelector('video').currentTime >= s", arg=seconds
    )


def read(page: Page) -> None:
    page.get_by_role("button", name="Mark as read").click()
    expect(page.get_by_text("You have read this")).to_be_visible()


def go_on(page: Page) -> None:
    page.get_by_role("navigation", name="Lessons").get_by_role("link").last.click()


def until_shown(page: Page, what: Locator) -> None:
    """Load the page again until the work in the background has come through."""
    for _ in range(100):
        if what.first.is_visible():
            return
        page.wait_for_timeout(100)
        page.reload()
    expect(what.first).to_be_visible()


def answer(page: Page, answers: dict[str, Any]) -> None:
    """Answer by mouse what is to be chosen, and by keyboard what is to be written."""
    for prompt, wanted in answers.items():
        question = page.locator("li.question").filter(has_text=prompt)
        if isinstance(wanted, str):
            question.get_by_role("textbox").press_sequentially(wanted)
            continue
        for text in wanted:
            question.locator("label.choice").filter(has_text=text).click()


def test_a_learner_goes_from_signing_up_to_a_certificate(
    visit: Callable[[], Any],
) -> None:
    mira, stranger, ines = visit(), visit(), visit()

    sign_up(mira)
    buy(mira)
    find_the_lock(mira)
    begin(mira)
    watch(mira)
    go_through_the_middle(mira)
    take_the_quiz(mira)
    finish(mira)
    code = the_certificate(mira)
    verify(stranger, code)
    look_after(ines)


def sign_up(mira: Any) -> None:
    """Open an account, after a password that is too short."""
    page: Page = mira.page
    mira.go("/")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "What would you like to learn?"
    )
    mira.look("catalogue")
    page.get_by_role("link", name="Sign up").click()
    mira.look("sign-up")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Email address").fill("mira@example.org")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create account").click()
    # The browser itself asks for a longer one.
    assert page.get_by_label("Password").evaluate("field => field.validity.tooShort")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("link", name="Sign out")).to_be_visible()


def buy(mira: Any) -> None:
    """Find the course, and pay for it."""
    page: Page = mira.page
    mira.go("/courses")
    page.get_by_label("Search").fill("streaming")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=COURSE).click()
    mira.look("course")
    page.get_by_role("link", name="Buy this course").click()
    mira.look("checkout")
    page.get_by_role("button", name="Go on to the payment").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("29.00")
    mira.look("sandbox")
    page.get_by_label("Name on card").fill(NAME)
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_label("Expiry").fill("12 / 34")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Pay").click()
    start = page.get_by_role("link", name="Start learning")
    expect(start).to_be_visible(timeout=20_000)
    mira.look("order-paid")
    start.click()


def find_the_lock(mira: Any) -> None:
    """See what is locked, and why."""
    page: Page = mira.page
    last = page.locator("li.module").last
    expect(last).to_contain_text("“Check yourself” has no score yet.")
    expect(last.get_by_role("link", name="Delivery and signed links")).to_have_count(0)
    mira.look("outline-begun")
    mira.go(f"{PATH}/delivery-and-signed-links")
    expect(page.get_by_text("This lesson is locked")).to_be_visible()
    mira.look("lesson-locked")


def begin(mira: Any) -> None:
    """Read what comes before the lecture."""
    page: Page = mira.page
    mira.go(f"{PATH}/why-videos-stop")
    mira.look("lesson-text")
    read(page)
    go_on(page)
    read(page)
    go_on(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(LECTURE)


def watch(mira: Any) -> None:
    page: Page = mira.page
    mira.look("player")
    page.get_by_role("button", name="Play", exact=True).click()
    played_to(page, 1.5)
    seen = playing(page)
    assert seen["frames"] > 0
    assert seen["videoWidth"] > 0

    # Twice as fast counts as well, and a pause is reported at once.
    page.get_by_label("Speed").select_option("2")
    before = playing(page)["currentTime"]
    played_to(page, before + 1)
    assert playing(page)["playbackRate"] == 2
    with page.expect_response(re.compile("/api/v1/progress/")) as reported:
        page.get_by_role("button", name="Pause").click()
    assert reported.value.ok
    mira.look("player-paused")
    left_at = playing(page)["currentTime"]

    # She leaves, and goes on where she was.
    page.reload()
    page.wait_for_function(
        "s => Math.abs(document.querySelector('video').currentTime - s) < 1",
        arg=left_at,
    )

    # The connection goes while she watches. When it is back, so is the lecture.
    mira.expected.append("ERR_INTERNET_DISCONNECTED")
    page.get_by_label("Speed").select_option("1")
    page.get_by_role("button", name="Play", exact=True).click()
    played_to(page, left_at + 0.3)
    mira.context.set_offline(True)
    state = page.locator("[data-state]")
    expect(state).to_contain_text("kept on this device")
    played_to(page, left_at + 1)
    mira.context.set_offline(False)
    expect(state).to_contain_text("Saved", timeout=20_000)
    played_to(page, left_at + 3)

    expect(page.get_by_text("This lesson is finished")).to_be_visible(timeout=60_000)
    duration_ms = int(
        page.locator("[data-player]").get_attribute("data-duration-ms") or 0
    )
    lesson = page.request.get(f"/api/v1/lessons/{LESSON}").json()
    assert lesson["progress"]["watched"] == [[0, duration_ms]]


def go_through_the_middle(mira: Any) -> None:
    """Read the second module, which the lecture has opened."""
    page: Page = mira.page
    mira.go(PATH)
    until_shown(page, page.get_by_role("link", name="Segments and playlists"))
    mira.look("outline-half")
    mira.go(f"{PATH}/segments-and-playlists")
    for _ in range(3):
        read(page)
        go_on(page)


def take_the_quiz(mira: Any) -> None:
    page: Page = mira.page
    quiz = page.url
    mira.look("quiz-intro")
    page.get_by_role("button", name="Begin").click()
    answer(page, WRONG)
    expect(page.get_by_text("All answers are saved")).to_be_visible()
    mira.look("quiz-attempt")
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Not passed this time")
    mira.look("quiz-failed")
    mira.go(f"{PATH}/delivery-and-signed-links")
    expect(page.get_by_text("This lesson is locked")).to_be_visible()

    page.goto(quiz)
    page.get_by_role("button", name="Begin another attempt").click()
    answer(page, RIGHT)
    expect(page.get_by_text("6 of 6 questions answered")).to_be_visible()
    expect(page.get_by_text("All answers are saved")).to_be_visible()
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Passed")
    mira.look("quiz-passed")


def finish(mira: Any) -> None:
    """Read the last module, which the quiz has opened."""
    page: Page = mira.page
    mira.go(PATH)
    until_shown(page, page.get_by_role("link", name="Delivery and signed links"))
    mira.go(f"{PATH}/captions-for-everybody")
    read(page)
    go_on(page)
    read(page)
    mira.go(PATH)
    until_shown(page, page.get_by_role("link", name="Your certificate"))
    mira.look("outline-done")
    mira.go("/grades/adaptive-streaming")
    mira.look("grades")
    mira.go("/learn")
    mira.look("my-courses")
    mira.go("/certificates")
    mira.look("certificates")
    page.get_by_role("link", name=COURSE).click()


def the_certificate(mira: Any) -> str:
    """Download the certificate, and return the code under which it is verified."""
    page: Page = mira.page
    download = page.get_by_role("link", name="Download the signed PDF")
    until_shown(page, download)
    mira.look("certificate")
    with page.expect_download() as coming:
        download.click()
    pdf = PdfReader(coming.value.path())
    assert NAME in "".join(each.extract_text() for each in pdf.pages)
    fields = pdf.get_fields() or {}
    assert [each.field_type for each in fields.values()] == ["/Sig"]
    address = page.locator(".certificate-verify .url").inner_text()
    return address.rpartition("/")[2]


def verify(stranger: Any, code: str) -> None:
    """Verify the certificate with nothing in the browser."""
    assert stranger.context.cookies() == []
    stranger.go(f"/verify/{code}")
    expect(stranger.page.get_by_role("heading", level=1)).to_have_text(
        "This certificate is valid"
    )
    expect(stranger.page.locator("main")).to_contain_text(NAME)
    stranger.look("verify-valid")


def look_after(ines: Any) -> None:
    """See the learner in the gradebook, as her instructor."""
    ines.sign_in("instructor")
    ines.go("/teach/adaptive-streaming/gradebook")
    row = ines.page.get_by_role("row").filter(has_text=NAME)
    expect(row).to_contain_text("100 %")
    ines.look("gradebook")
    row.get_by_role("link", name=NAME).click()
    ines.look("gradebook-learner")


def test_an_author_uploads_a_lecture(visit: Callable[[], Any], lecture: Path) -> None:
    ada = visit()
    page: Page = ada.page
    ada.sign_in("author")

    ada.go("/teach")
    ada.look("teach")
    page.get_by_role("link", name="Begin an empty course").click()
    ada.look("teach-new")
    ada.go("/teach/import")
    ada.look("teach-import")
    ada.go("/teach/adaptive-streaming")
    ada.look("teach-course")
    page.get_by_role("link", name=f"Replace the video of {LECTURE}").click()
    ada.look("teach-upload")
    page.get_by_label("Video file").set_input_files(lecture)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/teach/adaptive-streaming")
    state = page.locator(".media")
    expect(state).to_contain_text("Learners see the version before")
    ada.look("teach-transcoding")
    expect(state).not_to_contain_text("Learners see", timeout=120_000)
    expect(state).to_contain_text("Ready")


def test_an_admin_sees_the_queues(visit: Callable[[], Any]) -> None:
    adam = visit()
    adam.sign_in("admin")

    adam.go("/admin/queues")
    expect(adam.page.get_by_role("heading", name="transcode")).to_be_visible()
    adam.look("queues")
    adam.go("/admin/users")
    expect(adam.page.get_by_role("row").filter(has_text="Lena Learner")).to_be_visible()
    adam.look("users")
    adam.go("/no/such/page")
    adam.look("not-found")
