"""How an object key becomes names of folders and files, and back.

Each part of a key is one name; what is not a-z, 0-9, dash, dot or underscore is
escaped, so file systems that fold case or normalise Unicode keep keys apart.
The last two characters say what a name is, so ``a`` and ``a/b`` live side by
side. A part of 80 bytes or more goes on inside a folder of its first 80: no name
is longer than 242 bytes, and a name of 80 bytes is always such a folder, which
keeps the order of names the order of keys.
"""

import re
from urllib.parse import unquote_to_bytes

from lms_core.domain.ids import ObjectKey

_CHUNK = 80
_FOLDER, _MORE, _OBJECT = ".d", ".c", ".o"
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_.")
_NAME = re.compile(r"((?:[a-z0-9_.-]|%[0-9a-f]{2})*)(\.[dco])")


def names_of(key: ObjectKey) -> tuple[list[str], str]:
    """Return the folders that lead to *key*, and its name in the last one.

    >>> names_of(ObjectKey("courses/A.mp4"))
    (['courses.d'], '%41.mp4.o')
    """
    *folders, last = str(key).encode().split(b"/")
    names = [name for part in folders for name in _names(part, _FOLDER)]
    names += _names(last, _OBJECT)
    return names[:-1], names[-1]


def text_of(name: str) -> bytes | None:
    """Return what *name* adds to a key; `None` if it is none of ours.

    >>> text_of("courses.d"), text_of("%41.mp4.o"), text_of("notes.txt")
    (b'courses/', b'A.mp4', None)
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    text = unquote_to_bytes(match[1])
    kind = match[2]
    if _escaped(text) != match[1] or (len(text) == _CHUNK) != (kind == _MORE):
        return None
    return text + b"/" if kind == _FOLDER else text


def is_object(name: str) -> bool:
    """Tell whether *name* is an object's, not a folder's."""
    return name.endswith(_OBJECT)


def _names(part: bytes, kind: str) -> list[str]:
    chunks = range(0, len(part) - _CHUNK + 1, _CHUNK)
    rest = part[len(chunks) * _CHUNK :]
    return [_escaped(part[at : at + _CHUNK]) + _MORE for at in chunks] + [
        _escaped(rest) + kind
    ]


def _escaped(text: bytes) -> str:
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in text)
