"""Send mail."""

import re
from typing import Protocol

from attrs import frozen

from lms_core.errors import InvalidValue

_ADDRESS = re.compile(r"[^\s@<>\",;:\\()\[\]]{1,64}@[^\s@<>\",;:\\()\[\]]{1,255}")


def _one_line(text: str, *, place: str, longest: int) -> None:
    if len(text) > longest or not text.isprintable():
        raise InvalidValue(
            f"must be one printable line of at most {longest} characters", place=place
        )


@frozen(kw_only=True)
class Attachment:
    """A file sent along."""

    filename: str
    content_type: str
    data: bytes

    def __attrs_post_init__(self) -> None:
        _one_line(self.filename, place="filename", longest=200)
        _one_line(self.content_type, place="content_type", longest=100)


@frozen(kw_only=True)
class Mail:
    """A message to one person, in text and in HTML.

    Header injection is refused here: addresses and subject are single lines.
    """

    to: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()

    def __attrs_post_init__(self) -> None:
        _one_line(self.subject, place="subject", longest=300)
        if not _ADDRESS.fullmatch(self.to):
            raise InvalidValue(f"not a mail address: {self.to!r:.80}", place="to")


class Mailer(Protocol):
    """Send mail, one message a call."""

    def send(self, mail: Mail, *, idempotency_key: str) -> None:
        """Hand *mail* over for delivery.

        Where the provider can tell, the same *idempotency_key* sends once; the
        caller's inbox covers the rest. The key is visible to the recipient.

        Raises:
            Rejected: the address or the message was refused for good.
            Unavailable: try again with the same key; the effect may be unknown.
        """
        ...
