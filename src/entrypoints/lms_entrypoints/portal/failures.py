"""When a page cannot be shown: the same errors as the API's, for people."""

import logging
from collections.abc import Callable, Sequence
from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import Scope

from lms_core.errors import (
    ConfigurationError,
    InvalidDocument,
    InvalidValue,
    LmsError,
    NotFound,
    PortError,
    Refused,
    Unavailable,
)
from lms_entrypoints.http.problems import HttpProblem, status_of
from lms_entrypoints.portal import links
from lms_entrypoints.portal.pages import render
from lms_entrypoints.portal.views import ErrorPage, Shell
from lms_entrypoints.portal.visits import Visit, recognise
from lms_entrypoints.portal.words import Explanation, explain, explain_code, knows

_LOG = logging.getLogger("lms.portal")
_NOT_PAGES = (
    "/api/",
    "/media/",
    "/credentials/",
    "/status-lists/",
    "/issuer",
    "/sandbox/",
    "/static/",
)
_Handler = Callable[[Request, Exception], Response]
MOST_REASONS = 20
RETRY_AFTER_S = 2


def is_for_a_page(path: str, accept: str) -> bool:
    """Tell whether a browser asks for one of the portal's pages."""
    return not path.startswith(_NOT_PAGES) and "text/html" in accept


def install_failures(app: FastAPI) -> None:
    """Make *app* answer errors of pages with pages, and leave all others alone."""
    for kind in (LmsError, HttpProblem, HTTPException, RequestValidationError):
        otherwise = cast("_Handler", app.exception_handlers[kind])
        app.add_exception_handler(kind, _for_pages(otherwise))
    app.state.refusal_page = refusal_page


def _for_pages(otherwise: _Handler) -> _Handler:
    def handle(request: Request, exc: Exception) -> Response:
        accept = request.headers.get("accept", "")
        if is_for_a_page(request.url.path, accept):
            return failure_page(request, exc)
        return otherwise(request, exc)

    return handle


def refusal_page(scope: Scope, status: int, code: str) -> Response | None:
    """Return a page for a request that the edge refused, if a browser sent it."""
    request = Request(scope)
    if not is_for_a_page(request.url.path, request.headers.get("accept", "")):
        return None
    view = ErrorPage(
        status=status,
        why=(explain_code(code),) if knows(code) else (),
        request_id=_request_id(request),
    )
    return HTMLResponse(render(view, _nobody(request)), status_code=status)


def failure_page(request: Request, exc: Exception) -> Response:
    """Return the page that explains *exc*; who must sign in is sent to do so."""
    status = _status(exc)
    visit, shell = _visitor(request, status)
    if status == 401:  # noqa: PLR2004
        then = visit.address if visit and request.method == "GET" else ""
        if visit is not None:
            return visit.go(links.sign_in(then))
    if status >= 500:  # noqa: PLR2004
        _LOG.error("%s %s: %r", request.method, request.url.path, exc, exc_info=exc)
    headers = dict(getattr(exc, "headers", None) or {})
    retry_after = headers.get("retry-after", "")
    view = ErrorPage(
        status=status,
        why=_why(exc, request),
        retry_after_s=int(retry_after) if retry_after.isdigit() else None,
        request_id=_request_id(request),
    )
    if status == 503:  # noqa: PLR2004
        headers["retry-after"] = str(RETRY_AFTER_S)
    response = HTMLResponse(render(view, shell), status_code=status, headers=headers)
    return visit.with_cookies(response) if visit else response


def _status(exc: Exception) -> int:
    if isinstance(exc, LmsError):
        return status_of(exc)
    if isinstance(exc, HttpProblem):
        return exc.status
    if isinstance(exc, HTTPException):
        return exc.status_code
    return 422 if isinstance(exc, RequestValidationError) else 500


def _visitor(request: Request, status: int) -> tuple[Visit | None, Shell]:
    """Return who asked; where that cannot be found out, nobody in particular."""
    found: Visit | None = getattr(request.state, "visit", None)
    if found is None and status < 500:  # noqa: PLR2004
        try:
            found = recognise(request)
        except LmsError as exc:
            _LOG.warning("the visitor of an error page is not known: %r", exc)
    return found, found.shell() if found else _nobody(request)


def _nobody(request: Request) -> Shell:
    settings = request.app.state.platform.settings
    return Shell(site_name=settings.platform_name, csrf_token="", path=request.url.path)


def _request_id(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))


def _why(exc: Exception, request: Request) -> tuple[Explanation, ...]:
    if isinstance(exc, Refused):
        course = request.path_params.get("course_id")
        return tuple(
            explain(reason, course=course) for reason in exc.reasons[:MOST_REASONS]
        )
    if isinstance(exc, InvalidDocument):
        return _sentences(exc.code, [str(fault) for fault in exc.faults])
    if isinstance(exc, InvalidValue):
        return _sentences(exc.code, [str(exc)])
    if isinstance(exc, NotFound | Unavailable | ConfigurationError):
        return ()
    if isinstance(exc, PortError | HttpProblem) and knows(exc.code):
        return (explain_code(exc.code),)
    return ()


def _sentences(code: str, messages: Sequence[str]) -> tuple[Explanation, ...]:
    return tuple(
        Explanation(code=code, sentence=message[:300])
        for message in messages[:MOST_REASONS]
    )
