"""Which names of files are safe on every system that may ever hold them."""

import re
import unicodedata
from enum import StrEnum
from urllib.parse import unquote

MOST_PARTS = 12
LONGEST_PART = 200  # bytes; file systems take 255, and ours add a little
LONGEST_PATH = 1_000

_DRIVE = re.compile(r"[A-Za-z]:")
_FORBIDDEN = frozenset('<>:"|?*')
# Characters that some system or reader takes for a slash or a backslash.
_SLASHES = frozenset("\\\u2044\u2215\u2216\u29f5\u29f8\u29f9\ufe68\uff0f\uff3c")
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|clock\$|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])"
    r"(?:\..*)?",
    re.IGNORECASE | re.DOTALL,
)


class Flaw(StrEnum):
    """Why a name is refused."""

    ESCAPE = "path-escape"
    UNSAFE = "unsafe-name"
    LONG = "long-name"
    DEEP = "too-deep"


def path_flaw(path: str) -> Flaw | None:
    """Return why a relative *path* with slashes is refused, or `None`.

    A path that passes means the same file on every system: it stays inside its
    folder, names no device, and hides nothing in look-alike characters.

    >>> path_flaw("01-basics/lecture.mp4"), path_flaw("..%2fetc/passwd")
    (None, <Flaw.ESCAPE: 'path-escape'>)
    """
    if _escapes(path) or _escapes(unquote(path)):
        return Flaw.ESCAPE
    parts = path.split("/")
    try:
        sizes = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        return Flaw.UNSAFE
    if max(sizes) > LONGEST_PART or sum(sizes) + len(parts) > LONGEST_PATH:
        return Flaw.LONG
    if len(parts) > MOST_PARTS:
        return Flaw.DEEP
    return Flaw.UNSAFE if any(map(_is_unsafe, parts)) else None


def _escapes(path: str) -> bool:
    plain = unicodedata.normalize("NFKC", path)
    return (
        plain.startswith("/")
        or _DRIVE.match(plain) is not None
        or not _SLASHES.isdisjoint(path)
        or any(part.strip(" ") == ".." for part in plain.split("/"))
    )


def _is_unsafe(part: str) -> bool:
    return (
        part in {"", "."}
        or not part.isprintable()
        or part != part.strip()
        or part.endswith(".")
        or not _FORBIDDEN.isdisjoint(part)
        or _DEVICE.fullmatch(part) is not None
    )


def folded(path: str) -> str:
    """Return what *path* comes to where case and composition do not matter."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())


def is_hidden(name: str) -> bool:
    """Tell whether systems and editors put the file there, not the author."""
    return name.startswith((".", "~$")) or name.casefold() in {
        "__macosx",
        "desktop.ini",
        "thumbs.db",
    }
