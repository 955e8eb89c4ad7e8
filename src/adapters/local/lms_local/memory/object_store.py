"""Objects in memory."""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import count
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Self

from attrs import define, field, frozen

from lms_core.domain.ids import ObjectKey
from lms_core.ports.object_store import (
    ObjectInfo,
    ObjectReader,
    ObjectStore,
    Part,
    Upload,
)
from lms_core.ports.system import Clock
from lms_core.registry import Wiring
from lms_local._object_rules import (
    byte_range,
    changed_meanwhile,
    check_part,
    checked_parts,
    key_taken,
    no_object,
    upload_gone,
)
from lms_local._settings import options

_CHUNK = 1024 * 1024


@frozen
class MemoryObjectReader:
    """An `ObjectReader` over bytes that never change."""

    info: ObjectInfo
    _data: bytes = field(repr=False)
    _span: range

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
        for at in range(self._span.start, self._span.stop, _CHUNK):
            yield self._data[at : min(at + _CHUNK, self._span.stop)]

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


@frozen
class _Started:
    content_type: str
    metadata: Mapping[str, str]
    parts: dict[int, tuple[Part, bytes]] = field(factory=dict, repr=False)


@define
class MemoryObjectStore:
    """An `ObjectStore` that lasts as long as the process."""

    _clock: Clock
    _objects: dict[ObjectKey, tuple[ObjectInfo, bytes]] = field(
        factory=dict, repr=False
    )
    _uploads: dict[Upload, _Started] = field(factory=dict, repr=False)
    _numbers: Iterator[int] = field(factory=lambda: count(1), repr=False)
    _lock: RLock = field(factory=RLock, repr=False)

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
        whole = data if isinstance(data, bytes) else b"".join(data)
        info = ObjectInfo(
            key=key,
            size_bytes=len(whole),
            etag=_etag(whole),
            content_type=content_type,
            modified_at=self._clock.now(),
            metadata=dict(metadata or {}),
        )
        with self._lock:
            there = self._objects.get(key)
            if if_match is not None and (there is None or there[0].etag != if_match):
                raise changed_meanwhile(key)
            if if_absent and there is not None:
                raise key_taken(key)
            self._objects[key] = info, whole
        return info

    def info(self, key: ObjectKey) -> ObjectInfo:
        return self._found(key)[0]

    def open(
        self, key: ObjectKey, *, start: int = 0, stop: int | None = None
    ) -> MemoryObjectReader:
        info, data = self._found(key)
        return MemoryObjectReader(info, data, byte_range(key, len(data), start, stop))

    def delete(self, key: ObjectKey) -> None:
        with self._lock:
            self._objects.pop(key, None)

    def list(
        self, prefix: str = "", *, after: ObjectKey | None = None
    ) -> Iterator[ObjectInfo]:
        with self._lock:
            found = sorted(self._objects.items())
        for key, (info, _) in found:
            if str(key).startswith(prefix) and (after is None or key > after):
                yield info

    def start_upload(
        self,
        key: ObjectKey,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> Upload:
        upload = Upload(key=key, id=str(next(self._numbers)))
        self._uploads[upload] = _Started(content_type, dict(metadata or {}))
        return upload

    def put_part(self, upload: Upload, number: int, data: bytes) -> Part:
        check_part(number, data)
        part = Part(number=number, etag=_etag(data), size_bytes=len(data))
        with self._lock:
            self._started(upload).parts[number] = part, data
        return part

    def parts(self, upload: Upload) -> tuple[Part, ...]:
        with self._lock:
            return tuple(
                part for _, (part, _) in sorted(self._started(upload).parts.items())
            )

    def complete_upload(
        self, upload: Upload, parts: Iterable[Part], *, if_absent: bool = False
    ) -> ObjectInfo:
        with self._lock:
            started = self._started(upload)
            arrived = {number: part for number, (part, _) in started.parts.items()}
            chosen = checked_parts(upload, parts, arrived)
            info = self.put(
                upload.key,
                [started.parts[part.number][1] for part in chosen],
                content_type=started.content_type,
                metadata=started.metadata,
                if_absent=if_absent,
            )
            del self._uploads[upload]
        return info

    def abort_upload(self, upload: Upload) -> None:
        with self._lock:
            self._uploads.pop(upload, None)

    def _found(self, key: ObjectKey) -> tuple[ObjectInfo, bytes]:
        with self._lock:
            try:
                return self._objects[key]
            except KeyError:
                raise no_object(key) from None

    def _started(self, upload: Upload) -> _Started:
        try:
            return self._uploads[upload]
        except KeyError:
            raise upload_gone(upload) from None


def _etag(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


def open_object_store(url: str, wiring: Wiring) -> MemoryObjectStore:
    """Open ``memory://``: an empty store of its own for every call."""
    options(url)
    return MemoryObjectStore(wiring.clock)


if TYPE_CHECKING:
    _reader_conforms: type[ObjectReader] = MemoryObjectReader
    _conforms: type[ObjectStore] = MemoryObjectStore
