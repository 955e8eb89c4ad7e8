"""How values are written on a page; rounding happens here and nowhere before."""

from datetime import UTC, datetime
from fractions import Fraction
from hashlib import sha256

from markupsafe import Markup

from lms_core.domain.money import Money
from lms_core.domain.percent import Percent

_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def money(amount: Money) -> str:
    """Return *amount* with its currency.

    >>> money(Money(4900, "EUR")), money(Money(500, "JPY"))
    ('€49.00', 'JPY 500')
    """
    code = amount.currency
    decimals = amount.decimals
    whole, part = divmod(abs(amount.minor), 10**decimals)
    digits = f"{whole:,}" + (f".{part:0{decimals}}" if decimals else "")
    sign = "-" if amount.minor < 0 else ""
    return f"{sign}{_SYMBOLS.get(code, f'{code} ')}{digits}"


def _time(at: datetime, text: str, style: str) -> Markup:
    machine = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{}" data-localise="{}">{}</time>').format(
        machine, style, text
    )


def when(at: datetime) -> Markup:
    """Return an instant to the minute, in UTC, as a ``time`` element."""
    at = at.astimezone(UTC)
    text = f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"
    return _time(at, text, "minute")


def day(at: datetime) -> Markup:
    """Return the day of an instant, in UTC, as a ``time`` element.

    Documents and deadlines name one day for everybody, so it is never localised.
    """
    at = at.astimezone(UTC)
    return _time(at, f"{at.day} {_MONTHS[at.month - 1]} {at.year}", "")


def progress(share: Percent) -> int:
    """Return whole percents, rounded down: 100 only when nothing is missing."""
    return share.floor()


def grade(share: Fraction | Percent) -> str:
    """Return percents to a tenth, rounded down.

    Nobody reads a grade that reaches the pass mark and has not passed.

    >>> grade(Fraction(5996, 10000)), grade(Fraction(3, 4))
    ('59.9 %', '75 %')
    """
    exact = share.of_one if isinstance(share, Percent) else share
    tenths = int(exact * 1000)
    whole, tenth = divmod(tenths, 10)
    return f"{whole}.{tenth} %" if tenth else f"{whole} %"


def points(number: Fraction) -> str:
    """Return points with at most two decimals, rounded down.

    >>> points(Fraction(5, 2)), points(Fraction(2, 3)), points(Fraction(4))
    ('2.5', '0.66', '4')
    """
    hundredths = int(abs(number) * 100)
    whole, part = divmod(hundredths, 100)
    text = f"{whole}.{part:02}".rstrip("0").rstrip(".")
    return f"-{text}" if number < 0 and hundredths else text


def minutes(number: int) -> str:
    """Return a length as people say it.

    >>> minutes(80), minutes(45)
    ('1 h 20 min', '45 min')
    """
    hours, rest = divmod(number, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def seconds(number: int) -> str:
    """Return a time limit as people say it.

    >>> seconds(1200), seconds(90), seconds(1)
    ('20 minutes', '1 minute 30 seconds', '1 second')
    """
    parts = []
    for size, name in ((3600, "hour"), (60, "minute"), (1, "second")):
        count, number = divmod(number, size)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(parts) or "0 seconds"


def clock(ms: int) -> str:
    """Return a position in a lecture.

    >>> clock(65_000), clock(3_725_000)
    ('1:05', '1:02:05')
    """
    total = ms // 1000
    hours, rest = divmod(total, 3600)
    if hours:
        return f"{hours}:{rest // 60:02}:{rest % 60:02}"
    return f"{rest // 60}:{rest % 60:02}"


def size(number: int) -> str:
    """Return a number of bytes, rounded to what matters.

    >>> size(512), size(5_300_000), size(2 * 10**9)
    ('512 bytes', '5.3 MB', '2 GB')
    """
    if number < 1000:  # noqa: PLR2004 - the first unit
        return f"{number} bytes"
    for power, unit in ((12, "TB"), (9, "GB"), (6, "MB"), (3, "kB")):
        if number >= 10**power:
            tenths = number // 10 ** (power - 1)
            whole, tenth = divmod(tenths, 10)
            few = whole < 100 and tenth  # noqa: PLR2004 - three digits are enough
            return f"{whole}.{tenth} {unit}" if few else f"{whole} {unit}"
    raise AssertionError(number)


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun.

    >>> count(1, "lesson"), count(0, "lesson"), count(2, "quiz", "quizzes")
    ('1 lesson', '0 lessons', '2 quizzes')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def cover(name: str) -> tuple[int, tuple[tuple[int, int, int, int], ...]]:
    """Return a palette and bars (x, y, width, tone) that belong to *name* alone.

    The cover of a course is a drawing of played ranges; the same course has the
    same one everywhere, and nobody has to upload a picture.
    """
    digest = sha256(name.encode()).digest()
    bars = []
    for row in range(5):
        x = -(digest[row] % 40)
        for step in range(5):
            byte = digest[5 + row * 5 + step]
            width = 26 + byte % 74
            tone = (byte >> 3) % 4
            if tone:
                bars.append((x, 14 + row * 20, width, tone))
            x += width + 6
    return digest[30] % 5, tuple(bars)
