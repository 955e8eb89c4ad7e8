"""The media route: ranges, conditions, and links that are one viewer's."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from lms_core.domain.ids import ObjectKey, UserId

DATA = b"0123456789"


@pytest.fixture
def link(api: Any) -> str:
    """Return ada's link to a file of ten bytes."""
    api.course()
    media = api.lecture(data=DATA)
    ada = api.learner()
    granted = api("POST", f"/media/{media}/playback", ada).json()
    return str(urlsplit(granted["progressive_url"]).path)


def get(api: Any, link: str, method: str = "GET", **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.at(method, link, headers=sent)


def test_links_are_given_to_learners_alone(api: Any, link: str) -> None:
    bob = api.person("bob")

    refused = api("POST", "/media/lecture-of-streaming/playback", bob)
    unknown = api("POST", "/media/nothing/playback", bob)

    assert (refused.status_code, refused.json()["code"]) == (403, "not-enrolled")
    assert unknown.status_code == 404
    assert link.startswith("/media/")


def test_the_whole_file_comes_with_what_players_need(api: Any, link: str) -> None:
    whole = get(api, link)

    assert (whole.status_code, whole.content) == (200, DATA)
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["cache-control"].startswith("private")
    assert "access-control-allow-origin" not in whole.headers


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=2-4", 2, 5),
        ("bytes=7-", 7, 10),
        ("bytes=-3", 7, 10),
        ("bytes=-999", 0, 10),
        ("bytes=5-999", 5, 10),
    ],
)
def test_a_range_is_answered_in_part(
    api: Any, link: str, wanted: str, start: int, stop: int
) -> None:
    part = get(api, link, range=wanted)

    assert (part.status_code, part.content) == (206, DATA[start:stop])
    assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/10"
    assert part.headers["content-length"] == str(stop - start)


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=999-1000", "bytes=-0"])
def test_a_range_without_a_byte_is_refused(api: Any, link: str, wanted: str) -> None:
    answer = get(api, link, range=wanted)

    assert (answer.status_code, answer.json()["code"]) == (416, "bad-range")
    assert answer.headers["content-range"] == "bytes */10"


@pytest.mark.parametrize(
    "wanted",
    ["bytes=0-1,3-4", "bytes=5-2", "bytes=-", "items=0-1", "bytes=a-b", "bytes 0-1"],
)
def test_what_is_no_single_range_is_ignored(api: Any, link: str, wanted: str) -> None:
    assert get(api, link, range=wanted).status_code == 200


def test_a_head_has_no_body_and_no_range(api: Any, link: str) -> None:
    head = get(api, link, "HEAD", range="bytes=2-4")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == "10"


def test_what_a_client_has_is_not_sent_again(api: Any, link: str) -> None:
    etag = get(api, link).headers["etag"]

    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        assert get(api, link, if_none_match=known).status_code == 304
    assert get(api, link, if_none_match='"other"').status_code == 200


def test_a_range_of_what_has_changed_is_the_whole(api: Any, link: str) -> None:
    etag = get(api, link).headers["etag"]

    same = get(api, link, range="bytes=2-4", if_range=etag)
    changed = get(api, link, range="bytes=2-4", if_range='"other"')
    beyond = get(api, link, range="bytes=99-", if_range='"other"')

    assert [a.status_code for a in (same, changed, beyond)] == [206, 200, 200]


def test_a_file_that_is_not_played_is_only_downloaded(api: Any, link: str) -> None:
    page = get(api, link.replace("progressive.mp4", "notes.html"))

    assert page.headers["content-type"] == "application/octet-stream"
    assert page.headers["content-disposition"] == "attachment"
    assert "sandbox" in page.headers["content-security-policy"]


def changes(link: str) -> dict[str, str]:
    _, media, token, *path = link.split("/")
    rest = "/".join(path)
    version, key, said, mac = token.split(".")
    return {
        "no token": f"/media/x/{rest}",
        "other key": f"/media/{version}.{'0' * len(key)}.{said}.{mac}/{rest}",
        "other viewer": f"/media/{version}.{key}.{said[:-2]}AA.{mac}/{rest}",
        "other mac": f"/media/{version}.{key}.{said}.{mac[:-4]}AAAA/{rest}",
        "other version": f"/media/v2.{key}.{said}.{mac}/{rest}",
        "other course": f"/{media}/{token}/{rest.replace('streaming', 'stream')}",
        "other case": f"/{media}/{token}/{rest.replace('streaming', 'STREAMING')}",
        "parent": f"/{media}/{token}/media/streaming",
        "longer name": f"/{media}/{token}/{rest.replace('/1/', '/10/')}",
        "sources": f"/{media}/{token}/{rest.replace('media/', 'sources/', 1)}",
    }


@pytest.mark.parametrize("change", list(changes("/media/a.b.c.d/x")))
def test_a_link_that_was_changed_opens_nothing(
    api: Any, link: str, change: str
) -> None:
    answer = get(api, changes(link)[change])

    assert (answer.status_code, answer.json()["code"]) == (403, "link-invalid")


@pytest.mark.parametrize(
    "path",
    [
        "../../secrets/tokens/key",
        "..%2f..%2fsecrets",
        "/etc/passwd",
        "a/../../other/1/progressive.mp4",
        "a//b",
        "./a",
        "a\\b",
        "a\x00b",
        "a\nb",
        "%00",
        "C:\\windows\\win.ini",
        "....//....//etc",
        "\uff0e\uff0e/a",
    ],
)
def test_a_path_leads_nowhere_outside_its_prefix(
    api: Any, link: str, path: str
) -> None:
    base = link.rpartition("/")[0]

    code, _, body = api.raw("GET", f"{base}/{path}")

    assert code in {403, 404}
    assert b"progressive" not in body or b"nothing is under" in body


def test_a_link_ends_with_its_time(api: Any, link: str) -> None:
    api.clock.advance(timedelta(hours=4) - timedelta(microseconds=1))
    before = get(api, link)
    api.clock.advance(timedelta(microseconds=1))
    after = get(api, link)

    assert before.status_code == 200
    assert (after.status_code, after.json()["code"]) == (403, "link-expired")


def test_a_link_is_of_no_use_to_another_member(api: Any, link: str) -> None:
    bob = api.learner("bob")

    answer = api.at("GET", link, bob)

    assert (answer.status_code, answer.json()["code"]) == (403, "link-of-another")


@pytest.mark.parametrize("how", ["withdrawn", "suspended", "unknown"])
def test_a_link_does_not_outlive_the_right(api: Any, link: str, how: str) -> None:
    ada = api.sign_in("ada")
    if how == "withdrawn":
        api("DELETE", "/enrollments/streaming", ada)
    elif how == "suspended":
        api.suspend(ada)
    else:
        prefix = ObjectKey("media/streaming/lecture-of-streaming/1")
        signed = api.platform.signer.sign_prefix(
            prefix,
            viewer=UserId("nobody"),
            expires_at=api.clock.now() + timedelta(hours=1),
        )
        link = urlsplit(signed.url("progressive.mp4")).path

    answer = get(api, link)

    assert (answer.status_code, answer.json()["code"]) == (403, "link-revoked")


def test_a_media_link_is_no_access_token(api: Any, link: str) -> None:
    token = link.split("/")[2]

    answer = api("GET", "/users/me", headers={"authorization": f"Bearer {token}"})

    assert answer.status_code == 401
