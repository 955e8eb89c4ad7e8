"""The suite of UrlSigner tells broken signers from good ones."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest

from lms_core.domain.ids import ObjectKey, UserId
from lms_core.ports.url_signer import SignedPrefix, UrlSignerCapability
from lms_core.testing.url_signer import UrlSignerConformance

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUITE = UrlSignerConformance()


class Unsigned:
    """Hands out plain addresses, and claims what it cannot."""

    capabilities = frozenset({UrlSignerCapability.COOKIES})

    def sign_prefix(
        self, prefix: ObjectKey, *, viewer: UserId, expires_at: datetime
    ) -> SignedPrefix:
        del viewer
        return SignedPrefix(base_url=f"https://m.test/{prefix}", expires_at=expires_at)


def everybody(url: str, cookies: Mapping[str, str], *, at: datetime) -> bool:
    del url, cookies, at
    return True


def nobody(url: str, cookies: Mapping[str, str], *, at: datetime) -> bool:
    del url, cookies, at
    return False


def test_an_open_door_is_found_out() -> None:
    signer = Unsigned()
    signed = signer.sign_prefix(ObjectKey("a/b"), viewer=UserId("v"), expires_at=NOW)
    clauses: tuple[Callable[[], None], ...] = (
        lambda: SUITE.test_access_ends_at_its_expiry(signed, everybody),
        lambda: SUITE.test_the_prefix_ends_at_a_slash(signer, everybody, NOW),
        lambda: SUITE.test_dots_do_not_lead_out_of_the_prefix(
            signed, everybody, NOW, "../x"
        ),
        lambda: SUITE.test_an_altered_signature_is_worthless(signed, everybody, NOW),
        lambda: SUITE.test_viewers_have_signatures_of_their_own(signer, signed, NOW),
        lambda: SUITE.test_relative_links_work_where_declared(
            signer, signed, everybody, NOW
        ),
    )
    for clause in clauses:
        with pytest.raises(AssertionError):
            clause()


def test_a_closed_door_is_found_out() -> None:
    signer = Unsigned()
    signed = signer.sign_prefix(ObjectKey("a/b"), viewer=UserId("v"), expires_at=NOW)
    clauses: tuple[Callable[[], None], ...] = (
        lambda: SUITE.test_everything_below_the_prefix_is_admitted(signed, nobody, NOW),
        lambda: SUITE.test_cookies_work_where_declared(signer, signed, nobody, NOW),
        lambda: SUITE.test_the_expiry_is_the_one_asked_for(signed, NOW),
    )
    for clause in clauses:
        with pytest.raises(AssertionError):
            clause()
