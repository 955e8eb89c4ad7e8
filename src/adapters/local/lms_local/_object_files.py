"""One object in one file: its bytes, then a footer that describes them.

Bytes, type, metadata and etag are one file, so whoever has it open has all of
them or none, and a rename replaces all at once. The footer comes last because
the size of a stream is known only then.
"""

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from attrs import define, field, frozen

from lms_core.domain.ids import ObjectKey
from lms_core.errors import Rejected
from lms_core.ports.object_store import ObjectInfo, ObjectReader
from lms_local._errors import translated
from lms_local._folders import scratch_file, write_all

_CHUNK = 1024 * 1024
_MAGIC = b"lms-obj1"
_TAIL = 8 + len(_MAGIC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@define
class Draft:
    """A file being written where no reader looks."""

    folder: int
    name: str
    _file: int
    _resource: object
    _digest: Any = field(factory=lambda: blake2b(digest_size=16))

    def write(self, chunks: Iterable[bytes]) -> None:
        """Append *chunks*; what they raise themselves passes through."""
        for chunk in chunks:
            with translated("write", self._resource):
                write_all(self._file, chunk)
            self._digest.update(chunk)

    def finish(
        self, key: ObjectKey, content_type: str, metadata: Mapping[str, str]
    ) -> ObjectInfo:
        """Add the footer and wait for the disk."""
        about = {
            "etag": self._digest.hexdigest(),
            "type": content_type,
            "metadata": dict(metadata),
        }
        footer = json.dumps(about).encode()
        with translated("write", self._resource):
            write_all(self._file, footer + len(footer).to_bytes(8, "big") + _MAGIC)
            os.fsync(self._file)
            return describe(self._file, key)


@contextmanager
def draft(scratch: Path, resource: object) -> Iterator[Draft]:
    """Begin a file; it vanishes unless the body moves it to its place."""
    with ExitStack() as stack:
        with translated("write", resource):
            file, folder, name = stack.enter_context(scratch_file(scratch))
        yield Draft(folder, name, file, resource)


def open_file(name: str, folder: int) -> FileIO:
    """Open the regular file *name*; a link or a device is not found."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        about = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(about.st_mode):
            raise FileNotFoundError(name)
        return FileIO(os.open(name, flags, dir_fd=folder), "rb")
    except NotADirectoryError as exc:
        raise FileNotFoundError(name) from exc


def describe(file: int, key: ObjectKey) -> ObjectInfo:
    """Read the footer of an open file.

    Raises:
        Rejected: the file is not whole (``object-damaged``).
    """
    found = os.fstat(file)
    tail = os.pread(file, _TAIL, max(0, found.st_size - _TAIL))
    length = int.from_bytes(tail[:8], "big")
    size = found.st_size - _TAIL - length
    if tail[8:] != _MAGIC or size < 0:
        raise _damaged(key)
    try:
        about = json.loads(os.pread(file, length, size))
        return ObjectInfo(
            key=key,
            size_bytes=size,
            etag=about["etag"],
            content_type=about["type"],
            modified_at=_EPOCH + timedelta(microseconds=found.st_mtime_ns // 1000),
            metadata=about["metadata"],
        )
    except (ValueError, KeyError, TypeError) as exc:
        raise _damaged(key) from exc


def _damaged(key: ObjectKey) -> Rejected:
    return Rejected(
        f"the file of {key} is damaged", resource=str(key), code="object-damaged"
    )


@frozen
class FileObjectReader:
    """An `ObjectReader` over a file that stays whole when it is replaced."""

    info: ObjectInfo
    _file: FileIO
    _start: int
    _stop: int

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        at = self._start
        while at < self._stop:
            with translated("read", self.info.key):
                chunk = os.pread(self._file.fileno(), min(_CHUNK, self._stop - at), at)
            if not chunk:
                raise _damaged(self.info.key)
            at += len(chunk)
            yield chunk

    def close(self) -> None:
        self._file.close()


if TYPE_CHECKING:
    _conforms: type[ObjectReader] = FileObjectReader
