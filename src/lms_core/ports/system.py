"""The clock, and where new names and secrets come from."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tell the time."""

    def now(self) -> datetime:
        """Return the current time, aware and in UTC."""
        ...


class IdSource(Protocol):
    """Make names that nobody has used before."""

    def new(self) -> str:
        """Return a new id: 1 to 64 characters of ``a-z 0-9 -``.

        No two calls return the same id, in any thread or process. Later ids of
        one source sort after earlier ones. Ids are not secrets.
        """
        ...


class TokenSource(Protocol):
    """Make secrets that nobody can guess."""

    def token(self) -> str:
        """Return a new secret with at least 128 random bits, safe in a URL."""
        ...
