"""Secrets in memory."""

from typing import TYPE_CHECKING

from attrs import field, frozen

from lms_core.ports.secret_store import SecretStore
from lms_core.registry import Wiring
from lms_local._secret_names import checked, no_secret
from lms_local._settings import options


@frozen
class MemorySecretStore:
    """A `SecretStore` over a dictionary, which a test may change."""

    secrets: dict[str, str] = field(factory=dict, repr=False)

    def get(self, name: str) -> str:
        if value := self.secrets.get(checked(name)):
            return value
        raise no_secret(name, "memory")

    def refresh(self, name: str) -> str:
        return self.get(name)


def open_secret_store(url: str, wiring: Wiring) -> MemorySecretStore:
    """Open ``memory://``: empty, for a test to fill."""
    del wiring
    options(url)
    return MemorySecretStore()


if TYPE_CHECKING:
    _conforms: type[SecretStore] = MemorySecretStore
