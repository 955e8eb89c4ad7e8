"""Keep secrets in a form that gives nothing away."""

from hashlib import sha256
from hmac import compare_digest


def digest(secret: str) -> str:
    """Return what is stored for a random *secret*: it needs no salt, being random."""
    return sha256(secret.encode()).hexdigest()


def same(secret: str, stored: str) -> bool:
    """Tell, in constant time, whether *stored* is the digest of *secret*."""
    return compare_digest(digest(secret), stored)
