"""Sign up, sign in, sign out."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from lms_core.application.register_user import SHORTEST_PASSWORD, RegisterUser
from lms_core.application.reset_password import RequestPasswordReset, ResetPassword
from lms_core.application.sign_in import SignIn, SignOut
from lms_core.domain.people.user import normal_email
from lms_core.errors import AlreadyExists, InvalidValue, NotPermitted
from lms_entrypoints.http.auth import (
    COOKIE,
    LONGEST_TOKEN,
    VISIT_COOKIE,
    guard_guessing,
)
from lms_entrypoints.portal import links, views
from lms_entrypoints.portal.visits import FormDep, Visit, VisitDep, safe_next

router = APIRouter(include_in_schema=False)

_FIELDS = {"name": "Name", "email": "Email address", "password": "Password"}


@router.get("/sign-up")
def sign_up_form(visit: VisitDep, next: str = "") -> Response:  # noqa: A002 - its name
    """Show the form that opens an account."""
    then = safe_next(next)
    if visit.known is not None:
        return visit.go(then or links.my_courses())
    return visit.show(views.SignUp(shortest_password=SHORTEST_PASSWORD, then=then))


@router.post("/sign-up")
def sign_up(visit: VisitDep, form: FormDep) -> Response:
    """Open an account and sign in."""
    name, email = form.text("name", most=200), form.text("email", most=300)
    password, then = form.text("password"), safe_next(form.text("next"))
    guard_guessing(visit.request, f"register/{_subject(email)}")
    try:
        visit.platform.use(RegisterUser)(email=email, name=name, password=password)
    except InvalidValue as exc:
        label = _FIELDS.get(exc.place, "")
        error = views.FieldError(
            field=exc.place if label else "", message=f"{label}: {exc.message}"
        )
    except AlreadyExists:
        message = "This address has an account already; sign in instead."
        error = views.FieldError(field="email", message=message)
    else:
        return _begin(visit, email, password, then or links.home())
    view = views.SignUp(
        name=name,
        email=email,
        shortest_password=SHORTEST_PASSWORD,
        then=then,
        errors=(error,),
    )
    return visit.show(view, status=422)


@router.get("/sign-in")
def sign_in_form(visit: VisitDep, next: str = "") -> Response:  # noqa: A002 - its name
    """Show the form that signs in."""
    then = safe_next(next)
    if visit.known is not None:
        return visit.go(then or links.my_courses())
    return visit.show(views.SignIn(then=then))


@router.post("/sign-in")
def sign_in(visit: VisitDep, form: FormDep) -> Response:
    """Begin a session."""
    email, then = form.text("email", most=300), safe_next(form.text("next"))
    guard_guessing(visit.request, f"sign-in/{_subject(email)}")
    try:
        return _begin(visit, email, form.text("password"), then or links.my_courses())
    except NotPermitted as exc:
        if exc.code != "credentials-invalid":
            raise
        message = "The address or the password is wrong."
        error = views.FieldError(field="email", message=message)
        view = views.SignIn(email=email, then=then, errors=(error,))
        return visit.show(view, status=422)


def _subject(email: str) -> str:
    """Return the one name under which tries at an address are counted."""
    try:
        return normal_email(email)
    except InvalidValue:
        return email.lower()


def _begin(visit: Visit, email: str, password: str, then: str) -> Response:
    """Begin a session under a new secret; whatever the browser held before ends."""
    signed_in = visit.platform.use(SignIn)(email=email, password=password)
    _end(visit)
    response = RedirectResponse(then, status_code=303)
    lifetime = signed_in.session_expires_at - visit.platform.clock.now()
    visit.keep(
        response,
        COOKIE,
        signed_in.refresh_token,
        max_age=int(lifetime.total_seconds()),
    )
    response.delete_cookie(VISIT_COOKIE, path="/", httponly=True, samesite="lax")
    return response


def _end(visit: Visit) -> None:
    if visit.known is not None and visit.known.session is not None:
        visit.platform.use(SignOut)(visit.known.session)


@router.get("/sign-out")
def sign_out_form(visit: VisitDep) -> Response:
    """Ask before signing out, or say that it is done."""
    return visit.show(views.SignOut(done=visit.known is None))


@router.post("/sign-out")
def sign_out(visit: VisitDep, _: FormDep) -> Response:
    """End the session, on the server and in the browser."""
    _end(visit)
    visit.is_stale = True
    return visit.go(links.sign_out())


@router.get("/forgot-password")
def forgot_password_form(visit: VisitDep, sent: str = "") -> Response:
    """Ask for the address to which a link shall go."""
    return visit.show(views.ForgotPassword(sent=bool(sent)))


@router.post("/forgot-password")
def forgot_password(visit: VisitDep, form: FormDep) -> Response:
    """Ask for a mail with a link; the answer is the same for every address."""
    email = form.text("email", most=300)
    guard_guessing(visit.request, f"reset/{_subject(email)}")
    visit.platform.use(RequestPasswordReset)(email=email)
    return visit.go(links.with_query(links.forgot_password(), {"sent": "1"}))


@router.get("/reset-password")
def reset_password_form(visit: VisitDep, token: str = "") -> Response:
    """Show the form that chooses a new password."""
    return visit.show(_new_password(token[:LONGEST_TOKEN]))


def _new_password(token: str, *errors: views.FieldError) -> views.View:
    return views.ResetPassword(
        token=token, shortest_password=SHORTEST_PASSWORD, errors=errors
    )


@router.post("/reset-password")
def reset_password(visit: VisitDep, form: FormDep) -> Response:
    """Choose a new password with the secret from the mail; every session ends."""
    token = form.text("token", most=LONGEST_TOKEN)
    guard_guessing(visit.request, f"reset-confirm/{token.partition('.')[0]}")
    try:
        visit.platform.use(ResetPassword)(token=token, password=form.text("password"))
    except InvalidValue as exc:
        error = views.FieldError(field="password", message=f"Password: {exc.message}")
    except NotPermitted as exc:
        if exc.code != "reset-token-invalid":
            raise
        message = "This link was used, is too old or is not whole. Ask for another one."
        error = views.FieldError(field="", message=message)
    else:
        return visit.go(links.sign_in(), said="new-password")
    return visit.show(_new_password(token, error), status=422)
