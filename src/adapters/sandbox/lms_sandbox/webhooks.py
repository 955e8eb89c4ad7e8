"""Tell the shop what happened, until it has heard."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from attrs import field, frozen

from lms_core.errors import ConfigurationError
from lms_sandbox._database import Database
from lms_sandbox._rows import instant
from lms_sandbox.payment_gateway import SandboxPaymentGateway, origin
from lms_sandbox.signing import HEADER, checked_keys, signature
from lms_sandbox.state import State

_TIMEOUT = 10  # seconds
# With the timeout this keeps the last signature of a batch inside its tolerance.
_BATCH = 20
# Longer than one attempt lasts, so that a second sender does not start meanwhile.
_CLAIM = timedelta(seconds=3 * _TIMEOUT)
_LONGEST_WAIT = 300  # seconds
_LOG = logging.getLogger(__name__)


def _endpoint(url: str) -> str:
    if origin(url) is None:
        raise ConfigurationError(f"no webhooks go to {url!r}: not a web address")
    return url


def _wait(attempts: int) -> timedelta:
    return timedelta(seconds=min(2 ** min(attempts, 10), _LONGEST_WAIT))


@frozen(kw_only=True)
class WebhookSender:
    """Posts what is due to *endpoint*, at least once, until it answers 2xx.

    What is pending stands in the sandbox's file: it survives a restart, and
    several senders may share it. Redirects are not followed.
    """

    state: State
    endpoint: str = field(converter=_endpoint)
    keys: Sequence[str] = field(converter=checked_keys, repr=False)

    @classmethod
    def of(cls, gateway: SandboxPaymentGateway, endpoint: str) -> "WebhookSender":
        """Send what *gateway* has to say to *endpoint*.

        Raises:
            ConfigurationError: *endpoint* is not a web address.
        """
        return cls(state=gateway.state, endpoint=endpoint, keys=gateway.keys)

    def deliver_due(self, at: datetime) -> int:
        """Try once what is due at *at*, oldest first; return how much arrived.

        At most twenty are tried in a call. One that fails comes back after 2, 4,
        8 and at last every 300 seconds.
        """
        self.state.expire(at=at)
        database = self.state.database
        with database.transaction() as db:
            due = db.execute(
                "SELECT number, body, attempts, due_at FROM deliveries"
                " WHERE delivered_at IS NULL AND due_at <= ?"
                " ORDER BY due_at, number LIMIT ?",
                (instant(at), _BATCH),
            ).fetchall()
        delivered = 0
        for row in due:
            attempts = row["attempts"] + 1
            if not _claimed(database, row["number"], attempts, until=at + _CLAIM):
                continue
            answer = self._post(row["body"], at)
            arrived = answer.isdecimal() and answer.startswith("2")
            delivered += arrived
            if not arrived:
                _LOG.warning("webhook attempt %d failed: %s", attempts, answer)
            with database.transaction() as db:
                db.execute(
                    "UPDATE deliveries SET last_answer = ?, due_at = ?,"
                    " delivered_at = ? WHERE number = ? AND delivered_at IS NULL",
                    (
                        answer,
                        instant(at + _wait(attempts)),
                        instant(at) if arrived else None,
                        row["number"],
                    ),
                )
        return delivered

    def _post(self, body: bytes, at: datetime) -> str:
        """Return the status that *body* was answered with, or what went wrong."""
        parts = urlsplit(self.endpoint)
        secure = parts.scheme == "https"
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {
            "Content-Type": "application/json",
            HEADER: signature(body, self.keys, at=at),
        }
        connection = (HTTPSConnection if secure else HTTPConnection)(
            parts.netloc, timeout=_TIMEOUT
        )
        try:
            connection.request("POST", target, body=body, headers=headers)
            return str(connection.getresponse().status)
        except (OSError, HTTPException) as exc:
            return f"{type(exc).__name__}: {exc}"[:200]
        finally:
            connection.close()


def _claimed(
    database: Database, number: int, attempts: int, *, until: datetime
) -> bool:
    with database.transaction() as db:
        claim = db.execute(
            "UPDATE deliveries SET attempts = ?, due_at = ?"
            " WHERE number = ? AND attempts = ? AND delivered_at IS NULL",
            (attempts, instant(until), number, attempts - 1),
        )
        return claim.rowcount == 1
