"""Signatures of webhooks, in the form that hosted gateways have settled on."""

import hmac
import re
from collections.abc import Sequence
from datetime import datetime

from lms_core.errors import ConfigurationError, NotPermitted

HEADER = "lms-sandbox-signature"
TOLERANCE = 300  # seconds, in both directions: clocks differ, and replays are old

_SHORTEST_KEY = 16
_LONGEST_HEADER = 1024
_TIME = re.compile("[0-9]{1,12}")


def checked_keys(keys: Sequence[str]) -> tuple[str, ...]:
    """Return *keys* if each can sign.

    Raises:
        ConfigurationError: there is none, or one is too short to be a secret.
    """
    if not keys or any(len(key) < _SHORTEST_KEY for key in keys):
        raise ConfigurationError(
            f"a webhook key needs at least {_SHORTEST_KEY} characters"
        )
    return tuple(keys)


def _digest(key: str, time: str, body: bytes) -> bytes:
    signed = time.encode() + b"." + body
    return hmac.digest(key.encode(), signed, "sha256").hex().encode()


def signature(body: bytes, keys: Sequence[str], *, at: datetime) -> str:
    """Sign *body* with every key, so that keys can be replaced one by one."""
    time = str(int(at.timestamp()))
    digests = (f"v1={_digest(key, time, body).decode()}" for key in keys)
    return ",".join((f"t={time}", *digests))


def check(
    header: str | None, body: bytes, keys: Sequence[str], *, at: datetime
) -> None:
    """Return only if one of *keys* signed exactly *body*, about *at*.

    Raises:
        NotPermitted: the signature is missing, wrong, too old or of the future.
    """
    if not header or len(header) > _LONGEST_HEADER:
        raise NotPermitted("the webhook has no signature", code="signature-missing")
    parts = [part.strip().partition("=")[::2] for part in header.split(",")]
    times = [value for name, value in parts if name == "t"]
    given = [value.encode(errors="replace") for name, value in parts if name == "v1"]
    if len(times) != 1 or not _TIME.fullmatch(times[0]) or not given:
        raise NotPermitted("the signature is not one", code="signature-malformed")
    expected = [_digest(key, times[0], body) for key in keys]
    # Every pair is compared, so the time taken says nothing about any of them.
    matches = [hmac.compare_digest(e, g) for e in expected for g in given]
    if not any(matches):
        raise NotPermitted("the signature is wrong", code="signature-wrong")
    if abs(at.timestamp() - int(times[0])) > TOLERANCE:
        raise NotPermitted("the signature is too old", code="signature-stale")
