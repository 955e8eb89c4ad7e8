"""Lessons, progress and quizzes over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

RIGHT = {"q1": ["right"], "q2": ["zanzibar-marker"]}
WRONG = {"q1": ["left"], "q2": ["rome"]}


def read_intro(api: Any, who: Any) -> Any:
    return api("PUT", "/progress/streaming.intro", who, json={"read": True})


def begin(api: Any, who: Any) -> Any:
    read_intro(api, who)
    return api("POST", "/quizzes/streaming.quiz/attempts", who).json()


def test_a_lesson_is_shown_with_safe_markup_to_who_is_enrolled(api: Any) -> None:
    api.course()
    ada, bob = api.learner(), api.person("bob")

    shown = api("GET", "/lessons/streaming.intro", ada)
    refused = api("GET", "/lessons/streaming.intro", bob)

    assert "<strong>there</strong>" in shown.json()["html"]
    assert "<script" not in shown.json()["html"]
    assert (refused.status_code, refused.json()["code"]) == (403, "not-enrolled")
    assert api("GET", "/lessons/streaming.intro").status_code == 401
    assert api("GET", "/lessons/streaming.no", ada).status_code == 404
    assert api("GET", "/lessons/rubbish", ada).status_code == 422


def test_an_outline_says_what_is_closed_and_why(api: Any) -> None:
    api.course()
    ada = api.learner()

    lessons = api("GET", "/courses/streaming/lessons", ada).json()["modules"][0][
        "lessons"
    ]

    assert [each["access"]["allowed"] for each in lessons] == [True, False]
    assert lessons[1]["content_url"] is None
    assert lessons[1]["access"]["reasons"]


def test_progress_is_merged_and_completes_once(api: Any) -> None:
    api.course()
    api.lecture()
    ada = api.learner()

    def report(*ranges: list[int]) -> Any:
        body = {"watched": list(ranges), "position_ms": ranges[-1][1]}
        return api("PUT", "/progress/streaming.lecture", ada, json=body).json()

    report([5000, 9000])
    again = report([0, 5500], [8000, 10_000])
    late = report([5000, 9000])

    assert again["watched"] == late["watched"] == [[0, 10_000]]
    assert again["completed_at"] == late["completed_at"] is not None
    shown = api("GET", "/users/me/progress/streaming", ada).json()
    assert shown["unfinished"] == ["intro", "quiz"]


@pytest.mark.parametrize(
    "body",
    [
        {"percent": 100},
        {"user_id": "bob", "read": True},
        {"read": "true"},
        {"read": 1},
        {"position_ms": -1},
        {"position_ms": 1.5},
        {"position_ms": True},
        {"position_ms": "5"},
        {"watched": [[0]]},
        {"watched": [[5, 1]]},
        {"watched": [[0, 10**12]]},
        {"watched": [[0, 1]] * 501},
        {"watched": {"0": 1}},
        {"epoch": -1},
        {"completed_at": "1970-01-01T00:00:00Z"},
    ],
)
def test_a_report_that_is_none_changes_nothing(api: Any, body: Any) -> None:
    api.course()
    ada = api.learner()

    answer = api("PUT", "/progress/streaming.intro", ada, json=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert api("GET", "/users/me/progress/streaming", ada).json()["lessons"] == []


def test_many_first_reports_at_once_complete_a_lesson_once(api: Any) -> None:
    api.course()
    ada = api.learner()
    call = ("PUT", "/progress/streaming.intro", ada)

    answers = api.together(*(call,) * 10, json={"read": True})

    assert {a.status_code for a in answers} == {200}
    assert len({a.json()["completed_at"] for a in answers}) == 1
    with api.stored as work:
        names = [type(e.event).__name__ for e in work.outbox.pending(1000)]
    assert names.count("LessonCompleted") == 1


def test_nobody_sees_the_progress_of_another_but_her_teacher(api: Any) -> None:
    teacher = api.course()
    ada, bob = api.learner("ada"), api.learner("bob")
    read_intro(api, ada)

    for path in ("/users/ada/progress", "/users/ada/progress/streaming"):
        assert api("GET", path, bob).status_code == 403
        assert api("GET", path, ada).status_code == 200
    seen = api("GET", "/users/ada/progress/streaming", teacher)
    assert seen.json()["percent"] == 50


def test_a_quiz_says_its_rules_and_neither_questions_nor_answers(
    api: Any, secrets: tuple[str, str]
) -> None:
    api.course(max_attempts=3, time_limit_s=600)
    ada = api.learner()
    assert api("GET", "/quizzes/streaming.quiz", ada).status_code == 403
    read_intro(api, ada)

    rules = api("GET", "/quizzes/streaming.quiz", ada)

    assert rules.json()["quiz"]["max_attempts"] == 3
    assert "Which?" not in rules.text
    assert not any(secret in rules.text for secret in secrets)
    assert api("GET", "/quizzes/streaming.intro", ada).status_code == 404


def test_what_is_right_is_in_no_answer_before_it_may_be_seen(
    api: Any, secrets: tuple[str, str]
) -> None:
    api.course(max_attempts=2, show_answers="after-last-attempt")
    ada = api.learner()
    seen = [api("GET", "/lessons/streaming.intro", ada)]
    attempt = begin(api, ada)
    path = f"/attempts/{attempt['id']}"
    seen += [
        api("GET", path, ada),
        api("PUT", f"{path}/answers", ada, json={"answers": WRONG, "revision": 1}),
        api("POST", f"{path}/submit", ada),
        api("GET", path, ada),
        api("GET", "/lessons/streaming.quiz", ada),
        api("GET", "/courses/streaming/lessons", ada),
        api("GET", "/users/me/progress/streaming", ada),
        api("POST", "/quizzes/streaming.quiz/attempts", ada),
        api("GET", path, ada),
    ]
    last = seen[-2].json()["id"]

    for answer in seen:
        assert answer.status_code == 200
        assert not any(secret in answer.text for secret in secrets), answer.text
        assert '"outcome":"' not in answer.text
    done = api("POST", f"/attempts/{last}/submit", ada, json={"answers": RIGHT})
    assert all(secret in done.text for secret in secrets)
    assert done.json()["passed"]


def test_an_attempt_is_resumed_not_begun_again_and_runs_out(api: Any) -> None:
    api.course(max_attempts=1)
    ada = api.learner()
    read_intro(api, ada)

    tabs = api.together(*(("POST", "/quizzes/streaming.quiz/attempts", ada),) * 4)
    attempt = tabs[0].json()
    api("POST", f"/attempts/{attempt['id']}/submit", ada)
    another = api("POST", "/quizzes/streaming.quiz/attempts", ada)

    assert {tab.status_code for tab in tabs} == {200}
    assert {tab.json()["id"] for tab in tabs} == {attempt["id"]}
    assert attempt["attempts_left"] == 0
    assert (another.status_code, another.json()["code"]) == (409, "no-attempts-left")


def test_the_clock_of_an_attempt_is_the_servers(api: Any) -> None:
    api.course(time_limit_s=60, grace_s=0)
    ada = api.learner()
    attempt = begin(api, ada)
    path = f"/attempts/{attempt['id']}"

    for change in ({"started_at": "2099-01-01T00:00:00Z"}, {"time_spent": 1}):
        body = {"answers": RIGHT, "revision": 1, **change}
        assert api("PUT", f"{path}/answers", ada, json=body).status_code == 422
    api.clock.advance(timedelta(seconds=60))
    late = api("PUT", f"{path}/answers", ada, json={"answers": RIGHT, "revision": 1})
    done = api("POST", f"{path}/submit", ada, json={"answers": RIGHT, "revision": 1})

    assert (late.status_code, late.json()["code"]) == (409, "time-is-over")
    assert (done.json()["status"], done.json()["score"]["earned"]) == ("expired", "0")


@pytest.mark.parametrize(
    "answers",
    [
        {"other": ["x"]},
        {"q1": "right"},
        {"q1": [1]},
        {"q1": None},
        {"q1": {"score": 1}},
        [],
        None,
        {"q1": ["x"] * 100_000},
        {f"q{n}": [] for n in range(501)},
    ],
)
def test_answers_that_are_none_are_refused(api: Any, answers: Any) -> None:
    api.course()
    ada = api.learner()
    path = f"/attempts/{begin(api, ada)['id']}"
    body = {"answers": answers, "revision": 1}

    for method, where in (("PUT", "answers"), ("POST", "submit")):
        answer = api(method, f"{path}/{where}", ada, json=body)
        assert answer.status_code in {413, 422}
        assert len(answer.content) < 10_000
    assert api("GET", path, ada).json()["status"] == "in-progress"


def test_the_attempts_of_others_do_not_exist(api: Any) -> None:
    teacher = api.course()
    ada, bob = api.learner("ada"), api.learner("bob")
    path = f"/attempts/{begin(api, ada)['id']}"
    body = {"answers": RIGHT, "revision": 1}

    for who in (bob, teacher):
        for method, where in (("PUT", "/answers"), ("POST", "/submit")):
            assert api(method, path + where, who, json=body).status_code == 404
    assert api("GET", path, bob).status_code == 404
    assert api("GET", path, teacher).status_code == 200


def test_a_lower_revision_that_comes_late_does_not_win(api: Any) -> None:
    api.course()
    ada = api.learner()
    path = f"/attempts/{begin(api, ada)['id']}"
    put = {"answers": {"q1": ["right"]}, "revision": 2}

    api("PUT", f"{path}/answers", ada, json=put)
    late = api("PUT", path, ada, json={"answers": {"q1": ["left"]}, "revision": 1})

    assert late.json()["revisions"] == {"q1": 2}
    [q1, _] = api("GET", path, ada).json()["questions"]
    assert q1["answer"] == ["right"]


def test_a_heartbeat_is_refused_in_the_order_of_any_request(api: Any) -> None:
    api.course()
    ada = api.learner()
    url = "/progress/streaming.intro"

    forged = {"Authorization": "Bearer forged"}
    unknown = api("PUT", url, json={"read": "yes"}, headers=forged)
    wrong = api("PUT", url, ada, json={"read": "yes", "more": 1})
    empty = api("PUT", url, ada)
    listed = api("PUT", url, ada, json=[])

    assert (unknown.status_code, unknown.json()["code"]) == (401, "token-invalid")
    assert [wrong.status_code, empty.status_code, listed.status_code] == [422] * 3
    assert {(each["place"], each["code"]) for each in wrong.json()["faults"]} == {
        ("body.read", "invalid-value"),
        ("body.more", "unknown-field"),
    }
    assert [(e["place"], e["code"]) for e in empty.json()["faults"]] == [
        ("body", "missing-field")
    ]
    assert listed.json()["faults"][0]["place"] == "body"


def test_heartbeats_of_many_devices_at_once_all_count(api: Any) -> None:
    api.course()
    api.lecture()
    ada = api.learner()

    def report(second: int) -> int:
        body = {"watched": [[second * 1000, second * 1000 + 1000]]}
        answer = api("PUT", "/progress/streaming.lecture", ada, json=body)
        return int(answer.status_code)

    with ThreadPoolExecutor(10) as devices:
        codes = list(devices.map(report, range(10)))
    shown = api("GET", "/users/me/progress/streaming", ada).json()

    assert codes == [200] * 10
    assert [each["watched"] for each in shown["lessons"]] == [[[0, 10_000]]]


def test_a_heartbeat_sent_again_under_its_key_is_answered_once(api: Any) -> None:
    api.course()
    ada = api.learner()
    send = {"json": {"read": True}, "headers": {"Idempotency-Key": "beat-1"}}

    first = api("PUT", "/progress/streaming.intro", ada, **send)
    again = api("PUT", "/progress/streaming.intro", ada, **send)

    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
