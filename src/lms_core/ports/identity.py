"""Know who is asking."""

from datetime import datetime
from typing import Protocol

from attrs import frozen

from lms_core.domain.ids import SessionId, UserId


@frozen(kw_only=True)
class Identity:
    """Who a token speaks for.

    *subject* is the issuer's name for the person. *session* is `None` where the
    issuer has none. Roles are not here: the platform keeps them.
    """

    issuer: str
    subject: str
    email: str | None = None
    name: str | None = None
    session: SessionId | None = None
    expires_at: datetime


class IdentityProvider(Protocol):
    """Check the tokens of one issuer."""

    def verify(self, token: str) -> Identity:
        """Return who *token* speaks for.

        Signature, algorithm, issuer, audience, purpose and times are checked;
        the allowed algorithms are the verifier's choice, never the token's, and
        no key is fetched from where a token points.

        Raises:
            NotPermitted: it is not good; `code` is ``token-invalid`` or
                ``token-expired``.
            Unavailable: the issuer's keys could not be fetched.
        """
        ...


class TokenIssuer(Protocol):
    """Make the short-lived tokens that an `IdentityProvider` accepts."""

    def issue(self, user: UserId, *, session: SessionId, lifetime_s: int) -> str:
        """Return a signed token for *user*, good for *lifetime_s* seconds."""
        ...


class PasswordHasher(Protocol):
    """Keep passwords in a form from which nobody reads them."""

    def hash(self, password: str) -> str:
        """Return a salted, slow hash with its own parameters in it."""
        ...

    def verify(self, password: str, hashed: str | None) -> bool:
        """Tell whether *password* belongs to *hashed*.

        With `None` it takes the time of a real check and says no, so that time
        does not tell whether an account exists.
        """
        ...

    def is_outdated(self, hashed: str) -> bool:
        """Tell whether *hashed* should be made anew with today's parameters."""
        ...
