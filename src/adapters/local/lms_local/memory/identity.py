"""Passwords hashed fast, for unit tests only."""

import hmac
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

from attrs import frozen

from lms_core.ports.identity import PasswordHasher


@frozen
class MemoryPasswordHasher:
    """A `PasswordHasher` that slows nobody down, neither tests nor thieves."""

    parameters: str = "fast1"

    def hash(self, password: str) -> str:
        salt = secrets.token_hex(8)
        return f"{self.parameters}${salt}${_digest(salt, password)}"

    def verify(self, password: str, hashed: str | None) -> bool:
        _, salt, digest = (hashed or "$$").split("$")
        return hmac.compare_digest(digest, _digest(salt, password))

    def is_outdated(self, hashed: str) -> bool:
        return not hashed.startswith(f"{self.parameters}$")


def _digest(salt: str, password: str) -> str:
    return sha256(f"{salt}${password}".encode("utf-8", "surrogatepass")).hexdigest()


if TYPE_CHECKING:
    _conforms: type[PasswordHasher] = MemoryPasswordHasher
