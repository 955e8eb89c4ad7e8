"""Secrets from the environment, or from files of one folder."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from lms_core.errors import ConfigurationError
from lms_core.ports.secret_store import SecretStore
from lms_core.registry import Wiring
from lms_local._errors import translated
from lms_local._secret_names import checked, no_secret
from lms_local._settings import folder, options

_OTHERS = 0o077


@frozen
class EnvironmentSecretStore:
    """A `SecretStore` that finds ``stripe/api-key`` in LMS_SECRET_STRIPE_API_KEY.

    Names that differ only in case or in ``. / - _`` share a variable.
    """

    _environment: Mapping[str, str] = field(repr=False)

    def get(self, name: str) -> str:
        words = re.sub("[^A-Za-z0-9]", "_", checked(name)).upper()
        variable = f"LMS_SECRET_{words}"
        if value := self._environment.get(variable):
            return value
        raise no_secret(name, f"the environment variable {variable}")

    def refresh(self, name: str) -> str:
        return self.get(name)


@frozen
class FileSecretStore:
    """A `SecretStore` with one file a name, for its owner's eyes only.

    Newlines at the end are left off. Files are read anew every time; links are
    followed, since mounted secrets are links.
    """

    _folder: Path

    def get(self, name: str) -> str:
        """Return the current value.

        Raises:
            ConfigurationError: others may read the file, or it is not UTF-8.
        """
        path = self._folder / checked(name)
        with translated("read the secret", name):
            try:
                with path.open("rb") as file:
                    mode = os.fstat(file.fileno()).st_mode
                    data = file.read()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as exc:
                raise no_secret(name, f"the file {path}") from exc
        if mode & _OTHERS:
            raise ConfigurationError(f"others may read {path}; run: chmod 600 {path}")
        try:
            value = data.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            # The exception holds the secret, so it must not be chained.
            raise ConfigurationError(f"{path} is not UTF-8") from None
        if not value:
            raise no_secret(name, f"the file {path}, which is empty")
        return value

    def refresh(self, name: str) -> str:
        return self.get(name)


def open_environment_secrets(url: str, wiring: Wiring) -> EnvironmentSecretStore:
    """Open ``env://``."""
    del wiring
    options(url)
    return EnvironmentSecretStore(os.environ)


def open_file_secrets(url: str, wiring: Wiring) -> FileSecretStore:
    """Open ``file:///absolute/folder`` or ``file://relative/folder``."""
    del wiring
    options(url)
    return FileSecretStore(folder(url))


if TYPE_CHECKING:
    _environment_conforms: type[SecretStore] = EnvironmentSecretStore
    _file_conforms: type[SecretStore] = FileSecretStore
