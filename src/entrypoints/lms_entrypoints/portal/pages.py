"""Turn view models into pages."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lms_entrypoints.portal import links, show, words
from lms_entrypoints.portal.views import ERROR_TITLES, Shell, View

_HERE = Path(__file__).parent

STATIC = _HERE / "static"
"""The folder that is served below ``/static/``."""

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    # hls.js feeds the video element from memory, which has a blob: address.
    "media-src 'self' blob:",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)

CONTENT_SECURITY_POLICY = "; ".join(_POLICY)
"""What the pages need and nothing more.

Where media or the payment page live on another origin, add that origin to
``media-src``, ``connect-src`` and ``img-src``, or to ``form-action``.
"""


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in (
        "money",
        "when",
        "day",
        "progress",
        "grade",
        "points",
        "minutes",
        "seconds",
        "clock",
        "size",
        "count",
    ):
        environment.filters[name] = getattr(show, name)
    environment.globals |= {
        "link": links,
        "words": words,
        "cover": show.cover,
        "ERROR_TITLES": ERROR_TITLES,
    }
    return environment


_ENVIRONMENT = _environment()


def render(view: View, shell: Shell) -> Markup:
    """Return the whole page that shows *view* inside *shell*."""
    template = _ENVIRONMENT.get_template(view.template)
    # Autoescape has made it safe: what is not Markup was escaped on the way.
    return Markup(template.render(view=view, shell=shell))  # noqa: S704
