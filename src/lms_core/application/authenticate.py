"""Use case: find out who sends a request."""

from attrs import frozen

from lms_core.application._digest import same
from lms_core.domain.access.policy import Actor
from lms_core.domain.ids import SessionId, UserId
from lms_core.errors import NotFound, NotPermitted
from lms_core.ports.identity import IdentityProvider
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import StartWork


@frozen(kw_only=True)
class Authenticated:
    """Who sends a request, with the roles given at this moment."""

    actor: Actor
    user: UserId
    session: SessionId | None
    name: str
    email: str


@frozen(kw_only=True)
class Authenticate:
    """Turn a token into an actor.

    Roles, suspension and the session's end are read from the store, so that
    they hold at once and not when the token expires.
    """

    start: StartWork
    clock: Clock
    identity: IdentityProvider

    def __call__(self, token: str) -> Authenticated:
        """Return who *token* speaks for.

        Raises:
            NotPermitted: ``token-invalid``, ``token-expired``,
                ``session-ended`` or ``account-suspended``.
        """
        identity = self.identity.verify(token)
        return self._known(UserId(identity.subject), identity.session, None)

    def by_session(self, secret: str) -> Authenticated:
        """Return whose browser session *secret* belongs to.

        It is the refresh token of a sign-in, which a browser keeps in a cookie
        that no script reads; there it does not rotate.

        Raises:
            NotPermitted: ``session-ended`` or ``account-suspended``.
        """
        name, _, presented = secret.partition(".")
        return self._known(None, SessionId(name), presented)

    def _known(
        self, user_id: UserId | None, session_id: SessionId | None, secret: str | None
    ) -> Authenticated:
        with self.start(read_only=True) as work:
            if session_id is not None:
                session = work.sessions.find(session_id)
                if session is None or not session.is_live(self.clock.now()):
                    raise NotPermitted("sign in again", code="session-ended")
                if secret is not None and not same(secret, session.digest):
                    raise NotPermitted("sign in again", code="session-ended")
                user_id = user_id or session.user
            try:
                user = work.users.get(UserId(user_id or ""))
            except NotFound as exc:
                raise NotPermitted(
                    "there is no such account", code="token-invalid"
                ) from exc
        if user.suspended:
            raise NotPermitted("the account is suspended", code="account-suspended")
        return Authenticated(
            actor=Actor.of(user),
            user=user.id,
            session=session_id,
            name=user.name,
            email=user.email,
        )
