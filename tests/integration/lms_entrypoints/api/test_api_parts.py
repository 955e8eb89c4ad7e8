"""Parts of lectures wait on the disk, not in memory, and arrive as they were sent."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lms_core.errors import Unavailable
from lms_core.ports.object_store import PART_BYTES
from lms_entrypoints.http.routes_authoring import _append


@pytest.fixture
def lecture(api: Any, document: Callable[..., Any]) -> Any:
    """Return who teaches a course with a lesson that waits for its lecture."""
    teacher = api.course()
    draft = document()
    lesson = {"key": "lecture", "title": "Lecture", "content": {"type": "video"}}
    draft["modules"][0]["lessons"].append(lesson)
    etag = api("GET", "/courses/streaming/draft", teacher).headers["etag"]
    edited = api(
        "PUT",
        "/courses/streaming",
        teacher,
        json={"content": draft},
        headers={"if-match": etag},
    )
    assert edited.status_code == 200, edited.text
    return teacher


def begin(api: Any, teacher: Any, size: int) -> Any:
    body = {
        "course": "streaming",
        "lesson": "lecture",
        "filename": "a.mp4",
        "size_bytes": size,
        "content_type": "video/mp4",
    }
    answer = api("POST", "/uploads", teacher, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_part_in_pieces_of_any_size_arrives_as_it_was_sent(
    api: Any, lecture: Any
) -> None:
    pieces = (b"a" * 300_000, b"", b"b", b"c" * 600_001)
    data = b"".join(pieces)
    state = begin(api, lecture, len(data))
    upload = f"/uploads/{state['upload_id']}"

    status, _, _ = api.raw(
        "PUT",
        f"/api/v1{upload}/parts/1",
        headers={"authorization": f"Bearer {lecture.token}"},
        body=pieces,
    )
    done = api("POST", f"{upload}/complete", lecture)

    assert (status, done.status_code) == (200, 200)
    with api.stored as work:
        source = work.media.get(state["media_id"]).source
    with api.platform.objects.open(source) as reader:
        assert b"".join(reader) == data


def test_a_part_with_a_byte_too_many_is_refused(api: Any, lecture: Any) -> None:
    state = begin(api, lecture, 2 * PART_BYTES)

    status, _, _ = api.raw(
        "PUT",
        f"/api/v1/uploads/{state['upload_id']}/parts/1",
        headers={"authorization": f"Bearer {lecture.token}"},
        body=(b"x" * PART_BYTES, b"y"),
    )

    upload = api("GET", f"/uploads/{state['upload_id']}", lecture)
    assert status == 413
    assert upload.json()["parts"] == []


def test_a_full_disk_is_named() -> None:
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        pytest.raises(Unavailable, match="No space left") as refused,
    ):
        _append(full, b"x")

    assert refused.value.code == "storage-full"
