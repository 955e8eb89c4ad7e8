"""Accounts and sessions."""

from fastapi import APIRouter, Request, Response

from lms_core.application.grant_role import GrantRole
from lms_core.application.register_user import RegisterUser
from lms_core.application.sign_in import RefreshSession, SignedIn, SignIn, SignOut
from lms_core.domain.ids import CourseId, UserId
from lms_core.domain.people.user import Role, User
from lms_core.errors import AlreadyExists, InvalidValue
from lms_entrypoints.http.auth import CallerDep, PlatformDep, guard_guessing
from lms_entrypoints.http.routing import LmsRoute
from lms_entrypoints.http.schemas import (
    Login,
    RefreshBody,
    Register,
    RoleBody,
    Tokens,
    UserAnswer,
)

router = APIRouter(prefix="/api/v1", route_class=LmsRoute, tags=["accounts"])


def _user(user: User) -> UserAnswer:
    return UserAnswer(
        id=user.id,
        email=user.email,
        name=user.name,
        roles=[{"role": g.role.value, "course": g.course} for g in user.grants],
    )


def _tokens(signed_in: SignedIn) -> Tokens:
    return Tokens(
        access_token=signed_in.access_token,
        expires_in=signed_in.expires_in_s,
        refresh_token=signed_in.refresh_token,
    )


@router.post("/auth/register", status_code=201)
def register(
    body: Register, request: Request, platform: PlatformDep, _: CallerDep
) -> UserAnswer:
    """Open an account."""
    guard_guessing(request, f"register/{body.email.lower()}")
    try:
        return _user(
            platform.use(RegisterUser)(
                email=body.email, name=body.name, password=body.password
            )
        )
    except AlreadyExists as exc:
        raise AlreadyExists(
            "the address has an account; sign in instead", code="email-taken"
        ) from exc


@router.post("/auth/token")
@router.post("/auth/login", include_in_schema=False)
def sign_in(body: Login, request: Request, platform: PlatformDep) -> Tokens:
    """Trade an address and its password for tokens."""
    guard_guessing(request, f"sign-in/{body.email.lower()}")
    return _tokens(platform.use(SignIn)(email=body.email, password=body.password))


@router.post("/auth/refresh")
def refresh(body: RefreshBody, request: Request, platform: PlatformDep) -> Tokens:
    """Trade a refresh token for new tokens; the old one stops working."""
    guard_guessing(request, f"refresh/{body.refresh_token.partition('.')[0]}")
    return _tokens(platform.use(RefreshSession)(body.refresh_token))


@router.post("/auth/logout", status_code=204, response_class=Response)
def sign_out(platform: PlatformDep, caller: CallerDep) -> Response:
    """End the session."""
    known = caller.require()
    if known.session is not None:
        platform.use(SignOut)(known.session)
    return Response(status_code=204)


@router.get("/users/me")
def read_me(platform: PlatformDep, caller: CallerDep) -> UserAnswer:
    """Show the caller's own account."""
    with platform.start(read_only=True) as work:
        return _user(work.users.get(caller.user))


@router.post("/courses/{course_id}/roles", status_code=200)
def grant_role(
    course_id: str, body: RoleBody, platform: PlatformDep, caller: CallerDep
) -> UserAnswer:
    """Let somebody teach a course."""
    if body.role == "admin":
        raise InvalidValue("no course has admins", place="role")
    user = platform.use(GrantRole)(
        caller.actor, UserId(body.user_id), Role(body.role), CourseId(course_id)
    )
    return _user(user)
