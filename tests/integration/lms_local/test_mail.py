"""Mail and text messages, over the wire, into folders and into memory."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from attrs import evolve
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lms_core.errors import (
    ConfigurationError,
    NotPermitted,
    Rejected,
    Unavailable,
)
from lms_core.ports.mailer import Attachment, Mail, Mailer
from lms_core.ports.sms_sender import SmsSender, TextMessage
from lms_core.registry import Wiring
from lms_core.testing.mailer import MAIL, MailerConformance
from lms_core.testing.sms_sender import MESSAGE, SmsSenderConformance
from lms_local import outbox_folder, smtp
from lms_local.memory.mailer import MemoryMailer, MemorySmsSender
from lms_local.memory.secret_store import MemorySecretStore
from lms_local.memory.system import CountingIds, CountingTokens, FixedClock
from lms_local.smtp import SmtpMailer

Delivered = Callable[[], Sequence[Any]]
WIRING = Wiring(
    clock=FixedClock(),
    ids=CountingIds(),
    tokens=CountingTokens(),
    secrets=MemorySecretStore({"smtp": "pass word"}),
)


def parsed(data: bytes) -> EmailMessage:
    return message_from_bytes(data, EmailMessage, policy=policy.SMTP)


def read_back(data: bytes) -> Mail:
    message = parsed(data)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return Mail(
        to=message["To"].addresses[0].addr_spec,
        subject=message["Subject"],
        text=text.get_content().replace("\r\n", "\n").rstrip("\n"),
        html=html.get_content().replace("\r\n", "\n").rstrip("\n"),
        attachments=tuple(
            Attachment(
                filename=part.get_filename() or "",
                content_type=part.get_content_type(),
                data=raw
                if isinstance(raw := part.get_payload(decode=True), bytes)
                else b"",
            )
            for part in message.iter_attachments()
        ),
    )


class Server:
    """A mail server that keeps what it gets and answers as it is told."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.answers: dict[str, str] = {}
        self.hang_up_after_data = False

    async def handle_MAIL(  # noqa: N802  the library's name
        self, _server: Any, _session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802  likewise
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(  # noqa: N802  likewise
        self, server: Any, _session: Any, envelope: Any
    ) -> str:
        if self.hang_up_after_data:
            server.transport.abort()
        self.contents.append(envelope.content)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return self.answers.get("DATA", "250 OK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def port(server: Server) -> Iterator[int]:
    yield from serving(server)


def serving(server: Server, **settings: Any) -> Iterator[int]:
    port = free_port()
    controller = Controller(
        server, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True, **settings
    )
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def mailer_at(port: int, **changes: Any) -> SmtpMailer:
    plain = SmtpMailer(
        host="127.0.0.1",
        port=port,
        sender="The school <lms@example.test>",
        clock=FixedClock(),
        tls=None,
        timeout_s=10,
    )
    return evolve(plain, **changes)


class TestSmtpMailer(MailerConformance):
    tells_repeats: ClassVar[bool] = False  # SMTP has no word for it

    @pytest.fixture
    def mailer(self, port: int) -> Mailer:
        return mailer_at(port)

    @pytest.fixture
    def delivered(self, server: Server) -> Delivered:
        return lambda: [read_back(each) for each in server.contents]


class TestOutboxFolderMailer(MailerConformance):
    @pytest.fixture
    def mailer(self, tmp_path: Path) -> Mailer:
        return outbox_folder.open_mailer(f"outbox://{tmp_path}", WIRING)

    @pytest.fixture
    def delivered(self, tmp_path: Path) -> Delivered:
        return lambda: [read_back(each.read_bytes()) for each in tmp_path.glob("*.eml")]


class TestMemoryMailer(MailerConformance):
    @pytest.fixture
    def mailer(self) -> Mailer:
        return MemoryMailer()

    @pytest.fixture
    def delivered(self, mailer: MemoryMailer) -> Delivered:
        return lambda: list(mailer.sent.values())


class TestOutboxFolderSmsSender(SmsSenderConformance):
    @pytest.fixture
    def sender(self, tmp_path: Path) -> SmsSender:
        return outbox_folder.open_sms_sender(f"outbox://{tmp_path}", WIRING)

    @pytest.fixture
    def delivered(self, tmp_path: Path) -> Delivered:
        def delivered() -> list[TextMessage]:
            found = [
                json.loads(each.read_text()) for each in sorted(tmp_path.glob("*.json"))
            ]
            return [TextMessage(to=each["to"], text=each["text"]) for each in found]

        return delivered


class TestMemorySmsSender(SmsSenderConformance):
    @pytest.fixture
    def sender(self) -> SmsSender:
        return MemorySmsSender()

    @pytest.fixture
    def delivered(self, sender: MemorySmsSender) -> Delivered:
        return lambda: list(sender.sent.values())


def test_the_envelope_and_headers_are_complete(server: Server, port: int) -> None:
    mailer_at(port).send(MAIL, idempotency_key="receipt-1")

    assert server.envelopes == [("lms@example.test", ["anna@example.test"])]
    message = parsed(server.contents[0])
    assert message["From"] == "The school <lms@example.test>"
    assert message["Message-ID"] == "<receipt-1@example.test>"
    assert message["Date"].datetime == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert message["Auto-Submitted"] == "auto-generated"
    assert server.contents[0].isascii()


def test_an_address_beyond_ascii_is_written_as_it_is(server: Server, port: int) -> None:
    mailer_at(port).send(evolve(MAIL, to="grüße@exämple.test"), idempotency_key="k")

    assert server.envelopes[0][1] == ["grüße@exämple.test"]


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_a_four_is_worth_another_try_and_a_five_is_not(
    server: Server, port: int, stage: str
) -> None:
    server.answers[stage] = "452 full"
    with pytest.raises(Unavailable) as later:
        mailer_at(port).send(MAIL, idempotency_key="k")
    server.answers[stage] = "550 never heard of her"
    with pytest.raises(Rejected, match="550 never heard of her"):
        mailer_at(port).send(MAIL, idempotency_key="k")

    assert later.value.effect == "none"


def test_silence_after_the_data_leaves_the_effect_unknown(
    server: Server, port: int
) -> None:
    server.hang_up_after_data = True
    with pytest.raises(Unavailable) as silence:
        mailer_at(port).send(MAIL, idempotency_key="k")

    assert silence.value.effect == "unknown"


def test_a_server_that_is_not_there_had_no_effect() -> None:
    with pytest.raises(Unavailable) as missing:
        mailer_at(free_port()).send(MAIL, idempotency_key="k")

    assert missing.value.effect == "none"


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mailer = mailer_at(silent.getsockname()[1], timeout_s=0.2)
        with pytest.raises(Unavailable) as silence:
            mailer.send(MAIL, idempotency_key="k")

    assert silence.value.effect == "none"


INJECTION = "=?utf-8?q?x=0D=0ABcc=3A_eve=40evil.test?="


def test_no_address_adds_a_header(server: Server, port: int) -> None:
    with pytest.raises(Rejected):
        mailer_at(port).send(evolve(MAIL, to=f"{INJECTION}@b.test"), idempotency_key="")
    with pytest.raises(ConfigurationError):
        outbox_folder.open_mailer(f"outbox://x?from={quote(INJECTION)}@b.test", WIRING)

    assert server.contents == []


def test_no_file_name_adds_a_header(server: Server, port: int) -> None:
    file = Attachment(filename=INJECTION, content_type="text/plain", data=b"x")
    mailer_at(port).send(evolve(MAIL, attachments=(file,)), idempotency_key="k")

    assert b"\nBcc" not in server.contents[0]
    assert read_back(server.contents[0]).attachments[0].data == b"x"


def test_a_type_that_cannot_be_attached_is_rejected() -> None:
    for kind in ("pdf", "multipart/mixed", "a/b/c", "message/rfc822"):
        bad = Attachment(filename="a", content_type=kind, data=b"")
        with pytest.raises(Rejected):
            mailer_at(1).send(evolve(MAIL, attachments=(bad,)), idempotency_key="k")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for localhost, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36_500))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def authenticate(
    _server: Any, _session: Any, _envelope: Any, _how: str, data: LoginPassword
) -> AuthResult:
    return AuthResult(
        success=data == LoginPassword(b"lms", b"pass word"), handled=False
    )


@pytest.fixture
def tls_port(server: Server, certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    yield from serving(
        server,
        tls_context=context,
        require_starttls=True,
        authenticator=authenticate,
        auth_required=True,
    )


def opened(port: int, host: str = "localhost", **settings: object) -> SmtpMailer:
    query = "".join(f"&{name}={value}" for name, value in settings.items())
    url = f"smtp://{host}:{port}?from=lms@example.test{query}"
    return smtp.open_mailer(url, WIRING)


LOGIN = {"user": "lms", "password": "secret%3A%2F%2Fsmtp"}


def test_mail_goes_out_over_tls_with_a_password(
    server: Server, tls_port: int, certificate: Path
) -> None:
    mailer = opened(tls_port, starttls="required", ca=certificate, **LOGIN)
    mailer.send(MAIL, idempotency_key="k")

    assert [read_back(each) for each in server.contents] == [MAIL]
    assert "pass word" not in repr(mailer)


def test_a_wrong_password_is_not_permitted(tls_port: int, certificate: Path) -> None:
    mailer = evolve(opened(tls_port, ca=certificate, **LOGIN), password="wrong-one")
    with pytest.raises(NotPermitted) as refused:
        mailer.send(MAIL, idempotency_key="k")

    assert "wrong-one" not in str(refused.value)


def test_an_unknown_certificate_gets_no_mail(server: Server, tls_port: int) -> None:
    with pytest.raises(Unavailable, match="certificate"):
        opened(tls_port, **LOGIN).send(MAIL, idempotency_key="k")

    assert server.contents == []


def test_a_certificate_of_another_host_gets_no_mail(
    server: Server, tls_port: int, certificate: Path
) -> None:
    mailer = opened(tls_port, host="127.0.0.1", ca=certificate, **LOGIN)
    with pytest.raises(Unavailable, match="certificate"):
        mailer.send(MAIL, idempotency_key="k")

    assert server.contents == []


def test_a_server_without_tls_gets_no_mail(server: Server, port: int) -> None:
    with pytest.raises(Unavailable, match="STARTTLS"):
        opened(port).send(MAIL, idempotency_key="k")

    assert server.contents == []


@pytest.mark.parametrize(
    "url",
    [
        "smtp://localhost",
        "smtp://?from=a@b.test",
        "smtp://localhost?from=a@b.test&starttls=maybe",
        "smtp://localhost?from=a@b.test&user=lms",
        "smtp://localhost?from=a@b.test&user=lms&password=plain",
        "smtp://localhost?from=a@b.test&starttls=off&user=u&password=secret://smtp",
        "smtp://localhost?from=a@b.test&ca=/no/such/file",
        "smtp://localhost:port?from=a@b.test",
        "smtp://localhost?from=a@b.test&timeout=soon",
        "smtp://localhost?from=nobody",
        "smtp://localhost?from=a@b.test%0aBcc:x@y.test",
    ],
)
def test_a_wrong_setting_is_refused_at_start_up(url: str) -> None:
    with pytest.raises(ConfigurationError):
        smtp.open_mailer(url, WIRING)


def test_an_outbox_file_is_named_by_its_key(tmp_path: Path) -> None:
    mailer = outbox_folder.open_mailer(
        f"outbox://{tmp_path}/new/folder?from=me@example.test", WIRING
    )
    mailer.send(MAIL, idempotency_key="receipt-1")
    mailer.send(evolve(MAIL, subject="changed"), idempotency_key="receipt-1")
    message = parsed((tmp_path / "new/folder/receipt-1.eml").read_bytes())

    assert (message["From"], message["Subject"]) == ("me@example.test", MAIL.subject)
    assert not list((tmp_path / "new/folder/.scratch").iterdir())


def test_a_text_message_file_can_be_read(tmp_path: Path) -> None:
    sender = outbox_folder.open_sms_sender(f"outbox://{tmp_path}", WIRING)
    sender.send(MESSAGE, idempotency_key="code/1")
    (path,) = tmp_path.glob("*.json")

    assert json.loads(path.read_text()) == {
        "to": MESSAGE.to,
        "text": MESSAGE.text,
        "idempotency_key": "code/1",
        "at": "2026-01-01T12:00:00+00:00",
    }


def test_an_outbox_that_cannot_be_made_is_refused_at_start_up(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError):
        outbox_folder.open_mailer(f"outbox://{tmp_path}/file", WIRING)
