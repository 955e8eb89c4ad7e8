"""What both kinds of archives have in common: names, counts and writing."""

from collections.abc import Iterable
from pathlib import Path

from attrs import Factory, define

from lms_core.errors import Fault, InvalidDocument
from lms_entrypoints.course_folder.folder import ArchiveLimits
from lms_entrypoints.course_folder.names import folded, path_flaw

_MESSAGES = {
    "path-escape": "has a name that leads out of the folder",
    "unsafe-name": "has a name not safe everywhere",
    "long-name": "has a name that is too long",
    "too-deep": "lies too deep",
}
# fmt: off
_NESTED = (
    ".7z", ".bz2", ".cab", ".gz", ".iso", ".jar", ".rar", ".tar", ".tbz2", ".tgz",
    ".txz", ".war", ".xz", ".zip", ".zst",
)
# fmt: on
_MAGIC = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\xfd7zXZ\x00",
    b"BZh",
    b"\x28\xb5\x2f\xfd",
)
_USTAR = slice(257, 262)
_HEAD = 512


@define
class Unpacking:
    """One archive on its way into *folder*."""

    folder: Path
    limits: ArchiveLimits
    files: int = 0
    _bytes: int = 0
    _members: int = 0
    _spellings: dict[str, tuple[str, bool]] = Factory(dict)

    def refuse(self, path: str, code: str, message: str = "") -> InvalidDocument:
        """Return the error for the member at *path*."""
        shown = path.encode("utf-8", "backslashreplace").decode()
        shown = "".join(
            c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown
        )
        text = message or _MESSAGES[code]
        return InvalidDocument(Fault(shown[:200], text, f"archive-{code}"))

    def admit(self, path: str, *, is_folder: bool) -> None:
        """Judge the name of a member before anything of it is written."""
        self._members += 1
        if self._members > self.limits.files:
            message = f"the archive holds more than {self.limits.files} files"
            raise self.refuse("", "too-many-files", message)
        flaw = path_flaw(path)
        if flaw is not None:
            raise self.refuse(path, flaw)
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            part = "/".join(parts[:depth])
            self._spell(part, is_folder=is_folder or depth < len(parts))
        if not is_folder and path.lower().endswith(_NESTED):
            raise self.refuse(path, "nested", "is an archive in the archive")

    def _spell(self, path: str, *, is_folder: bool) -> None:
        """Refuse what another system could take for an earlier member."""
        key = folded(path)
        known = self._spellings.get(key)
        if known is None:
            self._spellings[key] = (path, is_folder)
        elif known != (path, True) or not is_folder:
            message = f"is also there as {known[0]!r:.200}"
            raise self.refuse(path, "duplicate-name", message)

    def write(self, path: str, chunks: Iterable[bytes], *, most: int) -> int:
        """Write a member and return its size; *most* bounds what may come out."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        size = 0
        head = b""
        with target.open("xb") as file:
            for chunk in chunks:
                size += len(chunk)
                self._bytes += len(chunk)
                if size > most or self._bytes > self.limits.bytes:
                    raise self.refuse(path, "too-large", "unpacks to too much")
                if len(head) < _HEAD:
                    head += chunk[: _HEAD - len(head)]
                    if head.startswith(_MAGIC) or head[_USTAR] == b"ustar":
                        message = "is an archive in the archive"
                        raise self.refuse(path, "nested", message)
                file.write(chunk)
        self.files += 1
        return size
