"""The contract of `PdfRenderer`, one test a clause."""

from collections.abc import Callable

import pytest

from lms_core.errors import InvalidValue, NotFound
from lms_core.ports.renderer import Data, PdfRenderer
from lms_core.testing.suite import ConformanceSuite

CODE = (
    '#read("/etc/passwd")',
    "#(7*7)",
    "$ 7 * 7 $",
    "\\input{/etc/passwd}",
    "{{7*7}}",
    "<b>bold</b>",
    "*strong*",
    "// gone",
)


class PdfRendererConformance(ConformanceSuite):
    """Subclass this and supply `renderer`, `template`, `data`, `name`, `words_of`.

    *data* is all that *template* needs, and nothing optional; *name* is the key
    of a text in it that is printed; *words_of* reads what a PDF file prints.
    """

    def test_a_pdf_prints_its_data(
        self,
        renderer: PdfRenderer,
        template: str,
        data: Data,
        name: str,
        words_of: Callable[[bytes], str],
    ) -> None:
        """The result is a PDF file with the data in it."""
        pdf = renderer.render(template, {**data, name: "Quetzalcoatl"})

        assert pdf.startswith(b"%PDF-")
        assert "Quetzalcoatl" in words_of(pdf)

    def test_the_same_data_gives_the_same_bytes(
        self, renderer: PdfRenderer, template: str, data: Data, name: str
    ) -> None:
        """Nothing but template and data, not even the clock, is in the file."""
        first = renderer.render(template, data)
        other = renderer.render(template, {**data, name: "Quetzalcoatl"})

        assert renderer.render(template, data) == first
        assert other != first

    def test_an_unknown_template_is_not_found(
        self, renderer: PdfRenderer, data: Data
    ) -> None:
        """A name without a template, one that climbs folders too, is `NotFound`."""
        for absent in ("no-such-document", "", "..", "../mail", "/etc/passwd"):
            with pytest.raises(NotFound):
                renderer.render(absent, data)

    def test_missing_data_is_named(
        self, renderer: PdfRenderer, template: str, data: Data
    ) -> None:
        """Whatever is left out, the refusal says what it was."""
        for key in data:
            rest = {other: data[other] for other in data if other != key}
            with pytest.raises(InvalidValue, match=key):
                renderer.render(template, rest)

    def test_code_is_printed(
        self,
        renderer: PdfRenderer,
        template: str,
        data: Data,
        name: str,
        words_of: Callable[[bytes], str],
    ) -> None:
        """Data that looks like markup or code is printed as it stands."""
        for code in CODE:
            pdf = renderer.render(template, {**data, name: code})

            assert "".join(code.split()) in "".join(words_of(pdf).split())

    def test_text_that_cannot_be_encoded_is_refused(
        self, renderer: PdfRenderer, template: str, data: Data, name: str
    ) -> None:
        """Half a character is no text."""
        with pytest.raises(InvalidValue):
            renderer.render(template, {**data, name: "Zo\ud800"})
