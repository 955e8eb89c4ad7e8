"""The contract of `TokenIssuer` and `IdentityProvider` as a pair."""

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest

from lms_core.domain.ids import SessionId, UserId
from lms_core.errors import NotPermitted
from lms_core.ports.identity import IdentityProvider, TokenIssuer
from lms_core.testing.suite import ConformanceSuite

USER, SESSION = UserId("user-1"), SessionId("session-1")


class IdentityConformance(ConformanceSuite):
    """Subclass this and supply `issuer`, `provider`, `stranger` and `advance`.

    *stranger* is an issuer with another key and everything else the same.
    `advance(by)` moves the clock of both and returns the new time;
    ``advance(timedelta(0))`` tells it.
    """

    leeway_s: ClassVar[int] = 60  # how far beyond its end a token may be accepted

    def test_an_issued_token_is_accepted(
        self,
        issuer: TokenIssuer,
        provider: IdentityProvider,
        advance: Callable[[timedelta], datetime],
    ) -> None:
        """It speaks for the user and session it was issued to, until its end."""
        now = advance(timedelta(0)).replace(microsecond=0)
        identity = provider.verify(issuer.issue(USER, session=SESSION, lifetime_s=900))

        assert (identity.subject, identity.session) == (USER, SESSION)
        assert identity.issuer
        assert (
            timedelta(0)
            <= identity.expires_at - now - timedelta(seconds=900)
            <= timedelta(seconds=2)
        )

    def test_no_two_tokens_are_the_same(self, issuer: TokenIssuer) -> None:
        """Each can be told apart, and so revoked alone."""
        tokens = {
            issuer.issue(USER, session=SESSION, lifetime_s=900) for _ in range(20)
        }

        assert len(tokens) == 20

    def test_a_token_expires(
        self,
        issuer: TokenIssuer,
        provider: IdentityProvider,
        advance: Callable[[timedelta], datetime],
    ) -> None:
        """Good to its end, ``token-expired`` when even the leeway is over."""
        token = issuer.issue(USER, session=SESSION, lifetime_s=900)
        advance(timedelta(seconds=898))
        provider.verify(token)
        advance(timedelta(seconds=2 + self.leeway_s))

        assert self._refusal(provider, token) == "token-expired"

    def test_a_token_of_another_key_is_refused(
        self, stranger: TokenIssuer, provider: IdentityProvider
    ) -> None:
        """Right claims under a wrong key are ``token-invalid``."""
        token = stranger.issue(USER, session=SESSION, lifetime_s=900)

        assert self._refusal(provider, token) == "token-invalid"

    def test_an_expired_token_of_another_key_is_invalid(
        self,
        stranger: TokenIssuer,
        provider: IdentityProvider,
        advance: Callable[[timedelta], datetime],
    ) -> None:
        """Nobody learns about times from a token that was never good."""
        token = stranger.issue(USER, session=SESSION, lifetime_s=900)
        advance(timedelta(days=1))

        assert self._refusal(provider, token) == "token-invalid"

    @pytest.mark.parametrize(
        "token",
        ["", ".", "..", "...", "a.b.c", "!!!.@@@.###", "a\0.b.c", "é.é.é", "\ud800"],
    )
    def test_what_is_no_token_is_refused(
        self, provider: IdentityProvider, token: str
    ) -> None:
        """Garbage is ``token-invalid``, never a crash."""
        assert self._refusal(provider, token) == "token-invalid"

    def test_an_altered_token_is_refused(
        self, issuer: TokenIssuer, provider: IdentityProvider
    ) -> None:
        """Other claims, another algorithm, a stripped or foreign signature."""
        token = issuer.issue(USER, session=SESSION, lifetime_s=900)
        head, body, signature = token.split(".")
        admin = _b64({**_claims(body), "sub": "admin"})
        none = _b64({**_claims(head), "alg": "none"})
        _, _, foreign = issuer.issue(
            UserId("admin"), session=SESSION, lifetime_s=900
        ).split(".")
        altered = [
            f"{head}.{admin}.{signature}",
            f"{none}.{admin}.",
            f"{none}.{body}.{signature}",
            f"{head}.{body}.",
            f"{head}.{body}.{foreign}",
            f"{head}.{body}",
            f"{head}.{body}.{signature}.",
            f"{token}=",
            f"{token}\n",
            f" {token}",
            f"{token}{'x' * 1_000_000}",
        ]
        assert provider.verify(token).subject == USER

        for each in altered:
            assert self._refusal(provider, each) == "token-invalid", each[:200]

    @staticmethod
    def _refusal(provider: IdentityProvider, token: str) -> str:
        with pytest.raises(NotPermitted) as refusal:
            provider.verify(token)
        return refusal.value.code


def _claims(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=="))
    return found


def _b64(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
