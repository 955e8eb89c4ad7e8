"""Accounts and sessions."""

from fastapi import APIRouter, Request, Response

from lms_core.application.grant_role import GrantRole
from lms_core.application.register_user import RegisterUser
from lms_core.application.reset_password import RequestPasswordReset, ResetPassword
from lms_core.application.sign_in import RefreshSession, SignedIn, SignIn, SignOut
from lms_core.application.update_user import ReadUser, UpdateUser
from lms_core.domain.ids import CourseId, UserId
from lms_core.domain.people.user import Role, User, normal_email
from lms_core.errors import AlreadyExists, InvalidValue
from lms_entrypoints.http.auth import CallerDep, PlatformDep, guard_guessing
from lms_entrypoints.http.routing import LmsRoute
from lms_entrypoints.http.schemas import (
    Accepted,
    Login,
    NewPasswordBody,
    PasswordResetBody,
    RefreshBody,
    Register,
    RoleBody,
    SignOutBody,
    Tokens,
    UpdateUserBody,
    UserAnswer,
)

router = APIRouter(prefix="/api/v1", route_class=LmsRoute, tags=["accounts"])


def _user(user: User) -> UserAnswer:
    return UserAnswer(
        id=user.id,
        email=user.email,
        name=user.name,
        language=user.language,
        roles=[{"role": g.role.value, "course": g.course} for g in user.grants],
    )


def _tokens(signed_in: SignedIn) -> Tokens:
    return Tokens(
        access_token=signed_in.access_token,
        expires_in=signed_in.expires_in_s,
        refresh_token=signed_in.refresh_token,
    )


def _normal(email: str) -> str:
    """Return what an address is counted by, however it is written."""
    try:
        return normal_email(email)
    except InvalidValue:
        return email.lower()


@router.post("/auth/register", status_code=201)
def register(
    body: Register, request: Request, platform: PlatformDep, _: CallerDep
) -> UserAnswer:
    """Open an account."""
    guard_guessing(request, f"register/{_normal(body.email)}")
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
    guard_guessing(request, f"sign-in/{_normal(body.email)}")
    return _tokens(platform.use(SignIn)(email=body.email, password=body.password))


@router.post("/auth/refresh")
def refresh(body: RefreshBody, request: Request, platform: PlatformDep) -> Tokens:
    """Trade a refresh token for new tokens; the old one stops working."""
    guard_guessing(request, f"refresh/{body.refresh_token.partition('.')[0]}")
    return _tokens(platform.use(RefreshSession)(body.refresh_token))


@router.post("/auth/logout", status_code=204, response_class=Response)
def sign_out(
    platform: PlatformDep, caller: CallerDep, body: SignOutBody | None = None
) -> Response:
    """End the session, or every session of the account."""
    known = caller.require()
    if known.session is not None:
        everywhere = body is not None and body.everywhere
        platform.use(SignOut)(known.session, everywhere=everywhere)
    return Response(status_code=204)


@router.post("/auth/password-reset", status_code=202)
def request_password_reset(
    body: PasswordResetBody, request: Request, platform: PlatformDep
) -> Accepted:
    """Ask for a mail with a link; the answer is the same for every address."""
    guard_guessing(request, f"reset/{_normal(body.email)}")
    platform.use(RequestPasswordReset)(email=body.email)
    return Accepted()


@router.post("/auth/password-reset/confirm", status_code=204, response_class=Response)
def reset_password(
    body: NewPasswordBody, request: Request, platform: PlatformDep
) -> Response:
    """Choose a new password with the secret from the mail; every session ends."""
    guard_guessing(request, f"reset-confirm/{body.token.partition('.')[0]}")
    platform.use(ResetPassword)(token=body.token, password=body.password)
    return Response(status_code=204)


@router.get("/users/me")
def read_me(platform: PlatformDep, caller: CallerDep) -> UserAnswer:
    """Show the caller's own account."""
    return _user(platform.use(ReadUser)(caller.actor, caller.user))


@router.get("/users/{user_id}")
def read_user(user_id: str, platform: PlatformDep, caller: CallerDep) -> UserAnswer:
    """Show an account to its owner or an admin."""
    caller.require()
    return _user(platform.use(ReadUser)(caller.actor, UserId(user_id)))


@router.patch("/users/{user_id}")
def update_user(
    user_id: str, body: UpdateUserBody, platform: PlatformDep, caller: CallerDep
) -> UserAnswer:
    """Change name and language; what is not given stays."""
    user = caller.user if user_id == "me" else UserId(user_id)
    caller.require()
    changed = platform.use(UpdateUser)(
        caller.actor, user, name=body.name, language=body.language
    )
    return _user(changed)


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
