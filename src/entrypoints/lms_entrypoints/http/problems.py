"""Errors as problem documents (RFC 9457) with our codes and reasons."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from lms_core.domain.documents import write_instant
from lms_core.errors import (
    AlreadyExists,
    ConfigurationError,
    Conflict,
    Fault,
    InvalidDocument,
    InvalidValue,
    LmsError,
    NotFound,
    NotPermitted,
    Reason,
    Refused,
    Rejected,
    Unavailable,
    Unsupported,
)

_LOG = logging.getLogger("lms.http")
MOST_FAULTS = 50

_STATUS: tuple[tuple[type[LmsError], int], ...] = (
    (InvalidValue, 422),
    (NotFound, 404),
    (AlreadyExists, 409),
    (Conflict, 409),
    (Rejected, 422),
    (Unsupported, 422),
    (Unavailable, 503),
    # Not the caller's credentials but ours, for a disk or a service behind us.
    (NotPermitted, 503),
    (ConfigurationError, 503),
)
_REFUSED_WITH = {
    "sign-in-required": 401,
    "grade-has-changed": 412,
    "course-has-changed": 412,
    "payment-required": 402,
}
_CREDENTIALS = {
    "account-suspended": 403,
    "credentials-invalid": 401,
    "reset-token-invalid": 400,
    "session-ended": 401,
    "token-expired": 401,
    "token-invalid": 401,
    "token-reused": 401,
}
_CONFLICTS = {
    "already-enrolled",
    "attempt-is-final",
    "course-is-full",
    "course-is-completed",
    "course-is-free",
    "enrollment-has-ended",
    "no-attempts-left",
    "time-is-over",
    "media-not-ready",
    "refund-too-high",
    "order-is-not-paid",
    "certificate-revoked",
    "currency-differs",
    "transaction-differs",
    "order-is-settled",
}
_TITLES = {
    400: "Bad request",
    401: "Sign in",
    402: "Payment required",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Conflict",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    416: "No such range",
    422: "Not acceptable as it is",
    428: "If-Match is missing",
    429: "Too many requests",
    503: "Not available now",
}


class HttpProblem(Exception):
    """An answer that the HTTP edge itself decides on."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})


def reason_document(reason: Reason) -> dict[str, Any]:
    """Return a reason as clients read it."""
    document: dict[str, Any] = {"code": reason.code}
    if reason.about:
        document["about"] = dict(reason.about)
    if reason.opens_at is not None:
        document["opens_at"] = write_instant(reason.opens_at)
    return document


def _fault_document(fault: Fault) -> dict[str, Any]:
    document: dict[str, Any] = {
        "place": fault.place[:200],
        "code": fault.code,
        "message": fault.message[:300],
    }
    if fault.line is not None:
        document["line"] = fault.line
    return document


def status_of(error: LmsError) -> int:
    """Return the HTTP status that *error* means."""
    if isinstance(error, Refused):
        codes = [reason.code for reason in error.reasons]
        for code in codes:
            if code in _REFUSED_WITH:
                return _REFUSED_WITH[code]
        return 409 if codes and _CONFLICTS.issuperset(codes) else 403
    if isinstance(error, NotPermitted) and error.code in _CREDENTIALS:
        return _CREDENTIALS[error.code]
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem_document(error: LmsError) -> dict[str, Any]:
    """Return *error* as a problem document, with nothing in it that is private."""
    status = status_of(error)
    document: dict[str, Any] = {
        "type": f"urn:lms:problem:{error.code}",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "code": error.code,
    }
    if isinstance(error, Refused):
        document["code"] = error.reasons[0].code if error.reasons else error.code
        document["detail"] = "; ".join(reason.code for reason in error.reasons)
        document["reasons"] = [reason_document(each) for each in error.reasons]
        document["type"] = f"urn:lms:problem:{document['code']}"
    elif isinstance(error, InvalidDocument):
        document["detail"] = f"{len(error.faults)} things are wrong"
        document["faults"] = [_fault_document(f) for f in error.faults[:MOST_FAULTS]]
    elif isinstance(error, InvalidValue):
        fault = Fault(error.place, error.message, error.code)
        document["detail"] = str(fault)[:300]
        document["faults"] = [_fault_document(fault)]
    elif status == 503:  # noqa: PLR2004
        document["detail"] = "a part of the platform does not answer; try again"
    else:
        document["detail"] = str(error)[:300]
    return document


def problem(
    document: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    """Return a problem document as a response."""
    return Response(
        json.dumps(document, separators=(",", ":")),
        status_code=int(document["status"]),
        media_type="application/problem+json",
        headers={"cache-control": "no-store", **(headers or {})},
    )


def _headers(status: int) -> dict[str, str]:
    if status == 401:  # noqa: PLR2004
        return {"www-authenticate": 'Bearer realm="lms"'}
    return {"retry-after": "2"} if status == 503 else {}  # noqa: PLR2004


def install(app: FastAPI) -> None:
    """Make *app* answer every error with a problem document."""

    def lms_error(request: Request, exc: Exception) -> Response:
        error = exc if isinstance(exc, LmsError) else LmsError()
        document = problem_document(error)
        if document["status"] >= 500:  # noqa: PLR2004
            path = request.scope["path"]
            _LOG.error("%s %s: %r", request.method, path, exc, exc_info=exc)
        return problem(document, _headers(document["status"]))

    def http_problem(_: Request, exc: Exception) -> Response:
        if not isinstance(exc, HttpProblem):
            raise exc
        return problem(edge_document(exc.status, exc.code, exc.detail), exc.headers)

    def http_exception(_: Request, exc: Exception) -> Response:
        if not isinstance(exc, HTTPException):
            raise exc
        code = {404: "not-found", 405: "method-not-allowed"}.get(
            exc.status_code, "bad-request"
        )
        document = edge_document(exc.status_code, code, str(exc.detail)[:300])
        return problem(document, exc.headers)

    def validation(_: Request, exc: Exception) -> Response:
        if not isinstance(exc, RequestValidationError):
            raise exc
        faults = [
            _fault_document(
                Fault(
                    ".".join(str(part)[:80] for part in error["loc"]),
                    error["msg"],
                    _VALIDATION_CODES.get(error["type"], "invalid-value"),
                )
            )
            for error in exc.errors()[:MOST_FAULTS]
        ]
        document = edge_document(422, "invalid-document", "the request is malformed")
        return problem({**document, "faults": faults})

    app.add_exception_handler(LmsError, lms_error)
    app.add_exception_handler(HttpProblem, http_problem)
    app.add_exception_handler(HTTPException, http_exception)
    app.add_exception_handler(RequestValidationError, validation)


_VALIDATION_CODES = {"missing": "missing-field", "extra_forbidden": "unknown-field"}


def edge_document(status: int, code: str, detail: str) -> dict[str, Any]:
    """Return a problem document for an answer decided at the edge."""
    return {
        "type": f"urn:lms:problem:{code}",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
    }
