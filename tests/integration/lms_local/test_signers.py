"""Signed links: the contract, and what the media route relies on."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_core.domain.ids import ObjectKey, UserId
from lms_core.errors import ConfigurationError, NotPermitted
from lms_core.ports.url_signer import SignedRequest, UploadSigner, UrlSigner
from lms_core.registry import Wiring
from lms_core.testing.upload_signer import Takes, UploadSignerConformance
from lms_core.testing.url_signer import Admits, UrlSignerConformance
from lms_local._key_ring import KeyRing
from lms_local.hmac_signer import (
    HmacUploadSigner,
    HmacUrlSigner,
    _b64,
    open_upload_signer,
    open_url_signer,
)
from lms_local.memory.secret_store import MemorySecretStore
from lms_local.memory.system import CountingIds, CountingTokens, FixedClock

OLD, NEW = "old-key-" + "o" * 32, "new-key-" + "n" * 32
BASE = "https://media.example.test/media"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = NOW + timedelta(hours=1)
SIGNER = HmacUrlSigner(KeyRing.of(NEW), BASE)


def split(url: str) -> tuple[str, str]:
    assert url.startswith(f"{BASE}/")
    token, _, path = urlsplit(url).path.removeprefix("/media/").partition("/")
    return token, unquote(path)


class TestHmacUrlSigner(UrlSignerConformance):
    @pytest.fixture
    def signer(self) -> UrlSigner:
        return SIGNER

    @pytest.fixture
    def admits(self) -> Admits:
        def admits(url: str, cookies: Mapping[str, str], *, at: datetime) -> bool:
            del cookies
            if not url.startswith(f"{BASE}/"):
                return False
            try:
                SIGNER.verify(*split(url), at=at)
            except NotPermitted:
                return False
            return True

        return admits


class TestHmacUploadSigner(UploadSignerConformance):
    @pytest.fixture
    def signer(self) -> UploadSigner:
        return HmacUploadSigner(KeyRing.of(NEW), BASE)

    @pytest.fixture
    def takes(self) -> Takes:
        def takes(request: SignedRequest, data: bytes, *, at: datetime) -> bool:
            try:
                HmacUploadSigner(KeyRing.of(NEW), BASE).verify(
                    *split(request.url),
                    content_type=request.headers["Content-Type"],
                    size_bytes=len(data),
                    at=at,
                )
            except NotPermitted:
                return False
            return True

        return takes


def refusal(signer: HmacUrlSigner, token: str, path: str, at: datetime = NOW) -> str:
    with pytest.raises(NotPermitted) as refused:
        signer.verify(token, path, at=at)
    return refused.value.code


def test_the_route_learns_prefix_viewer_and_end() -> None:
    ends = HOUR + timedelta(microseconds=1)
    signed = SIGNER.sign_prefix(
        ObjectKey("a/b c/é"), viewer=UserId("anna.ü"), expires_at=ends
    )

    grant = SIGNER.verify(*split(signed.url("x/y.ts")), at=NOW)

    assert (grant.prefix, grant.viewer) == (ObjectKey("a/b c/é"), "anna.ü")
    assert grant.expires_at == ends


def test_expired_and_invalid_are_told_apart() -> None:
    signed = SIGNER.sign_prefix(ObjectKey("a"), viewer=UserId("v"), expires_at=HOUR)
    token, path = split(signed.url("x"))

    assert refusal(SIGNER, token, path, HOUR) == "link-expired"
    assert refusal(SIGNER, token, "b/x", HOUR) == "link-invalid"
    assert refusal(SIGNER, f"{token}A", path, HOUR) == "link-invalid"


def test_a_rotated_key_keeps_old_links_good_until_it_is_dropped() -> None:
    before = HmacUrlSigner(KeyRing.of(OLD), BASE)
    during = HmacUrlSigner(KeyRing.of(NEW, OLD), BASE)
    old = split(
        before.sign_prefix(ObjectKey("a"), viewer=UserId("v"), expires_at=HOUR).url("x")
    )
    new = split(
        during.sign_prefix(ObjectKey("a"), viewer=UserId("v"), expires_at=HOUR).url("x")
    )

    during.verify(*old, at=NOW)
    SIGNER.verify(*new, at=NOW)
    assert refusal(SIGNER, *old) == "link-invalid"
    assert refusal(before, *new) == "link-invalid"


def test_an_upload_token_opens_no_media() -> None:
    uploads = HmacUploadSigner(KeyRing.of(NEW), BASE)
    request = uploads.sign_put(
        ObjectKey("a/x"), content_type="v", size_bytes=1, expires_at=HOUR
    )
    token, _ = split(request.url)

    assert refusal(SIGNER, token, "a/x/y") == "link-invalid"


@given(st.text(), st.text())
def test_no_text_is_a_token(token: str, path: str) -> None:
    assert refusal(SIGNER, token, path) == "link-invalid"


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists))
def test_no_claim_is_believed_unsigned(said: object) -> None:

    key_id = KeyRing.of(NEW).signing_id
    token = f"v1.{key_id}.{_b64(json.dumps(said).encode())}.AAAA"

    assert refusal(SIGNER, token, "a/b/c") == "link-invalid"


def wiring(**secrets: str) -> Wiring:
    return Wiring(
        clock=FixedClock(),
        ids=CountingIds(),
        tokens=CountingTokens(),
        secrets=MemorySecretStore(secrets),
    )


def test_openers_take_keys_by_reference() -> None:
    url = (
        "hmac://?base=https%3A%2F%2Fmedia.example.test%2Fmedia%2F"
        "&key=secret%3A%2F%2Fnew&previous=secret%3A%2F%2Fold"
    )
    signer = open_url_signer(url, wiring(new=NEW, old=OLD))
    uploads = open_upload_signer(url, wiring(new=NEW, old=OLD))
    signed = signer.sign_prefix(ObjectKey("a"), viewer=UserId("v"), expires_at=HOUR)
    request = uploads.sign_put(
        ObjectKey("a"), content_type="v", size_bytes=1, expires_at=HOUR
    )

    assert SIGNER.verify(*split(signed.url("x")), at=NOW).viewer == "v"
    assert request.url.startswith(f"{BASE}/v1.")
    assert NEW not in repr(signer)


@pytest.mark.parametrize(
    "query",
    [
        "base=x",
        "key=secret%3A%2F%2Fnew",
        "base=x&key=plain-text",
        "base=x&key=secret%3A%2F%2Fshort",
        "base=x&key=secret%3A%2F%2Fnew&kye=x",
        "base=x&base=y&key=secret%3A%2F%2Fnew",
    ],
)
def test_a_wrong_setting_is_refused_at_start_up(query: str) -> None:
    with pytest.raises(ConfigurationError):
        open_url_signer(f"hmac://?{query}", wiring(new=NEW, short="x" * 31))
