"""From what drivers raise to what ports promise.

`translate` is the engine's ``handle_error`` listener, so that every statement
goes through it and no repository needs a ``try``.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lms_core.errors import (
    AlreadyExists,
    ConfigurationError,
    Conflict,
    InvalidValue,
    LmsError,
    Unavailable,
)

_NO_TABLES = "the database lacks our tables; bring it up to date with `lms migrate`"

# SQLITE_BUSY, SQLITE_LOCKED, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN.
_SQLITE_UNAVAILABLE = {
    5: ("the database is locked by another writer", "database-locked"),
    6: ("the database is locked by another writer", "database-locked"),
    10: ("the disk under the database failed", "unavailable"),
    13: ("the disk under the database is full", "storage-full"),
    14: ("the database file cannot be opened", "unavailable"),
}
_SQLITE_CONSTRAINT = 19

_BY_SQLSTATE: dict[str, tuple[type[LmsError], str, str | None]] = {
    "23505": (AlreadyExists, "it is taken", None),  # unique_violation
    "40001": (Conflict, "the database asks to repeat", None),  # serialization
    "40P01": (Conflict, "two waited for each other", None),  # deadlock_detected
    "55P03": (Unavailable, "a lock was not given in time", "database-locked"),
    "57014": (Unavailable, "the statement took too long", None),  # query_canceled
    "53100": (Unavailable, "the disk under the database is full", "storage-full"),
    "22021": (InvalidValue, "text that no database takes", None),  # NUL and the like
    "22003": (InvalidValue, "a number out of range", None),
    "42P01": (ConfigurationError, _NO_TABLES, None),  # undefined_table
    "42703": (ConfigurationError, _NO_TABLES, None),  # undefined_column
    "28P01": (ConfigurationError, "the database refused the password", None),
    "28000": (ConfigurationError, "the database refused the user", None),
    "3D000": (ConfigurationError, "there is no such database", None),
}
# Connection, resources, operator intervention, system: the server's own trouble.
_UNAVAILABLE_CLASSES = ("08", "53", "57", "58")


def _made(kind: type[LmsError], message: str, code: str | None) -> LmsError:
    if kind is Unavailable:
        return Unavailable(message, code=code)
    return kind(message)


def _of_sqlite(exc: sqlite3.Error) -> LmsError | None:
    primary = getattr(exc, "sqlite_errorcode", 0) & 0xFF
    if primary in _SQLITE_UNAVAILABLE:
        message, code = _SQLITE_UNAVAILABLE[primary]
        return Unavailable(message, code=code)
    if primary == _SQLITE_CONSTRAINT and "UNIQUE" in str(exc):
        return AlreadyExists("it is taken")
    if str(exc).startswith(("no such table", "no such column")):
        return ConfigurationError(_NO_TABLES)
    return None


def _of_postgresql(exc: BaseException) -> LmsError | None:
    state = getattr(exc, "sqlstate", None)
    if state in _BY_SQLSTATE:
        return _made(*_BY_SQLSTATE[state])
    if state is not None and state[:2] in _UNAVAILABLE_CLASSES:
        return Unavailable("the database could not answer")
    names = {cls.__name__ for cls in type(exc).__mro__}
    if state is None and "OperationalError" in names:
        return Unavailable("the database cannot be reached")
    if state is None and "DataError" in names:
        return InvalidValue("text that no database takes")
    return None


def known(exc: BaseException) -> LmsError | None:
    """Return what a driver's exception means, or `None` for a fault of ours."""
    if isinstance(exc, UnicodeEncodeError | OverflowError):
        return InvalidValue("text or number that no database takes")
    if isinstance(exc, PoolTimeout):
        return Unavailable("no connection to the database was free in time")
    if isinstance(exc, sqlite3.Error):
        return _of_sqlite(exc)
    return _of_postgresql(exc)


def translate(context: ExceptionContext) -> None:
    """Raise what the driver's exception means.

    Raises:
        LmsError: as the tables above say; the driver's exception is its cause.
    """
    found = known(context.original_exception)
    if found is not None:
        raise found from context.original_exception


@contextmanager
def translated() -> Iterator[None]:
    """Translate what is raised where no engine listens: pools and raw cursors."""
    try:
        yield
    except LmsError:
        raise
    except Exception as exc:
        found = known(getattr(exc, "orig", None) or exc)
        if found is None:
            raise
        raise found from exc
