"""Gradebooks and certificates over HTTP."""

import csv
import io
from typing import Any

import pytest

RIGHT = {"q1": ["right"], "q2": ["zanzibar-marker"]}


def finish(api: Any, who: Any) -> None:
    api("PUT", "/progress/streaming.intro", who, json={"read": True})
    attempt = api("POST", "/quizzes/streaming.quiz/attempts", who).json()
    path = f"/attempts/{attempt['id']}/submit"
    api("POST", path, who, json={"answers": RIGHT, "revision": 1})


def set_grade(api: Any, who: Any, body: Any, **headers: str) -> Any:
    return api("PUT", "/grades/ada/streaming.quiz", who, json=body, headers=headers)


def test_a_teacher_sees_the_gradebook_page_by_page(api: Any) -> None:
    teacher = api.course()
    for name in ("ada", "bob", "cyd"):
        api.learner(name)
    finish(api, api.sign_in("ada"))

    first = api("GET", "/courses/streaming/gradebook?limit=2", teacher).json()
    rest = api(
        "GET", f"/courses/streaming/gradebook?limit=2&after={first['next']}", teacher
    ).json()

    rows = [*first["rows"], *rest["rows"]]
    assert [each["user_id"] for each in rows] == ["ada", "bob", "cyd"]
    assert rows[0]["grade_percent"] == "100.00"
    assert rows[0]["scores"]["quiz"]["earned"] == "2"
    ada = api("GET", "/users/me/progress/streaming", api.sign_in("ada")).json()
    assert ada["grade"]["percent"] == rows[0]["grade_percent"]


@pytest.mark.parametrize(
    "path",
    [
        "/courses/streaming/gradebook",
        "/courses/streaming/grades",
        "/courses/streaming/grades.csv",
        "/grades/ada/streaming.quiz",
    ],
)
def test_learners_and_teachers_of_other_courses_see_no_grades(
    api: Any, path: str
) -> None:
    api.course()
    other = api.course("other")

    assert api("GET", path, api.learner()).status_code == 403
    assert api("GET", path, other).status_code == 403
    assert api("GET", path).status_code == 401


def test_a_grade_set_by_hand_is_guarded_by_its_version(api: Any) -> None:
    teacher = api.course()
    api.learner()

    first = set_grade(api, teacher, {"earned": "1.5", "possible": "2"})
    etag = first.headers["etag"]
    stale = set_grade(api, teacher, {"excused": True}, **{"if-match": '"0"'})
    second = set_grade(api, teacher, {"excused": True}, **{"if-match": etag})
    shown = api("GET", "/grades/ada/streaming.quiz", teacher)

    assert first.json()["score"] == {
        "earned": "3/2",
        "possible": "2",
        "percent": "75.00",
    }
    assert (stale.status_code, stale.json()["code"]) == (412, "grade-has-changed")
    assert second.json() == shown.json()
    assert shown.headers["etag"] == second.headers["etag"]
    with api.stored as work:
        rows = [r for r in work.audit.page().items if r.action == "grades.override"]
    assert len(rows) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"earned": "NaN", "possible": "2"},
        {"earned": "Infinity", "possible": "2"},
        {"earned": "1e400", "possible": "2"},
        {"earned": "-1", "possible": "2"},
        {"earned": "1/0", "possible": "2"},
        {"earned": "1", "possible": "0"},
        {"earned": 1, "possible": 2},
        {"earned": True, "possible": "2"},
        {"earned": "1"},
        {"earned": "1", "possible": "2", "excused": True},
        {"evaluator": "somebody"},
        {"comment": "x" * 2001},
    ],
)
def test_what_is_no_grade_is_refused(api: Any, body: Any) -> None:
    teacher = api.course()
    api.learner()

    assert set_grade(api, teacher, body).status_code == 422
    assert api("GET", "/grades/ada/streaming.quiz", teacher).status_code == 404


def test_nobody_grades_herself(api: Any) -> None:
    api.course()

    answer = set_grade(api, api.learner(), {"earned": "2", "possible": "2"})

    assert answer.status_code == 403


def test_an_exported_gradebook_holds_no_formula(api: Any) -> None:
    teacher = api.course(title="=1+1")
    ada = api.learner()
    api.learner("bob")
    finish(api, ada)
    for name in ("=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-1"):
        api("PATCH", "/users/me", ada, json={"name": name})
        answer = api("GET", "/courses/streaming/grades.csv", teacher)
        cells = [c for row in csv.reader(io.StringIO(answer.text)) for c in row]
        assert f"'{name}" in cells
        assert not any(cell.startswith(("=", "@", "+", "-")) for cell in cells)

    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == (
        'attachment; filename="streaming-grades.csv"'
    )
    header, first, second = csv.reader(io.StringIO(answer.text))
    assert header == ["user", "name", "email", "status", "Quiz", "grade", "letter"]
    assert (first[0], first[4:6]) == ("ada", ["100.00", "100.00"])
    assert (second[0], second[4:6]) == ("bob", ["", "0.00"])


def test_a_finished_course_ends_in_a_certificate_that_strangers_verify(
    api: Any,
) -> None:
    api.course()
    ada, bob = api.learner("ada"), api.learner("bob")
    finish(api, ada)
    api.drain()
    api.drain()

    [mine] = api("GET", "/users/me/certificates", ada).json()["items"]
    code = mine["verify_url"].rpartition("/")[2]
    path = f"/certificates/{mine['id']}"
    pdf = api("GET", f"{path}.pdf", ada)
    shown = api("GET", f"/verify/{code}")

    assert pdf.content.startswith(b"%PDF")
    assert pdf.headers["content-type"] == "application/pdf"
    assert shown.json()["valid"]
    assert "mail.example" not in shown.text
    for where in (path, f"{path}.pdf"):
        assert api("GET", where, bob).status_code == 404
    assert api("GET", "/users/ada/certificates", bob).status_code == 403
    assert api("POST", f"{path}/revoke", ada, json={"reason": "x"}).status_code == 403


def test_a_revoked_certificate_says_so_at_once(api: Any) -> None:
    api.course()
    ada, root = api.learner(), api.admin()
    finish(api, ada)
    api.drain()
    [mine] = api("GET", "/users/me/certificates", ada).json()["items"]
    code = mine["verify_url"].rpartition("/")[2]
    path = f"/certificates/{mine['id']}"

    for reason in ("", " ", "x" * 501):
        refused = api("POST", f"{path}/revoke", root, json={"reason": reason})
        assert refused.status_code == 422
    api("POST", f"{path}/revoke", root, json={"reason": "copied answers"})
    shown = api("GET", f"/verify/{code}").json()

    assert (shown["valid"], shown["revocation_reason"]) == (False, "copied answers")
    assert api("GET", f"{path}.pdf", ada).status_code == 409


@pytest.mark.parametrize("code", ["x", "0" * 64, "٣" * 20, "x" * 5000, "' OR 1=1"])
def test_a_guessed_code_verifies_nothing(api: Any, code: str) -> None:
    answer = api("GET", f"/verify/{code}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert len(answer.content) < 1000
