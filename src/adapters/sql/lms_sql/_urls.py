"""Read the URL of a database, strictly: an option misspelt is an error."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import frozen
from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from lms_core.errors import ConfigurationError
from lms_core.registry import Wiring

_POSTGRESQL_OPTIONS = {"host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey"}


@frozen
class Address:
    """Where a database is, and the *options* that are not the database's."""

    url: URL
    options: dict[str, str]

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file on this machine."""
        return self.url.get_backend_name() == "sqlite"

    def number(self, name: str, default: int, *, least: int = 1) -> int:
        """Return the option *name* as a whole number from *least*.

        Raises:
            ConfigurationError: it is none.
        """
        text = self.options.get(name, str(default))
        if not text.isascii() or not text.isdecimal() or int(text) < least:
            raise ConfigurationError(f"{name} must be a whole number from {least}")
        return int(text)


def read_url(url: str, wiring: Wiring, *, own: Iterable[str] = ()) -> Address:
    """Return the database that *url* names; options in *own* are the caller's.

    ``sqlite:///absolute.db`` and ``sqlite://relative.db`` name files,
    ``postgresql://user@host/name?password=secret%3A%2F%2Fdb%2Fpassword`` a
    server; a password is never in the URL itself.

    Raises:
        ConfigurationError: the URL is wrong, or carries a password.
    """
    try:
        parts = urlsplit(url)
        password_given = bool(parts.password)
    except ValueError as exc:
        raise ConfigurationError("not the URL of a database") from exc
    query = _query(parts.scheme, parts.query)
    own = frozenset(own)
    options = {name: query.pop(name) for name in own & query.keys()}
    if parts.scheme == "sqlite":
        _refuse(parts.scheme, query.keys())
        path = Path(unquote(parts.netloc + parts.path)).absolute()
        if not path.parent.is_dir() or path.is_dir():
            raise ConfigurationError(f"sqlite:// needs a file in a folder: {path}")
        return Address(URL.create("sqlite", database=str(path)), options)
    if password_given:
        raise ConfigurationError(
            "a password does not belong in a URL; write ?password=secret://name"
        )
    password = query.pop("password", None)
    _refuse(parts.scheme, query.keys() - _POSTGRESQL_OPTIONS)
    try:
        bare = make_url(parts._replace(query="").geturl())
    except (ArgumentError, ValueError) as exc:
        raise ConfigurationError("not the URL of a PostgreSQL database") from exc
    full = bare.set(
        drivername="postgresql+psycopg",
        password=None if password is None else wiring.secret(password),
        query=query,
    )
    return Address(full, options)


def _query(scheme: str, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name in found or not value:
            raise ConfigurationError(f"{scheme}://: {name!r} is empty or given twice")
        found[name] = value
    return found


def _refuse(scheme: str, names: Iterable[str]) -> None:
    for name in sorted(names):
        raise ConfigurationError(f"{scheme}://: unknown option {name!r}")
