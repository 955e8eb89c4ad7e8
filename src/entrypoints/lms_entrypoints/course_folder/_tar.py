"""Unpack a .tar.gz."""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, BinaryIO, Self, cast

from lms_core.errors import InvalidDocument
from lms_entrypoints.course_folder._unpacking import Unpacking
from lms_entrypoints.course_folder.folder import MIB

_CHUNK = 64 * 1024
_LONGEST_HEADER = 64 * 1024
_MOST_HEADERS = 4
_MOST_ENDS = 16
_HEADERS = {
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
}


def unpack_tar(stream: BinaryIO, unpacking: Unpacking) -> None:
    """Write every member of the archive, or raise `InvalidDocument`."""
    try:
        with gzip.GzipFile(fileobj=stream) as plain:
            counted = _Counted(plain, stream, unpacking)
            with tarfile.open(
                fileobj=cast("IO[bytes]", counted),
                mode="r|",
                tarinfo=_header_class(unpacking),
            ) as archive:
                for member in archive:
                    _unpack(archive, member, unpacking)
            counted.finish()
    except InvalidDocument:
        raise
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
            raise
        message = f"is not a sound archive: {error!s:.120}"
        raise unpacking.refuse("", "corrupt", message) from error


class _Counted:
    """The bytes that come out, counted; it neither ends for ever nor swells."""

    def __init__(
        self, plain: gzip.GzipFile, packed: BinaryIO, unpacking: Unpacking
    ) -> None:
        self._plain = plain
        self._packed = packed
        self._unpacking = unpacking
        self._count = 0
        self._ends = 0

    def read(self, size: int = -1, /) -> bytes:
        limits = self._unpacking.limits
        data = self._plain.read(size)
        self._count += len(data)
        # Headers and padding are at most a few blocks for each member.
        most = limits.bytes + limits.files * 4 * _LONGEST_HEADER
        packed = max(self._packed.tell(), 1)
        if self._count > most or (
            self._count > MIB and self._count > packed * limits.ratio
        ):
            raise self._unpacking.refuse("", "too-large", "unpacks to too much")
        # The library may ask for ever for what a broken header promises.
        self._ends += not data
        if self._ends > _MOST_ENDS:
            raise self._unpacking.refuse("", "corrupt", "is cut off")
        return data

    def finish(self) -> None:
        """Read what follows the last member, so that its checksum is seen."""
        while self.read(_CHUNK):
            pass


def _header_class(unpacking: Unpacking) -> type[tarfile.TarInfo]:
    """Return a reader of headers that refuses before the library acts on them."""
    in_a_row = 0

    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: Any, encoding: str, errors: str) -> Self:
            nonlocal in_a_row
            header = super().frombuf(buf, encoding, errors)
            in_a_row = in_a_row + 1 if header.type in _HEADERS else 0
            too_long = header.type in _HEADERS and header.size > _LONGEST_HEADER
            if header.size < 0 or too_long or in_a_row > _MOST_HEADERS:
                raise unpacking.refuse("", "corrupt", "has a header out of bounds")
            if header.type == tarfile.GNUTYPE_SPARSE:
                raise unpacking.refuse(header.name, "special-file", "has holes")
            return header

    return Header


def _unpack(
    archive: tarfile.TarFile, member: tarfile.TarInfo, unpacking: Unpacking
) -> None:
    name = member.name.removeprefix("./")
    if member.issym() or member.islnk():
        raise unpacking.refuse(name, "symlink", "is a link")
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise unpacking.refuse(name, "special-file", "is no plain file")
    if member.size < 0:
        raise unpacking.refuse(name, "corrupt", "has a header out of bounds")
    if member.size > unpacking.limits.bytes:
        raise unpacking.refuse(name, "too-large", "unpacks to too much")
    if member.isdir() and name in {".", ""}:
        return
    unpacking.admit(name, is_folder=member.isdir())
    if member.isdir():
        return
    data = archive.extractfile(member)
    written = unpacking.write(name, _chunks(data), most=member.size) if data else 0
    if written != member.size:
        raise unpacking.refuse(name, "corrupt", "has not the size that it states")


def _chunks(data: IO[bytes]) -> Iterator[bytes]:
    with data:
        while chunk := data.read(_CHUNK):
            yield chunk
