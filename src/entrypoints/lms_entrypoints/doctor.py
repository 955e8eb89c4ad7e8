"""Ask every part of the platform whether it works."""

import shutil
import smtplib
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from attrs import frozen

from lms_core.domain.ids import CourseId, LessonId, ObjectKey, SessionId, UserId
from lms_core.errors import ConfigurationError, LmsError, NotFound, PortError
from lms_core.ports.message_queue import Message
from lms_entrypoints.bootstrap import QUEUES, Platform
from lms_entrypoints.consuming import reason_of
from lms_entrypoints.preparing import require_migrated, secret_names

_ENOUGH_BYTES = 2 * 1024**3
_NOBODY = UserId("lms-doctor")
_NO_LESSON = LessonId(CourseId("lms-doctor"), "none")


@frozen(kw_only=True)
class Finding:
    """How one part is: *seen* says what was seen, *remedy* what to do if it fails."""

    part: str
    adapter: str
    works: bool
    milliseconds: int
    capabilities: tuple[str, ...]
    seen: str
    remedy: str


@frozen(kw_only=True)
class _Part:
    """A part to ask: *port* is the setting behind it, *opened* its attribute."""

    name: str
    port: str
    opened: str
    ask: Callable[[Platform], str]
    remedy: str


def examine(platform: Platform) -> tuple[Finding, ...]:
    """Ask every part once, in the order in which they rest on one another."""
    return tuple(_examine(platform, part) for part in _PARTS)


def _examine(platform: Platform, part: _Part) -> Finding:
    began = perf_counter()
    works, seen, url = True, "", ""
    capabilities: tuple[str, ...] = ()
    try:
        url = shown_url(platform.url_of(part.port)) if part.port else ""
        if part.opened:
            opened: Any = getattr(platform, part.opened)
            known = getattr(opened, "capabilities", ())
            capabilities = tuple(sorted(str(each) for each in known))
        seen = part.ask(platform)
    except LmsError as exc:
        works, seen = False, reason_of(exc)
    except OSError as exc:
        works, seen = False, f"{type(exc).__name__}: {exc.strerror or exc}"
    except Exception as exc:  # noqa: BLE001 - a broken part must not hide the rest
        works, seen = False, reason_of(exc)
    return Finding(
        part=part.name,
        adapter=url,
        works=works,
        milliseconds=round((perf_counter() - began) * 1000),
        capabilities=capabilities,
        seen=seen,
        remedy="" if works else part.remedy,
    )


def shown_url(url: str) -> str:
    """Return *url* for people: references to secrets are left out."""
    parts = urlsplit(url)
    plain = [
        (name, value)
        for name, value in parse_qsl(parts.query)
        if not value.startswith("secret:")
    ]
    where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return f"{where}?{urlencode(plain, safe=':/')}" if plain else where


def _secrets(platform: Platform) -> str:
    names = secret_names(platform)
    for name in names:
        platform.secrets.get(name)
    return f"{len(names)} secrets are there"


def _objects(platform: Platform) -> str:
    key = ObjectKey(f"doctor/{platform.ids.new()}")
    platform.objects.put(key, b"well", content_type="text/plain")
    try:
        with platform.objects.open(key) as reader:
            read = b"".join(reader)
    finally:
        platform.objects.delete(key)
    if read != b"well":
        raise PortError("it gave back other bytes than it was given")
    return "written, read and deleted"


def _database(platform: Platform) -> str:
    require_migrated(platform)
    with platform.start() as work:
        # Begun as a writer, so that a lock shows; nothing is committed.
        work.courses.find(CourseId("lms-doctor"))
    return "up to date, and takes writers"


def _progress(platform: Platform) -> str:
    platform.progress.get(_NOBODY, _NO_LESSON)
    return "read"


def _queues(platform: Platform) -> str:
    queue = platform.queue("doctor")
    queue.send([Message(body="well")])
    queue.acknowledge(queue.receive(limit=100, lease_s=30, wait_s=5))
    told = []
    for name in QUEUES:
        depth = platform.queue(name).depth()
        told.append(
            f"{name}: {depth.ready} ready, {depth.leased} leased, {depth.dead} dead"
        )
    return "; ".join(told)


def _signer(platform: Platform) -> str:
    until = platform.clock.now() + timedelta(minutes=1)
    signed = platform.signer.sign_prefix(
        ObjectKey("doctor/stream"), viewer=_NOBODY, expires_at=until
    )
    return f"links begin with {signed.base_url.partition('/v1.')[0]}"


def _transcoder(platform: Platform) -> str:
    with suppress(NotFound):
        platform.transcoder.status("lms-doctor-no-such-job")
    if urlsplit(platform.url_of("transcoder")).scheme == "ffmpeg":
        from lms_ffmpeg.binary import version  # noqa: PLC0415 - only where it is used

        return f"ffmpeg {version()}"
    return "answers"


def _mailer(platform: Platform) -> str:
    opened: Any = platform.mailer
    if urlsplit(platform.url_of("mailer")).scheme != "smtp":
        return "writes to a folder"
    try:
        with smtplib.SMTP(opened.host, opened.port, timeout=10) as server:
            server.ehlo()
            if opened.tls is not None:
                server.starttls(context=opened.tls)
                server.ehlo()
            if opened.user is not None:
                server.login(opened.user, opened.password)
            server.noop()
    except smtplib.SMTPException as exc:
        raise PortError(f"the mail server refuses: {type(exc).__name__}") from exc
    return "the server answers; nothing was sent"


def _sms(platform: Platform) -> str:
    return type(platform.sms).__name__


def _identity(platform: Platform) -> str:
    token = platform.issuer.issue(
        _NOBODY, session=SessionId("lms-doctor"), lifetime_s=60
    )
    who = platform.identity.verify(token)
    return f"a token of {who.issuer} was issued and checked"


def _passwords(platform: Platform) -> str:
    hashed = platform.passwords.hash("correct horse")
    right = platform.passwords.verify("correct horse", hashed)
    wrong = platform.passwords.verify("battery staple", hashed)
    if not right or wrong:
        raise PortError("it does not tell right passwords from wrong ones")
    return "hashed and checked"


def _gateway(platform: Platform) -> str:
    try:
        platform.gateway.transactions("lms-doctor-no-such-payment")
    except NotFound:
        return "answers"
    raise PortError("it knows a payment that nobody made")


def _mails(platform: Platform) -> str:
    data = {
        "name": "Doctor",
        "courses_url": f"{platform.portal_url}/courses",
        "site": {"name": platform.issuer_name, "url": platform.portal_url},
    }
    words = platform.mail_renderer.render("welcome", data)
    return f"{words.subject!r}"


def _pdf(platform: Platform) -> bytes:
    return platform.pdf_renderer.render(
        "certificate-1",
        {
            "learner": "Doctor",
            "course": "Course",
            "issuer": platform.issuer_name,
            "number": "0",
            "issued_on": platform.clock.now().date().isoformat(),
            "verification_url": f"{platform.portal_url}/verify/none",
        },
    )


def _documents(platform: Platform) -> str:
    return f"a certificate of {len(_pdf(platform)) // 1024} KiB"


def _seal(platform: Platform) -> str:
    now = platform.clock.now()
    sealed = platform.pdf_sealer.seal(_pdf(platform), reason="lms doctor", at=now)
    return f"sealed, {len(sealed) // 1024} KiB"


def _credentials(platform: Platform) -> str:
    signer = platform.credential_signer
    signed = signer.sign({"id": "urn:lms:doctor"}, at=platform.clock.now())
    if not signer.verify(signed):
        raise PortError("it does not accept its own signature")
    return f"signs as {signer.verification_method.partition('#')[0]}"


def _disk(platform: Platform) -> str:
    free = shutil.disk_usage(platform.data).free
    if free < _ENOUGH_BYTES:
        raise ConfigurationError(f"only {free // 1024**2} MiB are free")
    return f"{free / 1024**3:.1f} GiB free"


_MAKE = "run `lms migrate`; it makes what is missing and changes nothing else"
_PARTS = (
    _Part(
        name="disk",
        port="",
        opened="",
        ask=_disk,
        remedy="make room, or set LMS_DATA to a folder on another disk",
    ),
    _Part(
        name="secrets",
        port="secret_store",
        opened="secrets",
        ask=_secrets,
        remedy=f"{_MAKE}; or point LMS_SECRET_STORE to where they are",
    ),
    _Part(
        name="objects",
        port="object_store",
        opened="objects",
        ask=_objects,
        remedy="check LMS_OBJECT_STORE, and that this user may write there",
    ),
    _Part(
        name="database",
        port="unit_of_work",
        opened="start",
        ask=_database,
        remedy="run `lms migrate`; if it cannot be reached, check LMS_DATABASE",
    ),
    _Part(
        name="progress",
        port="progress_store",
        opened="progress",
        ask=_progress,
        remedy="run `lms migrate`; if it cannot be reached, check LMS_DATABASE",
    ),
    _Part(
        name="queues",
        port="message_queue",
        opened="events_queue",
        ask=_queues,
        remedy="run `lms migrate`; if it cannot be reached, check LMS_DATABASE",
    ),
    _Part(
        name="media links",
        port="url_signer",
        opened="signer",
        ask=_signer,
        remedy="check LMS_URL_SIGNER and its key",
    ),
    _Part(
        name="transcoder",
        port="transcoder",
        opened="transcoder",
        ask=_transcoder,
        remedy="pip install 'lms-core[ffmpeg]', or name one in IMAGEIO_FFMPEG_EXE",
    ),
    _Part(
        name="mail",
        port="mailer",
        opened="mailer",
        ask=_mailer,
        remedy="check LMS_MAILER: host, port, user, password and certificate",
    ),
    _Part(
        name="text messages",
        port="sms_sender",
        opened="sms",
        ask=_sms,
        remedy="check LMS_SMS_SENDER",
    ),
    _Part(
        name="tokens",
        port="identity",
        opened="identity",
        ask=_identity,
        remedy="check LMS_IDENTITY and its key",
    ),
    _Part(
        name="passwords",
        port="password_hasher",
        opened="passwords",
        ask=_passwords,
        remedy="pip install 'lms-core[local]'",
    ),
    _Part(
        name="payments",
        port="payment_gateway",
        opened="gateway",
        ask=_gateway,
        remedy="check LMS_PAYMENT_GATEWAY and its key",
    ),
    _Part(
        name="mail templates",
        port="mail_renderer",
        opened="mail_renderer",
        ask=_mails,
        remedy="pip install 'lms-core[documents]'",
    ),
    _Part(
        name="documents",
        port="pdf_renderer",
        opened="pdf_renderer",
        ask=_documents,
        remedy="pip install 'lms-core[documents]'",
    ),
    _Part(
        name="seal",
        port="pdf_sealer",
        opened="pdf_sealer",
        ask=_seal,
        remedy="check LMS_PDF_SEALER, its key and its certificate",
    ),
    _Part(
        name="credentials",
        port="credential_signer",
        opened="credential_signer",
        ask=_credentials,
        remedy="check LMS_CREDENTIAL_SIGNER and its key",
    ),
)
