"""Access tokens of the platform itself.

They are signed by HMAC-SHA256. Only the platform that issues them verifies them,
so a public key would have no reader, and a check costs a tenth of an Ed25519 one.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import OctKey

from lms_core.domain.ids import SessionId, UserId
from lms_core.errors import InvalidValue, NotPermitted
from lms_core.ports.identity import Identity, IdentityProvider, TokenIssuer
from lms_core.ports.system import Clock, IdSource
from lms_core.registry import Wiring
from lms_local._key_ring import KeyRing
from lms_local._settings import options

LEEWAY_S = 60
"""How far the clocks of two of our machines may be apart."""

_REMEMBERED = 4096
"""How many tokens are remembered as signed by us."""

_ALGORITHM = "HS256"
_TYPE = "at+jwt"
_COMPACT = re.compile(r"[\w-]{1,1000}\.[\w-]{1,2000}\.[\w-]{43}", re.ASCII)
_TIMES = ("iat", "exp")
_TEXTS = ("iss", "aud", "sub", "jti", "sid")


@frozen
class LocalTokens:
    """A `TokenIssuer` and the `IdentityProvider` that accepts its tokens."""

    _keys: KeyRing
    _issuer: str
    _audience: str
    _clock: Clock
    _ids: IdSource
    # A client sends one token for minutes. What it claims cannot change, so its
    # signature is checked once; its times, and what the platform knows, each time.
    _signed: Callable[[str], dict[str, Any]] = field(init=False, repr=False, eq=False)

    @_signed.default
    def _remembering(self) -> Callable[[str], dict[str, Any]]:
        return lru_cache(maxsize=_REMEMBERED)(self._check_signature)

    def issue(self, user: UserId, *, session: SessionId, lifetime_s: int) -> str:
        if lifetime_s <= 0:
            raise InvalidValue(f"not positive: {lifetime_s}", place="lifetime_s")
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": user,
            "sid": session,
            "jti": self._ids.new(),
            "iat": now,
            "exp": now + lifetime_s,
        }
        header = {"alg": _ALGORITHM, "typ": _TYPE, "kid": self._keys.signing_id}
        return jwt.encode(header, claims, self._key(header), [_ALGORITHM])

    def verify(self, token: str) -> Identity:
        """Return who *token* speaks for; `LEEWAY_S` beyond its end still counts."""
        try:
            return self._identity(token)
        except ExpiredTokenError as exc:
            raise NotPermitted("the token has expired", code="token-expired") from exc
        except (JoseError, ValueError, OverflowError, RecursionError) as exc:
            raise NotPermitted("the token is not good", code="token-invalid") from exc

    def _identity(self, token: str) -> Identity:
        claims = self._signed(token)
        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock.now().timestamp()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
        )
        # Expiry is checked last: an expired token is one that was good once.
        registry.validate(dict(sorted(claims.items(), key=_is_expiry)))
        return Identity(
            issuer=claims["iss"],
            subject=claims["sub"],
            session=SessionId(claims["sid"]),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )

    def _check_signature(self, token: str) -> dict[str, Any]:
        """Return what *token* claims, if we signed it; times are not looked at."""
        if not _COMPACT.fullmatch(token):
            raise ValueError("not of the form of our tokens")
        found = jwt.decode(token, lambda it: self._key(it.headers()), [_ALGORITHM])
        texts = [type(found.claims.get(name)) for name in _TEXTS]
        times = [type(found.claims.get(name)) for name in _TIMES]
        if texts != [str] * len(_TEXTS) or times != [int] * len(_TIMES):
            raise ValueError("a claim is missing or of another type")
        return found.claims

    def _key(self, header: dict[str, Any]) -> OctKey:
        """Return the key a header asks for, if the header is one of ours."""
        id_ = header.get("kid")
        secret = self._keys.secret(id_) if isinstance(id_, str) else None
        ours = {"alg": _ALGORITHM, "typ": _TYPE, "kid": id_}
        if secret is None or header != ours:
            raise ValueError("not a header of ours")
        return OctKey.import_key(secret)


def _is_expiry(claim: tuple[str, Any]) -> bool:
    return claim[0] == "exp"


def open_identity(url: str, wiring: Wiring) -> LocalTokens:
    """Open ``local://?issuer=URL&audience=NAME&key=secret%3A%2F%2Fname``.

    After a rotation, ``&previous=secret%3A%2F%2Fname`` keeps old tokens good.
    """
    chosen = options(
        url, required=("issuer", "audience", "key"), optional=("previous",)
    )
    keys = KeyRing.wired(wiring, chosen["key"], chosen.get("previous"))
    return LocalTokens(
        keys, chosen["issuer"], chosen["audience"], wiring.clock, wiring.ids
    )


if TYPE_CHECKING:
    _issuer_conforms: type[TokenIssuer] = LocalTokens
    _provider_conforms: type[IdentityProvider] = LocalTokens
