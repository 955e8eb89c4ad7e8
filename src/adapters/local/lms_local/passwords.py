"""Passwords kept by Argon2id."""

import secrets
from typing import TYPE_CHECKING

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError
from attrs import field, frozen

from lms_core.errors import InvalidValue
from lms_core.ports.identity import PasswordHasher
from lms_core.registry import Wiring
from lms_local._settings import options


@frozen
class Argon2PasswordHasher:
    """A `PasswordHasher` by Argon2id.

    The parameters are the OWASP minimum: 2 passes over 19 MiB in one lane.
    *nobody* is a hash that belongs to no account, checked where there is none.
    """

    _argon2: Argon2 = field(
        factory=lambda: Argon2(time_cost=2, memory_cost=19 * 1024, parallelism=1)
    )
    _nobody: str = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_nobody", self._argon2.hash(secrets.token_hex(16)))

    def hash(self, password: str) -> str:
        try:
            return self._argon2.hash(password)
        except UnicodeEncodeError:
            # The exception holds the password, so it must not be chained.
            raise InvalidValue("not Unicode text", place="password") from None

    def verify(self, password: str, hashed: str | None) -> bool:
        try:
            self._argon2.verify(self._nobody if hashed is None else hashed, password)
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False
        return hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        try:
            return self._argon2.check_needs_rehash(hashed)
        except InvalidHashError:
            return True


def open_password_hasher(url: str, wiring: Wiring) -> Argon2PasswordHasher:
    """Open ``argon2://``."""
    del wiring
    options(url)
    return Argon2PasswordHasher()


if TYPE_CHECKING:
    _conforms: type[PasswordHasher] = Argon2PasswordHasher
