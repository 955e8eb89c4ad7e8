"""What a buyer types into the checkout page."""

import re
from collections.abc import Mapping
from datetime import datetime

from attrs import Factory, frozen

from lms_sandbox.cards import CARDS, Card

_NUMBER = re.compile("[0-9]{16}")
_EXPIRY = re.compile(r"([0-9]{2})\s*/?\s*(?:20)?([0-9]{2})", re.ASCII)
_CVC = re.compile("[0-9]{3,4}")
_FIELDS = ("name", "number", "expiry", "cvc")


@frozen
class Filled:
    """A form as it was sent: *card* if it can be tried, else *problems* by field.

    *again* is what the page may show once more. A number that is no test card
    may be a real one, so it is forgotten.
    """

    card: Card | None
    problems: Mapping[str, str] = Factory(dict)
    again: Mapping[str, str] = Factory(dict)


def read_form(form: Mapping[str, str], *, at: datetime) -> Filled:
    """Check what was sent at *at*."""
    given = {field: form.get(field, "").strip() for field in _FIELDS}
    number = re.sub("[ -]", "", given["number"])
    card = CARDS.get(number) if _NUMBER.fullmatch(number) else None
    problems = {}
    if not given["name"]:
        problems["name"] = "Enter the name on the card; any name will do."
    if not number:
        problems["number"] = "Enter the number of a test card."
    elif card is None:
        problems["number"] = (
            "This is not a test card. Use one of the numbers on this page, never a"
            " real card."
        )
    if trouble := _trouble_with_expiry(given["expiry"], at):
        problems["expiry"] = trouble
    if not _CVC.fullmatch(given["cvc"]):
        problems["cvc"] = "Enter three or four digits; any will do."
    again = {"name": given["name"], "expiry": given["expiry"]}
    if card is not None:
        again["number"] = card.grouped
    return Filled(None if problems else card, problems, again)


def _trouble_with_expiry(text: str, at: datetime) -> str:
    found = _EXPIRY.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= 12:  # noqa: PLR2004  months
        return "Enter month and year, as in 12 / 34."
    if (2000 + int(found[2]), int(found[1])) < (at.year, at.month):
        return "This date is over. Enter one in the future."
    return ""
