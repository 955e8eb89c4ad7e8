"""Whoever has no mouse can sign up, watch and take a quiz, and sees where they are."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from lms_core.application.author_course import CreateCourse, PublishCourse
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
)
from lms_core.domain.ids import CourseId
from lms_entrypoints.accounts import find_account

pytestmark = pytest.mark.browser

FOCUSED = """() => {
    const on = document.activeElement;
    const marked = (each) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(each);
        return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    };
    const box = on.getBoundingClientRect();
    const around = on.labels?.[0];
    const label = around?.querySelector(".label-text") ?? around ?? on;
    return {
        name: label.innerText.trim(),
        shown: marked(on) || marked(on.closest(".choice") ?? on),
        inView: box.bottom > 0 && box.top < innerHeight && box.width > 0,
    };
}"""


def tab(page: Page, times: int) -> list[str]:
    """Press Tab so often; return where it led, each time to a place one sees."""
    names = []
    for _ in range(times):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        assert focused["shown"], focused
        assert focused["inView"], focused
        names.append(focused["name"])
    return names


def test_the_first_stop_leads_past_the_navigation(visit: Callable[..., Any]) -> None:
    somebody = visit()
    somebody.go("/")

    assert tab(somebody.page, 1) == ["Skip to content"]
    somebody.page.keyboard.press("Enter")

    assert tab(somebody.page, 1) == ["Search"]


def test_signing_up_takes_only_keys(visit: Callable[..., Any]) -> None:
    kay = visit()
    page: Page = kay.page
    kay.go("/sign-up")
    page.locator("main").focus()

    assert tab(page, 2) == ["Sign in", "Name"]
    page.keyboard.type("Kay Keys")
    assert tab(page, 1) == ["Email address"]
    page.keyboard.type("kay@example.org")
    assert tab(page, 1) == ["Password"]
    page.keyboard.type("violet-otter-ladder")
    page.keyboard.press("Enter")

    expect(page.get_by_role("link", name="Sign out")).to_be_visible()


def test_watching_takes_only_keys(visit: Callable[..., Any]) -> None:
    ada = visit()
    page: Page = ada.page
    ada.sign_in("author")
    ada.go("/learn/adaptive-streaming/the-idea-in-forty-seconds")
    page.wait_for_function("() => document.querySelector('video').readyState > 1")
    page.get_by_label("Position").focus()

    stops = tab(page, 6)
    for _ in stops[1:]:
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.3")

    assert stops == ["Play", "Mute", "Speed", "Captions", "Full screen", "Keyboard"]


@pytest.fixture
def quiz(site: Any) -> str:
    """Publish a course that is one quiz; return the path of its page."""
    course, platform = CourseId("keys"), site.platform
    questions = (
        SingleChoice(
            key="key",
            prompt="Which key leads on?",
            options=(Option(key="tab", text="Tab"), Option(key="f1", text="F1")),
            correct="tab",
        ),
        ShortAnswer(key="word", prompt="Say hello", accepted=(Accepted(text="hello"),)),
    )
    lesson = Lesson(
        key="quiz", title="Quiz", content=QuizContent(quiz=Quiz(questions=questions))
    )
    module = Module(key="only", title="Only", lessons=(lesson,))
    content = CourseContent(title="Keys", modules=(module,))

    def author() -> Actor:
        return Actor.of(find_account(platform, site.accounts["author"].email))

    platform.use(CreateCourse)(author(), course, content)
    platform.use(PublishCourse)(author(), course)
    return "/courses/keys"


def test_a_quiz_takes_only_keys(visit: Callable[..., Any], quiz: str) -> None:
    lena = visit()
    page: Page = lena.page
    lena.sign_in("learner")
    lena.go(quiz)
    page.get_by_role("button", name="Enroll").press("Enter")
    page.get_by_role("link", name="Start: Quiz").press("Enter")
    page.get_by_role("button", name="Begin").press("Enter")
    expect(page.get_by_role("button", name="Hand in")).to_be_visible()
    page.locator("main").focus()

    [*_, choice] = tab(page, 3)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert choice == "Tab"
    tab(page, 1)
    page.keyboard.type("hello")
    expect(page.get_by_text("All answers are saved")).to_be_visible()
    assert tab(page, 2) == ["Save for later", "Hand in"]
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Passed")
