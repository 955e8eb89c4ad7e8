"""Mails written as Jinja templates."""

import re
import unicodedata
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from attrs import frozen
from css_inline import CSSInliner
from jinja2 import (
    PackageLoader,
    StrictUndefined,
    TemplateNotFound,
    UndefinedError,
    select_autoescape,
)
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lms_core.errors import InvalidValue, NotFound
from lms_core.ports.renderer import Data, MailRenderer, RenderedMail
from lms_core.registry import Wiring
from lms_documents._urls import settings_of

_NAME = re.compile("[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_SUBJECT = 200
# Invisible marks that can only disguise the order of what is shown.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


@frozen
class JinjaMailRenderer:
    """A `MailRenderer` with the templates that come with this package.

    What a template needs stands at the top of its ``body.html``. Whatever it
    prints is one line: line breaks and control characters become spaces, so that
    a name cannot write a paragraph or a header of its own.
    """

    _templates: ImmutableSandboxedEnvironment
    _inliner: CSSInliner

    @classmethod
    def load(cls) -> Self:
        """Find the templates; each is compiled when it is first used."""
        templates = ImmutableSandboxedEnvironment(
            loader=PackageLoader("lms_documents", "templates/mail"),
            undefined=StrictUndefined,
            autoescape=select_autoescape(["html"], default=False),
            finalize=_printed,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        templates.filters["web"] = _web_address
        # The style sheet stays as well: dark mode cannot be said inline.
        return cls(
            templates, CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
        )

    def render(
        self, template: str, data: Data, *, language: str = "en"
    ) -> RenderedMail:
        folder = self._folder(template, language)
        values = {**data, "language": folder.partition("/")[0]}
        try:
            subject, text, html = (
                self._templates.get_template(f"{folder}/{part}").render(values)
                for part in ("subject.txt", "body.txt", "body.html")
            )
        except UndefinedError as exc:
            raise InvalidValue(f"the mail {template!r} lacks data: {exc}") from exc
        except (SecurityError, TypeError) as exc:
            raise InvalidValue(f"the data of {template!r} does not fit: {exc}") from exc
        line = _line(subject)
        if len(line) > _LONGEST_SUBJECT:
            line = f"{line[: _LONGEST_SUBJECT - 1]}…"
        return RenderedMail(subject=line, text=text, html=self._inliner.inline(html))

    def _folder(self, template: str, language: str) -> str:
        if _NAME.fullmatch(template):
            wanted = language.lower().replace("_", "-")
            for name in (wanted, wanted.partition("-")[0], "en"):
                if _NAME.fullmatch(name) and self._has(f"{name}/{template}"):
                    return f"{name}/{template}"
        raise NotFound("there is no such mail", resource=template)

    def _has(self, folder: str) -> bool:
        try:
            self._templates.get_template(f"{folder}/subject.txt")
        except TemplateNotFound:
            return False
        return True


def _printed(value: object) -> object:
    # Markup is a subclass of str: what the layout itself made is left alone.
    return _line(value) if type(value) is str else value


def _line(text: str) -> str:
    line = " ".join(_DIRECTIONS.sub("", text).split())
    return "".join(it for it in line if unicodedata.category(it) != "Cc")


def _web_address(value: object) -> object:
    """Let only web addresses through to where a reader may click."""
    if isinstance(value, StrictUndefined):
        return value
    if (
        not isinstance(value, str)
        or not re.fullmatch("[!-~]+", value)
        or urlsplit(value).scheme not in {"http", "https"}
    ):
        raise InvalidValue(f"not a web address: {value!r:.80}")
    return value


def open_mail_renderer(url: str, _wiring: Wiring) -> JinjaMailRenderer:
    """Open ``jinja://``."""
    settings_of(url)
    return JinjaMailRenderer.load()


if TYPE_CHECKING:
    _conforms: type[MailRenderer] = JinjaMailRenderer
