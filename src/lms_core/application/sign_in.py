"""Use cases: sign in with a password, stay signed in, sign out."""

from datetime import datetime, timedelta

from attrs import evolve, frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._digest import digest
from lms_core.domain.ids import SessionId, UserId
from lms_core.domain.people.session import Refresh, Session
from lms_core.domain.people.user import normal_email
from lms_core.errors import InvalidValue, NotPermitted
from lms_core.ports.identity import PasswordHasher, TokenIssuer
from lms_core.ports.system import Clock, IdSource, TokenSource
from lms_core.ports.unit_of_work import StartWork

ACCESS_LIFETIME_S = 15 * 60
SESSION_LIFETIME = timedelta(days=30)


@frozen(kw_only=True)
class SignedIn:
    """What a client keeps: a token for requests, and one to get the next pair."""

    user: UserId
    session: SessionId
    access_token: str
    expires_in_s: int
    refresh_token: str
    session_expires_at: datetime


def _wrong() -> NotPermitted:
    return NotPermitted(
        "the address or the password is wrong", code="credentials-invalid"
    )


@frozen(kw_only=True)
class SignIn:
    """Begin a session for whoever knows an account's password."""

    start: StartWork
    clock: Clock
    ids: IdSource
    tokens: TokenSource
    passwords: PasswordHasher
    issuer: TokenIssuer

    def __call__(self, *, email: str, password: str) -> SignedIn:
        """Return the tokens of a new session.

        Takes the same time whether the account exists or not.

        Raises:
            NotPermitted: address or password is wrong, or the account is
                suspended (``credentials-invalid`` either way).
        """
        try:
            address = normal_email(email)
        except InvalidValue:
            address = ""
        with self.start(read_only=True) as work:
            user = work.users.find_email(address)
            known = work.credentials.find(user.id) if user else None
        right = self.passwords.verify(password, known.password_hash if known else None)
        if user is None or known is None or not right or user.suspended:
            raise _wrong()
        now = self.clock.now()
        secret = self.tokens.token()
        session = Session(
            id=SessionId(self.ids.new()),
            user=user.id,
            digest=digest(secret),
            started_at=now,
            rotated_at=now,
            expires_at=now + SESSION_LIFETIME,
        )
        with self.start() as work:
            work.sessions.add(session)
            if self.passwords.is_outdated(known.password_hash):
                hashed = self.passwords.hash(password)
                work.credentials.put(evolve(known, password_hash=hashed))
            work.commit()
        return _signed_in(session, secret, self.issuer)


def _signed_in(session: Session, secret: str, issuer: TokenIssuer) -> SignedIn:
    access = issuer.issue(
        session.user, session=session.id, lifetime_s=ACCESS_LIFETIME_S
    )
    return SignedIn(
        user=session.user,
        session=session.id,
        access_token=access,
        expires_in_s=ACCESS_LIFETIME_S,
        refresh_token=f"{session.id}.{secret}",
        session_expires_at=session.expires_at,
    )


@frozen(kw_only=True)
class RefreshSession:
    """Trade a refresh token for a new pair of tokens."""

    start: StartWork
    clock: Clock
    tokens: TokenSource
    issuer: TokenIssuer

    def __call__(self, refresh_token: str) -> SignedIn:
        """Return new tokens; the one presented stops working.

        Raises:
            NotPermitted: ``session-ended``, or ``token-reused`` when it was
                replaced before, in which case the session is ended.
        """
        return self._rotate(refresh_token, self.tokens.token())

    @again_on_conflict
    def _rotate(self, refresh_token: str, secret: str) -> SignedIn:
        name, _, presented = refresh_token.partition(".")
        now = self.clock.now()
        with self.start() as work:
            session = work.sessions.find(SessionId(name))
            user = work.users.get(session.user) if session else None
            if session is None or user is None or user.suspended:
                raise NotPermitted("sign in again", code="session-ended")
            after, outcome = session.refresh(digest(presented), digest(secret), at=now)
            if outcome is not Refresh.ENDED:
                work.sessions.save(after)
                work.commit()
        if outcome is Refresh.ROTATED:
            return _signed_in(after, secret, self.issuer)
        code = "token-reused" if outcome is Refresh.STOLEN else "session-ended"
        raise NotPermitted("sign in again", code=code)


@frozen(kw_only=True)
class SignOut:
    """End a session, or all of a user's."""

    start: StartWork
    clock: Clock

    @again_on_conflict
    def __call__(self, session: SessionId, *, everywhere: bool = False) -> None:
        """End *session*; ending it twice, or an unknown one, succeeds."""
        with self.start() as work:
            found = work.sessions.find(session)
            if found is None:
                return
            if everywhere:
                work.sessions.end_all(found.user, at=self.clock.now())
            else:
                work.sessions.save(found.end(at=self.clock.now()))
            work.commit()
