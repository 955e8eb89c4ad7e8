"""The platform as one ASGI application: API, media, portal, gateway sandbox."""

from concurrent.futures import ThreadPoolExecutor
from weakref import WeakValueDictionary

from fastapi import FastAPI

from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.http import (
    problems,
    routes_accounts,
    routes_admin,
    routes_authoring,
    routes_catalogue,
    routes_certificates,
    routes_grades,
    routes_learning,
    routes_media,
    routes_payments,
    routes_quizzes,
)
from lms_entrypoints.http.edge import LimitBodies, RateLimiter, SecureHeaders
from lms_entrypoints.http.openapi import PROBLEMS, describe_problems
from lms_entrypoints.http.routing import QUICK_THREADS
from lms_entrypoints.portal.app import install_portal

_ROUTES = (
    routes_accounts,
    routes_catalogue,
    routes_learning,
    routes_quizzes,
    routes_payments,
    routes_grades,
    routes_certificates,
    routes_authoring,
    routes_media,
    routes_admin,
)


def create_app(platform: Platform) -> FastAPI:
    """Return the application that serves *platform*."""
    app = FastAPI(
        title=platform.settings.platform_name,
        version="1",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        # A redirect would name whatever host the client has sent.
        redirect_slashes=False,
    )
    app.state.platform = platform
    app.state.viewers = routes_media.RecentViewers()
    app.state.locks = WeakValueDictionary()
    app.state.limiters = {
        "general": RateLimiter(per_minute=1200, burst=600),
        "costly": RateLimiter(per_minute=60, burst=60),
        "unknown": RateLimiter(per_minute=120, burst=120),
        "guessing-address": RateLimiter(per_minute=30, burst=30),
        "guessing-subject": RateLimiter(per_minute=6, burst=10),
    }
    app.state.quick_threads = ThreadPoolExecutor(QUICK_THREADS, "lms-quick")
    problems.install(app)
    # What is asked for most is matched first.
    app.include_router(routes_learning.heartbeats, responses=PROBLEMS)
    for module in _ROUTES:
        app.include_router(module.router, responses=PROBLEMS)
    app.include_router(routes_payments.webhook_router, responses=PROBLEMS)
    describe_problems(app)
    install_portal(app)
    _mount_sandbox(app, platform)
    app.add_middleware(LimitBodies)
    app.add_middleware(SecureHeaders, settings=platform.settings, ids=platform.ids)
    return app


def _mount_sandbox(app: FastAPI, platform: Platform) -> None:
    """Serve the gateway's page where the gateway is the sandbox."""
    if not platform.url_of("payment_gateway").startswith("sandbox:"):
        return
    from lms_sandbox.asgi import CheckoutApp  # noqa: PLC0415 - only where it is used
    from lms_sandbox.payment_gateway import SandboxPaymentGateway  # noqa: PLC0415

    gateway = platform.gateway
    if isinstance(gateway, SandboxPaymentGateway):
        app.mount("/sandbox", CheckoutApp.of(gateway))
