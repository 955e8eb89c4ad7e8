"""Keys that an author did not have to think of, and other short forms."""

import re
import unicodedata
from decimal import Decimal
from hashlib import sha256

from lms_core.domain.documents import exact
from lms_core.errors import InvalidValue

_WORDS = 40
_UNITS = {"h": 3600, "min": 60, "s": 1}
_DURATION = re.compile(r"[0-9]{1,9} ?(?:h|min|s)(?: [0-9]{1,9} ?(?:h|min|s))*")
_PART = re.compile(r"([0-9]+) ?(h|min|s)")


def key_for(text: str) -> str:
    """Return the key of a question or an option that was given none.

    It follows from the text alone: other questions may come, go and move without
    touching what learners have answered.

    >>> key_for("The buffer ran **empty**.")
    'the-buffer-ran-empty-0bf1f4'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = "-".join(re.findall("[a-z0-9]+", plain.lower()))[:_WORDS].strip("-")
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{words}-{digest}" if words else f"x-{digest}"


def read_duration(text: str) -> int | None:
    """Return the seconds of a text like ``1 h 30 min``; `None` where it is none."""
    if not _DURATION.fullmatch(text):
        return None
    return sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def write_duration(seconds: int) -> str:
    """Return *seconds* in the largest units that give them exactly.

    >>> write_duration(5400), write_duration(0)
    ('1 h 30 min', '0 s')
    """
    parts = []
    for unit, size in _UNITS.items():
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"


def shortest(number: object) -> object:
    """Return an exact number as a decimal where it is one, else as it is."""
    try:
        value = exact(number)
    except InvalidValue:
        return number
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if value.denominator == 1 or rest != 1:
        return number
    decimal = Decimal(value.numerator) / Decimal(value.denominator)
    try:
        return decimal if exact(decimal) == value else number
    except InvalidValue:
        return number
