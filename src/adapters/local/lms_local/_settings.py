"""Read the URL of an adapter, strictly: an option misspelt is an error."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from lms_core.errors import ConfigurationError


def options(
    url: str, *, required: Iterable[str] = (), optional: Iterable[str] = ()
) -> Mapping[str, str]:
    """Return the query of *url* by name.

    Raises:
        ConfigurationError: an option is unknown, missing, empty or given twice.
    """
    scheme, required = urlsplit(url).scheme, frozenset(required)
    found: dict[str, str] = {}
    for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        if name in found or not value:
            raise ConfigurationError(f"{scheme}://: {name!r} is empty or given twice")
        found[name] = value
    known = required | frozenset(optional)
    if unknown := sorted(found.keys() - known):
        raise ConfigurationError(
            f"{scheme}://: unknown option {unknown[0]!r}; there are {sorted(known)}"
        )
    if missing := sorted(required - found.keys()):
        raise ConfigurationError(f"{scheme}://: option {missing[0]!r} is missing")
    return found


def folder(url: str) -> Path:
    """Return the folder that ``scheme:///absolute`` or ``scheme://relative`` names.

    Raises:
        ConfigurationError: none is named.
    """
    parts = urlsplit(url)
    path = unquote(parts.netloc + parts.path)
    if not path or "\0" in path:
        raise ConfigurationError(f"{parts.scheme}:// names no folder")
    return Path(path).absolute()
