"""What every request passes: keys, limits, origins, bodies, tokens."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from lms_core.ports.message_queue import Message
from lms_entrypoints.http.edge import RateLimiter, client_address
from lms_entrypoints.settings import Settings

HEADERS = {"content-type": "application/json"}


# The same request twice


def test_the_same_key_gets_the_same_answer(
    api: Any, document: Callable[..., Any]
) -> None:
    teacher = api.course()
    body = {"id": "fresh", "content": document()}
    key = {"idempotency-key": "k-1"}

    first = api("POST", "/courses", teacher, json=body, headers=key)
    again = api("POST", "/courses", teacher, json=body, headers=key)
    without = api("POST", "/courses", teacher, json=body)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    for name in ("etag", "location", "content-type"):
        assert again.headers[name] == first.headers[name]
    assert without.status_code == 409


def test_another_request_under_the_key_is_a_conflict(api: Any) -> None:
    api.course(), api.course("other")
    ada, key = api.person("ada"), {"idempotency-key": "k-1"}
    api("POST", "/enrollments/streaming", ada, headers=key)

    answer = api("POST", "/enrollments/other", ada, headers=key)

    assert answer.status_code == 409
    assert answer.json()["code"] == "idempotency-key-reused"


def test_keys_of_others_are_their_own(api: Any) -> None:
    api.course()
    key = {"idempotency-key": "k-1"}

    first = api("POST", "/enrollments/streaming", api.person("ada"), headers=key)
    second = api("POST", "/enrollments/streaming", api.person("bob"), headers=key)

    assert first.json()["id"] != second.json()["id"]


def test_of_two_at_once_the_second_waits_for_the_answer(
    api: Any, document: Callable[..., Any]
) -> None:
    teacher = api.course()
    body = {"id": "fresh", "content": document()}
    call = ("POST", "/courses", teacher)

    answers = api.together(
        *(call,) * 4, json=body, headers={"idempotency-key": "at-once"}
    )

    assert {a.status_code for a in answers} == {201}
    assert len({a.content for a in answers}) == 1


def test_a_refusal_is_not_kept(api: Any) -> None:
    api.course(seats=0)
    ada, key = api.person("ada"), {"idempotency-key": "k-1"}

    for _ in range(2):
        answer = api("POST", "/enrollments/streaming", ada, headers=key)
        assert answer.status_code == 409
        assert "idempotency-replayed" not in answer.headers


def test_answers_that_are_secrets_are_never_kept(api: Any) -> None:
    body = {"email": "ada@mail.example", "name": "Ada", "password": "correct horse x"}
    api("POST", "/auth/register", json=body)
    del body["name"]
    key = {"idempotency-key": "sign-in"}

    first = api("POST", "/auth/token", json=body, headers=key).json()
    again = api("POST", "/auth/token", json=body, headers=key).json()

    assert first["refresh_token"] != again["refresh_token"]
    with api.stored as work:
        assert work.idempotency.find("nobody/127.0.0.1", "sign-in") is None


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
def test_what_is_no_key_is_refused(api: Any, key: str) -> None:
    api.course()

    answer = api(
        "POST",
        "/enrollments/streaming",
        api.person("ada"),
        headers={"idempotency-key": key},
    )

    assert answer.status_code == 400


# Who asks, and from where


def test_a_cookie_needs_a_token_that_other_pages_cannot_read(api: Any) -> None:
    api.course()
    ada = api.person("ada")
    cookie = {"cookie": f"lms_session={ada.cookie}"}
    csrf = sha256(f"csrf/{ada.cookie}".encode()).hexdigest()

    def enroll(**headers: str) -> int:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = api("POST", "/enrollments/streaming", headers={**cookie, **sent})
        return int(answer.status_code)

    assert api("GET", "/users/me", headers=cookie).status_code == 200
    assert enroll() == 403
    assert enroll(x_csrf_token="0" * 64) == 403
    assert enroll(x_csrf_token=csrf, origin="https://evil.invalid") == 403
    assert enroll(x_csrf_token=csrf, origin="null") == 403
    assert enroll(x_csrf_token=csrf, sec_fetch_site="cross-site") == 403
    assert api("GET", "/courses/streaming", ada).json()["enrollment"] is None
    assert enroll(x_csrf_token=csrf, origin="http://127.0.0.1:8000") == 200


@pytest.mark.parametrize("path", ["/auth/token", "/auth/register", "/auth/logout"])
@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.invalid"}, {"sec-fetch-site": "cross-site"}]
)
def test_a_foreign_page_signs_nobody_in_or_out(
    api: Any, path: str, headers: dict[str, str]
) -> None:
    answer = api("POST", path, json={}, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    ],
)
def test_what_a_form_can_send_is_not_taken_for_json(api: Any, kind: str) -> None:
    ada = api.person("ada")

    answer = api(
        "PATCH",
        "/users/me",
        ada,
        content=b'{"name":"x"}',
        headers={"content-type": kind},
    )

    assert answer.status_code == 415
    assert api("GET", "/users/me", ada).json()["name"] == "Ada"


def test_no_other_site_may_read_answers(api: Any) -> None:
    for origin in ("null", "https://evil.invalid", "http://127.0.0.1:8000.evil"):
        answer = api("GET", "/courses", headers={"origin": origin})
        assert "access-control-allow-origin" not in answer.headers
        assert api("OPTIONS", "/courses").status_code == 405


def forged_tokens(key: str, issuer: str) -> dict[str, str]:
    ours = OctKey.import_key(key)
    now = 1_900_000_000
    claims = {
        "iss": issuer,
        "aud": "lms",
        "sub": "root",
        "sid": "s",
        "jti": "j",
        "iat": now,
        "exp": now + 900,
    }
    rsa = RSAKey.generate_key(2048)
    plain = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0."
    good_type = {"alg": "HS256", "typ": "at+jwt"}
    return {
        "unsigned": plain,
        "signature left out": jwt.encode(good_type, claims, ours).rpartition(".")[0],
        "no key id": jwt.encode(good_type, claims, ours),
        "a key id that is a path": jwt.encode(
            {**good_type, "kid": "../../etc/passwd"}, claims, ours
        ),
        "a key of its own": jwt.encode(
            {"alg": "RS256", "typ": "at+jwt", "jwk": rsa.as_dict(private=False)},
            claims,
            rsa,
            algorithms=["RS256"],
        ),
        "two parts": "a.b",
        "dots": "....",
        "nothing": "",
        "far too long": "a" * 5000,
    }


@pytest.mark.parametrize("name", list(forged_tokens("k" * 48, "x")))
def test_a_forged_token_opens_nothing_and_is_told_nothing(api: Any, name: str) -> None:
    api.admin()
    key = api.platform.secrets.get("tokens/key")
    token = forged_tokens(key, api.platform.settings.base_url)[name]

    answer = api("GET", "/users/me", headers={"authorization": f"Bearer {token}"})

    assert answer.status_code == 401
    assert answer.json()["code"] == "token-invalid"


@pytest.mark.parametrize("header", ["Basic cm9vdDpyb290", "Bearer", "bearer  ", "x"])
def test_other_schemes_are_not_known(api: Any, header: str) -> None:
    assert api("GET", "/users/me", headers={"authorization": header}).status_code == 401


def test_many_bad_tokens_are_slowed_down(api: Any) -> None:
    api.without_refill()
    headers = {"authorization": "Bearer a.b.c"}

    codes = [api("GET", "/users/me", headers=headers).status_code for _ in range(121)]

    assert codes[:120] == [401] * 120
    assert codes[120] == 429


# Bodies


HOSTILE = {
    "deep": b"[" * 90_000 + b"]" * 90_000,
    "deep objects": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "huge number": b'{"name":' + b"9" * 100_000 + b"}",
    "huge exponent": b'{"name":1e400}',
    "not a number": b'{"name":NaN}',
    "infinity": b'{"name":-Infinity}',
    "key twice": b'{"name":"a","name":"b"}',
    "lone surrogate": b'{"name":"\\ud800"}',
    "nul": b'{"name":"a\\u0000b"}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "utf-16": '{"name":"a"}'.encode("utf-16"),
    "not utf-8": b'{"name":"\xff"}',
    "long key": b'{"' + b"k" * 150_000 + b'":1}',
    "many keys": json.dumps({f"k{n}": n for n in range(12_000)}).encode(),
    "not json": b"{name: a}",
    "cut off": b'{"name":"a',
    "trailing": b'{"name":"a"} {}',
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_json_is_refused_briefly(api: Any, name: str) -> None:
    ada = api.person("ada")

    answer = api("PATCH", "/users/me", ada, content=HOSTILE[name], headers=HEADERS)

    assert answer.status_code == 422, answer.text[:200]
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 20_000
    assert api("GET", "/users/me", ada).json()["name"] == "Ada"


def test_a_body_that_announces_too_much_is_refused_unread(api: Any) -> None:
    code, headers, body = api.raw(
        "POST",
        "/api/v1/auth/token",
        headers={**HEADERS, "content-length": str(10**9)},
    )

    assert (code, json.loads(body)["code"]) == (413, "body-too-large")
    assert headers["connection"] == "close"


def test_a_body_that_grows_too_long_is_refused_while_it_is_read(api: Any) -> None:
    code, _, body = api.raw(
        "POST",
        "/api/v1/auth/token",
        headers={**HEADERS, "transfer-encoding": "chunked"},
        body=(b" " * 65_536,) * 8,
    )

    assert (code, json.loads(body)["code"]) == (413, "body-too-large")


def test_a_compressed_body_is_not_unpacked(api: Any) -> None:
    answer = api(
        "PATCH",
        "/users/me",
        api.person("ada"),
        content=b"\x1f\x8b" + b"0" * 100,
        headers={**HEADERS, "content-encoding": "gzip"},
    )

    assert answer.status_code == 415


@pytest.mark.parametrize("length", ["-1", "1e3", "٣", "0x10", " "])
def test_a_length_that_is_none_is_refused(api: Any, length: str) -> None:
    code, _, _ = api.raw(
        "POST",
        "/api/v1/auth/token",
        headers={"content-length": length.encode().decode("latin-1")},
    )

    assert code == 400


# Paths and errors


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/admin/queues/",
        "//api/v1/admin/queues",
        "/api/v1//admin/queues",
        "/api/v1/ADMIN/queues",
        "/api/v2/admin/queues",
        "/api/v1/admin/queues%0a",
        "/api/v1/admin%2fqueues",
        "/api/v1/admin/queues\x00",
        "/docs",
        "/metrics",
        "/.git/config",
        "/api/v1/courses/\x00",
    ],
)
def test_variants_of_a_path_lead_nowhere(api: Any, path: str) -> None:
    code, headers, _ = api.raw("GET", path)

    assert code in {401, 404, 405}
    assert "location" not in headers


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "TRACE", "PATCH"])
def test_other_methods_are_not_allowed(api: Any, method: str) -> None:
    code, headers, _ = api.raw(
        method, "/api/v1/admin/queues", headers={"x-http-method-override": "GET"}
    )

    assert code == 405
    assert headers["allow"] == "GET"


@pytest.mark.parametrize("host", ["evil.invalid", "a?b", "x/../y", ""])
def test_a_forged_host_changes_no_answer(api: Any, host: str) -> None:
    code, headers, _ = api.raw(
        "PATCH", "/api/v1/users/me", headers={"host": host, **HEADERS}, body=(b"{}",)
    )

    assert code == 401
    assert "location" not in headers


def test_every_answer_carries_what_browsers_need_to_be_told(api: Any) -> None:
    for path in ("/courses", "/nothing", "/admin/queues"):
        headers = api("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["x-request-id"]
        assert "server" not in headers


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1", True), ("a b", False), ("<script>", False)]
)
def test_request_ids_are_kept_only_when_they_are_harmless(
    api: Any, given: str, *, kept: bool
) -> None:
    found = api("GET", "/courses", headers={"x-request-id": given}).headers

    assert (found["x-request-id"] == given) is kept


def test_a_fault_of_ours_is_told_without_details(
    api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    (api.platform.data / "lms.db").write_bytes(b"this is no database, secret-marker")
    for path in api.platform.data.glob("lms.db-*"):
        path.unlink()

    answers = [api("GET", path) for path in ("/courses", "/health")]

    for answer in answers:
        assert answer.status_code in {500, 503}
        assert answer.headers["content-type"] == "application/problem+json"
        assert "lms.db" not in answer.text
        assert "x-request-id" in answer.headers
    assert caplog.records


def test_too_many_requests_are_refused_with_a_time_to_come_again(api: Any) -> None:
    api.app.state.limiters["general"] = RateLimiter(per_minute=0.001, burst=3)
    ada, bob = api.person("ada"), api.person("bob")

    answers = [api("GET", "/users/me", ada) for _ in range(4)]

    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert int(answers[3].headers["retry-after"]) >= 1
    assert api("GET", "/users/me", bob).status_code == 200


@pytest.mark.parametrize(
    ("proxies", "lines", "found"),
    [
        (0, ["203.0.113.9"], "10.0.0.1"),
        (1, [], "10.0.0.1"),
        (1, ["203.0.113.9"], "203.0.113.9"),
        (1, ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        (1, ["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
        (2, ["1.1.1.1, 203.0.113.9, 10.0.0.7"], "203.0.113.9"),
        (1, ["203.0.113.9:4711"], "203.0.113.9"),
        (1, ["2001:db8:0:1:aaaa::1"], "2001:db8:0:1::/64"),
        (1, ["[2001:db8:0:1:bbbb::1]:443"], "2001:db8:0:1::/64"),
        (1, ["::ffff:203.0.113.9"], "203.0.113.9"),
        (1, ["x" * 500], "x" * 64),
    ],
)
def test_an_address_is_what_trusted_proxies_say(
    proxies: int, lines: list[str], found: str
) -> None:
    scope = {
        "type": "http",
        "client": ("10.0.0.1", 1),
        "headers": [(b"x-forwarded-for", line.encode()) for line in lines],
    }

    assert client_address(scope, Settings(trusted_proxies=proxies)) == found


def test_a_limiter_forgets_and_refills() -> None:
    limiter = RateLimiter(per_minute=60, burst=1, most_buckets=2)

    assert limiter.seconds_to_wait("a") == 0
    assert limiter.seconds_to_wait("a") == 1
    limiter.seconds_to_wait("b")
    limiter.seconds_to_wait("c")
    assert limiter.seconds_to_wait("a") == 0


# Operators


def test_queues_are_for_admins(api: Any) -> None:
    teacher, root = api.course(), api.admin()
    queue = api.platform.events_queue
    queue.send([_message()])
    [delivery] = queue.receive()
    queue.bury(delivery, reason="poison")
    path = "/admin/queues/events"

    for who in (None, teacher):
        for method, where in (("GET", "/dead-letters"), ("POST", "/redrive")):
            answer = api(method, path + where, who, **({"json": {}} if who else {}))
            assert answer.status_code in {401, 403, 422}
        assert api("GET", "/admin/queues", who).status_code in {401, 403}
    [letter] = api("GET", f"{path}/dead-letters", root).json()
    redriven = api("POST", f"{path}/redrive", root, json={"ids": [letter["id"]]})

    assert letter["reason"] == "poison"
    assert redriven.json() == {"count": 1}
    assert api("GET", "/admin/queues/other/dead-letters", root).status_code == 404
    depths = api("GET", "/admin/queues", root).json()
    assert {d["name"]: d["dead"] for d in depths} == {"events": 0, "transcode": 0}
    assert api("GET", "/health").json() == {"status": "ok"}


def _message() -> Any:
    return Message(body="poison")
