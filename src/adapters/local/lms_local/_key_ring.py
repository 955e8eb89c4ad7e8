"""Secrets that sign and verify, with room for the one before."""

import hmac
from hashlib import sha256
from typing import Self

from attrs import field, frozen

from lms_core.errors import ConfigurationError
from lms_core.registry import Wiring

_SHORTEST = 32  # characters: what a SHA-256 key should have at least


@frozen
class KeyRing:
    """Secrets by id; the first one signs, all of them verify.

    An id is derived from its secret, so a rotation is done by moving the secret
    from ``key`` to ``previous``, with nothing to number.
    """

    _secrets: dict[str, bytes] = field(repr=False)

    @classmethod
    def of(cls, *secrets: str) -> Self:
        """Take *secrets*, the signing one first.

        Raises:
            ConfigurationError: there is none, or one is too short.
        """
        if not secrets or min(map(len, secrets)) < _SHORTEST:
            raise ConfigurationError(f"a key needs at least {_SHORTEST} characters")
        return cls({_id_of(secret.encode()): secret.encode() for secret in secrets})

    @classmethod
    def wired(cls, wiring: Wiring, *references: str | None) -> Self:
        """Take the secrets that *references* stand for, leaving out `None`."""
        return cls.of(*(wiring.secret(each) for each in references if each))

    @property
    def signing_id(self) -> str:
        """The id of the secret that signs."""
        return next(iter(self._secrets))

    def secret(self, id_: str) -> bytes | None:
        """Return the secret of that id."""
        return self._secrets.get(id_)

    def mac(self, id_: str, message: bytes) -> bytes | None:
        """Return the HMAC-SHA256 of *message* under the secret of that id."""
        secret = self.secret(id_)
        return None if secret is None else hmac.digest(secret, message, "sha256")


def _id_of(secret: bytes) -> str:
    return hmac.new(secret, b"key id", sha256).hexdigest()[:8]
