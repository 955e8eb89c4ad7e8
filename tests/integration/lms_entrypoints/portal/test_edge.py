import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from lms_core.application.register_user import RegisterUser
from lms_core.domain.catalog.content import CourseContent, Lesson, Module, Text
from lms_core.domain.ids import CourseId
from lms_core.errors import Unavailable
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.http.app import create_app
from lms_entrypoints.portal.visits import safe_next
from lms_entrypoints.settings import Settings

PASSWORD = "violet-otter-ladder"
ELSEWHERE = (
    "//evil.invalid",
    "///evil.invalid",
    "/\\evil.invalid",
    "\\/\\/evil.invalid",
    "https:evil.invalid",
    "http:///evil.invalid",
    "https://app.example@evil.invalid",
    "javascript:alert(1)",
    "data:text/html,x",
    "",
    "\tjavascript:alert(1)",
    "/%09/evil.invalid",
    "/%2f%2fevil.invalid",
    "/%5c%5cevil.invalid",
    "http://0x7f000001",
    "/ok/../../evil",
    "/ok/%2e%2e/evil",
    "?next=//evil.invalid",
    "/a\r\nLocation: //evil.invalid",
    "/a\nb",
    "\uff0eevil.invalid",
    "//evil%E3%80%82invalid",
    "/.//evil.invalid",
    "/" + "a" * 600,
    "/sign-out",
)


@pytest.mark.parametrize("address", ELSEWHERE)
def test_no_address_elsewhere_is_gone_on_to(address: str) -> None:
    assert safe_next(address) == ""


def test_signing_in_leads_nowhere_else(stranger: Any, platform: Platform) -> None:
    platform.use(RegisterUser)(email="eve@example.org", name="Eve", password=PASSWORD)

    form = stranger.get("/sign-in", params={"next": "//evil.invalid"})
    [hidden] = re.findall(r'name="next" value="([^"]*)"', form.html)
    page = stranger.post(
        "/sign-in",
        {"email": "eve@example.org", "password": PASSWORD, "next": "//evil.invalid"},
    )
    again = stranger.get("/sign-in", params={"next": "/\\evil.invalid"})

    assert hidden == ""
    assert (page.status, page.location) == (303, "/learn")
    assert (again.status, again.location) == (303, "/learn")


@pytest.mark.parametrize(
    "path", ["/learn", "/courses/a-b", "/courses?q=a&after=b%3D", "/learn/a/b?said=x"]
)
def test_signing_in_leads_back_to_a_page(path: str) -> None:
    assert safe_next(path) == path


def test_a_session_gets_a_new_secret_and_loses_it_on_the_server(
    stranger: Any, open_browser: Callable[[], Any]
) -> None:
    stranger.plant("planted.by-somebody")
    stranger.sign_up("eve@example.org")
    secret = stranger.cookies["lms_session"]
    stolen = open_browser()
    stolen.plant(secret)
    assert secret != "planted.by-somebody"
    assert stolen.get("/learn").status == 200

    out = stranger.post("/sign-out")

    assert "lms_session" not in stranger.cookies
    assert stranger.get(out.location).heading == "You are signed out"
    assert stolen.get("/learn").location.startswith("/sign-in")


def test_signing_in_ends_what_the_browser_was_signed_in_to(
    learner: Any, open_browser: Callable[[], Any], platform: Platform
) -> None:
    platform.use(RegisterUser)(email="eve@example.org", name="Eve", password=PASSWORD)
    before = open_browser()
    before.plant(learner.cookies["lms_session"])
    assert before.get("/learn").status == 200

    learner.sign_in("eve@example.org")

    assert before.get("/learn").location.startswith("/sign-in")
    assert "Eve" in learner.get("/learn").text


def test_over_https_cookies_never_travel_in_the_open(data: Path, stranger: Any) -> None:
    settings = Settings(data=data, base_url="https://learn.example.org")
    browser = type(stranger)(create_app(Platform(settings)))

    page = browser.get("/sign-up")

    assert "; Secure" in page.response.headers["set-cookie"]
    assert "strict-transport-security" in page.response.headers


def test_cookies_are_for_us_alone(stranger: Any) -> None:
    visit = stranger.get("/sign-up").response.headers["set-cookie"]
    page = stranger.post(
        "/sign-up", {"name": "Eve", "email": "eve@example.org", "password": PASSWORD}
    )
    session = page.response.headers["set-cookie"]

    for cookie in (visit, session):
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie


@pytest.mark.usefixtures("free")
def test_a_session_that_has_ended_leaves_public_pages_open(stranger: Any) -> None:
    stranger.plant("gone.secret")

    page = stranger.get("/courses/free-course")

    assert page.status == 200
    assert "Sign up to take it" in page.text
    assert "lms_session" not in stranger.cookies


@pytest.mark.usefixtures("free")
@pytest.mark.parametrize("token", ["", "forged", "0" * 64])
def test_a_form_without_our_token_is_refused(learner: Any, token: str) -> None:
    page = learner.post("/courses/free-course/enroll", {"csrf_token": token})

    assert page.status == 403
    assert "did not come from this site" in page.text
    assert learner.get("/learn/free-course").location == "/courses/free-course"


@pytest.mark.usefixtures("free")
def test_a_form_from_another_site_is_refused(learner: Any) -> None:
    for headers in (
        {"origin": "https://evil.invalid"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        page = learner.post("/courses/free-course/enroll", headers=headers)
        assert page.status == 403


def test_nobody_is_signed_in_by_a_foreign_form(
    stranger: Any, platform: Platform
) -> None:
    platform.use(RegisterUser)(email="eve@example.org", name="Eve", password=PASSWORD)
    fields = {"email": "eve@example.org", "password": PASSWORD, "csrf_token": ""}

    page = stranger.send("POST", "/sign-in", data=fields)

    assert page.status == 403
    assert "lms_session" not in stranger.cookies


@pytest.mark.usefixtures("free")
def test_a_token_of_another_browser_is_refused(
    learner: Any, open_browser: Callable[[], Any]
) -> None:
    other = open_browser().sign_up("eve@example.org", "Eve")

    page = learner.post(
        "/courses/free-course/enroll", {"csrf_token": other.get("/verify").token}
    )

    assert page.status == 403


def test_a_form_cannot_carry_files_or_fields_without_end(learner: Any) -> None:
    files = {"archive": ("a.txt", b"x")}
    many = {f"answer.{n}": "x" for n in range(3000)}

    assert learner.post("/sign-out", files=files).status == 400
    assert learner.post("/sign-out", many).status == 400
    assert learner.get("/learn").status == 200


def test_a_body_that_is_too_long_is_refused_with_a_page(learner: Any) -> None:
    page = learner.post("/sign-out", {"padding": "x" * 300_000})

    assert page.status == 413
    assert page.heading == "That is too large"


def test_wrong_passwords_are_told_without_saying_which(
    stranger: Any, platform: Platform
) -> None:
    platform.use(RegisterUser)(email="eve@example.org", name="Eve", password=PASSWORD)
    texts = []
    for email in ("eve@example.org", "nobody@example.org"):
        page = stranger.post("/sign-in", {"email": email, "password": "wrong-password"})
        assert page.status == 422
        texts.append(page.text.replace(email, ""))

    assert texts[0] == texts[1]


def test_guessing_passwords_is_slowed_down(stranger: Any) -> None:
    fields = {"email": "eve@example.org", "password": "wrong-password"}
    pages = [stranger.post("/sign-in", fields) for _ in range(12)]

    assert pages[-1].status == 429
    assert pages[-1].heading == "A little slower, please"
    assert int(pages[-1].response.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"email": "no address"}, "email"),
        ({"password": "short"}, "password"),
    ],
)
def test_the_sign_up_form_says_what_is_wrong_and_where(
    stranger: Any, fields: dict[str, str], field: str
) -> None:
    right = {"name": "Eve", "email": "eve@example.org", "password": PASSWORD}

    page = stranger.post("/sign-up", {**right, **fields})

    assert page.status == 422
    assert f'href="#f-{field}"' in page.html
    assert PASSWORD not in page.html


@pytest.mark.usefixtures("learner")
def test_an_address_opens_one_account(stranger: Any) -> None:
    page = stranger.post(
        "/sign-up", {"name": "Lea", "email": "LEA@example.org", "password": PASSWORD}
    )

    assert page.status == 422
    assert "has an account already" in page.text


XSS = [
    line
    for line in (Path(__file__).parents[3] / "data" / "xss_strings.txt")
    .read_text("utf-8")
    .splitlines()
    if line.strip()
]


class _Runs(HTMLParser):
    """Collects what a browser would run, load or be sent to, as it parses pages."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.found += [name for name in values if name.startswith("on")]
        if tag in {"iframe", "object", "embed", "base", "style"}:
            self.found.append(tag)
        if tag == "script" and not re.fullmatch(
            r"/static/[a-z]+\.js\?v=[0-9a-f]{12}", values.get("src") or ""
        ):
            self.found.append(f"script {values}")
        if tag == "meta" and values.get("http-equiv"):
            self.found.append(f"meta {values}")
        for name in ("href", "src", "action", "formaction", "srcdoc", "poster"):
            address = (values.get(name) or "/").strip()
            if not re.match(r"/(?!/)|#|\?", address):
                self.found.append(f"{name} {address}")


def _what_runs(html: str) -> list[str]:
    parser = _Runs()
    parser.feed(html)
    parser.close()
    return parser.found


def test_the_search_for_what_runs_finds_it() -> None:
    for text in XSS:
        if re.match(
            r"""['"{<>\w]*(<script|<img|<svg/|<a |<iframe|<base|<style)""", text
        ):
            assert _what_runs(f"{text}>"), text


@pytest.fixture
def hostile(publish: Callable[..., CourseId]) -> CourseId:
    """Return a course in which every text tries to be more than a text."""
    lessons = tuple(
        Lesson(key=f"x{n}", title=text, content=Text(markdown=f"{text}\n\n# {text}"))
        for n, text in enumerate(XSS)
    )
    everything = " ".join(XSS)
    return publish(
        CourseId("hostile"),
        CourseContent(
            title=XSS[0],
            summary=everything,
            description=everything,
            modules=(Module(key="one", title=XSS[1], lessons=lessons),),
        ),
    )


@pytest.mark.usefixtures("hostile")
def test_what_people_write_stays_text(
    open_browser: Callable[[], Any], teacher: Any
) -> None:
    victim = open_browser().sign_up("eve@example.org", XSS[2])
    victim.post("/courses/hostile/enroll")
    book = teacher.get("/teach/hostile/gradebook")
    [detail] = {each for each in book.links if "/gradebook/" in each}

    pages = [
        *(victim.get(f"/learn/hostile/x{n}") for n in range(len(XSS))),
        *(victim.get("/courses", params={"q": text}) for text in XSS[:6]),
        *(victim.get("/verify", params={"code": text}) for text in XSS[:6]),
        *(victim.get(f"/nowhere/{quote(text, safe='')}") for text in XSS[:3]),
        victim.get("/courses"),
        victim.get("/courses/hostile"),
        victim.get("/learn"),
        victim.get("/learn/hostile"),
        victim.post("/sign-up", {"name": XSS[2], "email": XSS[2], "next": XSS[2]}),
        victim.post("/sign-in", {"email": XSS[2], "next": XSS[2]}),
        teacher.get("/teach"),
        teacher.get("/teach/hostile"),
        book,
        teacher.get("/teach/hostile/gradebook", params={"q": XSS[2]}),
        teacher.get(detail),
        teacher.post("/teach/new", {"id": XSS[0], "title": XSS[1]}),
    ]

    for page in pages:
        assert page.status < 500
        assert _what_runs(page.html) == []
    for text in XSS:
        assert text in unescape(victim.get("/learn/hostile").html)


def test_pages_forbid_scripts_of_others(stranger: Any) -> None:
    policy = stranger.get("/").response.headers["content-security-policy"]

    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


def test_pages_of_the_signed_in_are_not_kept(learner: Any) -> None:
    for path in ("/learn", "/courses", "/certificates"):
        assert learner.get(path).response.headers["cache-control"] == "no-store"


def test_our_own_files_are_kept_under_their_content(stranger: Any) -> None:
    page = stranger.get("/")
    [style] = re.findall(r'href="(/static/portal.css\?v=[^"]*)"', page.html)

    kept = stranger.get(style).response
    plain = stranger.get("/static/portal.css").response
    stale = stranger.get("/static/portal.css?v=0").response

    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["cache-control"] == "no-cache"
    assert stale.headers["cache-control"] == "no-cache"
    assert stranger.get("/static/../app.py").status == 404
    assert stranger.get("/static/%2e%2e/app.py").status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/courses/nowhere", 404),
        ("GET", "/learn/Not A Key/%00", 404),
        ("DELETE", "/courses", 405),
        ("GET", "/courses?q=" + "x" * 300, 422),
        ("GET", "/courses?after=" + "x" * 600, 422),
    ],
)
def test_errors_are_pages_for_people(
    learner: Any, method: str, path: str, status: int
) -> None:
    page = learner.send(method, path)

    assert page.status == status
    assert page.response.headers["content-type"].startswith("text/html")
    assert page.heading
    assert page.response.headers["x-request-id"] in page.text


def test_errors_are_problems_for_programs(stranger: Any) -> None:
    api = stranger.get("/api/v1/courses/nowhere")
    page = stranger.get("/courses/nowhere", headers={"accept": "application/json"})

    for answer in (api, page):
        assert answer.status == 404
        kind = answer.response.headers["content-type"]
        assert kind == "application/problem+json"


def test_when_a_part_is_away_a_page_says_so(stranger: Any, platform: Platform) -> None:
    def away(**_: object) -> Any:
        raise Unavailable("the database is away")

    platform.__dict__["start"] = away
    platform._made.clear()

    page = stranger.get("/courses")

    assert page.status == 503
    assert page.heading == "We will be right back"
    assert "database" not in page.text
    assert page.response.headers["retry-after"]


def test_a_fault_of_ours_is_a_page_that_tells_nothing_of_it(
    stranger: Any, platform: Platform
) -> None:
    def broken(**_: object) -> Any:
        raise ZeroDivisionError("the secret of the house")

    platform.__dict__["start"] = broken
    platform._made.clear()

    page = stranger.get("/courses")

    assert page.status == 500
    assert page.heading == "Something broke on our side"
    assert "secret of the house" not in page.html
