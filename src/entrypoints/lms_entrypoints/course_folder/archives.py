"""Unpack a course archive from a stranger: .zip or .tar.gz, into a folder of its own.

Everything is judged by rules, not by known attacks: names must be safe on every
system, members must be plain files and folders, and the bytes that really come
out are counted. Nothing is ever written through a link, since none is made.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from lms_core.errors import Fault, InvalidDocument
from lms_entrypoints.course_folder._tar import unpack_tar
from lms_entrypoints.course_folder._unpacking import Unpacking
from lms_entrypoints.course_folder._zip import unpack_zip
from lms_entrypoints.course_folder.folder import ArchiveLimits
from lms_entrypoints.course_folder.names import is_hidden

_COURSE_FILE = "course.yaml"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP = b"\x1f\x8b"


@contextmanager
def open_course_archive(
    source: Path | BinaryIO, limits: ArchiveLimits | None = None
) -> Iterator[Path]:
    """Yield a temporary folder with what *source* holds; it is always removed.

    Where the archive holds one folder with the course in it, that one is
    yielded. Whether it is a course is found by reading it.

    Raises:
        InvalidDocument: the archive is broken, hostile or too large; the codes
            start with ``archive-``.
    """
    limits = limits or ArchiveLimits()
    with tempfile.TemporaryDirectory(prefix="lms-course-") as made:
        folder = Path(made) / "course"
        folder.mkdir()
        if isinstance(source, Path):
            with source.open("rb") as stream:
                _unpack(stream, folder, limits)
        elif source.seekable():
            _unpack(source, folder, limits)
        else:
            with tempfile.TemporaryFile() as whole:
                _copy(source, cast("BinaryIO", whole), limits)
                _unpack(cast("BinaryIO", whole), folder, limits)
        yield _course_in(folder)


def _copy(source: BinaryIO, whole: BinaryIO, limits: ArchiveLimits) -> None:
    left = limits.archive_bytes
    while chunk := source.read(1024 * 1024):
        left -= len(chunk)
        if left < 0:
            raise InvalidDocument(
                Fault("", "the archive is too large", "archive-too-large")
            )
        whole.write(chunk)


def _unpack(stream: BinaryIO, folder: Path, limits: ArchiveLimits) -> None:
    size = stream.seek(0, 2)
    stream.seek(0)
    magic = stream.read(4)
    stream.seek(0)
    unpacking = Unpacking(folder, limits)
    if size > limits.archive_bytes:
        raise unpacking.refuse("", "too-large", "the archive is too large")
    if magic.startswith(_ZIP):
        unpack_zip(stream, size, unpacking)
    elif magic.startswith(_GZIP):
        unpack_tar(stream, unpacking)
    else:
        raise unpacking.refuse("", "corrupt", "is neither a .zip nor a .tar.gz")
    if not unpacking.files:
        raise unpacking.refuse("", "empty", "the archive holds no file")


def _course_in(folder: Path) -> Path:
    inner = [each for each in folder.iterdir() if not is_hidden(each.name)]
    if len(inner) == 1 and (inner[0] / _COURSE_FILE).is_file():
        return inner[0]
    return folder
