"""Who sends a request, and whether a browser was tricked into sending it."""

from hashlib import sha256
from hmac import compare_digest
from typing import Annotated
from urllib.parse import urlsplit

from attrs import frozen
from fastapi import Depends, Request

from lms_core.application.authenticate import Authenticate, Authenticated
from lms_core.domain.access.policy import NOBODY, Actor
from lms_core.domain.ids import UserId
from lms_core.errors import NotPermitted, Refused
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.http.edge import RateLimiter, client_address
from lms_entrypoints.http.problems import HttpProblem

COOKIE = "lms_session"
VISIT_COOKIE = "lms_visit"
"""A random value for forms that are sent before signing in."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_TOKEN = 4096


def platform_of(request: Request) -> Platform:
    """Return the platform that the app serves."""
    platform: Platform = request.app.state.platform
    return platform


async def _platform(request: Request) -> Platform:
    """Do what `platform_of` does, without a thread for it."""
    return platform_of(request)


@frozen(kw_only=True)
class Caller:
    """Who sends a request; *csrf* is what forms of this browser carry."""

    known: Authenticated | None = None
    by_cookie: bool = False
    csrf: str = ""

    @property
    def actor(self) -> Actor:
        """The caller as the policy knows it."""
        return self.known.actor if self.known else NOBODY

    def require(self) -> Authenticated:
        """Return who it is, or refuse somebody not signed in."""
        if self.known is None:
            raise Refused("sign-in-required")
        return self.known

    @property
    def user(self) -> UserId:
        """Who it is, or a refusal."""
        return self.require().user


def csrf_token(secret: str) -> str:
    """Return the token that forms carry, for a browser that holds *secret*."""
    return sha256(f"csrf/{secret}".encode()).hexdigest()


def is_same_origin(request: Request) -> bool:
    """Tell whether the browser says that the request comes from our own pages.

    A client that says nothing is no browser, or asks from our own pages.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    ours = urlsplit(platform_of(request).settings.base_url)
    theirs = urlsplit(origin)
    return theirs.netloc in {ours.netloc, request.headers.get("host", "")} and (
        theirs.scheme in {"http", "https"}
    )


def check_csrf(request: Request, caller: Caller, presented: str | None) -> None:
    """Refuse a request that a foreign page may have made a browser send.

    Only browsers that sign in by cookie can be tricked; tokens in a header are
    put there by the client itself.
    """
    if not is_same_origin(request) or not compare_digest(
        (presented or "").encode(), caller.csrf.encode()
    ):
        raise HttpProblem(403, "csrf", "the request did not come from our own pages")


def identify(request: Request) -> Caller:
    """Find out who sends the request; nobody in particular is fine.

    Raises:
        NotPermitted: it carries a token or cookie that is not good.
    """
    use = platform_of(request).use(Authenticate)
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= LONGEST_TOKEN:
            raise NotPermitted("send a bearer token", code="token-invalid")
        return Caller(known=use(token.strip()))
    cookie = request.cookies.get(COOKIE)
    if cookie and len(cookie) <= LONGEST_TOKEN:
        return Caller(
            known=use.by_session(cookie), by_cookie=True, csrf=csrf_token(cookie)
        )
    visit = request.cookies.get(VISIT_COOKIE, "")
    return Caller(csrf=csrf_token(visit) if visit else "")


def caller(request: Request) -> Caller:
    """Identify the caller of an API route, within the limits of a principal.

    A request is identified and counted once, however often this is asked.

    Raises:
        HttpProblem: 403 for a forged browser request, 429 for too many.
    """
    known: Caller | None = getattr(request.state, "caller", None)
    if known is not None:
        return known
    address = client_address_of(request)
    try:
        found = identify(request)
    except NotPermitted:
        # Whoever tries tokens is counted by address: there is no principal yet.
        refuse_rush(limiter(request, "unknown"), address)
        raise
    refuse_rush(limiter(request, "general"), principal_of(found, address))
    if found.by_cookie and request.method not in SAFE:
        check_csrf(request, found, request.headers.get("x-csrf-token"))
    request.state.caller = found
    return found


def client_address_of(request: Request) -> str:
    """Return who sends the request, as far as trusted proxies tell."""
    return client_address(request.scope, platform_of(request).settings)


def principal_of(found: Caller, address: str) -> str:
    """Return whose budget a request is taken from."""
    return f"user/{found.known.user}" if found.known else f"address/{address}"


def limiter(request: Request, name: str) -> RateLimiter:
    """Return one of the limiters that the app was made with."""
    limiters: dict[str, RateLimiter] = request.app.state.limiters
    return limiters[name]


def guard_costly(request: Request, found: Caller) -> None:
    """Slow down whoever asks for what is costly: documents, jobs, checkouts."""
    address = client_address_of(request)
    refuse_rush(limiter(request, "costly"), principal_of(found, address))


def refuse_rush(budgets: RateLimiter, principal: str) -> None:
    """Take one request from the principal's budget, or answer 429."""
    wait = budgets.seconds_to_wait(principal)
    if wait:
        raise HttpProblem(
            429,
            "too-many-requests",
            f"try again in {wait} s",
            headers={"retry-after": str(wait)},
        )


def guard_guessing(request: Request, *subjects: str) -> None:
    """Slow down whoever tries passwords, tokens or codes.

    Counted by address and by what is guessed at, so that neither one victim
    from many addresses nor many victims from one address is quick.
    """
    address = client_address_of(request)
    refuse_rush(limiter(request, "guessing-address"), address)
    for subject in subjects:
        name = sha256(subject.encode()).hexdigest()
        refuse_rush(limiter(request, "guessing-subject"), name)


PlatformDep = Annotated[Platform, Depends(_platform)]
CallerDep = Annotated[Caller, Depends(caller)]
