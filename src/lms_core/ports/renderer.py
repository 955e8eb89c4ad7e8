"""Turn data into documents for people."""

from collections.abc import Mapping
from typing import Protocol

from attrs import frozen

Data = Mapping[str, object]
"""What a template sees: JSON-like values, and nothing that can be called."""


@frozen(kw_only=True)
class RenderedMail:
    """A mail's words: *html* carries its styles inline."""

    subject: str
    text: str
    html: str


class MailRenderer(Protocol):
    """Fill mail templates. Data is data: it is never read as a template."""

    def render(
        self, template: str, data: Data, *, language: str = "en"
    ) -> RenderedMail:
        """Fill *template*, falling back to English where it is not translated.

        Raises:
            NotFound: there is no such template.
            InvalidValue: the template names something that *data* lacks.
        """
        ...


class PdfRenderer(Protocol):
    """Fill document templates."""

    def render(self, template: str, data: Data) -> bytes:
        """Return a PDF; the same template and data give the same bytes.

        Data is data: markup in it is printed, nothing in it is run, and no file
        or network is read on its behalf.

        Raises:
            NotFound: there is no such template.
            InvalidValue: the data does not fit it.
        """
        ...
