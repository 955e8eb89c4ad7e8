"""The contract of `UrlSigner`, one test a clause."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import pytest

from lms_core.domain.ids import ObjectKey, UserId
from lms_core.ports.url_signer import SignedPrefix, UrlSigner, UrlSignerCapability
from lms_core.testing.suite import ConformanceSuite

PREFIX = ObjectKey("media/lesson 1/été")
ANNA = UserId("anna")


class Admits(Protocol):
    """What checks a request at *at*: an edge, or a faithful likeness of it."""

    def __call__(self, url: str, cookies: Mapping[str, str], *, at: datetime) -> bool:
        """Tell whether a GET of *url* with *cookies* is answered with bytes."""
        ...


class UrlSignerConformance(ConformanceSuite):
    """Subclass this and supply fixtures named `signer` and `admits`.

    A fixture `now` may supply another time, where the edge has its own clock.
    """

    @pytest.fixture
    def now(self) -> datetime:
        """Return the time of the tests, in whole seconds."""
        return datetime(2026, 3, 1, 12, tzinfo=UTC)

    @pytest.fixture
    def signed(self, signer: UrlSigner, now: datetime) -> SignedPrefix:
        """Sign access for an hour."""
        return signer.sign_prefix(
            PREFIX, viewer=ANNA, expires_at=now + timedelta(hours=1)
        )

    def test_everything_below_the_prefix_is_admitted(
        self, signed: SignedPrefix, admits: Admits, now: datetime
    ) -> None:
        """One signature serves every depth below the prefix."""
        for path in ("master.m3u8", "720/seg_00001.m4s", "a/b/c/d"):
            assert admits(signed.url(path), signed.cookies, at=now)

    def test_the_expiry_is_the_one_asked_for(
        self, signed: SignedPrefix, now: datetime
    ) -> None:
        """Whole seconds are kept exactly."""
        assert signed.expires_at == now + timedelta(hours=1)

    def test_access_ends_at_its_expiry(
        self, signed: SignedPrefix, admits: Admits
    ) -> None:
        """A second before it is admitted, at the expiry and after it is not."""
        url, ends = signed.url("master.m3u8"), signed.expires_at

        assert admits(url, signed.cookies, at=ends - timedelta(seconds=1))
        assert not admits(url, signed.cookies, at=ends)
        assert not admits(url, signed.cookies, at=ends + timedelta(days=400))

    def test_the_prefix_ends_at_a_slash(
        self, signer: UrlSigner, admits: Admits, now: datetime
    ) -> None:
        """``media/a`` gives access neither to ``media/ab`` nor to ``media``."""
        signed = signer.sign_prefix(
            ObjectKey("media/a"), viewer=ANNA, expires_at=now + timedelta(hours=1)
        )
        base = signed.base_url
        parent = base[: -len("/a")]

        assert admits(signed.url("x"), signed.cookies, at=now)
        for other in (f"{base}b/x", f"{parent}/b/x", f"{parent}/x", base):
            query = f"?{signed.query}" if signed.query else ""
            assert not admits(f"{other}{query}", signed.cookies, at=now)

    @pytest.mark.parametrize(
        "path", ["../other/x", "..%2fother/x", "%2e%2e/other/x", "a/../../other/x"]
    )
    def test_dots_do_not_lead_out_of_the_prefix(
        self, signed: SignedPrefix, admits: Admits, now: datetime, path: str
    ) -> None:
        """Neither plain nor escaped dot segments are climbed."""
        assert not admits(signed.url(path), signed.cookies, at=now)

    def test_an_altered_signature_is_worthless(
        self, signed: SignedPrefix, admits: Admits, now: datetime
    ) -> None:
        """Whatever single character is changed, nothing more is admitted."""
        url = signed.url("x")
        start = len(url) - len(urlsplit(url).path.lstrip("/")) - len(signed.query)
        for at in range(start, len(url) - len("/x")):
            if url[at] in "/?&=.%":
                continue
            other = "A" if url[at] != "A" else "B"
            altered = url[:at] + other + url[at + 1 :]
            assert not admits(altered, self._altered(signed), at=now), altered

    def test_viewers_have_signatures_of_their_own(
        self, signer: UrlSigner, signed: SignedPrefix, now: datetime
    ) -> None:
        """Two viewers, or two expiries, never share one."""
        hour = now + timedelta(hours=1)
        ben = signer.sign_prefix(PREFIX, viewer=UserId("ben"), expires_at=hour)
        later = signer.sign_prefix(
            PREFIX, viewer=ANNA, expires_at=hour + timedelta(seconds=1)
        )
        said = {
            (each.base_url, each.query, tuple(each.cookies.items()))
            for each in (signed, ben, later)
        }

        assert len(said) == 3

    def test_relative_links_work_where_declared(
        self, signer: UrlSigner, signed: SignedPrefix, admits: Admits, now: datetime
    ) -> None:
        """A browser that resolves a link against a playlist is admitted."""
        linked = urljoin(signed.url("master.m3u8"), "720/index.m3u8")
        admitted = admits(linked, {}, at=now)

        declared = UrlSignerCapability.RELATIVE_LINKS in signer.capabilities
        assert admitted is declared

    def test_cookies_work_where_declared(
        self, signer: UrlSigner, signed: SignedPrefix, admits: Admits, now: datetime
    ) -> None:
        """Cookies alone carry access, or there are none."""
        if UrlSignerCapability.COOKIES not in signer.capabilities:
            assert dict(signed.cookies) == {}
            return
        plain = f"{signed.base_url}/720/index.m3u8"
        assert admits(plain, signed.cookies, at=now)

    @staticmethod
    def _altered(signed: SignedPrefix) -> dict[str, str]:
        return {name: f"A{value[1:]}" for name, value in signed.cookies.items()}
