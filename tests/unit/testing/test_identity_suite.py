"""The suite of token issuers and identity providers finds broken pairs."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from lms_core.domain.ids import SessionId, UserId
from lms_core.ports.identity import Identity
from lms_core.testing.identity import IdentityConformance

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SUITE = IdentityConformance()


class Trusting:
    """Believes whatever a token says, whoever signed it and whenever."""

    def issue(self, user: UserId, *, session: SessionId, lifetime_s: int) -> str:
        del session, lifetime_s
        body = base64.urlsafe_b64encode(json.dumps({"sub": user}).encode()).decode()
        return f"e30.{body.rstrip('=')}.x"

    def verify(self, token: str) -> Identity:
        del token
        return Identity(issuer="x", subject="user-1", expires_at=NOW)


def clock(by: timedelta) -> datetime:
    return NOW + by


def test_a_provider_that_believes_everything_is_found_out() -> None:
    pair = Trusting()
    clauses: tuple[Callable[[], None], ...] = (
        lambda: SUITE.test_an_issued_token_is_accepted(pair, pair, clock),
        lambda: SUITE.test_no_two_tokens_are_the_same(pair),
        lambda: SUITE.test_a_token_expires(pair, pair, clock),
        lambda: SUITE.test_a_token_of_another_key_is_refused(pair, pair),
        lambda: SUITE.test_an_expired_token_of_another_key_is_invalid(
            pair, pair, clock
        ),
        lambda: SUITE.test_what_is_no_token_is_refused(pair, ""),
        lambda: SUITE.test_an_altered_token_is_refused(pair, pair),
    )
    for clause in clauses:
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            clause()
