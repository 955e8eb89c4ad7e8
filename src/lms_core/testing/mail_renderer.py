"""The contract of `MailRenderer`, one test a clause."""

from html.parser import HTMLParser

import pytest

from lms_core.errors import InvalidValue, NotFound
from lms_core.ports.renderer import Data, MailRenderer
from lms_core.testing.suite import ConformanceSuite

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
EXPRESSIONS = (
    "{{7*7}}",
    "{{ ''.__class__.__mro__ }}",
    "{% for x in range(9) %}x{% endfor %}",
    "{# gone #}",
    "${7*7}",
    "<%= 7*7 %>",
    "%(name)s",
    "{0.__class__}",
)
LINES = "Zoë\r\nBcc: victim@example.invalid\r\n\r\nA body\u2028of her own\x00"


class MailRendererConformance(ConformanceSuite):
    """Subclass this and supply the fixtures `renderer`, `template`, `data`, `name`.

    *data* is all that *template* needs, and nothing optional; *name* is the key
    of a text in it that the subject, the text and the HTML of the mail all print.
    """

    def test_every_part_is_filled(
        self, renderer: MailRenderer, template: str, data: Data, name: str
    ) -> None:
        """A mail has a subject, a text and an HTML part, and each prints the data."""
        mail = renderer.render(template, {**data, name: "Quetzalcoatl"})

        for part in (mail.subject, mail.text, _shown(mail.html)):
            assert "Quetzalcoatl" in part

    def test_the_same_data_gives_the_same_words(
        self, renderer: MailRenderer, template: str, data: Data
    ) -> None:
        """Rendering twice gives equal mails."""
        assert renderer.render(template, data) == renderer.render(template, data)

    def test_an_unknown_template_is_not_found(
        self, renderer: MailRenderer, data: Data
    ) -> None:
        """A name without a template, one that climbs folders too, is `NotFound`."""
        for absent in ("no-such-mail", "", "..", "../pdf", "/etc/passwd", "a\x00b"):
            with pytest.raises(NotFound):
                renderer.render(absent, data)

    def test_missing_data_is_named(
        self, renderer: MailRenderer, template: str, data: Data
    ) -> None:
        """Whatever is left out, the refusal says what it was."""
        for key in data:
            rest = {other: data[other] for other in data if other != key}
            with pytest.raises(InvalidValue, match=key):
                renderer.render(template, rest)

    def test_another_language_falls_back_to_english(
        self, renderer: MailRenderer, template: str, data: Data
    ) -> None:
        """A language without a translation gives the English mail."""
        english = renderer.render(template, data)

        for language in ("zxx", "zxx-Latn-XX", "../en", ""):
            assert renderer.render(template, data, language=language) == english

    def test_expressions_are_printed(
        self, renderer: MailRenderer, template: str, data: Data, name: str
    ) -> None:
        """Data that looks like a template is printed as it stands."""
        for expression in EXPRESSIONS:
            mail = renderer.render(template, {**data, name: expression})

            for part in (mail.subject, mail.text, _shown(mail.html)):
                assert expression in part

    def test_markup_is_printed(
        self, renderer: MailRenderer, template: str, data: Data, name: str
    ) -> None:
        """Data adds no element and no attribute to the HTML."""
        plain = renderer.render(template, {**data, name: "Zoë"})
        mail = renderer.render(template, {**data, name: MARKUP})

        assert _elements(mail.html) == _elements(plain.html)
        assert MARKUP in _shown(mail.html)

    def test_the_subject_is_one_line(
        self, renderer: MailRenderer, template: str, data: Data, name: str
    ) -> None:
        """Line breaks in data reach no header."""
        for text in (LINES, "Zoë"):
            mail = renderer.render(template, {**data, name: text})

            assert len(mail.subject.splitlines()) == 1
            assert mail.subject.isprintable()

    def test_styles_stand_inline(
        self, renderer: MailRenderer, template: str, data: Data
    ) -> None:
        """The HTML needs nothing fetched, and holds styles where they apply."""
        elements = _elements(renderer.render(template, data).html)

        assert any("style" in attributes for _, attributes in elements)
        assert not {tag for tag, _ in elements} & {"link", "script", "img", "iframe"}


class _Reader(HTMLParser):
    """Collect what a reader of the HTML sees."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


def _elements(html: str) -> list[tuple[str, tuple[str, ...]]]:
    return _read(html).elements


def _shown(html: str) -> str:
    return "".join(_read(html).words)
