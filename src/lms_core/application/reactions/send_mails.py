"""Reaction: tell people what concerns them, once."""

from collections.abc import Mapping

from attrs import frozen

from lms_core.application.print_certificate import PrintCertificate
from lms_core.domain.documents import write_instant
from lms_core.domain.events import (
    CertificateIssued,
    EnrollmentActivated,
    Envelope,
    Event,
    MediaFailed,
    OrderPaid,
    OrderRefunded,
    UserRegistered,
)
from lms_core.domain.ids import CourseId, UserId
from lms_core.domain.money import Money
from lms_core.ports.mailer import Attachment, Mail, Mailer
from lms_core.ports.renderer import MailRenderer
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import StartWork, UnitOfWork

CONSUMER = "mails"


@frozen(kw_only=True)
class Letter:
    """What to write to whom; *attach* makes the attachments when it is sent."""

    to: UserId
    template: str
    data: Mapping[str, object]
    certificate: CertificateIssued | None = None


@frozen(kw_only=True)
class SendMails:
    """Write to people about events that concern them.

    The inbox remembers what was sent; a crash between sending and remembering
    sends again under the same idempotency key.
    """

    start: StartWork
    clock: Clock
    mailer: Mailer
    mail_renderer: MailRenderer
    printer: PrintCertificate
    portal_url: str
    """Where people find the portal, without a slash at the end."""

    def __call__(self, envelope: Envelope) -> None:
        """Send the mail that the event asks for, if any and not sent yet.

        Raises:
            Rejected, Unavailable: the mailer's answer.
        """
        with self.start(read_only=True) as work:
            if work.inbox.has(CONSUMER, envelope.id):
                return
            letter = self._letter(work, envelope.event)
            if letter is None:
                return
            reader = work.users.get(letter.to)
        data = {**letter.data, "name": reader.name, "portal_url": self.portal_url}
        words = self.mail_renderer.render(
            letter.template, data, language=reader.language
        )
        mail = Mail(
            to=reader.email,
            subject=words.subject,
            text=words.text,
            html=words.html,
            attachments=self._attachments(letter),
        )
        self.mailer.send(mail, idempotency_key=envelope.id)
        with self.start() as work:
            if work.inbox.accept(CONSUMER, envelope.id, at=self.clock.now()):
                work.commit()

    def _attachments(self, letter: Letter) -> tuple[Attachment, ...]:
        if letter.certificate is None:
            return ()
        certificate = self.printer.load(letter.certificate.certificate)
        return (
            Attachment(
                filename=f"certificate-{certificate.display_number}.pdf",
                content_type="application/pdf",
                data=self.printer.pdf(certificate),
            ),
        )

    def _letter(self, work: UnitOfWork, event: Event) -> Letter | None:
        match event:
            case UserRegistered():
                return Letter(to=event.user, template="welcome", data={})
            case OrderPaid() | OrderRefunded():
                paid = isinstance(event, OrderPaid)
                return Letter(
                    to=event.buyer,
                    template="receipt" if paid else "course-refunded",
                    data={
                        **self._course(work, event.course),
                        "order": event.order,
                        "amount": shown_money(event.amount),
                        "at": write_instant(event.at),
                    },
                )
            case EnrollmentActivated():
                place = work.enrollments.get(event.enrollment)
                if place.order is not None:
                    return None  # The receipt says it.
                return Letter(
                    to=event.learner,
                    template="enrollment",
                    data=self._course(work, event.course),
                )
            case CertificateIssued():
                issued = work.certificates.get(event.certificate)
                return Letter(
                    to=event.learner,
                    template="certificate",
                    data={
                        **self._course(work, event.course),
                        "number": issued.display_number,
                        "verify_url": f"{self.portal_url}/verify/{issued.code}",
                    },
                    certificate=event,
                )
            case MediaFailed():
                asset = work.media.get(event.media)
                return Letter(
                    to=asset.owner,
                    template="media-failed",
                    data={
                        "filename": asset.filename,
                        "reason": event.reason,
                        "course_url": f"{self.portal_url}/teach/{event.course}",
                    },
                )
            case _:
                return None

    def _course(self, work: UnitOfWork, course: CourseId) -> dict[str, object]:
        found = work.courses.get(course)
        content = found.publication.content if found.publication else found.draft
        return {
            "course_title": content.title,
            "course_url": f"{self.portal_url}/learn/{course}",
        }


_WITHOUT_CENTS = {"JPY", "KRW", "CLP", "VND", "ISK", "XAF", "XOF", "PYG", "UGX"}


def shown_money(amount: Money) -> str:
    """Return an amount for people: ``29.00 EUR``, or ``2900 JPY``."""
    if amount.currency in _WITHOUT_CENTS:
        return f"{amount.minor} {amount.currency}"
    return f"{amount.minor // 100}.{amount.minor % 100:02} {amount.currency}"
