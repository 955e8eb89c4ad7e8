"""Read the settings that a URL carries."""

from urllib.parse import parse_qs, urlsplit

from lms_core.errors import ConfigurationError


def settings_of(
    url: str, *, required: tuple[str, ...] = (), optional: tuple[str, ...] = ()
) -> dict[str, list[str]]:
    """Return the parameters of *url* by name.

    Raises:
        ConfigurationError: one is missing, empty or unknown, or there is a host
            or path, which none of our URLs has.
    """
    parts = urlsplit(url)
    found = parse_qs(parts.query, keep_blank_values=True)
    unknown = sorted(found.keys() - {*required, *optional})
    missing = [name for name in required if name not in found]
    empty = sorted(name for name, values in found.items() if not all(values))
    if unknown or missing or empty or parts.netloc or parts.path:
        raise ConfigurationError(
            f"{parts.scheme}:// takes {_listed(required)}, optionally "
            f"{_listed(optional)}, and nothing else; missing: {_listed(missing)}; "
            f"unknown: {_listed(unknown)}; empty: {_listed(empty)}"
        )
    return found


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names) or "nothing"
