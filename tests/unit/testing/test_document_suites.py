"""The suites of renderers and sealers notice what is broken."""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from itertools import count

import pytest
from attrs import field, frozen

from lms_core.errors import InvalidValue, NotFound
from lms_core.ports.renderer import Data, RenderedMail
from lms_core.testing.mail_renderer import MailRendererConformance
from lms_core.testing.pdf_renderer import PdfRendererConformance
from lms_core.testing.pdf_sealer import PdfSealerConformance, Seal

DATA = {"name": "Zoë"}


def _name(template: str, data: Data) -> str:
    if template != "hello":
        raise NotFound("no such template", resource=template)
    name = data.get("name")
    if not isinstance(name, str):
        raise InvalidValue("name is missing")
    return name


@frozen
class PlainMail:
    """The smallest mail renderer that keeps the contract."""

    escapes: bool = True
    folds: bool = True
    falls_back: bool = True
    evaluates: bool = False
    forgives: bool = False
    inline: bool = True

    def render(
        self, template: str, data: Data, *, language: str = "en"
    ) -> RenderedMail:
        name = _name(template, {"name": "", **data} if self.forgives else data)
        if self.evaluates:
            name = name.replace("{{7*7}}", "49")
        if not self.falls_back and language != "en":
            name += language
        subject = "".join(it for it in " ".join(name.split()) if it.isprintable())
        shown = escape(name, quote=False) if self.escapes else name
        style = ' style="color: black"' if self.inline else ""
        return RenderedMail(
            subject=subject if self.folds else name,
            text=name,
            html=f"<p{style}>{shown}</p>",
        )


MAIL = MailRendererConformance()


@pytest.mark.parametrize(
    ("broken", "clause"),
    [
        (PlainMail(escapes=False), MAIL.test_markup_is_printed),
        (PlainMail(folds=False), MAIL.test_the_subject_is_one_line),
        (PlainMail(evaluates=True), MAIL.test_expressions_are_printed),
    ],
)
def test_a_mail_that_trusts_its_data_is_noticed(
    broken: PlainMail, clause: Callable[..., None]
) -> None:
    clause(PlainMail(), "hello", DATA, "name")

    with pytest.raises(AssertionError):
        clause(broken, "hello", DATA, "name")


@pytest.mark.parametrize(
    ("broken", "clause"),
    [
        (PlainMail(falls_back=False), MAIL.test_another_language_falls_back_to_english),
        (PlainMail(forgives=True), MAIL.test_missing_data_is_named),
        (PlainMail(inline=False), MAIL.test_styles_stand_inline),
    ],
)
def test_a_careless_mail_is_noticed(
    broken: PlainMail, clause: Callable[..., None]
) -> None:
    clause(PlainMail(), "hello", DATA)

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        clause(broken, "hello", DATA)


@frozen
class PlainPdf:
    """What a PDF renderer keeps of the contract, without the format."""

    dated: bool = False
    runs: bool = False
    _clock: "count[int]" = field(factory=count)

    def render(self, template: str, data: Data) -> bytes:
        name = _name(template, data)
        if self.runs:
            name = name.replace("#(7*7)", "49")
        try:
            words = name.encode()
        except UnicodeEncodeError as exc:
            raise InvalidValue("not text") from exc
        return b"%PDF-" + words + (b"%d" % next(self._clock) if self.dated else b"")


PDF = PdfRendererConformance()


def test_a_pdf_with_the_time_in_it_is_noticed() -> None:
    PDF.test_the_same_data_gives_the_same_bytes(PlainPdf(), "hello", DATA, "name")

    with pytest.raises(AssertionError):
        PDF.test_the_same_data_gives_the_same_bytes(
            PlainPdf(dated=True), "hello", DATA, "name"
        )


def test_a_pdf_that_runs_its_data_is_noticed() -> None:
    PDF.test_code_is_printed(PlainPdf(), "hello", DATA, "name", bytes.decode)

    with pytest.raises(AssertionError):
        PDF.test_code_is_printed(
            PlainPdf(runs=True), "hello", DATA, "name", bytes.decode
        )


PLAIN = b"%PDF-1.7\n" + b"words " * 20 + b"\n%%EOF\n"


@frozen
class DigestSealer:
    """A seal that anybody could make, but that shows every change."""

    covers: int = 1 << 20
    now: datetime | None = None

    def seal(self, pdf: bytes, *, reason: str, at: datetime) -> bytes:
        if not pdf.startswith(b"%PDF-") or not pdf.endswith(b"%%EOF\n"):
            raise InvalidValue("not a PDF file")
        if at.tzinfo is None:
            raise InvalidValue("no zone")
        time = (self.now or at).astimezone(UTC).isoformat()
        digest = sha256(pdf[: self.covers]).hexdigest()
        return pdf + f"\n{digest}|{reason}|{time}".encode()

    def check(self, sealed: bytes) -> Seal | None:
        pdf, _, seal = sealed.rpartition(b"\n")
        if seal.count(b"|") != 2:
            return None
        digest, reason, time = seal.decode().split("|")
        return Seal(
            intact=sha256(pdf[: self.covers]).hexdigest() == digest,
            certifies=True,
            reason=reason,
            at=datetime.fromisoformat(time),
        )


SEAL = PdfSealerConformance()


@pytest.mark.parametrize(
    ("broken", "clause"),
    [
        (DigestSealer(covers=20), SEAL.test_any_change_shows),
        (DigestSealer(covers=20), SEAL.test_a_seal_does_not_move_to_another_file),
        (
            DigestSealer(now=datetime(2020, 1, 1, tzinfo=UTC)),
            SEAL.test_the_time_is_the_one_given,
        ),
        (
            DigestSealer(now=datetime(2020, 1, 1, tzinfo=UTC)),
            SEAL.test_a_seal_is_intact,
        ),
    ],
)
def test_a_broken_sealer_is_noticed(
    broken: DigestSealer, clause: Callable[..., None]
) -> None:
    sound = DigestSealer()
    clause(sound, PLAIN, sound.check)

    with pytest.raises(AssertionError):
        clause(broken, PLAIN, broken.check)
