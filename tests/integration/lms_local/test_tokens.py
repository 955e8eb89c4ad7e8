"""Access tokens: the contract, and every way to forge one."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from lms_core.domain.ids import SessionId, UserId
from lms_core.errors import ConfigurationError, InvalidValue, NotPermitted
from lms_core.ports.identity import IdentityProvider, TokenIssuer
from lms_core.registry import Wiring
from lms_core.testing.identity import IdentityConformance
from lms_local._key_ring import KeyRing
from lms_local.memory.secret_store import MemorySecretStore
from lms_local.memory.system import CountingIds, CountingTokens, FixedClock
from lms_local.tokens import LEEWAY_S, LocalTokens, open_identity

KEY, OTHER = "test-only-key-" + "0123456789" * 3, "another-key-" + "9876543210" * 3
ISSUER, AUDIENCE = "https://lms.example.test/", "lms-api"
CLOCK = FixedClock()
NOW = int(CLOCK.now().timestamp())
RING = KeyRing.of(KEY)
GOOD_HEADER = {"alg": "HS256", "typ": "at+jwt", "kid": RING.signing_id}
GOOD_CLAIMS = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "user-1",
    "sid": "session-1",
    "jti": "j1",
    "iat": NOW,
    "exp": NOW + 900,
}


class Absent(Enum):
    GONE = "gone"


GONE = Absent.GONE


def made(*keys: str, clock: FixedClock = CLOCK) -> LocalTokens:
    return LocalTokens(KeyRing.of(*keys), ISSUER, AUDIENCE, clock, CountingIds())


TOKENS = made(KEY)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def signed(
    header: object, claims: object, *, secret: str = KEY, digest: str = "sha256"
) -> str:
    """Sign whatever it is, with no library to object."""
    parts = [
        each if isinstance(each, str) else json.dumps(each) for each in (header, claims)
    ]
    text = ".".join(b64(part.encode()) for part in parts)
    return f"{text}.{b64(hmac.digest(secret.encode(), text.encode(), digest))}"


def with_header(**changes: object) -> str:
    return signed(changed(GOOD_HEADER, changes), GOOD_CLAIMS)


def with_claims(**changes: object) -> str:
    return signed(GOOD_HEADER, changed(GOOD_CLAIMS, changes))


def changed(good: dict[str, Any], changes: dict[str, object]) -> dict[str, object]:
    return {
        name: value for name, value in (good | changes).items() if value is not GONE
    }


def code(tokens: LocalTokens, token: str) -> str:
    with pytest.raises(NotPermitted) as refused:
        tokens.verify(token)
    return refused.value.code


class TestLocalTokens(IdentityConformance):
    @pytest.fixture
    def clock(self) -> FixedClock:
        return FixedClock()

    @pytest.fixture
    def issuer(self, clock: FixedClock) -> TokenIssuer:
        return made(KEY, clock=clock)

    @pytest.fixture
    def provider(self, clock: FixedClock) -> IdentityProvider:
        return made(KEY, clock=clock)

    @pytest.fixture
    def stranger(self, clock: FixedClock) -> TokenIssuer:
        return made(OTHER, clock=clock)

    @pytest.fixture
    def advance(self, clock: FixedClock) -> Callable[[timedelta], datetime]:
        return clock.advance


def test_the_control_is_accepted() -> None:
    identity = TOKENS.verify(signed(GOOD_HEADER, GOOD_CLAIMS))

    assert (identity.issuer, identity.subject) == (ISSUER, "user-1")
    assert identity.session == "session-1"
    assert TOKENS.verify(with_claims(role="admin", scope="admin")) == identity


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "none"},
        {"alg": "NoNe"},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"alg": GONE},
        {"alg": ["HS256"]},
        {"typ": "JWT"},
        {"typ": "refresh+jwt"},
        {"typ": GONE},
        {"kid": "../../../../dev/null"},
        {"kid": "x' UNION SELECT 'k'--"},
        {"kid": "no-such-key"},
        {"kid": ["x"]},
        {"kid": GONE},
        {"jku": "http://127.0.0.1:9/jwks.json"},
        {"x5u": "http://127.0.0.1:9/c.pem"},
        {"jwk": {"kty": "oct", "k": b64(KEY.encode())}},
        {"crit": ["x"], "x": 1},
        {"b64": False, "crit": ["b64"]},
        {"zip": "DEF"},
    ],
    ids=str,
)
def test_no_other_header_is_accepted(changes: dict[str, object]) -> None:
    assert code(TOKENS, with_header(**changes)) == "token-invalid"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": GONE},
        {"iss": "https://evil.test/"},
        {"iss": ISSUER[:-1]},
        {"iss": [ISSUER]},
        {"aud": GONE},
        {"aud": "other-api"},
        {"aud": ["other", AUDIENCE]},
        {"aud": ""},
        {"sub": GONE},
        {"sub": 1},
        {"sub": None},
        {"sid": GONE},
        {"jti": GONE},
        {"exp": GONE},
        {"exp": str(NOW + 900)},
        {"exp": True},
        {"exp": NOW + 900.5},
        {"exp": 10**30},
        {"exp": 10**400},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"iat": GONE},
        {"iat": NOW + 86_400},
        {"iat": NOW + LEEWAY_S + 1},
        {"nbf": NOW + 3600},
        {"nbf": "now"},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_no_other_claims_are_accepted(changes: dict[str, object]) -> None:
    assert code(TOKENS, with_claims(**changes)) == "token-invalid"


def test_a_minute_of_leeway_is_given_and_no_more() -> None:
    TOKENS.verify(with_claims(exp=NOW - LEEWAY_S + 1))

    assert LEEWAY_S == 60
    assert code(TOKENS, with_claims(exp=NOW - LEEWAY_S)) == "token-expired"
    assert code(TOKENS, with_claims(exp=-(10**30))) == "token-expired"
    TOKENS.verify(with_claims(iat=NOW + LEEWAY_S))


def test_an_expired_token_with_another_fault_is_invalid() -> None:
    for changes in ({"aud": "other"}, {"iss": "other"}, {"sub": 1}):
        token = with_claims(exp=NOW - 3600, **changes)
        assert code(TOKENS, token) == "token-invalid"


@pytest.mark.parametrize("secret", ["", OTHER, KEY.upper()])
def test_no_other_secret_is_accepted(secret: str) -> None:
    token = signed(GOOD_HEADER, GOOD_CLAIMS, secret=secret)

    assert code(TOKENS, token) == "token-invalid"


def test_the_digest_is_the_verifiers_choice() -> None:
    for digest in ("sha384", "sha512", "sha1"):
        token = signed(GOOD_HEADER, GOOD_CLAIMS, digest=digest)
        assert code(TOKENS, token) == "token-invalid"


def test_a_token_of_a_public_key_is_refused() -> None:
    key = RSAKey.import_key(generate_private_key(65537, 2048))
    header = GOOD_HEADER | {"alg": "RS256"}
    token = jwt.encode(header, dict(GOOD_CLAIMS), key, ["RS256"])
    confused = signed(
        GOOD_HEADER, GOOD_CLAIMS, secret=key.as_pem(private=False).decode()
    )

    assert code(TOKENS, token) == "token-invalid"
    assert code(TOKENS, confused) == "token-invalid"


def test_a_claim_given_twice_is_still_signed_once() -> None:
    twice = json.dumps(GOOD_CLAIMS)[:-1] + ', "sub": "admin"}'
    forged = signed(GOOD_HEADER, twice, secret=OTHER)

    assert code(TOKENS, forged) == "token-invalid"


@pytest.mark.parametrize("part", ["", "null", "[]", "1", '"x"', "{", "[[[[" * 300])
def test_parts_that_are_no_objects_are_refused(part: str) -> None:
    assert code(TOKENS, signed(part, GOOD_CLAIMS)) == "token-invalid"
    assert code(TOKENS, signed(GOOD_HEADER, part)) == "token-invalid"


@given(
    st.text() | st.from_regex(r"[\w-]{1,50}\.[\w-]{1,50}\.[\w-]{43}", fullmatch=True)
)
def test_no_text_is_a_token(text: str) -> None:
    assert code(TOKENS, text) == "token-invalid"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(list(GOOD_HEADER)), _JSON, min_size=1))
def test_no_changed_header_is_accepted(changes: dict[str, Any]) -> None:
    if GOOD_HEADER | changes != GOOD_HEADER:
        assert code(TOKENS, with_header(**changes)) == "token-invalid"


@given(st.dictionaries(st.sampled_from(list(GOOD_CLAIMS)), _JSON, min_size=1))
def test_signed_claims_of_any_type_never_crash(changes: dict[str, Any]) -> None:
    with suppress(NotPermitted):
        TOKENS.verify(with_claims(**changes))


def test_a_rotated_key_keeps_old_tokens_good_until_it_is_dropped() -> None:
    old, new = made(OTHER), made(KEY)
    both = made(KEY, OTHER)
    of_old = old.issue(UserId("u"), session=SessionId("s"), lifetime_s=60)
    of_both = both.issue(UserId("u"), session=SessionId("s"), lifetime_s=60)

    assert both.verify(of_old).subject == "u"
    assert new.verify(of_both).subject == "u"
    assert code(new, of_old) == "token-invalid"


def test_a_token_without_a_life_is_not_issued() -> None:
    with pytest.raises(InvalidValue):
        TOKENS.issue(UserId("u"), session=SessionId("s"), lifetime_s=0)


def test_the_opener_takes_keys_by_reference() -> None:
    wiring = Wiring(
        clock=CLOCK,
        ids=CountingIds(),
        tokens=CountingTokens(),
        secrets=MemorySecretStore({"identity/key": KEY, "short": "x" * 31}),
    )
    url = "local://?issuer=https%3A%2F%2Flms.example.test%2F&audience=lms-api&key="
    opened = open_identity(f"{url}secret%3A%2F%2Fidentity%2Fkey", wiring)

    assert opened.verify(signed(GOOD_HEADER, GOOD_CLAIMS)).subject == "user-1"
    assert KEY not in repr(opened)
    for bad in ("secret%3A%2F%2Fshort", "plain"):
        with pytest.raises(ConfigurationError):
            open_identity(url + bad, wiring)


def test_the_key_id_does_not_tell_the_key() -> None:
    plain = hashlib.sha256(KEY.encode()).hexdigest()

    assert RING.signing_id not in {KEY[:8], plain[:8]}
