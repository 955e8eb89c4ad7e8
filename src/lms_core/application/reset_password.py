"""Use cases: ask for a new password, and choose it."""

from datetime import datetime

from attrs import evolve, frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._digest import same
from lms_core.application._events import sealed
from lms_core.application.register_user import check_password
from lms_core.domain.audit import AuditRow
from lms_core.domain.events import PasswordResetRequested
from lms_core.domain.ids import UserId
from lms_core.domain.people.user import normal_email
from lms_core.errors import InvalidValue, NotPermitted
from lms_core.ports.identity import PasswordHasher
from lms_core.ports.system import Clock, IdSource
from lms_core.ports.unit_of_work import KeptAnswer, StartWork

_DECOY = KeptAnswer(fingerprint="", status=202, body="")


@frozen(kw_only=True)
class RequestPasswordReset:
    """Ask for a mail with a link that lets its reader choose a new password."""

    start: StartWork
    clock: Clock
    ids: IdSource

    def __call__(self, *, email: str) -> None:
        """Ask for the mail, if the address has an account; nothing tells whether.

        The mail goes to the address that is stored, never to the one typed.
        """
        now = self.clock.now()
        try:
            address = normal_email(email)
        except InvalidValue:
            address = ""
        with self.start() as work:
            user = work.users.find_email(address)
            if user is not None and not user.suspended:
                event = PasswordResetRequested(user=user.id, at=now)
                work.outbox.extend(sealed([event], self.ids))
            else:
                # As much work as above, so that time does not tell either.
                work.idempotency.keep("nobody", self.ids.new(), _DECOY, at=now)
            work.commit()


@frozen(kw_only=True)
class ResetPassword:
    """Choose a new password with the secret from the mail."""

    start: StartWork
    clock: Clock
    ids: IdSource
    passwords: PasswordHasher

    def __call__(self, *, token: str, password: str) -> UserId:
        """Set the password, and end every session of the account.

        Raises:
            NotPermitted: the secret is wrong, used or too old
                (``reset-token-invalid``).
            InvalidValue: the password is not acceptable; the secret stays good.
        """
        name, _, secret = token.partition(".")
        user = UserId(name)
        self._check(user, secret, password)
        self._set(user, secret, self.passwords.hash(password))
        return user

    def _check(self, user: UserId, secret: str, password: str) -> None:
        """Look before the slow hash; what counts is decided by `_set`."""
        with self.start(read_only=True) as work:
            known = work.credentials.find(user)
            if known is None or not self._is_good(
                secret, known.reset_digest, known.reset_expires_at
            ):
                raise _wrong()
            email = work.users.get(user).email
        check_password(password, email=email)

    def _is_good(
        self, secret: str, stored: str | None, expires_at: datetime | None
    ) -> bool:
        if stored is None or expires_at is None or self.clock.now() >= expires_at:
            return False
        return same(secret, stored)

    @again_on_conflict
    def _set(self, user: UserId, secret: str, hashed: str) -> None:
        now = self.clock.now()
        with self.start() as work:
            known = work.credentials.find(user)
            if known is None or not self._is_good(
                secret, known.reset_digest, known.reset_expires_at
            ):
                raise _wrong()
            work.credentials.put(
                evolve(
                    known,
                    password_hash=hashed,
                    reset_digest=None,
                    reset_expires_at=None,
                )
            )
            work.sessions.end_all(user, at=now)
            work.audit.append(
                AuditRow(
                    id=self.ids.new(),
                    at=now,
                    actor=user,
                    action="passwords.reset",
                    subject=user,
                )
            )
            work.commit()


def _wrong() -> NotPermitted:
    return NotPermitted(
        "the link was used, is too old or is not whole; ask for another one",
        code="reset-token-invalid",
    )
