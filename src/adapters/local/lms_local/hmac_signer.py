"""Links to media and uploads, signed with a secret of our own.

A token stands in the path, before the object's key, so links relative to a
playlist carry it along. It holds what the key does not say; the signature covers
both.
"""

import binascii
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote

from attrs import frozen

from lms_core.domain.ids import ObjectKey, UserId
from lms_core.domain.instants import utc
from lms_core.errors import InvalidValue, NotPermitted
from lms_core.ports.url_signer import (
    SignedPrefix,
    SignedRequest,
    UploadSigner,
    UrlSigner,
    UrlSignerCapability,
)
from lms_core.registry import Wiring
from lms_local._key_ring import KeyRing
from lms_local._settings import options

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_TOKEN = 2000


@frozen(kw_only=True)
class MediaGrant:
    """What a good token of a media link allows."""

    prefix: ObjectKey
    viewer: UserId
    expires_at: datetime


@frozen(kw_only=True)
class UploadGrant:
    """What a good token of an upload allows."""

    key: ObjectKey
    content_type: str
    size_bytes: int
    expires_at: datetime


@frozen
class HmacUrlSigner:
    """A `UrlSigner` for the media route, which calls `verify`."""

    _keys: KeyRing
    _base: str
    capabilities = frozenset({UrlSignerCapability.RELATIVE_LINKS})

    def sign_prefix(
        self, prefix: ObjectKey, *, viewer: UserId, expires_at: datetime
    ) -> SignedPrefix:
        depth = str(prefix).count("/") + 1
        said = [_micros(expires_at), depth, viewer]
        token = _token(self._keys, "get", prefix, said)
        return SignedPrefix(
            base_url=f"{self._base}/{token}/{quote(str(prefix))}",
            expires_at=utc(expires_at),
        )

    def verify(self, token: str, path: str, *, at: datetime) -> MediaGrant:
        """Return what *token* allows for the object key *path*.

        Raises:
            NotPermitted: it does not allow *path*; `code` is ``link-invalid``
                or ``link-expired``.
        """
        match _said(token):
            case [int(expiry), int(depth), str(viewer)] if depth >= 1:
                parts = path.split("/")
            case _:
                _refuse()
        if len(parts) <= depth:
            _refuse()
        prefix = _key("/".join(parts[:depth]))
        _key(path)
        expires_at = _check(self._keys, "get", prefix, token, expiry, at)
        return MediaGrant(prefix=prefix, viewer=UserId(viewer), expires_at=expires_at)


@frozen
class HmacUploadSigner:
    """An `UploadSigner` for the upload route, which calls `verify`."""

    _keys: KeyRing
    _base: str

    def sign_put(
        self,
        key: ObjectKey,
        *,
        content_type: str,
        size_bytes: int,
        expires_at: datetime,
    ) -> SignedRequest:
        said = [_micros(expires_at), size_bytes, content_type]
        token = _token(self._keys, "put", key, said)
        return SignedRequest(
            method="PUT",
            url=f"{self._base}/{token}/{quote(str(key))}",
            headers={"Content-Type": content_type},
            expires_at=utc(expires_at),
        )

    def verify(
        self,
        token: str,
        path: str,
        *,
        content_type: str,
        size_bytes: int,
        at: datetime,
    ) -> UploadGrant:
        """Return what *token* allows for the object key *path*.

        Raises:
            NotPermitted: it does not allow this upload; `code` is
                ``link-invalid`` or ``link-expired``.
        """
        match _said(token):
            case [int(expiry), int(size), str(kind)] if (size, kind) == (
                size_bytes,
                content_type,
            ):
                key = _key(path)
            case _:
                _refuse()
        expires_at = _check(self._keys, "put", key, token, expiry, at)
        return UploadGrant(
            key=key, content_type=kind, size_bytes=size, expires_at=expires_at
        )


def _token(keys: KeyRing, verb: str, key: ObjectKey, said: list[object]) -> str:
    head = f"v1.{keys.signing_id}.{_b64(json.dumps(said).encode())}"
    return f"{head}.{_mac(keys, keys.signing_id, verb, key, head)}"


def _mac(keys: KeyRing, id_: str, verb: str, key: ObjectKey, head: str) -> str:
    mac = keys.mac(id_, json.dumps([verb, str(key), head]).encode())
    return "" if mac is None else _b64(mac)


def _said(token: str) -> object:
    """Return what *token* says of itself, checked by nobody yet."""
    fields = token.split(".")
    if len(token) > _LONGEST_TOKEN or len(fields) != 4 or fields[0] != "v1":  # noqa: PLR2004  v1.id.said.mac
        _refuse()
    try:
        return json.loads(urlsafe_b64decode(fields[2] + "=="))
    except (binascii.Error, ValueError, RecursionError):
        _refuse()


def _check(  # noqa: PLR0917  one per fact that is signed or compared
    keys: KeyRing, verb: str, key: ObjectKey, token: str, expiry: int, at: datetime
) -> datetime:
    head, _, mac = token.rpartition(".")
    expected = _mac(keys, head.split(".")[1], verb, key, head)
    # Unsigned text may hold anything, so bytes are compared.
    if not expected or not hmac.compare_digest(
        expected.encode(), mac.encode(errors="replace")
    ):
        _refuse()
    expires_at = _EPOCH + timedelta(microseconds=expiry)
    if at >= expires_at:
        raise NotPermitted("the link has expired", code="link-expired")
    return expires_at


def _refuse() -> NoReturn:
    raise NotPermitted("the link is not good", code="link-invalid") from None


def _key(text: str) -> ObjectKey:
    try:
        return ObjectKey(text)
    except InvalidValue:
        _refuse()


def _micros(at: datetime) -> int:
    return (utc(at) - _EPOCH) // timedelta(microseconds=1)


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _wired(url: str, wiring: Wiring) -> tuple[KeyRing, str]:
    chosen = options(url, required=("base", "key"), optional=("previous",))
    keys = KeyRing.wired(wiring, chosen["key"], chosen.get("previous"))
    return keys, chosen["base"].rstrip("/")


def open_url_signer(url: str, wiring: Wiring) -> HmacUrlSigner:
    """Open ``hmac://?base=https%3A%2F%2Fhost%2Fmedia&key=secret%3A%2F%2Fname``.

    After a rotation, ``&previous=secret%3A%2F%2Fname`` keeps old links good.
    """
    return HmacUrlSigner(*_wired(url, wiring))


def open_upload_signer(url: str, wiring: Wiring) -> HmacUploadSigner:
    """Open the same URL as `open_url_signer`, with the base of the upload route."""
    return HmacUploadSigner(*_wired(url, wiring))


if TYPE_CHECKING:
    _conforms: type[UrlSigner] = HmacUrlSigner
    _uploads_conform: type[UploadSigner] = HmacUploadSigner
