"""Mail and text messages as files in a folder, for development and air gaps."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from lms_core.errors import ConfigurationError
from lms_core.ports.mailer import Mail, Mailer
from lms_core.ports.sms_sender import SmsSender, TextMessage
from lms_core.ports.system import Clock
from lms_core.registry import Wiring
from lms_local._errors import translated
from lms_local._folders import write_once
from lms_local._mail_text import checked_sender, compose, name_of
from lms_local._settings import folder, options

_SENDER = "lms@localhost"


@frozen
class OutboxFolderMailer:
    """A `Mailer` that writes one ``.eml`` file for each idempotency key."""

    _folder: Path
    _sender: str
    _clock: Clock

    def send(self, mail: Mail, *, idempotency_key: str) -> None:
        message = compose(
            mail,
            sender=self._sender,
            idempotency_key=idempotency_key,
            at=self._clock.now(),
        )
        _write(self._folder, f"{name_of(idempotency_key)}.eml", message.as_bytes())


@frozen
class OutboxFolderSmsSender:
    """An `SmsSender` that writes one ``.json`` file for each idempotency key."""

    _folder: Path
    _clock: Clock

    def send(self, message: TextMessage, *, idempotency_key: str) -> None:
        about = {
            "to": message.to,
            "text": message.text,
            "idempotency_key": idempotency_key,
            "at": self._clock.now().isoformat(),
        }
        data = json.dumps(about, indent=2).encode()
        _write(self._folder, f"{name_of(idempotency_key)}.json", data)


def _write(path: Path, name: str, data: bytes) -> None:
    with translated("write", name):
        write_once(path, name, data)


def _made(path: Path) -> Path:
    try:
        (path / ".scratch").mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigurationError(f"cannot write to {path}: {exc}") from exc
    return path


def open_mailer(url: str, wiring: Wiring) -> OutboxFolderMailer:
    """Open ``outbox:///folder`` or ``outbox://folder``, with ``?from=address``."""
    sender = checked_sender(options(url, optional=("from",)).get("from", _SENDER))
    return OutboxFolderMailer(_made(folder(url)), sender, wiring.clock)


def open_sms_sender(url: str, wiring: Wiring) -> OutboxFolderSmsSender:
    """Open ``outbox:///folder`` or ``outbox://folder``."""
    options(url)
    return OutboxFolderSmsSender(_made(folder(url)), wiring.clock)


if TYPE_CHECKING:
    _conforms: type[Mailer] = OutboxFolderMailer
    _sms_conforms: type[SmsSender] = OutboxFolderSmsSender
