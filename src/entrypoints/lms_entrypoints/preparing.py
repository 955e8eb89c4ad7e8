"""Make what a platform needs before it can start: folder, secrets, tables."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from lms_core.errors import ConfigurationError, NotFound
from lms_core.registry import Wiring
from lms_entrypoints.bootstrap import PORTS, Platform
from lms_sql import schema

_RANDOM = ("media/key", "tokens/key", "payments/webhook-key")
_SEAL_KEY = "certificates/pdf-key"
_SEAL_CERTIFICATE = "certificates/pdf-certificate"
_CREDENTIAL_KEY = "certificates/credential-key"


def wiring_of(platform: Platform) -> Wiring:
    """Return what functions that take a URL may use besides it."""
    return Wiring(
        clock=platform.clock,
        ids=platform.ids,
        tokens=platform.tokens,
        secrets=platform.secrets,
    )


def prepare(platform: Platform) -> None:
    """Make the data folder, the secrets that are missing, and the tables.

    What is there stays as it is. Secrets are made only for the store of files:
    any other is somebody else's to fill.

    Raises:
        ConfigurationError: a secret is missing where none can be made.
    """
    make_folder(platform)
    make_secrets(platform)
    migrate(platform)


def make_folder(platform: Platform) -> None:
    """Make the data folder, which only its owner may enter."""
    platform.data.mkdir(mode=0o700, parents=True, exist_ok=True)


def secret_names(platform: Platform) -> tuple[str, ...]:
    """Return the names of the secrets that the settings refer to."""
    names: dict[str, None] = {}
    for port in PORTS:
        for _, value in parse_qsl(urlsplit(platform.url_of(port)).query):
            parts = urlsplit(value)
            if parts.scheme == "secret":
                names[f"{parts.netloc}{parts.path}"] = None
    return tuple(names)


def make_secrets(platform: Platform) -> tuple[str, ...]:
    """Make the secrets that are missing; return their names."""
    missing = [name for name in secret_names(platform) if not _has(platform, name)]
    if not missing:
        return ()
    parts = urlsplit(platform.url_of("secret_store"))
    if parts.scheme != "file":
        raise ConfigurationError(
            f"the secret {missing[0]} is missing from {parts.scheme}://; put it there"
        )
    folder = Path(unquote(parts.netloc + parts.path))
    made = dict(_made(platform, missing))
    for name, value in made.items():
        write_private(folder / name, value)
    return tuple(made)


def _has(platform: Platform, name: str) -> bool:
    try:
        platform.secrets.get(name)
    except NotFound:
        return False
    return True


def _made(platform: Platform, missing: list[str]) -> Iterator[tuple[str, str]]:
    from lms_documents.development import (  # noqa: PLC0415 - heavy, and needed once
        make_development_identity,
        make_development_key,
    )

    # The key comes before its certificate: whoever is interrupted in between has
    # no certificate, and gets a new pair.
    if _SEAL_KEY in missing or _SEAL_CERTIFICATE in missing:
        seal = make_development_identity(at=platform.clock.now())
        yield _SEAL_KEY, seal.key
        yield _SEAL_CERTIFICATE, seal.certificates
    for name in missing:
        if name in _RANDOM:
            yield name, secrets.token_urlsafe(48)
        elif name == _CREDENTIAL_KEY:
            yield name, make_development_key()
        elif name not in {_SEAL_KEY, _SEAL_CERTIFICATE}:
            raise ConfigurationError(
                f"the secret {name} is missing, and only you can know it; write it to "
                f"a file of that name, for your eyes only (chmod 600)"
            )


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read: whole, or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, scratch = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def migrate(platform: Platform) -> str:
    """Bring the tables up to date; return the name of the newest change."""
    return schema.migrate(platform.url_of("unit_of_work"), wiring_of(platform))


def require_migrated(platform: Platform) -> None:
    """Refuse to go on with tables of another version.

    Raises:
        ConfigurationError: there are none, or they lack changes.
    """
    url = platform.url_of("unit_of_work")
    parts = urlsplit(url)
    path = Path(unquote(parts.netloc + parts.path))
    if parts.scheme == "sqlite" and not path.exists():
        # Asking would make an empty file.
        raise ConfigurationError(
            f"there is no database at {path}; run `lms migrate`, "
            "or `lms demo` to try things out"
        )
    found = schema.current(url, wiring_of(platform))
    if found != schema.newest():
        raise ConfigurationError(
            f"the database is at {found or 'nothing'}, this program needs "
            f"{schema.newest()}; run `lms migrate`"
        )
