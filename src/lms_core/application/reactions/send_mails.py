"""Reaction: tell people what concerns them, once."""

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from lms_core.application.print_certificate import PrintCertificate
from lms_core.domain.catalog.content import Video
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
    issuer_name: str
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
        data = {
            **letter.data,
            "name": reader.name,
            "site": {"name": self.issuer_name, "url": self.portal_url},
        }
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
                data = {"courses_url": f"{self.portal_url}/courses"}
                return Letter(to=event.user, template="welcome", data=data)
            case OrderPaid():
                return self._receipt(work, event)
            case OrderRefunded():
                return self._refund(work, event)
            case EnrollmentActivated():
                if work.enrollments.get(event.enrollment).order is not None:
                    return None  # The receipt says it.
                return Letter(
                    to=event.learner,
                    template="enrollment",
                    data={
                        **_course(work, event.course),
                        "course_url": self._course_url(event.course),
                    },
                )
            case CertificateIssued():
                return self._certificate(work, event)
            case MediaFailed():
                return self._failure(work, event)
            case _:
                return None

    def _course_url(self, course: CourseId) -> str:
        return f"{self.portal_url}/learn/{course}"

    def _receipt(self, work: UnitOfWork, event: OrderPaid) -> Letter:
        total = str(event.amount)
        title = _title(work, event.course)
        order = {
            "number": event.order,
            "paid_on": shown_day(event.at),
            "total": total,
            "lines": [{"title": title, "amount": total}],
        }
        return Letter(
            to=event.buyer,
            template="receipt",
            data={
                "order": order,
                "order_url": f"{self.portal_url}/orders/{event.order}",
            },
        )

    def _refund(self, work: UnitOfWork, event: OrderRefunded) -> Letter:
        place = work.enrollments.find(event.buyer, event.course)
        refund = {
            "amount": str(event.amount),
            "order_number": event.order,
            "refunded_on": shown_day(event.at),
        }
        return Letter(
            to=event.buyer,
            template="course-refunded",
            data={
                **_course(work, event.course),
                "refund": refund,
                "access_ended": place is None or not place.lets_in,
            },
        )

    def _certificate(self, work: UnitOfWork, event: CertificateIssued) -> Letter | None:
        issued = work.certificates.get(event.certificate)
        if issued.is_revoked:
            return None
        printed: dict[str, object] = {
            "number": issued.display_number,
            "issued_on": shown_day(issued.issued_at),
        }
        if issued.grade is not None:
            printed["grade"] = f"{int(issued.grade * 100)} %"
        return Letter(
            to=event.learner,
            template="certificate",
            data={
                "course": {"title": issued.course_title},
                "certificate": printed,
                "certificate_url": f"{self.portal_url}/certificates/{issued.id}",
                "verification_url": f"{self.portal_url}/verify/{issued.code}",
            },
            certificate=event,
        )

    def _failure(self, work: UnitOfWork, event: MediaFailed) -> Letter:
        asset = work.media.get(event.media)
        shown = [
            lesson.title
            for lesson in work.courses.get(event.course).draft.lessons()
            if isinstance(lesson.content, Video) and lesson.content.media == asset.id
        ]
        return Letter(
            to=asset.owner,
            template="media-failed",
            data={
                **_course(work, event.course),
                "lesson": {"title": shown[0] if shown else asset.filename},
                "media": {
                    "filename": asset.filename,
                    "reason": event.reason,
                    "remedy": _REMEDIES.get(event.reason, _ASK),
                },
                "media_url": f"{self.portal_url}/teach/{event.course}",
            },
        )


_ASK = "Upload the file again; if it fails again, ask whoever runs the platform."
_REMEDIES = {
    "unreadable-media": "Export the video again as MP4 (H.264, AAC) and upload it.",
    "no-video-stream": "The file holds no picture. Upload the video itself.",
    "media-too-long": "Split the lecture into shorter parts.",
    "media-too-large": "Export it in a smaller size, at most 4K, and upload it.",
}


def _title(work: UnitOfWork, course: CourseId) -> str:
    found = work.courses.get(course)
    content = found.publication.content if found.publication else found.draft
    return content.title


def _course(work: UnitOfWork, course: CourseId) -> dict[str, object]:
    return {"course": {"title": _title(work, course)}}


def shown_day(at: datetime) -> str:
    """Return the day of *at*, in UTC, for people."""
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
