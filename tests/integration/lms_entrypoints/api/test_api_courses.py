"""The catalogue, places, and authoring over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from lms_core.domain.money import Money

PRICE = (Money(4900, "EUR"),)


def test_the_catalogue_comes_in_pages_and_is_searched(api: Any) -> None:
    for key in ("alpha", "beta", "gamma"):
        api.course(key, title=key.title())

    first = api("GET", "/courses?limit=2").json()
    rest = api("GET", f"/courses?limit=2&after={first['next']}").json()
    found = api("GET", "/courses?text=bet").json()

    titles = [each["title"] for each in (*first["items"], *rest["items"])]
    assert titles == ["Alpha", "Beta", "Gamma"]
    assert rest["next"] is None
    assert [each["id"] for each in found["items"]] == ["beta"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "after=not-ours", "after=", "text=%00"]
)
def test_what_is_no_page_is_refused(api: Any, query: str) -> None:
    api.course()

    answer = api("GET", f"/courses?{query}")

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("text", ["%25", "_", "*", '"', "NEAR(", "' OR 1=1 --", "\\"])
def test_a_search_is_for_words_and_nothing_else(api: Any, text: str) -> None:
    api.course()

    answer = api("GET", "/courses", params={"text": text})

    assert answer.status_code == 200


def test_a_draft_is_invisible_until_it_is_published(
    api: Any, document: Callable[..., Any]
) -> None:
    teacher = api.course("other")
    made = api("POST", "/courses", teacher, json={"id": "fresh", "content": document()})

    assert made.status_code == 201
    assert made.headers["location"] == "/api/v1/courses/fresh/draft"
    for path in ("/courses/fresh", "/courses/fresh/lessons", "/lessons/fresh.intro"):
        assert api("GET", path, api.sign_in(teacher.id)).status_code == 404
    assert [c["id"] for c in api("GET", "/courses").json()["items"]] == ["other"]
    published = api("POST", "/courses/fresh/publish", teacher)
    again = api("POST", "/courses/fresh/publish", teacher)
    assert published.json()["published"] == again.json()["published"] == 1
    assert published.headers["etag"] == again.headers["etag"]
    assert api("GET", "/courses/fresh").status_code == 200


def test_the_public_page_of_a_course_has_an_outline_and_no_content(
    api: Any, secrets: tuple[str, str]
) -> None:
    api.course()

    shown = api("GET", "/courses/streaming")

    lessons = shown.json()["modules"][0]["lessons"]
    assert [each["id"] for each in lessons] == ["streaming.intro", "streaming.quiz"]
    assert all(each["content_url"] is None for each in lessons)
    assert "Hi" not in shown.text
    assert not any(secret in shown.text for secret in secrets)


def test_edits_need_the_version_that_was_changed(
    api: Any, document: Callable[..., Any]
) -> None:
    teacher = api.course()
    body = {"content": document(title="New title")}
    etag = api("GET", "/courses/streaming/draft", teacher).headers["etag"]

    def put(**headers: str) -> Any:
        return api("PUT", "/courses/streaming", teacher, json=body, headers=headers)

    assert put().status_code == 428
    assert put(**{"if-match": "rubbish"}).status_code == 400
    done = put(**{"if-match": etag})
    late = put(**{"if-match": etag})
    assert (done.status_code, late.status_code) == (200, 412)
    assert done.headers["etag"] != etag
    assert api("GET", "/courses/streaming").json()["title"] == "Streaming"


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"surprise": 1},
        {"modules": "none"},
        {"prices": [{"minor": 1.5, "currency": "EUR"}]},
        {"prices": [{"minor": -1, "currency": "EUR"}]},
        {"enrollment": {"seats": -1}},
        {"enrollment": {"opens_at": "infinity"}},
        {"modules": [{"key": "../m", "title": "M"}]},
        {"version": 99},
    ],
)
def test_a_document_that_is_no_course_is_refused_with_places(
    api: Any, document: Callable[..., Any], change: Any
) -> None:
    teacher = api.course("other")

    answer = api(
        "POST",
        "/courses",
        teacher,
        json={"id": "fresh", "content": {**document(), **change}},
    )

    assert answer.status_code == 422
    assert all(f["place"].startswith("content") for f in answer.json()["faults"])
    assert api("GET", "/courses/fresh/draft", teacher).status_code == 404


def test_learners_create_change_and_publish_nothing(
    api: Any, document: Callable[..., Any]
) -> None:
    api.course()
    ada = api.learner()
    body = {"content": document(title="Mine")}

    created = api("POST", "/courses", ada, json={"id": "mine", **body})
    edited = api(
        "PUT", "/courses/streaming", ada, json=body, headers={"if-match": '"1"'}
    )

    assert created.status_code == edited.status_code == 403
    assert api("POST", "/courses/streaming/publish", ada).status_code == 403
    assert api("GET", "/courses/streaming/draft", ada).status_code == 404
    assert api("GET", "/teach/courses", ada).json()["items"] == []


def test_a_free_place_is_taken_once_and_given_up(api: Any) -> None:
    api.course()
    ada = api.person("ada")

    first = api("POST", "/enrollments/streaming", ada)
    again = api("POST", "/enrollments/streaming", ada)
    left = api("DELETE", "/enrollments/streaming", ada)

    assert first.json()["id"] == again.json()["id"]
    assert left.json()["status"] == "withdrawn"
    assert api("POST", "/enrollments/nothing", ada).status_code == 404
    assert api("POST", "/enrollments/streaming").status_code == 401


def test_a_paid_course_is_not_entered_by_the_free_door(api: Any) -> None:
    api.course(prices=PRICE)
    ada = api.person("ada")

    answer = api("POST", "/enrollments/streaming", ada)

    assert (answer.status_code, answer.json()["code"]) == (402, "payment-required")
    assert api("GET", "/courses/streaming", ada).json()["enrollment"] is None


def test_of_many_at_once_as_many_get_in_as_there_are_seats(api: Any) -> None:
    api.course(seats=2)
    people = [api.person(f"learner-{n}") for n in range(6)]

    answers = api.together(*(("POST", "/enrollments/streaming", p) for p in people))

    assert sorted(a.status_code for a in answers) == [200, 200, 409, 409, 409, 409]


def test_the_same_click_many_times_is_one_place(api: Any) -> None:
    api.course()
    ada = api.person("ada")

    answers = api.together(*(("POST", "/enrollments/streaming", ada),) * 6)

    assert {a.status_code for a in answers} == {200}
    assert len({a.json()["id"] for a in answers}) == 1


def test_a_teacher_adds_learners_within_the_seats_or_says_beyond(api: Any) -> None:
    teacher, other = api.course(seats=1), api.course("other")
    for name in ("ada", "bob"):
        api.person(name)
    path, both = "/courses/streaming/enrollments", {"user_ids": ["ada", "bob"]}

    full = api("POST", path, teacher, json=both)
    stranger = api("POST", path, other, json=both)
    unknown = api("POST", path, teacher, json={"user_ids": ["nobody"]})
    beyond = api("POST", path, teacher, json={**both, "beyond_seats": True})

    assert (full.status_code, full.json()["code"]) == (409, "course-is-full")
    assert stranger.status_code == 403
    assert unknown.status_code == 422
    assert [each["status"] for each in beyond.json()["items"]] == ["active"] * 2


def test_uploads_go_in_parts_and_go_on_where_they_stopped(
    api: Any, document: Callable[..., Any]
) -> None:
    teacher = api.course()
    draft = document()
    video = {"type": "video"}
    draft["modules"][0]["lessons"].append(
        {"key": "lecture", "title": "Lecture", "content": video}
    )
    etag = api("GET", "/courses/streaming/draft", teacher).headers["etag"]
    edited = api(
        "PUT",
        "/courses/streaming",
        teacher,
        json={"content": draft},
        headers={"if-match": etag},
    )
    assert edited.status_code == 200, edited.text
    part_bytes = 8 * 1024 * 1024
    data = bytes(part_bytes) + b"the end"
    begin = {
        "course": "streaming",
        "lesson": "lecture",
        "filename": "../../a.mp4",
        "size_bytes": len(data),
        "content_type": "video/mp4",
    }
    ada = api.learner()

    state = api("POST", "/uploads", teacher, json=begin).json()
    upload = f"/uploads/{state['upload_id']}"
    put = {"content": data[:part_bytes], "headers": {"content-type": "video/mp4"}}
    first = api("PUT", f"{upload}/parts/1", teacher, **put)
    early = api("POST", f"{upload}/complete", teacher)
    again = api("POST", "/uploads", teacher, json=begin).json()
    short = api("PUT", f"{upload}/parts/2", teacher, content=b"short")
    last = api("PUT", f"{upload}/parts/2", teacher, content=b"the end")
    stranger = api("PUT", f"{upload}/parts/2", ada, content=b"the end")
    done = api("POST", f"{upload}/complete", teacher)

    assert (state["part_count"], state["parts"]) == (2, [])
    assert first.json() == {"number": 1, "size_bytes": part_bytes}
    assert (early.status_code, early.json()["code"]) == (422, "bad-parts")
    assert (again["upload_id"], again["parts"]) == (state["upload_id"], [1])
    assert short.status_code == 422
    assert last.status_code == 200
    assert stranger.status_code == 404
    assert done.json()["status"] == "queued"
    assert api("POST", "/uploads", ada, json=begin).status_code == 403
    for change in ({"content_type": "image/svg+xml"}, {"size_bytes": 0}):
        refused = api("POST", "/uploads", teacher, json={**begin, **change})
        assert refused.status_code == 422
    with api.stored as work:
        asset = work.media.get(state["media_id"])
    assert ".." not in str(asset.source)
