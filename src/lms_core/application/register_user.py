"""Use case: open an account."""

from attrs import frozen

from lms_core.application._events import sealed
from lms_core.domain.ids import UserId
from lms_core.domain.people.session import Credential
from lms_core.domain.people.user import User
from lms_core.errors import InvalidValue
from lms_core.ports.identity import PasswordHasher
from lms_core.ports.system import Clock, IdSource
from lms_core.ports.unit_of_work import StartWork

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256
FEWEST_LETTERS = 4


def check_password(password: str, *, email: str) -> None:
    """Refuse passwords that are too short, too long, or the address itself.

    Length is what counts, and composition rules are not used (NIST SP 800-63B,
    section 5.1.1). The upper bound keeps hashing from being abused.

    Raises:
        InvalidValue: naming what is wrong with it.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidValue(
            f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters",
            place="password",
        )
    if (
        password.casefold() in {email, email.partition("@")[0]}
        or len(set(password)) < FEWEST_LETTERS
    ):
        raise InvalidValue("is too easy to guess", place="password")


@frozen(kw_only=True)
class RegisterUser:
    """Open an account for somebody, as a student."""

    start: StartWork
    clock: Clock
    ids: IdSource
    passwords: PasswordHasher

    def __call__(self, *, email: str, name: str, password: str) -> User:
        """Return the new user.

        Raises:
            InvalidValue: address, name or password is not acceptable.
            AlreadyExists: the address has an account.
        """
        now = self.clock.now()
        user, events = User.register(
            UserId(self.ids.new()), email=email, name=name, at=now
        )
        check_password(password, email=user.email)
        hashed = self.passwords.hash(password)
        with self.start() as work:
            work.users.add(user)
            work.credentials.put(Credential(user=user.id, password_hash=hashed))
            work.outbox.extend(sealed(events, self.ids))
            work.commit()
        return user
