"""Typst keeps the contract of PdfRenderer, and certificates fit their page."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from lms_core.errors import ConfigurationError, InvalidValue
from lms_core.ports.renderer import Data, PdfRenderer
from lms_core.registry import Wiring
from lms_core.testing.pdf_renderer import PdfRendererConformance
from lms_documents.pdf import TypstPdfRenderer, open_pdf_renderer

URL = "https://learn.example.org/verify/7Q4M-2KXN-9TRB-V5WD"
CERTIFICATE = {
    "learner": "Zoë Beispiel-Müller",
    "course": "Adaptive Streaming from First Principles",
    "issuer": "Open School of Engineering",
    "number": "C-2026-000147",
    "issued_on": "2026-11-21",
    "verification_url": URL,
}
NOTE = "stands for a character that the fonts of this document lack"
PAYLOADS = [
    line
    for file in sorted((Path(__file__).parent / "payloads").glob("*.txt"))
    for line in file.read_text().splitlines()
]


@pytest.fixture(scope="module")
def renderer() -> PdfRenderer:
    return TypstPdfRenderer.with_fonts()


class TestTypstPdfRenderer(PdfRendererConformance):
    @pytest.fixture
    def template(self) -> str:
        return "certificate-1"

    @pytest.fixture
    def data(self) -> Data:
        return CERTIFICATE

    @pytest.fixture
    def name(self) -> str:
        return "learner"

    @pytest.fixture
    def words_of(self) -> Callable[[bytes], str]:
        return _words


def test_a_certificate_says_everything_on_one_landscape_page(
    renderer: PdfRenderer,
) -> None:
    pdf = renderer.render("certificate-1", {**CERTIFICATE, "grade": "94 %"})

    (page,) = PdfReader(BytesIO(pdf)).pages
    words = _words(pdf)
    assert (round(page.mediabox.width), round(page.mediabox.height)) == (842, 595)
    for text in (
        "Certificate of Completion",
        "Zoë Beispiel-Müller",
        "Adaptive Streaming from First Principles",
        "Open School of Engineering",
        "C-2026-000147",
        "21 November 2026",
        "with a final grade of 94 %",
        URL,
    ):
        assert text in words
    assert NOTE not in words


def test_without_a_grade_there_is_no_line_for_it(renderer: PdfRenderer) -> None:
    assert "grade" not in _words(renderer.render("certificate-1", CERTIFICATE))


def test_the_file_describes_itself(renderer: PdfRenderer) -> None:
    pdf = renderer.render("certificate-1", CERTIFICATE)

    reader = PdfReader(BytesIO(pdf))
    assert reader.metadata is not None
    assert reader.metadata.author == "Open School of Engineering"
    assert str(reader.metadata.title).endswith(
        "Zoë Beispiel-Müller, Adaptive Streaming from First Principles"
    )
    assert str(reader.metadata.creation_date) == "2026-11-21 00:00:00+00:00"
    xmp = reader.xmp_metadata
    assert xmp is not None
    root: Any = reader.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    packet = root["/Metadata"].get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in packet
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in packet
    assert "<pdfuaid:part>1</pdfuaid:part>" in packet


def test_the_qr_code_has_alternative_text_and_the_address_is_a_link(
    renderer: PdfRenderer,
) -> None:
    reader = PdfReader(BytesIO(renderer.render("certificate-1", CERTIFICATE)))

    nodes: list[Any] = [reader.get_object(number) for number in reader.xref[0]]
    alternatives = [
        str(node["/Alt"]) for node in nodes if isinstance(node, dict) and "/Alt" in node
    ]
    annotations: Any = reader.pages[0]["/Annots"]
    links = {str(annotation.get_object()["/A"]["/URI"]) for annotation in annotations}
    assert any("QR code" in alternative for alternative in alternatives)
    assert links == {URL}


@pytest.mark.parametrize(
    "name",
    [
        "Ελένη Παπαδοπούλου",
        "Юрий Алексеевич Ёлкин",
        "Nguyễn Thị Ánh",
        "Łukasz Żółć",
        "שלום עליכם",
        "محمد بن عبد الله الخوارزمي",
        "श्रीमती इंदिरा शर्मा",
    ],
)
def test_names_of_many_scripts_are_printed(renderer: PdfRenderer, name: str) -> None:
    pdf = renderer.render("certificate-1", {**CERTIFICATE, "learner": name})

    assert NOTE not in _words(pdf)
    assert name in str(PdfReader(BytesIO(pdf)).metadata)


@pytest.mark.parametrize(
    ("name", "printed"),
    [("李小龍 (Bruce Lee)", "□□□ (Bruce Lee)"), ("Zoë 🎓", "Zoë □"), ("김", "□")],
)
def test_what_the_fonts_lack_is_marked_explained_and_kept(
    renderer: PdfRenderer, name: str, printed: str
) -> None:
    pdf = renderer.render("certificate-1", {**CERTIFICATE, "learner": name})

    assert printed in _words(pdf)
    assert NOTE in _words(pdf)
    reader = PdfReader(BytesIO(pdf))
    assert reader.metadata is not None
    assert name in str(reader.metadata.title)


@pytest.mark.parametrize("field", ["learner", "course"])
@pytest.mark.parametrize(
    "text",
    [
        "W" * 400,
        "Wolfeschlegelsteinhausenbergerdorff " * 11,
        "i " * 199,
        "محمد " * 79,
        "x" * 39 + " " + "W" * 41,
    ],
)
def test_long_texts_stay_on_the_page(
    renderer: PdfRenderer, field: str, text: str
) -> None:
    pdf = renderer.render("certificate-1", {**CERTIFICATE, field: text, "grade": "A"})

    (page,) = PdfReader(BytesIO(pdf)).pages
    if text.isascii():
        assert "".join(text.split()) in _closed(pdf)
    places: list[tuple[float, float]] = []
    page.extract_text(
        visitor_text=lambda words, cm, tm, _font, _size: (
            places.append(
                (
                    tm[4] * cm[0] + tm[5] * cm[2] + cm[4],
                    tm[4] * cm[1] + tm[5] * cm[3] + cm[5],
                )
            )
            if words.strip()
            else None
        )
    )
    # Lines are centred: one that is too wide begins too far to the left.
    assert places
    assert all(40 <= x <= 802 and 40 <= y <= 555 for x, y in places)


def test_hostile_text_is_printed_or_refused(renderer: PdfRenderer) -> None:
    for payload in PAYLOADS:
        data = {**CERTIFICATE, "learner": payload, "course": payload}
        words = _closed(renderer.render("certificate-1", data))

        # Ligatures and letters that look alike are not what this is about.
        letters = [it for it in payload.split()[0] if it.isascii() and it.isalnum()]
        assert all(letter in words for letter in letters), payload
        assert "root:" not in words


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"issued_on": "21.11.2026"}, "issued_on"),
        ({"issued_on": "2026-13-01"}, "issued_on"),
        ({"verification_url": "javascript:alert(1)"}, "verification_url"),
        ({"verification_url": "https://a b"}, "verification_url"),
        ({"verification_url": "https://x/" + "y" * 300}, "verification_url"),
        ({"learner": ""}, "learner"),
        ({"learner": " \n "}, "learner"),
        ({"learner": 7}, "learner"),
        ({"learner": "x" * 401}, "learner"),
        ({"grade": 94}, "grade"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_data_that_does_not_fit_is_refused(
    renderer: PdfRenderer, changes: dict[str, object], place: str
) -> None:
    with pytest.raises(InvalidValue, match=place):
        renderer.render("certificate-1", {**CERTIFICATE, **changes})


def test_marks_that_reorder_text_are_left_out(renderer: PdfRenderer) -> None:
    plain = renderer.render("certificate-1", CERTIFICATE)
    marked = {**CERTIFICATE, "number": "C-2026-\u202e000147\u202c\x07"}

    assert renderer.render("certificate-1", marked) == plain


def test_another_process_makes_the_same_bytes(renderer: PdfRenderer) -> None:
    fresh = TypstPdfRenderer.with_fonts()

    assert fresh.render("certificate-1", CERTIFICATE) == renderer.render(
        "certificate-1", CERTIFICATE
    )


def test_threads_may_share_a_renderer(renderer: PdfRenderer) -> None:
    names = [f"Learner {n}" for n in range(8)]

    with ThreadPoolExecutor(4) as threads:
        pdfs = threads.map(
            lambda name: renderer.render(
                "certificate-1", {**CERTIFICATE, "learner": name}
            ),
            names,
        )

    for name, pdf in zip(names, pdfs, strict=True):
        assert name in _words(pdf)


def test_the_url_names_folders_with_fonts(wiring: Wiring, tmp_path: Path) -> None:
    plain = open_pdf_renderer("typst://", wiring)
    more = open_pdf_renderer(f"typst://?fonts={tmp_path}", wiring)

    assert plain.render("certificate-1", CERTIFICATE) == more.render(
        "certificate-1", CERTIFICATE
    )
    for url in (f"typst://?fonts={tmp_path}/none", "typst://?font=x", "typst://host"):
        with pytest.raises(ConfigurationError):
            open_pdf_renderer(url, wiring)


def _words(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def _closed(pdf: bytes) -> str:
    return "".join(_words(pdf).replace("\u200b", "").split())
