"""Give a browser time-limited access to objects, without our credentials."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from attrs import Factory, frozen

from lms_core.domain.ids import ObjectKey, UserId


class UrlSignerCapability(StrEnum):
    """How access is carried from a playlist to what it links to."""

    RELATIVE_LINKS = "relative-links"
    """Links relative to `SignedPrefix.base_url` work as they stand."""

    COOKIES = "cookies"
    """Access can be carried by cookies instead of URLs."""


@frozen(kw_only=True)
class SignedPrefix:
    """Access to everything below one prefix, for one viewer, for a time.

    The URL of an object is *base_url*, a slash, its path below the prefix and,
    where *query* is not empty, a question mark and *query*. Where *cookies*
    are given, the answer that carries the URL sets them.
    """

    base_url: str
    query: str = ""
    cookies: Mapping[str, str] = Factory(dict)
    expires_at: datetime

    def url(self, path: str) -> str:
        """Return the URL of *path* below the prefix."""
        query = f"?{self.query}" if self.query else ""
        return f"{self.base_url}/{path}{query}"


class UrlSigner(Protocol):
    """Sign access to media, one signature for a whole prefix."""

    @property
    def capabilities(self) -> frozenset[UrlSignerCapability]:
        """What this signer can do beyond the contract."""
        ...

    def sign_prefix(
        self, prefix: ObjectKey, *, viewer: UserId, expires_at: datetime
    ) -> SignedPrefix:
        """Let *viewer* read what lies below *prefix* until *expires_at*.

        The prefix ends at a slash: ``media/a`` gives no access to ``media/ab``.
        A changed prefix, viewer or expiry makes the signature worthless. Access
        is checked when a request starts; one that runs on is not cut off.
        """
        ...


@frozen(kw_only=True)
class SignedRequest:
    """A request that a browser may send as it stands, before it expires."""

    method: str
    url: str
    headers: Mapping[str, str] = Factory(dict)
    expires_at: datetime


class UploadSigner(Protocol):
    """Sign the upload of one object, straight to where it will be kept."""

    def sign_put(
        self,
        key: ObjectKey,
        *,
        content_type: str,
        size_bytes: int,
        expires_at: datetime,
    ) -> SignedRequest:
        """Let whoever holds the request put *size_bytes* bytes under *key*.

        Another key, type or size, or a later time, is refused by the store.
        """
        ...
