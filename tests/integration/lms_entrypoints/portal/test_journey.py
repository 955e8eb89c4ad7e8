import re
from typing import Any

import pytest


@pytest.mark.usefixtures("free")
def test_a_stranger_signs_up_enrolls_reads_and_sees_progress(stranger: Any) -> None:
    browser = stranger
    catalogue = browser.get("/")
    assert catalogue.heading == "What would you like to learn?"
    assert "Reading slowly" in catalogue.text

    course = browser.get("/courses/free-course")
    assert "Sign up to take it" in course.text

    signed_up = browser.post(
        "/sign-up",
        {
            "name": "Lea",
            "email": "lea@example.org",
            "password": "violet-otter-ladder",
            "next": "/courses/free-course",
        },
    )
    assert (signed_up.status, signed_up.location) == (303, "/courses/free-course")

    enrolled = browser.post("/courses/free-course/enroll")
    assert (enrolled.status, enrolled.location) == (
        303,
        "/learn/free-course?said=enrolled",
    )
    assert "You are on the course" in browser.get(enrolled.location).text

    lesson = browser.get("/learn/free-course/intro")
    assert "Welcome to <strong>reading</strong>." in lesson.html
    read = browser.post("/learn/free-course/intro/read")
    assert (read.status, read.location) == (303, "/learn/free-course/intro")
    assert "You have read this" in browser.get(read.location).text

    outline = browser.get("/learn/free-course")
    assert "1 of 3 required lessons finished" in outline.text
    mine = browser.get("/learn")
    assert "33 %" in mine.text
    assert "/learn/free-course/check" in mine.links


@pytest.mark.usefixtures("free")
def test_a_locked_lesson_says_what_would_open_it(learner: Any) -> None:
    learner.post("/courses/free-course/enroll")

    outline = learner.get("/learn/free-course")
    locked = learner.get("/learn/free-course/check")

    assert "“Introduction” is not finished yet." in outline.text
    assert locked.status == 403
    assert "“Introduction” is not finished yet." in locked.text
    assert "/learn/free-course/intro" in locked.links


@pytest.mark.usefixtures("free")
def test_who_is_not_on_a_course_is_shown_the_way_in(learner: Any) -> None:
    assert learner.get("/learn/free-course").location == "/courses/free-course"

    lesson = learner.get("/learn/free-course/intro")

    assert lesson.status == 403
    assert "You are not enrolled in this course." in lesson.text
    assert "Welcome to" not in lesson.text


@pytest.mark.usefixtures("free")
def test_a_quiz_is_taken_without_scripts(learner: Any) -> None:
    learner.post("/courses/free-course/enroll")
    learner.post("/learn/free-course/intro/read")
    assert "0 of 2 used" in learner.get("/learn/free-course/check").text

    begun = learner.post("/learn/free-course/check/attempts")
    attempt = begun.location
    assert re.fullmatch("/attempts/[^/]+", attempt)
    assert "A <strong>rose</strong>" in learner.get(attempt).html
    saved = learner.post(
        attempt,
        {"action": "save", "answer.colour": "rose", "answer.word": "<b>hello</b>"},
    )
    assert saved.location == f"{attempt}?said=saved"
    again = learner.get(saved.location)
    assert re.search(r'value="rose"[^>]*checked', again.html)
    assert 'value="&lt;b&gt;hello&lt;/b&gt;"' in again.html
    assert learner.get("/learn/free-course/check").text.count("Go on with your") == 1

    handed_in = learner.post(
        attempt, {"action": "submit", "answer.colour": "rose", "answer.word": "bye"}
    )
    assert handed_in.location == f"{attempt}/result"
    result = learner.get(handed_in.location)
    assert result.heading == "Passed"
    assert "1 of 2 points" in result.text
    assert "Roses are red." in result.text
    assert learner.get(attempt).location == f"{attempt}/result"
    assert learner.post(attempt, {"action": "save"}).location == f"{attempt}/result"
    assert "50 %" in learner.get("/learn/free-course/check").text

    grades = learner.get("/grades/free-course")
    assert "50 %" in grades.text
    assert "Check yourself" in grades.text
    assert learner.get("/learn/free-course/progress").location == "/grades/free-course"


@pytest.mark.usefixtures("free")
def test_results_are_kept_back_until_the_quiz_shows_them(learner: Any) -> None:
    learner.post("/courses/free-course/enroll")
    learner.post("/learn/free-course/intro/read")
    attempt = learner.post("/learn/free-course/check/attempts").location

    learner.post(attempt, {"action": "submit", "answer.colour": "grass"})
    result = learner.get(f"{attempt}/result")

    assert result.heading == "Not passed this time"
    assert "Roses are red." not in result.text
    assert "Grass" in result.text


@pytest.mark.usefixtures("free")
def test_an_answer_that_is_cleared_is_gone(learner: Any) -> None:
    learner.post("/courses/free-course/enroll")
    learner.post("/learn/free-course/intro/read")
    attempt = learner.post("/learn/free-course/check/attempts").location
    learner.post(attempt, {"action": "save", "answer.colour": "grass"})

    learner.post(attempt, {"action": "save", "answer.word": "hello"})

    page = learner.get(attempt)
    assert "checked" not in page.html
    assert 'value="hello"' in page.html


@pytest.mark.usefixtures("free")
@pytest.mark.parametrize("path", ["/learn", "/learn/free-course", "/certificates"])
def test_pages_of_learners_ask_strangers_to_sign_in(stranger: Any, path: str) -> None:
    page = stranger.get(path)

    assert page.status == 303
    assert page.location == "/sign-in?next=" + path.replace("/", "%2F")
