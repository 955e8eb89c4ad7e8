"""The contract of `UploadSigner`, one test a clause."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest
from attrs import evolve

from lms_core.domain.ids import ObjectKey
from lms_core.ports.url_signer import SignedRequest, UploadSigner
from lms_core.testing.suite import ConformanceSuite

KEY = ObjectKey("uploads/lesson 1/été.mp4")
DATA = b"0123456789"


class Takes(Protocol):
    """What checks an upload at *at*: a store, or a faithful likeness of it."""

    def __call__(self, request: SignedRequest, data: bytes, *, at: datetime) -> bool:
        """Tell whether *request* with the body *data* is accepted."""
        ...


class UploadSignerConformance(ConformanceSuite):
    """Subclass this and supply fixtures named `signer` and `takes`.

    A fixture `now` may supply another time, where the store has its own clock.
    """

    @pytest.fixture
    def now(self) -> datetime:
        """Return the time of the tests, in whole seconds."""
        return datetime(2026, 3, 1, 12, tzinfo=UTC)

    @pytest.fixture
    def signed(self, signer: UploadSigner, now: datetime) -> SignedRequest:
        """Sign an upload of ten bytes within an hour."""
        return signer.sign_put(
            KEY,
            content_type="video/mp4",
            size_bytes=len(DATA),
            expires_at=now + timedelta(hours=1),
        )

    def test_the_upload_asked_for_is_taken(
        self, signed: SignedRequest, takes: Takes, now: datetime
    ) -> None:
        """The request works as it stands."""
        assert signed.expires_at == now + timedelta(hours=1)
        assert takes(signed, DATA, at=now)

    def test_an_upload_ends_at_its_expiry(
        self, signed: SignedRequest, takes: Takes
    ) -> None:
        """A second before it is taken, at the expiry and after it is not."""
        ends = signed.expires_at

        assert takes(signed, DATA, at=ends - timedelta(seconds=1))
        assert not takes(signed, DATA, at=ends)
        assert not takes(signed, DATA, at=ends + timedelta(days=400))

    def test_another_size_is_refused(
        self, signed: SignedRequest, takes: Takes, now: datetime
    ) -> None:
        """Neither a byte more nor one less."""
        for data in (DATA[:-1], DATA + b"x", b""):
            assert not takes(signed, data, at=now)

    def test_another_type_is_refused(
        self, signed: SignedRequest, takes: Takes, now: datetime
    ) -> None:
        """What is announced as a film cannot be sent as a page."""
        headers = {
            name: "text/html" if name.lower() == "content-type" else value
            for name, value in signed.headers.items()
        }

        assert headers != signed.headers
        assert not takes(evolve(signed, headers=headers), DATA, at=now)

    def test_another_key_is_refused(
        self, signed: SignedRequest, takes: Takes, now: datetime
    ) -> None:
        """The signature is good for one key alone."""
        assert "uploads/" in signed.url
        for other in ("uploadz/", "uploads/x/", "uploads/../", "uploads/%2e%2e/"):
            url = signed.url.replace("uploads/", other)
            assert not takes(evolve(signed, url=url), DATA, at=now)
