"""What the template ``certificate-1`` is given."""

import re
import unicodedata
from datetime import UTC, date, datetime
from io import BytesIO

import segno

from lms_core.errors import InvalidValue
from lms_core.ports.renderer import Data

# The most characters of each field; the template fits that many on its page.
_LONGEST = {
    "learner": 400,
    "course": 400,
    "issuer": 200,
    "number": 60,
    "verification_url": 300,
    "issued_on": 10,
    "grade": 60,
}
_OPTIONAL = {"grade"}

MISSING = "\N{WHITE SQUARE}"
NOTE = (
    f"{MISSING} stands for a character that the fonts of this document lack; "
    "the full text is at the address above."
)
# Invisible marks that can only disguise the order of what is printed.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def certificate(data: Data) -> tuple[dict[str, str], dict[str, str], datetime]:
    """Return what is printed, what is not, and the day of issue.

    Raises:
        InvalidValue: *data* lacks a field, has one too many, or one does not fit.
    """
    unknown = sorted(data.keys() - _LONGEST.keys())
    if unknown:
        raise InvalidValue(f"the template has no such field: {', '.join(unknown)}")
    texts = {
        name: _text(name, data.get(name), longest) for name, longest in _LONGEST.items()
    }
    issued = _day(texts.pop("issued_on"))
    url = _web_address(texts.pop("verification_url"))
    hidden = {
        "title": f"Certificate of Completion: {texts['learner']}, {texts['course']}",
        "url": url,
        "qr": _qr(url),
        "year": str(issued.year),
        "month": str(issued.month),
        "day": str(issued.day),
    }
    return texts, hidden, issued


def _day(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError as exc:
        raise InvalidValue("not a date like 2026-11-21", place="issued_on") from exc
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _web_address(text: str) -> str:
    if not re.fullmatch("https?://[!-~]+", text):
        raise InvalidValue("not a web address", place="verification_url")
    return text


def _text(name: str, value: object, longest: int) -> str:
    if value is None and name in _OPTIONAL:
        return ""
    if not isinstance(value, str):
        raise InvalidValue("text is needed here", place=name)
    try:
        value.encode()
    except UnicodeEncodeError as exc:
        raise InvalidValue("not Unicode text", place=name) from exc
    line = " ".join(_DIRECTIONS.sub("", value).split())
    text = "".join(
        MISSING if unicodedata.category(character) == "Co" else character
        for character in unicodedata.normalize("NFC", line)
        if unicodedata.category(character) != "Cc"
    )
    if not text or len(text) > longest:
        raise InvalidValue(f"1 to {longest} characters are needed", place=name)
    return text


def _qr(url: str) -> str:
    svg = BytesIO()
    # Any of the eight masks can be read; choosing the handsomest takes 7 ms.
    code = segno.make(url, error="m", micro=False, mask=2)
    code.save(svg, kind="svg", border=0, xmldecl=False, dark="#16243d")
    return svg.getvalue().decode()
