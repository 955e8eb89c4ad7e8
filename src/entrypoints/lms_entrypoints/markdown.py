"""Markdown from authors and learners, as HTML that is safe to show.

CommonMark and tables. Raw HTML is shown as the text it is; what the renderer
makes then passes an allowlist, so that neither has to be right alone.
"""

import re
from collections.abc import Iterator

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

_DEEPEST_HEADING = 6
_SCHEMES = {"http", "https", "mailto"}
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "h5", "h6", "hr", "img",
    "li", "ol", "p", "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "loading", "referrerpolicy"},
    "ol": {"start"},
    "code": {"class"},
    "td": {"align"},
    "th": {"align"},
}
_LANGUAGE = re.compile(r"language-[A-Za-z0-9+#_-]{1,30}")
_ALIGNED = re.compile(r"text-align:(left|center|right)")
# A path of this site: not //host, and no backslash that browsers take for a slash.
_LOCAL = re.compile(r"(?!/[/\\])[^:\\]*(?:[/?#][^\\]*)?", re.DOTALL)

_PARSER = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable("table")


def render_markdown(text: str, *, shift: int = 1) -> str:
    """Return *text* as safe HTML; its headings start *shift* below the page's own.

    They start there whether the text begins with ``#`` or with ``##``: whoever
    hears a page would look for the level that is left out.

    Links go to http, https, mailto or this site, and vouch for nothing
    (``nofollow noopener``). Images come over https or from this site.
    """
    tokens = _PARSER.parse(text)
    headings = {"heading_open", "heading_close"}
    highest = min((int(t.tag[1]) for t in tokens if t.type in headings), default=1)
    for token in tokens:
        if token.type in headings:
            below = int(token.tag[1]) - highest + 1
            level = min(below + shift, _DEEPEST_HEADING)
            token.tag = f"h{level}"
        style = token.attrs.pop("style", "")
        if aligned := _ALIGNED.fullmatch(str(style)):
            # The attribute, since style is forbidden where scripts are.
            token.attrs["align"] = aligned[1]
        for child in token.children or ():
            if child.type == "image":
                # Set here and not by the cleaner, whose order changes by chance.
                child.attrs |= {"loading": "lazy", "referrerpolicy": "no-referrer"}
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return _CLEANER.clean(html)


def _filtered(tag: str, name: str, value: str) -> str | None:
    if (tag, name) == ("code", "class"):
        return value if _LANGUAGE.fullmatch(value) else None
    if (tag, name) == ("img", "src"):
        fine = value.startswith("https://") or _LOCAL.fullmatch(value)
        return value if fine else None
    return value


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    attribute_filter=_filtered,
    url_schemes=_SCHEMES,
    link_rel="nofollow noopener",
)


def plain_text(text: str, *, most: int | None = None) -> str:
    """Return the words of *text* in one line, cut after *most* characters.

    >>> plain_text("# Why *buffering* happens")
    'Why buffering happens'
    """
    words = " ".join(" ".join(_words(_PARSER.parse(text))).split())
    if most is None or len(words) <= most:
        return words
    cut = words[: most - 1]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut else cut}…"


def _words(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield "".join(_inline(token.children or []))
        elif token.type in {"fence", "code_block"}:
            yield token.content


def _inline(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in {"softbreak", "hardbreak"}:
            yield " "
        elif token.children:
            yield from _inline(token.children)
        else:
            yield token.content
