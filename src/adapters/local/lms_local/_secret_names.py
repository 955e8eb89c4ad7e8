"""What a secret may be called."""

import re

from lms_core.errors import InvalidValue, NotFound

_NAME = re.compile("[A-Za-z0-9._/-]+")


def checked(name: str) -> str:
    """Return *name* if it is one, or raise `InvalidValue`."""
    parts = name.split("/")
    if not _NAME.fullmatch(name) or any(part in {"", ".", ".."} for part in parts):
        raise InvalidValue(f"not the name of a secret: {name!r:.80}", place="name")
    return name


def no_secret(name: str, where: str) -> NotFound:
    """Say that there is no such secret, or an empty one."""
    return NotFound(f"no secret {name}; looked for {where}", resource=name)
