"""Mail through an SMTP server."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from attrs import field, frozen

from lms_core.errors import (
    ConfigurationError,
    NotPermitted,
    Rejected,
    Unavailable,
)
from lms_core.ports.mailer import Mail, Mailer
from lms_core.ports.system import Clock
from lms_core.registry import Wiring
from lms_local._mail_text import checked_sender, compose
from lms_local._settings import options

_PERMANENT = 500
_SUBMISSION = 587
_ACCEPTED = (250, 251)  # 251: accepted, and forwarded


@frozen(kw_only=True)
class SmtpMailer:
    """A `Mailer` with one connection a message.

    The Message-ID is made from the idempotency key; whether the same one is
    delivered twice is up to the servers behind. *tls* is `None` only where the
    wiring says so.
    """

    host: str
    port: int
    sender: str
    clock: Clock
    tls: ssl.SSLContext | None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_s: float = 30

    def send(self, mail: Mail, *, idempotency_key: str) -> None:
        message = compose(
            mail,
            sender=self.sender,
            idempotency_key=idempotency_key,
            at=self.clock.now(),
        )
        address = self.sender.rpartition("<")[2].rstrip(">")
        with self._connected(address.rpartition("@")[2]) as server:
            with _translated():
                utf8 = not f"{address}{mail.to}".isascii()
                _accepted(server.mail(address, ["SMTPUTF8"] if utf8 else []))
                _accepted(server.rcpt(mail.to))
            with _translated(effect="unknown"):
                _accepted(server.data(message.as_bytes()))
            # It has been accepted, so how the server says good-bye is no matter.
            with suppress(OSError):
                server.quit()

    @contextmanager
    def _connected(self, name: str) -> Iterator[smtplib.SMTP]:
        with ExitStack() as stack:
            try:
                server = smtplib.SMTP(self.host, self.port, name, self.timeout_s)
                stack.callback(server.close)
                server.ehlo_or_helo_if_needed()
                if self.tls is not None:
                    server.starttls(context=self.tls)
                    server.ehlo()
                if self.user is not None and self.password is not None:
                    server.login(self.user, self.password)
            except smtplib.SMTPAuthenticationError as exc:
                raise NotPermitted(
                    f"{self.host} refuses the user {self.user}", resource=self.host
                ) from exc
            except OSError as exc:
                # Whatever is said before there is mail cannot be about the mail.
                raise Unavailable(
                    f"cannot reach {self.host}: {exc}", resource=self.host
                ) from exc
            yield server


@contextmanager
def _translated(*, effect: Literal["none", "unknown"] = "none") -> Iterator[None]:
    """Turn answers into errors; *effect* is for when there is no answer."""
    try:
        yield
    except smtplib.SMTPResponseException as exc:
        text = exc.smtp_error
        said = text.decode(errors="replace") if isinstance(text, bytes) else text
        message = f"the mail server says {exc.smtp_code} {said}"
        if exc.smtp_code >= _PERMANENT:
            raise Rejected(message, resource="mail") from exc
        raise Unavailable(message, resource="mail") from exc
    except smtplib.SMTPNotSupportedError as exc:
        raise Rejected(str(exc), resource="mail") from exc
    except OSError as exc:
        raise Unavailable(
            "the mail server did not answer", resource="mail", effect=effect
        ) from exc


def _accepted(answer: tuple[int, bytes]) -> None:
    code, text = answer
    if code not in _ACCEPTED:
        raise smtplib.SMTPResponseException(code, text)


def open_mailer(url: str, wiring: Wiring) -> SmtpMailer:
    """Open ``smtp://host:port?from=address``.

    ``starttls`` is ``required`` unless set to ``off``; certificates are checked,
    against those of the file ``ca`` if given. ``user`` and
    ``password=secret%3A%2F%2Fname`` log in, never without TLS. The port is 587
    unless given.
    """
    known = ("starttls", "ca", "user", "password", "timeout")
    chosen = options(url, required=("from",), optional=known)
    try:
        host, port = urlsplit(url).hostname, urlsplit(url).port or _SUBMISSION
        timeout_s = float(chosen.get("timeout", "30"))
        tls = _tls(chosen.get("starttls", "required"), chosen.get("ca"))
    except (ValueError, OSError) as exc:
        raise ConfigurationError(f"smtp://: {exc}") from exc
    if host is None or ("user" in chosen) != ("password" in chosen):
        raise ConfigurationError("smtp:// needs a host, and user with password")
    if "user" in chosen and tls is None:
        raise ConfigurationError("smtp:// sends no password without TLS")
    return SmtpMailer(
        host=host,
        port=port,
        sender=checked_sender(chosen["from"]),
        clock=wiring.clock,
        tls=tls,
        user=chosen.get("user"),
        password=wiring.secret(chosen["password"]) if "password" in chosen else None,
        timeout_s=timeout_s,
    )


def _tls(starttls: str, authorities: str | None) -> ssl.SSLContext | None:
    if starttls not in {"required", "off"}:
        raise ValueError(f"starttls is required or off, not {starttls!r}")
    if starttls == "off":
        return None
    return ssl.create_default_context(cafile=authorities)


if TYPE_CHECKING:
    _conforms: type[Mailer] = SmtpMailer
