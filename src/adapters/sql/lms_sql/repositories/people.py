"""Users, their credentials and their sign-ins."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import frozen
from sqlalchemy import Connection

from lms_core.domain.ids import SessionId, UserId
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.domain.people.session import Credential, Session
from lms_core.domain.people.user import User
from lms_core.ports.unit_of_work import Credentials, Sessions, Users
from lms_sql import tables
from lms_sql._kept import Kept, Kind, read_page
from lms_sql._values import micros

_T = tables.users
_S = tables.sessions


def _user(user: User) -> dict[str, Any]:
    return {"id": user.id, "email": user.email}


def _credential(credential: Credential) -> dict[str, Any]:
    return {"user_id": credential.user}


def _session(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "user_id": session.user,
        "ended": session.ended_at is not None,
        "expires_at": micros(session.expires_at),
    }


USERS = Kind(User, _T, _user, remembers=2000)
CREDENTIALS = Kind(Credential, tables.credentials, _credential)
SESSIONS = Kind(Session, _S, _session, remembers=2000)


@frozen
class SqlUsers:
    """`Users` in a table."""

    _connection: Connection

    @property
    def _kept(self) -> Kept[User]:
        return Kept(self._connection, USERS)

    def get(self, user: UserId) -> User:
        return self._kept.get(id=user)

    def find_email(self, email: str) -> User | None:
        return self._kept.first(USERS.rows.where(_T.c.email == email))

    def add(self, user: User) -> None:
        self._kept.add(user)

    def save(self, user: User) -> None:
        # A taken address fails the statement; what was done before it stays.
        with self._connection.begin_nested():
            self._kept.save(user)

    def several(self, users: Sequence[UserId]) -> dict[UserId, User]:
        found = self._kept.all(USERS.rows.where(_T.c.id.in_(set(users))))
        return {user.id: user for user in found}

    def page(self, page: PageRequest = FIRST) -> Page[User]:
        return read_page(self._kept, USERS.rows, [_T.c.email, _T.c.id], page)


@frozen
class SqlCredentials:
    """`Credentials` in a table."""

    _connection: Connection

    def find(self, user: UserId) -> Credential | None:
        return Kept(self._connection, CREDENTIALS).find(user_id=user)

    def put(self, credential: Credential) -> None:
        Kept(self._connection, CREDENTIALS).put(credential)


@frozen
class SqlSessions:
    """`Sessions` in a table."""

    _connection: Connection

    @property
    def _kept(self) -> Kept[Session]:
        return Kept(self._connection, SESSIONS)

    def find(self, session: SessionId) -> Session | None:
        return self._kept.find(id=session)

    def add(self, session: Session) -> None:
        self._kept.add(session)

    def save(self, session: Session) -> None:
        self._kept.save(session)

    def end_all(self, user: UserId, *, at: datetime) -> int:
        live = SESSIONS.rows.where(
            _S.c.user_id == user, ~_S.c.ended, _S.c.expires_at > micros(at)
        )
        found = self._kept.all(live.with_for_update())
        for session in found:
            self._kept.save(session.end(at=at))
        return len(found)


if TYPE_CHECKING:
    _users_conform: type[Users] = SqlUsers
    _credentials_conform: type[Credentials] = SqlCredentials
    _sessions_conform: type[Sessions] = SqlSessions
