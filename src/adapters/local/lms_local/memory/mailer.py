"""Mail and text messages that go nowhere and can be looked at."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import field, frozen

from lms_core.ports.mailer import Mail, Mailer
from lms_core.ports.sms_sender import SmsSender, TextMessage
from lms_core.registry import Wiring
from lms_local._settings import options


@frozen
class MemoryMailer:
    """A `Mailer` that keeps what was sent, once for each idempotency key."""

    _sent: dict[str, Mail] = field(factory=dict)

    @property
    def sent(self) -> Mapping[str, Mail]:
        """What was sent, by idempotency key, in order."""
        return MappingProxyType(self._sent)

    def send(self, mail: Mail, *, idempotency_key: str) -> None:
        self._sent.setdefault(idempotency_key, mail)


@frozen
class MemorySmsSender:
    """An `SmsSender` that keeps what was sent, once for each idempotency key."""

    _sent: dict[str, TextMessage] = field(factory=dict)

    @property
    def sent(self) -> Mapping[str, TextMessage]:
        """What was sent, by idempotency key, in order."""
        return MappingProxyType(self._sent)

    def send(self, message: TextMessage, *, idempotency_key: str) -> None:
        self._sent.setdefault(idempotency_key, message)


def open_mailer(url: str, wiring: Wiring) -> MemoryMailer:
    """Open ``memory://``."""
    del wiring
    options(url)
    return MemoryMailer()


def open_sms_sender(url: str, wiring: Wiring) -> MemorySmsSender:
    """Open ``memory://``."""
    del wiring
    options(url)
    return MemorySmsSender()


if TYPE_CHECKING:
    _conforms: type[Mailer] = MemoryMailer
    _sms_conforms: type[SmsSender] = MemorySmsSender
