"""The portal: pages for people, on the same use cases as the API."""

from fastapi import FastAPI
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.portal import (
    links,
    routes_accounts,
    routes_admin,
    routes_authoring,
    routes_catalogue,
    routes_certificates,
    routes_learning,
    routes_orders,
    routes_quizzes,
    routes_teaching,
)
from lms_entrypoints.portal.failures import install_failures
from lms_entrypoints.portal.pages import STATIC

_ROUTES = (
    routes_accounts,
    routes_catalogue,
    routes_orders,
    routes_learning,
    routes_quizzes,
    routes_certificates,
    routes_teaching,
    routes_authoring,
    routes_admin,
)


class VersionedFiles(StaticFiles):
    """Our own files: cached for good under their content's hash, else asked for."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file, and how long it may be kept."""
        response = await super().get_response(path, scope)
        if response.status_code < 400:  # noqa: PLR2004
            asked = scope.get("query_string", b"").decode("latin-1")
            is_current = asked == f"v={links.content_version(path)}"
            response.headers["cache-control"] = (
                "public, max-age=31536000, immutable" if is_current else "no-cache"
            )
        return response


def install_portal(app: FastAPI) -> None:
    """Add the pages to *app*, whose state holds the platform.

    Errors of pages are answered with pages; the handlers that *app* has by now
    go on answering all others.
    """
    platform: Platform = app.state.platform
    for module in _ROUTES:
        app.include_router(module.router)
    if platform.settings.hls_js is not None:
        app.mount("/static/vendor", StaticFiles(directory=platform.settings.hls_js))
    app.mount("/static", VersionedFiles(directory=STATIC))
    install_failures(app)
