"""Unpack a .zip."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO

from lms_core.errors import InvalidDocument
from lms_entrypoints.course_folder._unpacking import Unpacking
from lms_entrypoints.course_folder.folder import MIB

_CHUNK = 64 * 1024
_END = struct.Struct("<4s4H2IH")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_LOCAL = struct.Struct("<4s5H3I2H")
_IN_64 = 0xFFFFFFFF
# Central directory: 46 bytes, the longest name and extra fields for each member.
_LONGEST_ENTRY = 46 + 2_000
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def unpack_zip(stream: BinaryIO, size: int, unpacking: Unpacking) -> None:
    """Write every member of the archive, or raise `InvalidDocument`."""
    _check_directory(stream, size, unpacking)
    try:
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            _check_members(members, unpacking)
            _check_overlaps(stream, members, archive.start_dir, unpacking)
            for member in members:
                if not member.is_dir():
                    _unpack(archive, member, unpacking)
    except InvalidDocument:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        struct.error,
    ) as error:
        message = f"is not a sound archive: {error!s:.120}"
        raise unpacking.refuse("", "corrupt", message) from error


def _check_directory(stream: BinaryIO, size: int, unpacking: Unpacking) -> None:
    """Bound the list of members before the library reads all of it."""
    tail = min(size, _END.size + 0xFFFF)
    stream.seek(size - tail)
    data = stream.read(tail)
    at = data.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(data):
        raise unpacking.refuse(
            "", "corrupt", "is cut off: its list of files is missing"
        )
    *_, length, _offset, comment = _END.unpack_from(data, at)
    if at + _END.size + comment != len(data):
        raise unpacking.refuse("", "corrupt", "something follows its end")
    if length == _IN_64 and at >= _LOCATOR.size:
        _, _, where, _ = _LOCATOR.unpack_from(data, at - _LOCATOR.size)
        stream.seek(min(where, size))
        record = stream.read(_END_64.size)
        if len(record) < _END_64.size or not record.startswith(b"PK\x06\x06"):
            raise unpacking.refuse("", "corrupt", "its list of files is missing")
        length = _END_64.unpack(record)[8]
    if length > unpacking.limits.files * _LONGEST_ENTRY:
        raise unpacking.refuse("", "too-many-files", "its list of files is too long")
    stream.seek(0)


def _check_members(members: list[zipfile.ZipInfo], unpacking: Unpacking) -> None:
    if len(members) > unpacking.limits.files:
        message = f"the archive holds more than {unpacking.limits.files} files"
        raise unpacking.refuse("", "too-many-files", message)
    if sum(member.file_size for member in members) > unpacking.limits.bytes:
        raise unpacking.refuse("", "too-large", "unpacks to too much")
    for member in members:
        # What stands in the archive; `filename` was cut at NUL.
        name = member.orig_filename
        kind = stat.S_IFMT(member.external_attr >> 16)
        if member.flag_bits & _ENCRYPTED:
            raise unpacking.refuse(name, "encrypted", "is encrypted")
        if stat.S_ISLNK(kind):
            raise unpacking.refuse(name, "symlink", "is a link")
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise unpacking.refuse(name, "special-file", "is no plain file")
        is_folder = name.endswith("/")
        if (kind == stat.S_IFDIR) > is_folder or (is_folder and member.file_size):
            raise unpacking.refuse(name, "corrupt", "is both a file and a folder")
        if member.compress_type not in _METHODS:
            message = "is packed in an unusual way; use plain zip"
            raise unpacking.refuse(name, "unsupported", message)
        packed = max(member.compress_size, 1)
        if (
            member.file_size > MIB
            and member.file_size > packed * unpacking.limits.ratio
        ):
            raise unpacking.refuse(name, "too-large", "unpacks to too much")
        unpacking.admit(name.removesuffix("/"), is_folder=is_folder)


def _check_overlaps(
    stream: BinaryIO,
    members: list[zipfile.ZipInfo],
    directory: int,
    unpacking: Unpacking,
) -> None:
    """Refuse members that share bytes: a small file could unpack to anything."""
    spans = []
    for member in members:
        stream.seek(member.header_offset)
        local = _LOCAL.unpack(stream.read(_LOCAL.size))
        start = member.header_offset + _LOCAL.size + local[-2] + local[-1]
        spans.append((member.header_offset, start + member.compress_size))
        if local[2] & _ENCRYPTED:
            raise unpacking.refuse(member.orig_filename, "encrypted", "is encrypted")
    ordered = [*sorted(spans), (directory, directory)]
    if any(end > start for (_, end), (start, _) in pairwise(ordered)):
        raise unpacking.refuse("", "corrupt", "its files overlap")
    if ordered[0][0] != 0:
        raise unpacking.refuse("", "corrupt", "something stands before its files")


def _unpack(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, unpacking: Unpacking
) -> None:
    name = member.orig_filename
    try:
        written = unpacking.write(name, _chunks(archive, member), most=member.file_size)
    except zipfile.BadZipFile as error:
        raise unpacking.refuse(name, "corrupt", "differs from its checksum") from error
    if written != member.file_size:
        raise unpacking.refuse(name, "corrupt", "has not the size that it states")


def _chunks(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as data:
        while chunk := data.read(_CHUNK):
            yield chunk
