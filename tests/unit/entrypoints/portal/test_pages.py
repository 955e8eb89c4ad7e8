"""Every page is well-formed, labelled, free of inline code, and deaf to markup."""

import re
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from lxml import etree  # type: ignore[import-untyped] # it ships no types
from lxml import html as lxml_html
from markupsafe import Markup

from lms_entrypoints.portal import views
from lms_entrypoints.portal.pages import STATIC, render

Sample = tuple[views.View, views.Shell]
Element = Any

HOSTILE = "'\"><script>steal()</script><img src=x onerror=steal()>{{ 7*7 }}"

# What is compared with known words, and not text that somebody typed.
CHOSEN = {
    "status",
    "kind",
    "state",
    "tone",
    "offer",
    "outcome",
    "input",
    "combine",
    "show_answers",
    "mode",
    "price",
    "field",
    "language",
}


def page_of(sample: Sample) -> Element:
    return lxml_html.document_fromstring(render(*sample))


def _hostile(value: Any, name: str = "") -> Any:
    """Return *value* with every text in it replaced, all the way down."""
    if isinstance(value, Markup):
        return value
    if name == "field" and value.startswith("answer."):
        return f"answer.{HOSTILE}{value.removeprefix('answer.')}"
    if isinstance(value, str):
        return value if name in CHOSEN or not value else HOSTILE + value
    if isinstance(value, tuple):
        return tuple(_hostile(each, name) for each in value)
    if attrs.has(type(value)) and type(value).__module__.startswith("lms_entrypoints"):
        fields = {
            field.name: _hostile(getattr(value, field.name), field.name)
            for field in attrs.fields(type(value))
        }
        return attrs.evolve(value, **fields)
    return value


def _elements(page: Element) -> Iterator[Element]:
    for element in page.iter():
        if isinstance(element.tag, str):
            yield element


def _shape(page: Element) -> list[str]:
    # A cover is drawn from the name, so its bars differ.
    return [each.tag for each in _elements(page) if each.tag != "rect"]


def test_every_view_has_a_sample(samples: dict[str, Sample]) -> None:
    shown = {type(view) for view, _ in samples.values()}

    assert shown == set(views.View.__subclasses__())


def test_every_template_is_shown(samples: dict[str, Sample]) -> None:
    folder = STATIC.parent / "templates"
    pages = {path.name for path in folder.glob("*.html") if path.name[0] != "_"}

    assert {view.template for view, _ in samples.values()} == pages - {"base.html"}


def test_no_style_and_no_code_stand_in_the_page(sample: Sample) -> None:
    for element in _elements(page_of(sample)):
        assert element.tag != "style"
        assert not {name for name in element.attrib if name.startswith("on")}
        assert "style" not in element.attrib
        assert not element.get("href", "").lower().startswith("javascript:")
        if element.tag == "script":
            assert element.get("src", "").startswith("/static/")
            assert not (element.text or "").strip()


def test_scripts_and_styles_of_the_page_exist(sample: Sample) -> None:
    page = page_of(sample)

    for address in page.xpath("//script/@src | //link/@href"):
        name = address.removeprefix("/static/").partition("?")[0]
        assert (STATIC / name).is_file()


def test_a_page_has_one_main_heading_and_its_landmarks(sample: Sample) -> None:
    page = page_of(sample)

    assert len(page.xpath("//h1")) == 1
    assert page.xpath("//h1")[0].text_content().strip()
    assert len(page.xpath("//main")) == 1
    assert len(page.xpath("//header[contains(@class, 'top')]")) == 1
    assert page.get("lang") == "en"
    assert page.xpath("//title")[0].text_content().strip()[0] != "·"
    assert page.xpath("//a[@class='skip']/@href") == ["#main"]


def test_headings_skip_no_level(sample: Sample) -> None:
    levels = [
        int(element.tag[1])
        for element in _elements(page_of(sample))
        if re.fullmatch("h[1-6]", element.tag)
    ]

    for above, below in zip([1, *levels], levels, strict=False):
        assert below <= above + 1


def test_navigations_have_different_names(sample: Sample) -> None:
    names = page_of(sample).xpath("//nav/@aria-label")

    assert len(names) == len(set(names)) == len(page_of(sample).xpath("//nav"))


def test_ids_are_unique_and_references_meet_one(sample: Sample) -> None:
    page = page_of(sample)
    ids = page.xpath("//@id")

    assert len(ids) == len(set(ids))
    for name in ("aria-labelledby", "aria-describedby", "for"):
        for references in page.xpath(f"//@{name}"):
            assert set(references.split()) <= set(ids)


def test_every_field_has_a_label(sample: Sample) -> None:
    page = page_of(sample)

    for field in page.xpath("//input[not(@type='hidden')] | //select | //textarea"):
        wrapped = field.xpath("ancestor::label")
        labels = wrapped or page.xpath("//label[@for=$id]", id=field.get("id", ""))
        named = field.get("aria-label") or "".join(
            label.text_content() for label in labels
        )
        assert named.strip(), etree.tostring(field)


def test_buttons_links_and_progress_bars_have_names(sample: Sample) -> None:
    for element in page_of(sample).xpath("//button | //a | //progress | //th"):
        name = element.get("aria-label") or element.text_content()
        assert name.strip(), etree.tostring(element)


def test_pictures_have_alternatives(sample: Sample) -> None:
    page = page_of(sample)

    assert not page.xpath("//img[not(@alt)]")
    assert not page.xpath("//svg[not(@aria-hidden) and not(@role)]")


def test_forms_that_change_something_carry_the_token(sample: Sample) -> None:
    for form in page_of(sample).xpath("//form[@method='post']"):
        assert form.xpath(".//input[@name='csrf_token']/@value") == ["a-token"]
        assert form.get("action", "").startswith("/")


def test_errors_lead_to_their_fields(sample: Sample) -> None:
    page = page_of(sample)

    for target in page.xpath("//*[@class='error-summary']//a/@href"):
        assert page.xpath("//*[@id=$id]", id=target.removeprefix("#"))
    if page.xpath("//*[@class='error-summary']"):
        assert page.xpath("//title")[0].text_content().startswith("Error: ")


def test_markup_in_any_text_is_inert(sample: Sample) -> None:
    view, shell = sample
    calm = page_of(sample)

    text = render(_hostile(view), _hostile(shell))
    page = lxml_html.document_fromstring(text)

    assert len(page.xpath("//script")) == len(calm.xpath("//script"))
    assert not page.xpath("//img[@src='x']")
    assert not page.xpath("//@onerror")
    assert "{{ 7*7 }}" in text
    assert "<script>steal" not in text
    # Neither does hostile text end an element or open another one.
    assert _shape(page) == _shape(calm)


@pytest.mark.parametrize("path", ["javascript:steal()", "//evil.example", "/a?b=\"'<"])
def test_the_way_back_stays_a_value_in_a_query(path: str) -> None:
    shell = views.Shell(site_name="Lectern", csrf_token="t", path=path)

    page = lxml_html.document_fromstring(render(views.SignOut(done=True), shell))

    for address in page.xpath("//header//a/@href"):
        assert address.startswith("/")
        assert not address.startswith("//")
