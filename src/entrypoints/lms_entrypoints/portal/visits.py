"""Who looks at a page, what their forms may send, and the answer they get."""

import re
from typing import Annotated
from urllib.parse import unquote, urlsplit

from attrs import define
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from lms_core.application.authenticate import Authenticate, Authenticated
from lms_core.domain.access.policy import NOBODY, Actor
from lms_core.domain.people.user import Role
from lms_core.errors import NotPermitted, Refused
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.http.auth import (
    COOKIE,
    LONGEST_TOKEN,
    VISIT_COOKIE,
    Caller,
    check_csrf,
    client_address_of,
    csrf_token,
    limiter,
    platform_of,
    principal_of,
    refuse_rush,
)
from lms_entrypoints.portal.pages import render
from lms_entrypoints.portal.views import Notice, Person, Shell, View

LONGEST_NEXT = 500
MOST_FIELDS = 2_000
_VISIT = re.compile(r"[A-Za-z0-9_-]{16,200}")
_LOCAL_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@%-]+/?)*")
_SAID = {
    "new-password": Notice(text="Your password was changed. Sign in.", tone="good"),
    "published": Notice(text="Published: learners see this version now.", tone="good"),
    "created": Notice(text="The course was created as a draft.", tone="good"),
    "imported": Notice(
        text="Imported. Learners see nothing of it until you publish.", tone="good"
    ),
    "saved": Notice(text="Saved.", tone="good"),
    "graded": Notice(text="The grade was changed.", tone="good"),
    "retried": Notice(text="The lecture was queued again.", tone="good"),
    "role-given": Notice(text="The role was given.", tone="good"),
    "put-back": Notice(text="Put back into the queue.", tone="good"),
    "enrolled": Notice(text="You are on the course. Good luck!", tone="good"),
}
"""What a redirect may ask the next page to say; nothing else is ever said."""


@define(kw_only=True)
class Visit:
    """One request for a page, and the browser that sends it.

    *known* is whoever is signed in. *secret* is what tokens of forms are made of:
    the session, or a random value before there is one; *is_new* and *is_stale*
    say which cookie the answer has to set or to remove.
    """

    request: Request
    platform: Platform
    secret: str
    known: Authenticated | None = None
    is_new: bool = False
    is_stale: bool = False

    @property
    def actor(self) -> Actor:
        """The visitor as the policy knows them."""
        return self.known.actor if self.known else NOBODY

    @property
    def caller(self) -> Caller:
        """The visitor as the API knows callers."""
        return Caller(known=self.known, by_cookie=True, csrf=self.csrf)

    @property
    def csrf(self) -> str:
        """What forms of this browser carry."""
        return csrf_token(self.secret)

    @property
    def address(self) -> str:
        """The path and query of the request."""
        url = self.request.url
        return f"{url.path}?{url.query}" if url.query else url.path

    def require(self) -> Authenticated:
        """Return who it is, or refuse somebody not signed in."""
        if self.known is None:
            raise Refused("sign-in-required")
        return self.known

    def shell(self, *notices: Notice) -> Shell:
        """Return the frame of a page for this visitor."""
        said = _SAID.get(self.request.query_params.get("said", ""))
        return Shell(
            site_name=self.platform.settings.platform_name,
            csrf_token=self.csrf,
            path=self.request.url.path,
            person=person(self.known) if self.known else None,
            notices=(*notices, *((said,) if said else ())),
        )

    def show(self, view: View, *, status: int = 200) -> Response:
        """Return the page that shows *view*."""
        page = HTMLResponse(render(view, self.shell()), status_code=status)
        return self.with_cookies(page)

    def go(self, path: str, *, said: str = "") -> Response:
        """Send the browser on to *path*, which is asked for by GET."""
        if said:
            path += f"{'&' if '?' in path else '?'}said={said}"
        return self.with_cookies(RedirectResponse(path, status_code=303))

    def with_cookies(self, response: Response) -> Response:
        """Set the cookies that the visit lacks, and remove those that are over."""
        response.headers["cache-control"] = "no-store"
        if self.is_stale:
            response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
        if self.is_new:
            self.keep(response, VISIT_COOKIE, self.secret)
        return response

    def keep(
        self, response: Response, name: str, value: str, *, max_age: int | None = None
    ) -> None:
        """Set a cookie that no script and no other site gets to use."""
        response.set_cookie(
            name,
            value,
            max_age=max_age,
            path="/",
            httponly=True,
            samesite="lax",
            secure=self.platform.settings.base_url.startswith("https:"),
        )


def person(known: Authenticated) -> Person:
    """Return *known* as the frame of a page names them."""
    roles = {(grant.role, grant.course is None) for grant in known.actor.grants}
    return Person(
        id=known.user,
        name=known.name,
        teaches=bool({(Role.INSTRUCTOR, True), (Role.INSTRUCTOR, False)} & roles),
        is_admin=(Role.ADMIN, True) in roles,
    )


def recognise(request: Request) -> Visit:
    """Find out who asks for a page.

    A session that has ended makes the visitor nobody in particular: public pages
    stay open to them, and the others send them to sign in.
    """
    platform = platform_of(request)
    cookie = request.cookies.get(COOKIE, "")
    if cookie and len(cookie) <= LONGEST_TOKEN:
        try:
            known = platform.use(Authenticate).by_session(cookie)
        except NotPermitted:
            return _stranger(request, platform, is_stale=True)
        return Visit(request=request, platform=platform, secret=cookie, known=known)
    return _stranger(request, platform, is_stale=bool(cookie))


def _stranger(request: Request, platform: Platform, *, is_stale: bool) -> Visit:
    presented = request.cookies.get(VISIT_COOKIE, "")
    is_new = _VISIT.fullmatch(presented) is None
    return Visit(
        request=request,
        platform=platform,
        secret=platform.tokens.token() if is_new else presented,
        is_new=is_new,
        is_stale=is_stale,
    )


def visit(request: Request) -> Visit:
    """Recognise the visitor, within the limits of one.

    Raises:
        HttpProblem: 429, too many pages in a short time.
    """
    found = recognise(request)
    request.state.visit = found
    address = client_address_of(request)
    if found.is_stale:
        # Whoever tries sessions is counted by address: there is no principal yet.
        refuse_rush(limiter(request, "unknown"), address)
    refuse_rush(limiter(request, "general"), principal_of(found.caller, address))
    return found


VisitDep = Annotated[Visit, Depends(visit)]


def check_form(found: Visit, form: FormData) -> None:
    """Refuse a form that did not come from one of our own pages.

    Raises:
        HttpProblem: 403 (``csrf``).
        Refused: the session has ended.
    """
    if found.is_stale:
        # Their session has ended meanwhile; signing in again explains itself.
        raise Refused("sign-in-required")
    token = form.get("csrf_token")
    # The secret of a visit that has just begun is nobody's yet, so nothing matches.
    check_csrf(found.request, found.caller, token if isinstance(token, str) else None)


@define
class Form:
    """The fields of a form, as text."""

    data: FormData

    def text(self, name: str, *, most: int = 4000) -> str:
        """Return the field *name*, at most so long; empty where there is none."""
        value = self.data.get(name)
        return value[:most] if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """Return every value of the field *name*."""
        return [each for each in self.data.getlist(name) if isinstance(each, str)]


async def posted(request: Request, found: VisitDep) -> Form:
    """Read a form of ours, without files.

    Raises:
        HttpProblem: 403, it is not one of ours.
    """
    data = await request.form(max_files=0, max_fields=MOST_FIELDS)
    check_form(found, data)
    return Form(data)


FormDep = Annotated[Form, Depends(posted)]


def safe_next(text: str, default: str = "") -> str:
    """Return *text* if it is a path on this site, else *default*.

    Only what every browser reads as a path counts: one slash, plain characters,
    no dot segments, and nothing that becomes another host when it is decoded.

    >>> safe_next("/learn/streaming?said=saved"), safe_next("//evil.example")
    ('/learn/streaming?said=saved', '')
    """
    if not 1 <= len(text) <= LONGEST_NEXT or not text.isascii():
        return default
    path, _, query = text.partition("?")
    decoded = unquote(path)
    if (
        not _LOCAL_PATH.fullmatch(path)
        or not re.fullmatch(r"[A-Za-z0-9._~!$&'()*+,;=:@/%?-]*", query)
        or not decoded.isprintable()
        or "//" in decoded
        or "\\" in decoded
        or {".", ".."} & set(decoded.split("/"))
        or urlsplit(text).netloc
        or path in {"/sign-in", "/sign-up", "/sign-out"}
    ):
        return default
    return text
