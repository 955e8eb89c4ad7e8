"""Reaction: mail a link that lets somebody choose a new password."""

from datetime import timedelta
from urllib.parse import quote

from attrs import evolve, frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._digest import digest
from lms_core.domain.events import Envelope, PasswordResetRequested
from lms_core.domain.ids import EventId
from lms_core.domain.people.user import User
from lms_core.ports.mailer import Mail, Mailer
from lms_core.ports.renderer import MailRenderer
from lms_core.ports.system import Clock, TokenSource
from lms_core.ports.unit_of_work import StartWork

CONSUMER = "password-reset"
RESET_LIFETIME = timedelta(minutes=30)


@frozen(kw_only=True)
class MailPasswordReset:
    """Make the secret, keep its digest, mail the secret to the account's address.

    The secret is nowhere but in the mail. A try after a crash makes a new one,
    which ends the one before.
    """

    start: StartWork
    clock: Clock
    tokens: TokenSource
    mailer: Mailer
    mail_renderer: MailRenderer
    issuer_name: str
    portal_url: str

    def __call__(self, envelope: Envelope) -> None:
        """Send the mail that the event asks for, if it does and it is not sent yet.

        Raises:
            Rejected, Unavailable: the mailer's answer.
        """
        event = envelope.event
        if not isinstance(event, PasswordResetRequested):
            return
        if self.clock.now() >= event.at + RESET_LIFETIME:
            return  # Whoever asked has given up, or asked again.
        secret = self.tokens.token()
        user = self._remember(event, envelope.id, secret)
        if user is None:
            return
        address = f"{self.portal_url}/reset-password?token="
        words = self.mail_renderer.render(
            "password-reset",
            {
                "name": user.name,
                "reset_url": address + quote(f"{user.id}.{secret}"),
                "valid_for": "30 minutes",
                "site": {"name": self.issuer_name, "url": self.portal_url},
            },
            language=user.language,
        )
        mail = Mail(
            to=user.email, subject=words.subject, text=words.text, html=words.html
        )
        # Another secret is another mail: one with the first would be of no use.
        key = f"{envelope.id}-{digest(secret)[:16]}"
        self.mailer.send(mail, idempotency_key=key)
        with self.start() as work:
            if work.inbox.accept(CONSUMER, envelope.id, at=self.clock.now()):
                work.commit()

    @again_on_conflict
    def _remember(
        self, event: PasswordResetRequested, id_: EventId, secret: str
    ) -> User | None:
        with self.start() as work:
            if work.inbox.has(CONSUMER, id_):
                return None
            user, known = work.users.get(event.user), work.credentials.find(event.user)
            if known is None or user.suspended:
                return None
            kept = evolve(
                known,
                reset_digest=digest(secret),
                reset_expires_at=self.clock.now() + RESET_LIFETIME,
            )
            work.credentials.put(kept)
            work.commit()
        return user
