"""What the operating system says, in the words of the ports."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from lms_core.errors import NotFound, NotPermitted, PortError, Unavailable

# A limit on the size of one file is met by the same remedy as a full disk.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# ENOTDIR and ELOOP: something that is no folder, or a link, stands in the way.
_DENIED = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.ENOTDIR}
)


@contextmanager
def translated(
    action: str, resource: object, *, effect: Literal["none", "unknown"] = "none"
) -> Iterator[None]:
    """Turn an `OSError` of the body into the `PortError` it amounts to."""
    try:
        yield
    except OSError as exc:
        raise _port_error(exc, f"cannot {action} {resource}", resource, effect) from exc


def _port_error(
    exc: OSError, what: str, resource: object, effect: Literal["none", "unknown"]
) -> PortError:
    message = f"{what}: {exc.strerror or exc}"
    if isinstance(exc, FileNotFoundError):
        return NotFound(message, resource=str(resource))
    if exc.errno in _DENIED:
        return NotPermitted(message, resource=str(resource))
    code = "storage-full" if exc.errno in _FULL else None
    return Unavailable(message, resource=str(resource), effect=effect, code=code)
