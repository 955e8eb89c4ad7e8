"""What the description of the API says about errors, once for all routes."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_MEANINGS = {
    400: "The request cannot be read.",
    401: "Nobody is signed in, or the credentials are not good.",
    402: "The course must be bought.",
    403: "Not allowed; ``reasons`` says why, and when that changes.",
    404: "There is no such thing, or it is not the caller's.",
    409: "It does not go together with how things stand.",
    412: "It was changed meanwhile; read it again.",
    413: "The body is too large.",
    415: "The body is of the wrong type.",
    422: "What was sent is not acceptable; ``faults`` names every place.",
    428: "``If-Match`` is missing.",
    429: "Too many requests; ``Retry-After`` says when to come again.",
    503: "A part of the platform does not answer; try again.",
}
_REASON = {
    "type": "object",
    "required": ["code"],
    "properties": {
        "code": {"type": "string"},
        "about": {"type": "object"},
        "opens_at": {"type": "string", "format": "date-time"},
    },
}
_FAULT = {
    "type": "object",
    "required": ["place", "code", "message"],
    "properties": {
        "place": {"type": "string"},
        "code": {"type": "string"},
        "message": {"type": "string"},
        "line": {"type": "integer"},
    },
}
_PROBLEM = {
    "type": "object",
    "description": "An error (RFC 9457); act on *code*, which is stable.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "reasons": {"type": "array", "items": _REASON},
        "faults": {"type": "array", "items": _FAULT},
    },
}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": meaning,
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"}
            }
        },
    }
    for status, meaning in _MEANINGS.items()
}


def describe_problems(app: FastAPI) -> None:
    """Let the description of *app* say what a problem document looks like."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, routes=app.routes
            )
            components = document.setdefault("components", {})
            components.setdefault("schemas", {})["Problem"] = _PROBLEM
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]
