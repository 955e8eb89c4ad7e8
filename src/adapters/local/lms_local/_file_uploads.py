"""Uploads in parts, kept beside the objects until they become one."""

import fcntl
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from attrs import frozen

from lms_core.domain.ids import ObjectKey
from lms_core.errors import NotFound
from lms_core.ports.object_store import ObjectInfo, Part, Upload
from lms_local._errors import translated
from lms_local._folders import opened
from lms_local._object_files import (
    Draft,
    FileObjectReader,
    describe,
    draft,
    open_file,
)
from lms_local._object_rules import bad_parts, check_part, checked_parts, upload_gone

_ID = re.compile("[0-9a-f]{32}")
_PART = re.compile("[0-9]{5}")
_ABOUT = "upload"  # the file whose presence makes a folder an open upload


@frozen
class FileUploads:
    """Open uploads, one folder each, for every process that knows their ids.

    Work on an upload holds its folder with a shared lock, its end with an
    exclusive one, so no part slips into an upload that is being removed.
    """

    _folder: Path
    _scratch: Path

    def start(
        self, key: ObjectKey, content_type: str, metadata: Mapping[str, str]
    ) -> Upload:
        upload = Upload(key=key, id=secrets.token_hex(16))
        with draft(self._scratch, key) as new:
            new.write([str(key).encode()])
            new.finish(key, content_type, metadata)
            with (
                translated("start an upload to", key),
                opened(self._folder, [upload.id], create=True) as folder,
            ):
                os.rename(new.name, _ABOUT, src_dir_fd=new.folder, dst_dir_fd=folder)
                os.fsync(folder)
        return upload

    def put(self, upload: Upload, number: int, data: bytes) -> Part:
        check_part(number, data)
        with draft(self._scratch, upload.key) as new:
            new.write([data])
            info = new.finish(upload.key, "", {})
            with (
                self._opened(upload) as (folder, _),
                translated("store a part of", upload.key),
            ):
                name = f"{number:05}"
                os.rename(new.name, name, src_dir_fd=new.folder, dst_dir_fd=folder)
                os.fsync(folder)
        return Part(number=number, etag=info.etag, size_bytes=info.size_bytes)

    def arrived(self, upload: Upload) -> dict[int, Part]:
        with self._opened(upload) as (folder, _):
            return _arrived(upload, folder)

    def copy(self, upload: Upload, parts: Iterable[Part], new: Draft) -> ObjectInfo:
        """Append *parts* to *new*; return content type and metadata."""
        with self._opened(upload) as (folder, about):
            for part in checked_parts(upload, parts, _arrived(upload, folder)):
                with _part_file(upload, folder, f"{part.number:05}") as reader:
                    if reader.info.etag != part.etag:
                        raise bad_parts(upload)
                    new.write(reader)
        return about

    @contextmanager
    def ending(self, upload: Upload) -> Iterator[None]:
        """Remove the upload after the body, keeping everybody else out."""
        with self._opened(upload, fcntl.LOCK_EX) as (folder, _):
            yield
            with translated("end the upload to", upload.key, effect="unknown"):
                # Without its description the rest is nobody's, whatever follows.
                os.unlink(_ABOUT, dir_fd=folder)
                os.fsync(folder)
                for name in os.listdir(folder):  # noqa: PTH208  by descriptor
                    os.unlink(name, dir_fd=folder)
                (self._folder / upload.id).rmdir()

    def abort(self, upload: Upload) -> None:
        try:
            with self.ending(upload):
                pass
        except NotFound:
            return

    @contextmanager
    def _opened(
        self, upload: Upload, lock: int = fcntl.LOCK_SH
    ) -> Iterator[tuple[int, ObjectInfo]]:
        if not _ID.fullmatch(upload.id):
            raise upload_gone(upload)
        with ExitStack() as stack:
            with translated("find the upload to", upload.key):
                try:
                    folder = stack.enter_context(opened(self._folder, [upload.id]))
                    fcntl.flock(folder, lock)
                    file = stack.enter_context(open_file(_ABOUT, folder))
                except (FileNotFoundError, NotADirectoryError) as exc:
                    raise upload_gone(upload) from exc
                about = describe(file.fileno(), upload.key)
                if (
                    os.pread(file.fileno(), about.size_bytes, 0)
                    != str(upload.key).encode()
                ):
                    raise upload_gone(upload)
            yield folder, about


@contextmanager
def _part_file(upload: Upload, folder: int, name: str) -> Iterator[FileObjectReader]:
    with translated("read a part of", upload.key):
        file = open_file(name, folder)
    with file:
        info = describe(file.fileno(), upload.key)
        yield FileObjectReader(info, file, 0, info.size_bytes)


def _arrived(upload: Upload, folder: int) -> dict[int, Part]:
    found: dict[int, Part] = {}
    with translated("list the parts of", upload.key):
        entries = os.listdir(folder)
    for name in sorted(filter(_PART.fullmatch, entries)):
        with _part_file(upload, folder, name) as reader:
            info = reader.info
        found[int(name)] = Part(
            number=int(name), etag=info.etag, size_bytes=info.size_bytes
        )
    return found
