"""A `Mail` in the form in which it travels."""

import re
from base64 import b64encode
from datetime import datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256

from lms_core.errors import ConfigurationError, Rejected
from lms_core.ports.mailer import Attachment, Mail

# Seven bits everywhere: no server has to be asked what it can take.
_POLICY = SMTP.clone(cte_type="7bit")
_SAFE = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TYPE = re.compile(r"([a-z0-9][\w.+-]*)/([\w.+-]+)", re.IGNORECASE | re.ASCII)
_ENCODED = "=?"  # where an encoded word begins
_WORD = 10  # characters; at most 68 with their encoding
_COMPOSITE = {"multipart", "message"}


def compose(
    mail: Mail, *, sender: str, idempotency_key: str, at: datetime
) -> EmailMessage:
    """Return the message; its Message-ID tells tries of one mail from two mails."""
    if _ENCODED in mail.to:
        raise Rejected("the address holds an encoded word", resource="mail")
    try:
        ascii_only = f"{sender}{mail.to}".isascii()
        message = EmailMessage(_POLICY if ascii_only else _POLICY.clone(utf8=True))
        message["From"] = sender
        message["To"] = mail.to
        _set_subject(message, mail.subject)
        message["Date"] = at
        domain = sender.rpartition("@")[2].rstrip(">")
        message["Message-ID"] = f"<{name_of(idempotency_key)}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        for attachment in mail.attachments:
            _attach(message, attachment)
    except (MessageError, ValueError) as exc:
        raise Rejected("the mail cannot be written down", resource="mail") from exc
    return message


def checked_sender(text: str) -> str:
    """Return *text* if it is one mail address, with or without a name.

    Raises:
        ConfigurationError: it is anything else.
    """
    message = EmailMessage(_POLICY)
    try:
        message["From"] = text
        (address,) = message["From"].addresses
        good = bool(address.username and address.domain) and text.isprintable()
        good = good and _ENCODED not in text
    except (MessageError, ValueError, IndexError):
        good = False
    if not good:
        raise ConfigurationError(f"from: not a mail address: {text!r:.80}")
    return text


def name_of(idempotency_key: str) -> str:
    """Return *idempotency_key* as a file name; two keys never share one.

    >>> name_of("receipt-1"), len(name_of("../receipt"))
    ('receipt-1', 65)
    """
    if _SAFE.fullmatch(idempotency_key):
        return idempotency_key
    digest = sha256(idempotency_key.encode("utf-8", "surrogatepass")).hexdigest()
    # No safe key starts with an underscore.
    return f"_{digest}"


def _set_subject(message: EmailMessage, subject: str) -> None:
    if _ENCODED not in subject:
        message["Subject"] = subject
        return
    # The header parser decodes what looks like an encoded word, line breaks in
    # it included, and so lets a subject add headers. Encoding all of it, a few
    # characters a word, leaves nothing to be decoded but the subject.
    words = (subject[at : at + _WORD] for at in range(0, len(subject), _WORD))
    message.set_raw(
        "Subject",
        "\r\n ".join(
            f"=?utf-8?b?{b64encode(word.encode()).decode()}?=" for word in words
        ),
    )


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    essence = attachment.content_type.partition(";")[0].strip()
    match = _TYPE.fullmatch(essence)
    if match is None or match[1].lower() in _COMPOSITE:
        raise Rejected(f"not a type to attach: {essence!r:.80}", resource="mail")
    message.add_attachment(
        attachment.data,
        maintype=match[1],
        subtype=match[2],
        # Decoded too, see above; a file may well be called a little otherwise.
        filename=attachment.filename.replace(_ENCODED, "=_"),
    )
