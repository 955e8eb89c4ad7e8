"""Sign documents so that strangers can check them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

Json = Mapping[str, object]
"""A JSON object; numbers in it are integers."""


class PdfSealer(Protocol):
    """Sign PDF files (PAdES, ETSI EN 319 142)."""

    def seal(self, pdf: bytes, *, reason: str, at: datetime) -> bytes:
        """Return *pdf* with a certifying signature; any later change shows.

        Raises:
            InvalidValue: these bytes are not a PDF file.
        """
        ...


class CredentialSigner(Protocol):
    """Sign verifiable credentials (W3C Data Integrity, eddsa-jcs-2022)."""

    @property
    def verification_method(self) -> str:
        """The URL of the key that checks the signatures."""
        ...

    def sign(self, credential: Json, *, at: datetime) -> dict[str, object]:
        """Return *credential* with a ``proof``.

        Raises:
            InvalidValue: it has a proof already, or values JSON cannot carry.
        """
        ...

    def verify(self, credential: Json) -> bool:
        """Tell whether the proof is ours and nothing was changed."""
        ...

    def key_document(self) -> dict[str, object]:
        """Return what is served at `verification_method`: the public key."""
        ...
