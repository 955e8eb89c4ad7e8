"""Objects in a folder of the local file system."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Self

from attrs import frozen

from lms_core.domain.ids import ObjectKey
from lms_core.errors import ConfigurationError, NotFound, Unavailable
from lms_core.ports.object_store import ObjectInfo, ObjectStore, Part, Upload
from lms_core.registry import Wiring
from lms_local._errors import translated
from lms_local._file_listing import listed
from lms_local._file_uploads import FileUploads
from lms_local._folders import locked, opened, sweep
from lms_local._key_names import names_of
from lms_local._object_files import (
    Draft,
    FileObjectReader,
    describe,
    draft,
    open_file,
)
from lms_local._object_rules import (
    byte_range,
    changed_meanwhile,
    key_taken,
    no_object,
)
from lms_local._settings import folder, options

_TRIES = 1000


@frozen
class FileObjectStore:
    """An `ObjectStore` in one folder, shared by any number of processes.

    A new file is written aside, synced and then renamed or linked to its place
    under a lock of its key. Links inside the folder are never followed, and
    files that are none of the store's are not seen.
    """

    _objects: Path
    _scratch: Path
    _locks: Path
    _uploads: FileUploads

    @classmethod
    def at(cls, root: Path) -> Self:
        """Open the store in *root*, making it if need be.

        Raises:
            ConfigurationError: the folder cannot be made or written to.
        """
        root = root.absolute()
        names = ("objects", "scratch", "locks", "uploads")
        objects, scratch, locks, uploads = (root / name for name in names)
        try:
            for path in (objects, scratch, locks, uploads):
                path.mkdir(mode=0o750, parents=True, exist_ok=True)
            sweep(scratch)
        except OSError as exc:
            raise ConfigurationError(f"cannot keep objects in {root}: {exc}") from exc
        return cls(objects, scratch, locks, FileUploads(uploads, scratch))

    def put(
        self,
        key: ObjectKey,
        data: bytes | Iterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        if_absent: bool = False,
        if_match: str | None = None,
    ) -> ObjectInfo:
        with draft(self._scratch, key) as new:
            new.write((data,) if isinstance(data, bytes) else data)
            info = new.finish(key, content_type, metadata or {})
            self._place(new, key, if_absent=if_absent, if_match=if_match)
        return info

    def info(self, key: ObjectKey) -> ObjectInfo:
        with self.open(key) as reader:
            return reader.info

    def open(
        self, key: ObjectKey, *, start: int = 0, stop: int | None = None
    ) -> FileObjectReader:
        folders, name = names_of(key)
        with translated("open", key):
            try:
                with opened(self._objects, folders) as parent:
                    file = open_file(name, parent)
            except (FileNotFoundError, NotADirectoryError) as exc:
                raise no_object(key) from exc
        try:
            info = describe(file.fileno(), key)
            span = byte_range(key, info.size_bytes, start, stop)
        except BaseException:
            file.close()
            raise
        return FileObjectReader(info, file, span.start, span.stop)

    def delete(self, key: ObjectKey) -> None:
        folders, name = names_of(key)
        with translated("delete", key, effect="unknown"), self._locked(key):
            try:
                with opened(self._objects, folders) as parent:
                    os.unlink(name, dir_fd=parent)
                    os.fsync(parent)
            except (FileNotFoundError, NotADirectoryError):
                return
            self._prune(folders)

    def list(
        self, prefix: str = "", *, after: ObjectKey | None = None
    ) -> Iterator[ObjectInfo]:
        yield from listed(self._objects, prefix, after)

    def start_upload(
        self,
        key: ObjectKey,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> Upload:
        return self._uploads.start(key, content_type, metadata or {})

    def put_part(self, upload: Upload, number: int, data: bytes) -> Part:
        return self._uploads.put(upload, number, data)

    def parts(self, upload: Upload) -> tuple[Part, ...]:
        return tuple(self._uploads.arrived(upload).values())

    def complete_upload(
        self, upload: Upload, parts: Iterable[Part], *, if_absent: bool = False
    ) -> ObjectInfo:
        with draft(self._scratch, upload.key) as new:
            about = self._uploads.copy(upload, parts, new)
            info = new.finish(upload.key, about.content_type, about.metadata)
            with self._uploads.ending(upload):
                self._place(new, upload.key, if_absent=if_absent)
        return info

    def abort_upload(self, upload: Upload) -> None:
        self._uploads.abort(upload)

    def _place(
        self,
        new: Draft,
        key: ObjectKey,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
    ) -> None:
        with translated("put", key), self._locked(key):
            if if_match is not None and self._etag(key) != if_match:
                raise changed_meanwhile(key)
            self._move(new, key, os.link if if_absent else os.rename)

    def _move(self, new: Draft, key: ObjectKey, move: Callable[..., None]) -> None:
        folders, name = names_of(key)
        for _ in range(_TRIES):
            try:
                with opened(self._objects, folders, create=True) as parent:
                    move(new.name, name, src_dir_fd=new.folder, dst_dir_fd=parent)
                    with translated("put", key, effect="unknown"):
                        os.fsync(parent)
            except FileExistsError as exc:
                raise key_taken(key) from exc
            except FileNotFoundError:
                continue  # a delete of another key removed the folder it emptied
            return
        raise Unavailable(f"the folder of {key} keeps vanishing", resource=str(key))

    def _etag(self, key: ObjectKey) -> str | None:
        try:
            return self.info(key).etag
        except NotFound:
            return None

    @contextmanager
    def _locked(self, key: ObjectKey) -> Iterator[None]:
        # Keys share 256 locks, so that the folder of locks does not grow.
        stripe = blake2b(str(key).encode(), digest_size=1).hexdigest()
        with opened(self._locks) as folder, locked(folder, stripe):
            yield

    def _prune(self, folders: Sequence[str]) -> None:
        for depth in reversed(range(len(folders))):
            try:
                with opened(self._objects, folders[:depth]) as parent:
                    os.rmdir(folders[depth], dir_fd=parent)
            except FileNotFoundError:
                continue  # somebody else removed it, and may have stopped there
            except OSError as exc:
                if exc.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise
                return


def open_object_store(url: str, wiring: Wiring) -> FileObjectStore:
    """Open ``file:///absolute/folder`` or ``file://relative/folder``."""
    del wiring
    options(url)
    return FileObjectStore.at(folder(url))


if TYPE_CHECKING:
    _conforms: type[ObjectStore] = FileObjectStore
