"""An adapter of one's own: secrets in a TOML file."""

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import frozen

from lms_core.errors import InvalidValue, NotFound
from lms_core.ports.secret_store import SecretStore
from lms_core.registry import Wiring


@frozen
class TomlSecretStore:
    """A `SecretStore` in one file: a table with a string for each name."""

    path: Path

    def get(self, name: str) -> str:
        """Read the file each time, so that a changed secret is seen at once."""
        if not re.fullmatch(r"[A-Za-z0-9_-]+([./][A-Za-z0-9_-]+)*", name):
            raise InvalidValue(f"not a secret's name: {name!r:.80}")
        found = tomllib.loads(self.path.read_text("utf-8")).get(name)
        if not isinstance(found, str) or not found:
            raise NotFound(f"no secret {name} in {self.path}", resource=name)
        return found

    def refresh(self, name: str) -> str:
        """Nothing is remembered, so this is the same."""
        return self.get(name)


def open_secret_store(url: str, _wiring: Wiring) -> TomlSecretStore:
    """Open ``toml:///path/to/file``: named as an entry point in pyproject.toml."""
    return TomlSecretStore(Path(urlsplit(url).path))


if TYPE_CHECKING:
    _conforms: type[SecretStore] = TomlSecretStore
