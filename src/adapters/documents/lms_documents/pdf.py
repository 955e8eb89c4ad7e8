"""PDF files made by typst."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

import typst
from attrs import field, frozen

from lms_core.errors import ConfigurationError, InvalidValue, NotFound
from lms_core.ports.renderer import Data, PdfRenderer
from lms_core.registry import Wiring
from lms_documents._certificate import MISSING, NOTE, certificate
from lms_documents._urls import settings_of

_HERE = Path(__file__).parent
_TEMPLATES = _HERE / "templates" / "pdf"

_LACKED = re.compile(r'the text `"((?:[^"\\]|\\.)+)"` could not be displayed')
_ESCAPED = re.compile(r"\\(?:u\{([0-9a-f]+)\}|(.))")
_ZERO_WIDTH_SPACE = "\u200b"


@frozen
class TypstPdfRenderer:
    """A `PdfRenderer` that keeps its compiler, and so its fonts, loaded.

    A character that no font here can print becomes a white square, and the page
    says so and where the full text is; the title in the file's properties keeps
    every character. Fonts of the system are never used: the same data must give
    the same bytes anywhere.
    """

    _compiler: typst.Compiler
    # The compiler takes one document at a time and fails when two threads meet.
    _lock: Lock = field(factory=Lock, init=False)

    @classmethod
    def with_fonts(cls, *folders: Path) -> Self:
        """Load the compiler, with the fonts in *folders* besides our own."""
        return cls(
            typst.Compiler(
                root=_TEMPLATES,
                font_paths=[_HERE / "fonts", *folders],
                ignore_system_fonts=True,
            )
        )

    def render(self, template: str, data: Data) -> bytes:
        if template != "certificate-1":
            raise NotFound("there is no such template", resource=template)
        printed, hidden, issued = certificate(data)
        while True:
            note = NOTE if any(MISSING in text for text in printed.values()) else ""
            try:
                return self._compile(
                    template, {**printed, **hidden, "note": note}, issued
                )
            except typst.TypstError as exc:
                lacked = {_unescaped(it) for it in _LACKED.findall(exc.diagnostic)}
                fewer = {name: _without(lacked, it) for name, it in printed.items()}
                # Every round takes something away, so that this comes to an end.
                if fewer == printed:
                    raise InvalidValue(f"cannot be printed: {exc.message}") from exc
                printed = fewer

    def _compile(
        self, template: str, texts: Mapping[str, str], issued: datetime
    ) -> bytes:
        try:
            with self._lock:
                pdf = self._compiler.compile(
                    input=_TEMPLATES / f"{template}.typ",
                    format="pdf",
                    sys_inputs={"data": json.dumps(texts)},
                    # Kept for decades (PDF/A), read by a screen reader (PDF/UA).
                    pdf_standards=["a-2a", "ua-1"],
                    timestamp=int(issued.timestamp()),
                )
        except BaseException as exc:
            # Some mixtures of many scripts make the shaper panic; that is raised
            # as no Exception, has no class to import, and would end a worker.
            if type(exc).__name__ != "PanicException":
                raise
            raise InvalidValue("the compiler cannot typeset this text") from exc
        if not isinstance(pdf, bytes):
            raise TypeError(f"typst returned {type(pdf).__name__}, not one file")
        return pdf


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(
        lambda found: chr(int(found[1], 16)) if found[1] else found[2], text
    )


def _without(lacked: set[str], text: str) -> str:
    # The template puts these spaces into long words.
    parts = {part.replace(_ZERO_WIDTH_SPACE, "") for part in lacked} - {""}
    for part in sorted(parts, key=lambda part: (-len(part), part)):
        text = text.replace(part, MISSING)
    return text


def open_pdf_renderer(url: str, _wiring: Wiring) -> TypstPdfRenderer:
    """Open ``typst://``, or ``typst://?fonts=/a/folder`` with further fonts."""
    fonts = [Path(it) for it in settings_of(url, optional=("fonts",)).get("fonts", ())]
    absent = [str(folder) for folder in fonts if not folder.is_dir()]
    if absent:
        raise ConfigurationError(f"not a folder with fonts: {', '.join(absent)}")
    return TypstPdfRenderer.with_fonts(*fonts)


if TYPE_CHECKING:
    _conforms: type[PdfRenderer] = TypstPdfRenderer
