"""Send text messages."""

import re
from typing import Protocol

from attrs import frozen

from lms_core.errors import InvalidValue


@frozen(kw_only=True)
class TextMessage:
    """A short text to one telephone; *to* is in E.164 form (``+4930123456``)."""

    to: str
    text: str

    def __attrs_post_init__(self) -> None:
        if not re.fullmatch(r"\+[1-9][0-9]{6,14}", self.to):
            raise InvalidValue("not an E.164 number", place="to")
        if not 1 <= len(self.text) <= 1600:  # noqa: PLR2004
            raise InvalidValue("must have 1 to 1600 characters", place="text")


class SmsSender(Protocol):
    """Send text messages, one a call."""

    def send(self, message: TextMessage, *, idempotency_key: str) -> None:
        """Hand *message* over for delivery.

        Where the provider can tell, the same *idempotency_key* sends once.

        Raises:
            Rejected: the number or the text was refused for good.
            Unavailable: try again with the same key; the effect may be unknown.
        """
        ...
