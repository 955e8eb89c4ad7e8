"""Sign-ins, kept alive by refresh tokens that rotate."""

from datetime import datetime, timedelta
from enum import StrEnum

from attrs import evolve, frozen

from lms_core.domain.ids import SessionId, UserId

RETRY_GRACE = timedelta(seconds=20)
"""How long the token before this one still works: an answer may get lost."""


class Refresh(StrEnum):
    """What presenting a refresh token comes to."""

    ROTATED = "rotated"
    ENDED = "ended"
    STOLEN = "stolen"


@frozen(kw_only=True)
class Session:
    """One sign-in on one device.

    Only digests of refresh tokens are kept. Using a token that was replaced
    ends the session: two parties hold it, and one of them is a thief
    (RFC 9700, section 4.14.2).
    """

    id: SessionId
    user: UserId
    digest: str
    started_at: datetime
    rotated_at: datetime
    expires_at: datetime
    previous: str | None = None
    ended_at: datetime | None = None
    version: int = 0

    def is_live(self, at: datetime) -> bool:
        """Tell whether the session has neither ended nor expired."""
        return self.ended_at is None and at < self.expires_at

    def refresh(
        self, presented: str, successor: str, *, at: datetime
    ) -> tuple["Session", Refresh]:
        """Replace the token with digest *presented* by *successor*."""
        if not self.is_live(at):
            return self, Refresh.ENDED
        if presented == self.digest:
            rotated = evolve(
                self, digest=successor, previous=self.digest, rotated_at=at
            )
            return rotated, Refresh.ROTATED
        if presented == self.previous and at < self.rotated_at + RETRY_GRACE:
            # The grace runs from the first use: retrying does not prolong it.
            return evolve(self, digest=successor), Refresh.ROTATED
        return self.end(at=at), Refresh.STOLEN

    def end(self, *, at: datetime) -> "Session":
        """Sign out; doing it twice keeps the first time."""
        return self if self.ended_at else evolve(self, ended_at=at)


@frozen(kw_only=True)
class Credential:
    """How a local account proves itself."""

    user: UserId
    password_hash: str
    reset_digest: str | None = None
    reset_expires_at: datetime | None = None
    version: int = 0
