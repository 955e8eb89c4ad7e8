"""Keep bytes under a key: lesson media, submissions, certificates."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from attrs import Factory, frozen

from lms_core.domain.ids import ObjectKey

PART_BYTES = 8 * 1024 * 1024
"""Size of every part but the last: what all providers accept."""


@frozen(kw_only=True)
class ObjectInfo:
    """What a store knows about an object.

    *etag* changes whenever the bytes do; it says nothing else, and is not a
    checksum. *metadata* has lower-case ASCII names and ASCII values.
    """

    key: ObjectKey
    size_bytes: int
    etag: str
    content_type: str
    modified_at: datetime
    metadata: Mapping[str, str] = Factory(dict)


@frozen(kw_only=True)
class Upload:
    """An upload in parts that has been started and not yet completed."""

    key: ObjectKey
    id: str


@frozen(kw_only=True)
class Part:
    """One part that has arrived; *number* counts from one."""

    number: int
    etag: str
    size_bytes: int


class ObjectReader(Protocol):
    """The bytes of one object, or of one range of it; close it, or use `with`."""

    @property
    def info(self) -> ObjectInfo:
        """The whole object's description, also when a range was asked for."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None: ...

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes in chunks of at most 1 MiB; memory stays flat."""
        ...

    def close(self) -> None:
        """Release the connection or file; closing twice is fine."""
        ...


class ObjectStore(Protocol):
    """A flat map from keys to bytes, safe to share between threads.

    A write is seen whole or not at all: readers never see half an object, and
    a write that fails or is killed leaves what was there before.
    """

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
        """Store *data* under *key*, replacing what was there.

        An iterable is streamed: memory does not grow with the object.

        Raises:
            AlreadyExists: *if_absent* was asked for and the key is taken. Of
                writers that race with *if_absent*, one wins.
            Conflict: *if_match* was given and is not the etag of what is there.
            Unavailable: the effect is unknown; repeating the call is safe, save
                that a repeated *if_absent* may report `AlreadyExists` for its
                own first try.
        """
        ...

    def info(self, key: ObjectKey) -> ObjectInfo:
        """Describe the object under *key*, or raise `NotFound`."""
        ...

    def open(
        self, key: ObjectKey, *, start: int = 0, stop: int | None = None
    ) -> ObjectReader:
        """Open the bytes from *start* up to, not including, *stop*.

        A *stop* beyond the end means the end.

        Raises:
            NotFound: there is no such object.
            Rejected: *start* lies at or beyond the end of an object that has
                bytes, or *stop* does not lie after it (``bad-range``).
        """
        ...

    def delete(self, key: ObjectKey) -> None:
        """Remove the object; removing what is not there succeeds."""
        ...

    def list(
        self, prefix: str = "", *, after: ObjectKey | None = None
    ) -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with *prefix*, in key order.

        Order is by Unicode code point. Starts behind *after*, so that a caller
        can go on where it stopped. Entries may lack content type and metadata.
        """
        ...

    def start_upload(
        self,
        key: ObjectKey,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> Upload:
        """Begin an upload in parts, to be resumed by whoever knows its `Upload`."""
        ...

    def put_part(self, upload: Upload, number: int, data: bytes) -> Part:
        """Store part *number*, from 1 to 10,000, replacing an earlier try.

        Every part but the last has `PART_BYTES` bytes; parts may arrive in any
        order and in parallel.

        Raises:
            NotFound: the upload was completed or aborted (``upload-gone``).
            InvalidValue: the number or the size is out of range.
        """
        ...

    def parts(self, upload: Upload) -> tuple[Part, ...]:
        """Return the parts that have arrived, by number.

        Raises:
            NotFound: the upload was completed or aborted (``upload-gone``).
        """
        ...

    def complete_upload(
        self, upload: Upload, parts: Iterable[Part], *, if_absent: bool = False
    ) -> ObjectInfo:
        """Make the object of *parts*, in order of their numbers.

        Raises:
            Rejected: a part is missing, was replaced since, or none was given
                (``bad-parts``); the upload stays open.
            AlreadyExists: *if_absent* was asked for and the key is taken.
            NotFound: the upload was completed or aborted (``upload-gone``).
        """
        ...

    def abort_upload(self, upload: Upload) -> None:
        """Drop the upload and its parts; dropping it twice succeeds."""
        ...
