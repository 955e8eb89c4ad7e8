"""The one place where ports meet adapters, and use cases meet ports."""

import typing
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

import attrs

from lms_core.errors import ConfigurationError, NotFound
from lms_core.ports.identity import IdentityProvider, PasswordHasher, TokenIssuer
from lms_core.ports.mailer import Mailer
from lms_core.ports.message_queue import MessageQueue
from lms_core.ports.object_store import ObjectStore
from lms_core.ports.payment_gateway import PaymentGateway
from lms_core.ports.progress_store import ProgressStore
from lms_core.ports.renderer import MailRenderer, PdfRenderer
from lms_core.ports.sealing import CredentialSigner, PdfSealer
from lms_core.ports.secret_store import SecretStore
from lms_core.ports.sms_sender import SmsSender
from lms_core.ports.system import Clock, IdSource, TokenSource
from lms_core.ports.transcoder import Transcoder
from lms_core.ports.unit_of_work import StartWork
from lms_core.ports.url_signer import UrlSigner
from lms_core.registry import Registry, Wiring
from lms_entrypoints.settings import Settings
from lms_local.system import RandomTokens, SystemClock, Uuid7Ids

PORTS = (
    "secret_store",
    "object_store",
    "unit_of_work",
    "progress_store",
    "message_queue",
    "url_signer",
    "transcoder",
    "mailer",
    "sms_sender",
    "identity",
    "password_hasher",
    "payment_gateway",
    "mail_renderer",
    "pdf_renderer",
    "pdf_sealer",
    "credential_signer",
)
_IN_DATABASE = ("unit_of_work", "progress_store", "message_queue")
QUEUES = ("events", "transcode")


T = TypeVar("T")


class Platform:
    """Everything wired by *settings*; each part is opened when it is first used.

    `use` makes use cases: each names what it needs as fields, and gets it from
    the attribute of that name here, or, where the field is itself a use case, by
    its type.
    """

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.ids: IdSource = Uuid7Ids(self.clock)
        self.tokens: TokenSource = RandomTokens()
        self._registry = Registry.installed(*PORTS)
        self._made: dict[type, Any] = {}

    def use(self, kind: type[T]) -> T:
        """Return the use case *kind*, wired; the same one each time."""
        if kind not in self._made:
            hints = typing.get_type_hints(kind)
            self._made[kind] = kind(
                **{
                    field.name: self._part(field.name, hints[field.name])
                    for field in attrs.fields(cast("Any", kind))
                }
            )
        return cast("T", self._made[kind])

    def _part(self, name: str, wanted: Any) -> Any:
        module = getattr(wanted, "__module__", "")
        if module.startswith("lms_core.application") and attrs.has(wanted):
            return self.use(wanted)
        return getattr(self, name)

    def url_of(self, port: str) -> str:
        """Return the URL behind *port*; three of them live in the database."""
        if port in _IN_DATABASE:
            return self.settings.url_of("database")
        return self.settings.url_of(port)

    def _open(self, port: str, *, objects: bool = False, **more: str) -> object:
        wiring = Wiring(
            clock=self.clock,
            ids=self.ids,
            tokens=self.tokens,
            secrets=self.secrets if port != "secret_store" else None,
            objects=self.objects if objects else None,
        )
        url = self.url_of(port)
        if more:
            url += ("&" if "?" in url else "?") + urlencode(more)
        try:
            return self._registry.open(port, url, wiring)
        except NotFound as exc:
            raise ConfigurationError(f"{port}: {exc}; run lms migrate") from exc

    # Ports

    @cached_property
    def secrets(self) -> SecretStore:
        """Where secrets are."""
        return cast("SecretStore", self._open("secret_store"))

    @cached_property
    def objects(self) -> ObjectStore:
        """Where bytes are."""
        return cast("ObjectStore", self._open("object_store"))

    @cached_property
    def start(self) -> StartWork:
        """Begins transactions."""
        return cast("StartWork", self._open("unit_of_work"))

    @cached_property
    def progress(self) -> ProgressStore:
        """Where progress is."""
        return cast("ProgressStore", self._open("progress_store"))

    def queue(self, name: str) -> MessageQueue:
        """Open one of `QUEUES`."""
        return cast("MessageQueue", self._open("message_queue", queue=name))

    @cached_property
    def events_queue(self) -> MessageQueue:
        """Events on their way to reactions."""
        return self.queue("events")

    @cached_property
    def transcode_queue(self) -> MessageQueue:
        """Lectures to be transcoded."""
        return self.queue("transcode")

    @cached_property
    def signer(self) -> UrlSigner:
        """Signs media links."""
        return cast("UrlSigner", self._open("url_signer"))

    @cached_property
    def transcoder(self) -> Transcoder:
        """Makes streams."""
        return cast("Transcoder", self._open("transcoder", objects=True))

    @cached_property
    def mailer(self) -> Mailer:
        """Sends mail."""
        return cast("Mailer", self._open("mailer"))

    @cached_property
    def sms(self) -> SmsSender:
        """Sends text messages."""
        return cast("SmsSender", self._open("sms_sender"))

    @cached_property
    def identity(self) -> IdentityProvider:
        """Checks tokens."""
        return cast("IdentityProvider", self._open("identity"))

    @property
    def issuer(self) -> TokenIssuer:
        """The local issuer is its own verifier."""
        return cast("TokenIssuer", self.identity)

    @cached_property
    def passwords(self) -> PasswordHasher:
        """Hashes passwords."""
        return cast("PasswordHasher", self._open("password_hasher"))

    @cached_property
    def gateway(self) -> PaymentGateway:
        """Takes payments."""
        return cast("PaymentGateway", self._open("payment_gateway"))

    @cached_property
    def mail_renderer(self) -> MailRenderer:
        """Fills mail templates."""
        return cast("MailRenderer", self._open("mail_renderer"))

    @cached_property
    def pdf_renderer(self) -> PdfRenderer:
        """Fills document templates."""
        return cast("PdfRenderer", self._open("pdf_renderer"))

    @cached_property
    def pdf_sealer(self) -> PdfSealer:
        """Signs PDF files."""
        return cast("PdfSealer", self._open("pdf_sealer"))

    @cached_property
    def credential_signer(self) -> CredentialSigner:
        """Signs credentials."""
        return cast("CredentialSigner", self._open("credential_signer"))

    # What some use cases need besides ports

    @property
    def portal_url(self) -> str:
        """Where people find the portal."""
        return self.settings.base_url

    @property
    def return_url(self) -> str:
        """Where a browser comes back to from a checkout."""
        return f"{self.settings.base_url}/orders/{{order}}"

    @property
    def issuer_name(self) -> str:
        """Who issues certificates."""
        return self.settings.platform_name

    @property
    def data(self) -> Path:
        """The data folder of a local platform."""
        return self.settings.data.resolve()
