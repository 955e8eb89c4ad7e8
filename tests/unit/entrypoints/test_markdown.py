"""Markdown becomes HTML that is safe to show."""

from html.parser import HTMLParser
from pathlib import Path

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_entrypoints.markdown import _CLEANER, plain_text, render_markdown

STRINGS = (Path(__file__).parents[2] / "data/xss_strings.txt").read_text().splitlines()
ALLOWED = {
    "a": {"href", "title", "rel"},
    "img": {"src", "alt", "title", "loading", "referrerpolicy"},
    "ol": {"start"},
    "code": {"class"},
    "td": {"align"},
    "th": {"align"},
}


class Inspector(HTMLParser):
    """Holds that a page consists of nothing but what is allowed."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "style", "iframe", "svg", "form", "base", "h1"}
        for name, value in attrs:
            assert name in ALLOWED.get(tag, set())
            if name in {"href", "src"}:
                scheme = (value or "").partition(":")[0].lower()
                assert scheme not in {"javascript", "data", "vbscript", "file"}

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def inspected(text: str) -> str:
    html = render_markdown(text)
    Inspector().feed(html)
    # What is safe parses as itself: there is nothing left to mutate.
    assert _CLEANER.clean(html) == html
    return html


@pytest.mark.parametrize("text", STRINGS)
@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "# {}",
        "- {}\n",
        "> {}",
        "`{}`",
        "```{}\n{}\n```",
        "    {}",
        "[{}](http://a.b)",
        "[a]({})",
        '[a](<{}> "{}")',
        "![{}](https://a.b/c.png)",
        "![a](<{}>)",
        "<{}>",
        "| a |\n|---|\n| {} |",
        "[r]\n\n[r]: <{}> '{}'",
    ],
)
def test_hostile_texts_are_inert_wherever_they_stand(form: str, text: str) -> None:
    inspected(form.replace("{}", text))


@given(st.text("<>/[]()!`*_#\"'=:;&|-\n\\ ajsvricptdonleh", max_size=120))
def test_whatever_is_written_is_inert(text: str) -> None:
    inspected(text)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java&#115;cript:alert(1)",
        "data:text/html;base64,PHNjcmlwdD4=",
        "vbscript:x",
        "file:///etc/passwd",
    ],
)
def test_other_schemes_make_no_link(url: str) -> None:
    assert "href" not in inspected(f"[a]({url})")
    assert "src=" not in inspected(f"![a]({url})")


def test_links_vouch_for_nothing() -> None:
    assert inspected("[a](https://b.example)") == (
        '<p><a href="https://b.example" rel="nofollow noopener">a</a></p>\n'
    )


@pytest.mark.parametrize(
    "url", ["http://a.b/c.png", "//a.b/c.png", "/\\a.b/c.png", "mailto:a@b.c"]
)
def test_images_come_over_https_or_from_here(url: str) -> None:
    assert f'src="{url}"' not in inspected(f"![a](<{url}>)")
    assert 'src="https://a.b/c.png"' in inspected("![a](https://a.b/c.png)")
    assert 'src="/c.png?d=1"' in inspected("![a](/c.png?d=1)")
    assert 'loading="lazy"' in inspected("![a](c.png)")


def test_headings_leave_the_first_level_to_the_page() -> None:
    assert inspected("# A\n\n###### B") == "<h2>A</h2>\n<h6>B</h6>\n"
    assert render_markdown("# A", shift=2) == "<h3>A</h3>\n"


def test_tables_keep_their_alignment_without_styles() -> None:
    html = inspected("| a | b |\n|:--|--:|\n| 1 | 2 |\n")

    assert '<th align="left">a</th>' in html
    assert '<td align="right">2</td>' in html


def test_code_says_its_language() -> None:
    assert '<code class="language-python">' in inspected("```python\nx\n```")
    assert "class" not in inspected('```a"b onclick=x\nx\n```')


@pytest.mark.parametrize("piece", ["> ", "- ", "[", "![", "*a **b ", "`", "<a "])
def test_deep_nesting_is_cut_off(piece: str) -> None:
    html = inspected(piece * 3_000 + "x")

    assert html.count("<blockquote") + html.count("<ul") <= 40
    assert nh3.is_html(html)


def test_plain_text_is_what_is_read() -> None:
    text = "# A *title*\n\nOne\ntwo `three` [four](http://a.b) ![five](c.png)\n\n- six"

    assert plain_text(text) == "A title One two three four five six"
    assert plain_text("<b>bold</b>") == "<b>bold</b>"


def test_a_summary_ends_at_a_word() -> None:
    assert plain_text("one two three", most=9) == "one two…"
    assert plain_text("one two", most=7) == "one two"
    assert plain_text("abcdefgh", most=4) == "abc…"
