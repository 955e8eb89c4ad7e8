"""Who may do what, for every operation there is: a new one needs a row here.

Each row says what nobody, a stranger (an account without a place) and the teacher
of another course get, about a course and a learner that are not theirs.
"""

from typing import Any

import pytest

from lms_entrypoints.http.edge import RateLimiter

CONTENT = {"title": "Mine"}
OWN, OPEN = (401, 200, 200), (200, 200, 200)
STAFF, HIDDEN = (401, 403, 403), (401, 404, 404)
ABSENT, MALFORMED = (404, 404, 404), (422, 422, 422)
UPLOAD = {
    "course": "streaming",
    "lesson": "intro",
    "filename": "a.mp4",
    "size_bytes": 1,
    "content_type": "video/mp4",
}

# Operation, body.
MATRIX: dict[str, tuple[Any, tuple[int, int, int]]] = {
    "POST /api/v1/auth/register": ({}, MALFORMED),
    "POST /api/v1/auth/token": ({}, MALFORMED),
    "POST /api/v1/auth/refresh": ({}, MALFORMED),
    "POST /api/v1/auth/logout": ({"everywhere": 1}, MALFORMED),
    "POST /api/v1/auth/password-reset": ({}, MALFORMED),
    "POST /api/v1/auth/password-reset/confirm": ({}, MALFORMED),
    "GET /api/v1/users/me": (None, OWN),
    "GET /api/v1/users/{user_id}": (None, HIDDEN),
    "PATCH /api/v1/users/{user_id}": ({"name": "Eve"}, HIDDEN),
    "POST /api/v1/courses/{course_id}/roles": (
        {"user_id": "victim", "role": "instructor"},
        STAFF,
    ),
    "GET /api/v1/courses": (None, OPEN),
    "GET /api/v1/courses/{course_id}": (None, OPEN),
    "GET /api/v1/courses/{course_id}/lessons": (None, OWN),
    "POST /api/v1/enrollments/{course_id}": (None, OWN),
    "POST /api/v1/courses/{course_id}/enrollments": ({"user_ids": ["victim"]}, STAFF),
    "DELETE /api/v1/enrollments/{course_id}": (None, (401, 200, 200)),
    "GET /api/v1/lessons/{lesson_id}": (None, (401, 403, 403)),
    "GET /api/v1/quizzes/{quiz_id}": (None, (401, 403, 403)),
    "PUT /api/v1/progress/{lesson_id}": ({"read": True}, (401, 403, 403)),
    "GET /api/v1/users/{user_id}/progress": (None, STAFF),
    "GET /api/v1/users/{user_id}/progress/{course_id}": (None, STAFF),
    "POST /api/v1/quizzes/{quiz_id}/attempts": (None, (401, 404, 404)),
    "GET /api/v1/attempts/{attempt_id}": (None, ABSENT),
    "PUT /api/v1/attempts/{attempt_id}/answers": (
        {"answers": {}, "revision": 1},
        ABSENT,
    ),
    "POST /api/v1/attempts/{attempt_id}/submit": ({}, ABSENT),
    "POST /api/v1/payments/checkout": (
        {"course_id": "streaming", "currency": "EUR"},
        (401, 409, 409),
    ),
    "GET /api/v1/payments/{order_id}": (None, ABSENT),
    "POST /api/v1/payments/{order_id}/refund": (
        {"minor": 1, "currency": "EUR"},
        (400, 400, 400),
    ),
    "POST /api/v1/payments/webhook": ({}, (400, 400, 400)),
    "GET /api/v1/courses/{course_id}/gradebook": (None, STAFF),
    "GET /api/v1/courses/{course_id}/grades.csv": (None, STAFF),
    "GET /api/v1/grades/{user_id}/{lesson_id}": (None, STAFF),
    "PUT /api/v1/grades/{user_id}/{lesson_id}": (
        {"earned": "1", "possible": "1"},
        STAFF,
    ),
    "GET /api/v1/users/{user_id}/certificates": (None, STAFF),
    "GET /api/v1/certificates/{certificate_id}.pdf": (None, ABSENT),
    "GET /api/v1/certificates/{certificate_id}": (None, ABSENT),
    "POST /api/v1/certificates/{certificate_id}/revoke": ({"reason": "x"}, ABSENT),
    "GET /api/v1/verify/{code}": (None, ABSENT),
    "GET /credentials/{code}": (None, ABSENT),
    "GET /status-lists/{place}": (None, OPEN),
    "GET /issuer": (None, OPEN),
    "GET /api/v1/teach/courses": (None, OWN),
    "POST /api/v1/courses": ({"id": "mine", "content": CONTENT}, (401, 403, 201)),
    "GET /api/v1/courses/{course_id}/draft": (None, ABSENT),
    "PUT /api/v1/courses/{course_id}": ({"content": CONTENT}, STAFF),
    "POST /api/v1/courses/{course_id}/publish": (None, STAFF),
    "POST /api/v1/uploads": (UPLOAD, STAFF),
    "GET /api/v1/uploads/{upload_id}": (None, ABSENT),
    "PUT /api/v1/uploads/{upload_id}/parts/{number}": ({}, ABSENT),
    "POST /api/v1/uploads/{upload_id}/complete": (None, ABSENT),
    "PUT /api/v1/media/{media_id}/captions/{language}": ({}, MALFORMED),
    "POST /api/v1/media/{media_id}/playback": (None, (401, 404, 404)),
    "GET /api/v1/health": (None, OPEN),
    "GET /api/v1/admin/queues": (None, STAFF),
    "GET /api/v1/admin/queues/{name}/dead-letters": (None, STAFF),
    "POST /api/v1/admin/queues/{name}/redrive": ({}, STAFF),
}
NAMES = {
    "user_id": "victim",
    "course_id": "streaming",
    "lesson_id": "streaming.intro",
    "quiz_id": "streaming.intro",
    "name": "events",
    "language": "en",
    "number": "1",
    "place": "0",
}


@pytest.fixture
def world(api: Any) -> tuple[Any, dict[str, Any]]:
    """Return an API with a course and a learner, and those who are neither."""
    api.course()
    api.learner("victim")
    for name in list(api.app.state.limiters):
        api.app.state.limiters[name] = RateLimiter(per_minute=10**6, burst=10**6)
    people = {
        "nobody": None,
        "stranger": api.person("stranger"),
        "other": api.course("other"),
    }
    return api, people


def test_every_operation_has_its_row(world: tuple[Any, dict[str, Any]]) -> None:
    api, _ = world

    described = {
        f"{method.upper()} {path}"
        for path, item in api.app.openapi()["paths"].items()
        for method in item
    }

    assert described == set(MATRIX)


@pytest.mark.parametrize(
    ("column", "who"), [(0, "nobody"), (1, "stranger"), (2, "other")]
)
def test_nobody_gets_more_than_the_row_says(
    world: tuple[Any, dict[str, Any]], column: int, who: str
) -> None:
    api, people = world
    with api.stored as work:
        before = [work.users.get("victim"), work.courses.get("streaming")]
        place = work.enrollments.find("victim", "streaming")
    found = {}

    for operation, (body, _) in MATRIX.items():
        method, _, path = operation.partition(" ")
        for part, name in NAMES.items():
            path = path.replace(f"{{{part}}}", name)
        path = path.replace("{", "no-").replace("}", "")
        more: dict[str, Any] = {"headers": {"if-match": '"1"'}}
        if body is not None:
            more["json"] = body
        answer = api.at(method, path, people[who], **more)
        found[operation] = answer.status_code
        assert "victim@" not in answer.text

    assert found == {name: row[1][column] for name, row in MATRIX.items()}
    with api.stored as work:
        assert [work.users.get("victim"), work.courses.get("streaming")] == before
        assert work.enrollments.find("victim", "streaming") == place
