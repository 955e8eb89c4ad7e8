"""Jinja mails keep the contract of MailRenderer, and every template renders."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from lms_core.errors import ConfigurationError, InvalidValue
from lms_core.ports.renderer import Data, MailRenderer
from lms_core.registry import Wiring
from lms_core.testing.mail_renderer import MailRendererConformance
from lms_documents.mail import JinjaMailRenderer, open_mail_renderer

SITE = {"name": "Open School", "url": "https://learn.example.org"}
URL = "https://learn.example.org/go?to=1&then=2"
MAILS: dict[str, dict[str, Any]] = {
    "welcome": {"site": SITE, "name": "Zoë", "courses_url": URL},
    "receipt": {
        "site": SITE,
        "name": "Zoë",
        "order": {
            "number": "O-7",
            "paid_on": "21 November 2026",
            "total": "49.00 EUR",
            "lines": [{"title": "Adaptive Streaming", "amount": "49.00 EUR"}],
        },
        "order_url": URL,
    },
    "enrollment": {
        "site": SITE,
        "name": "Zoë",
        "course": {"title": "Adaptive Streaming"},
        "course_url": URL,
    },
    "certificate": {
        "site": SITE,
        "name": "Zoë",
        "course": {"title": "Adaptive Streaming"},
        "certificate": {"number": "C-2026-147", "issued_on": "21 November 2026"},
        "certificate_url": URL,
        "verification_url": "https://learn.example.org/verify/7Q4M",
    },
    "course-refunded": {
        "site": SITE,
        "name": "Zoë",
        "course": {"title": "Adaptive Streaming"},
        "refund": {
            "amount": "49.00 EUR",
            "order_number": "O-7",
            "refunded_on": "22 November 2026",
        },
        "access_ended": True,
    },
    "password-reset": {
        "site": SITE,
        "name": "Zoë",
        "reset_url": URL,
        "valid_for": "30 minutes",
    },
    "media-failed": {
        "site": SITE,
        "name": "Zoë",
        "course": {"title": "Adaptive Streaming"},
        "lesson": {"title": "Segments"},
        "media": {
            "filename": "lecture.mov",
            "reason": "The file ends in the middle of a frame.",
            "remedy": "Export it again and upload the new file.",
        },
        "media_url": URL,
    },
}
PAYLOADS = [
    line
    for file in sorted((Path(__file__).parent / "payloads").glob("*.txt"))
    for line in file.read_text().splitlines()
]
# The files write line breaks as escapes; a form would deliver the real thing.
PAYLOADS += [
    line.encode().decode("unicode_escape")
    for line in PAYLOADS
    if line.startswith("a\\")
]


@pytest.fixture(scope="module")
def renderer() -> MailRenderer:
    return JinjaMailRenderer.load()


class TestJinjaMailRenderer(MailRendererConformance):
    @pytest.fixture
    def template(self) -> str:
        return "welcome"

    @pytest.fixture
    def data(self) -> Data:
        return MAILS["welcome"]

    @pytest.fixture
    def name(self) -> str:
        return "name"


@pytest.mark.parametrize("template", MAILS)
def test_every_mail_prints_all_of_its_data(
    renderer: MailRenderer, template: str
) -> None:
    mail = renderer.render(template, MAILS[template])

    shown = "".join(_read(mail.html).words)
    for text in _texts(MAILS[template]):
        assert text in mail.subject + mail.text
        assert text in shown + mail.html.replace("&amp;", "&")


@pytest.mark.parametrize("template", MAILS)
def test_every_mail_names_any_datum_it_lacks(
    renderer: MailRenderer, template: str
) -> None:
    for path in _paths(MAILS[template]):
        with pytest.raises(InvalidValue, match=path[-1]):
            renderer.render(template, _without(MAILS[template], path))


@pytest.mark.parametrize("template", MAILS)
def test_hostile_text_is_inert_in_every_mail(
    renderer: MailRenderer, template: str
) -> None:
    plain = _read(renderer.render(template, MAILS[template]).html)

    for payload in PAYLOADS:
        mail = renderer.render(template, _hostile(MAILS[template], payload))
        read = _read(mail.html)

        assert read.elements == plain.elements, payload
        assert read.links == plain.links, payload
        assert mail.subject.isprintable(), payload
        line = " ".join(payload.replace("\x00", "").split())
        assert line in " ".join("".join(read.words).split()), payload
        assert line in mail.text, payload


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " https://learn.example.org",
        "https://learn.example.org/\nBcc: x",
        "data:text/html,x",
        "//evil.invalid",
        "",
        7,
    ],
)
def test_a_link_leads_to_the_web_or_nowhere(
    renderer: MailRenderer, url: object
) -> None:
    with pytest.raises(InvalidValue, match="web address"):
        renderer.render("welcome", {**MAILS["welcome"], "courses_url": url})


def test_optional_lines_appear_when_they_are_given(renderer: MailRenderer) -> None:
    order = {**MAILS["receipt"]["order"], "discount": "5.00 EUR", "tax": "7.03 EUR"}
    certificate = {**MAILS["certificate"]["certificate"], "grade": "94 %"}

    receipt = renderer.render("receipt", {**MAILS["receipt"], "order": order})
    issued = renderer.render(
        "certificate", {**MAILS["certificate"], "certificate": certificate}
    )

    for part in (receipt.text, receipt.html):
        assert "5.00 EUR" in part
        assert "7.03 EUR" in part
    assert "Final grade: 94 %" in issued.text
    assert "94 %" in issued.html


def test_a_refund_says_whether_access_has_ended(renderer: MailRenderer) -> None:
    kept = {**MAILS["course-refunded"], "access_ended": False}

    ended = renderer.render("course-refunded", MAILS["course-refunded"])
    stays = renderer.render("course-refunded", kept)

    assert "has ended" in ended.text
    assert "has ended" in ended.html
    assert "stays as it is" in stays.text
    assert "stays as it is" in stays.html


@pytest.mark.parametrize("language", ["de", "de-AT", "DE_de"])
def test_a_translated_mail_is_sent_in_that_language(
    renderer: MailRenderer, language: str
) -> None:
    mail = renderer.render("welcome", MAILS["welcome"], language=language)

    assert mail.subject == "Willkommen bei Open School, Zoë"
    assert "Fortschritt" in mail.text
    assert '<html lang="de">' in mail.html


def test_a_mail_without_translation_is_english_throughout(
    renderer: MailRenderer,
) -> None:
    mail = renderer.render("receipt", MAILS["receipt"], language="de")

    assert mail == renderer.render("receipt", MAILS["receipt"])
    assert '<html lang="en">' in mail.html


def test_a_very_long_title_is_cut_in_the_subject_alone(
    renderer: MailRenderer,
) -> None:
    data = {**MAILS["welcome"], "name": "x" * 10_000}

    mail = renderer.render("welcome", data)

    assert len(mail.subject) == 200
    assert mail.subject.endswith("…")
    assert "x" * 10_000 in mail.text


def test_data_that_does_not_fit_is_refused(renderer: MailRenderer) -> None:
    order = {**MAILS["receipt"]["order"], "lines": 3}

    with pytest.raises(InvalidValue, match="receipt"):
        renderer.render("receipt", {**MAILS["receipt"], "order": order})


def test_dark_mode_survives_inlining(renderer: MailRenderer) -> None:
    html = renderer.render("welcome", MAILS["welcome"]).html

    assert "prefers-color-scheme: dark" in html


def test_the_url_takes_no_settings(wiring: Wiring) -> None:
    assert isinstance(open_mail_renderer("jinja://", wiring), JinjaMailRenderer)
    for url in ("jinja://?folder=/etc", "jinja://host", "jinja:///path"):
        with pytest.raises(ConfigurationError):
            open_mail_renderer(url, wiring)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str | None] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for it in value.values() for text in _texts(it)]
    if isinstance(value, list):
        return [text for it in value for text in _texts(it)]
    return [value] if isinstance(value, str) else []


def _paths(value: Any) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return []
    return [
        path
        for key, inner in value.items()
        for path in [(key,), *((key, *rest) for rest in _paths(inner))]
    ]


def _without(value: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    key, *rest = path
    if not rest:
        return {name: value[name] for name in value if name != key}
    return {**value, key: _without(value[key], tuple(rest))}


def _hostile(value: Any, payload: str) -> Any:
    if isinstance(value, dict):
        return {key: _hostile(it, payload) for key, it in value.items()}
    if isinstance(value, list):
        return [_hostile(it, payload) for it in value]
    if isinstance(value, str) and not value.startswith("https://"):
        return payload
    return value
