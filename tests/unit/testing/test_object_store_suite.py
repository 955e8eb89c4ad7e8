"""The suite of ObjectStore tells broken stores from good ones."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from attrs import evolve
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from lms_core.domain.ids import ObjectKey
from lms_core.errors import AlreadyExists, Conflict, NotFound, Rejected
from lms_core.ports.object_store import ObjectInfo, ObjectStore, Part, Upload
from lms_core.testing.machines import ObjectStoreMachine
from lms_core.testing.object_store import ObjectStoreConformance
from lms_local.memory.object_store import MemoryObjectReader, MemoryObjectStore
from lms_local.memory.system import FixedClock

SUITE = ObjectStoreConformance()


class Naive(MemoryObjectStore):
    """Looks first and writes then; a gate makes two writers look at once."""

    def __init__(self) -> None:
        super().__init__(FixedClock())
        self.gate = Barrier(2)

    def put(
        self,
        key: ObjectKey,
        data: bytes | Iterable[bytes],
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        **about: Any,
    ) -> ObjectInfo:
        try:
            etag = self.info(key).etag
        except NotFound:
            etag = None
        if if_absent or if_match is not None:
            try:
                self.gate.wait(timeout=1)
            except BrokenBarrierError:
                self.gate.reset()
        if if_absent and etag is not None:
            raise AlreadyExists("taken")
        if if_match is not None and etag != if_match:
            raise Conflict("changed")
        return super().put(key, data, **about)


class OnePage(MemoryObjectStore):
    def list(
        self, prefix: str = "", *, after: ObjectKey | None = None
    ) -> Iterator[ObjectInfo]:
        yield from list(super().list(prefix, after=after))[:1000]


class FolderOrder(MemoryObjectStore):
    """Compares part by part, as a walk through folders does."""

    def list(
        self, prefix: str = "", *, after: ObjectKey | None = None
    ) -> Iterator[ObjectInfo]:
        found = super().list(prefix, after=after)
        yield from sorted(found, key=lambda info: str(info.key).split("/"))


class FolderPrefix(MemoryObjectStore):
    def list(
        self, prefix: str = "", *, after: ObjectKey | None = None
    ) -> Iterator[ObjectInfo]:
        folder = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
        yield from super().list(folder, after=after)


class AfterIncluded(MemoryObjectStore):
    def list(
        self, prefix: str = "", *, after: ObjectKey | None = None
    ) -> Iterator[ObjectInfo]:
        for info in super().list(prefix):
            if after is None or info.key >= after:
                yield info


class CaseFolding(MemoryObjectStore):
    def put(self, key: ObjectKey, *args: Any, **about: Any) -> ObjectInfo:
        return super().put(ObjectKey(str(key).lower()), *args, **about)

    def open(self, key: ObjectKey, **about: Any) -> MemoryObjectReader:
        return super().open(ObjectKey(str(key).lower()), **about)


class SizeAsEtag(MemoryObjectStore):
    def put(self, *args: Any, **about: Any) -> ObjectInfo:
        info = super().put(*args, **about)
        info = evolve(info, etag=str(info.size_bytes))
        self._objects[info.key] = info, self._objects[info.key][1]
        return info


class InclusiveStop(MemoryObjectStore):
    def open(
        self, key: ObjectKey, *, start: int = 0, stop: int | None = None
    ) -> MemoryObjectReader:
        return super().open(key, start=start, stop=None if stop is None else stop + 1)


class LenientRange(MemoryObjectStore):
    def open(
        self, key: ObjectKey, *, start: int = 0, stop: int | None = None
    ) -> MemoryObjectReader:
        try:
            return super().open(key, start=start, stop=stop)
        except Rejected:
            return super().open(key)


class WritesInPlace(MemoryObjectStore):
    """Lets readers see what has arrived so far."""

    def put(
        self, key: ObjectKey, data: bytes | Iterable[bytes], **about: Any
    ) -> ObjectInfo:
        so_far = b""
        for chunk in (data,) if isinstance(data, bytes) else data:
            so_far += chunk
            info = super().put(key, so_far, **about)
        return info


class ForgetsMetadata(MemoryObjectStore):
    def put(
        self,
        key: ObjectKey,
        data: bytes | Iterable[bytes],
        *,
        metadata: Mapping[str, str] | None = None,
        **about: Any,
    ) -> ObjectInfo:
        del metadata
        return super().put(key, data, **about)


class LosesBelow(MemoryObjectStore):
    """Deletes as if keys were folders."""

    def delete(self, key: ObjectKey) -> None:
        for info in list(self.list(f"{key}/")):
            super().delete(info.key)
        super().delete(key)


class ArrivalOrder(MemoryObjectStore):
    def complete_upload(
        self, upload: Upload, parts: Iterable[Part], *, if_absent: bool = False
    ) -> ObjectInfo:
        arrived = self._started(upload).parts
        data = b"".join(part for _, part in arrived.values())
        del parts
        about = self._uploads.pop(upload)
        return self.put(
            upload.key,
            data,
            content_type=about.content_type,
            metadata=about.metadata,
            if_absent=if_absent,
        )


class KeepsUploads(MemoryObjectStore):
    def abort_upload(self, upload: Upload) -> None:
        """Forget to."""


class TrustsIds(MemoryObjectStore):
    def _started(self, upload: Upload) -> Any:
        for known, started in self._uploads.items():
            if known.id == upload.id:
                return started
        return super()._started(upload)


def fresh(kind: type[MemoryObjectStore]) -> ObjectStore:
    return kind() if kind is Naive else kind(FixedClock())


Clause = Callable[[ObjectStore], None]


@pytest.mark.parametrize(
    ("kind", "clause"),
    [
        (Naive, SUITE.test_one_of_many_racing_writers_wins),
        (Naive, SUITE.test_one_of_many_racing_changes_wins),
        (OnePage, SUITE.test_listings_cross_pages_in_order),
        (FolderOrder, SUITE.test_keys_are_listed_in_code_point_order),
        (FolderPrefix, SUITE.test_a_prefix_need_not_end_at_a_slash),
        (AfterIncluded, SUITE.test_a_listing_starts_behind_a_key),
        (CaseFolding, SUITE.test_similar_keys_are_different_keys),
        (SizeAsEtag, SUITE.test_the_etag_changes_with_the_bytes),
        (
            InclusiveStop,
            lambda store: SUITE.test_a_range_is_what_a_slice_is(store, 3, 7),
        ),
        (
            LenientRange,
            lambda store: SUITE.test_an_impossible_range_is_refused(store, 10, None),
        ),
        (WritesInPlace, SUITE.test_a_failed_write_changes_nothing),
        (ForgetsMetadata, SUITE.test_info_tells_what_put_told),
        (LosesBelow, SUITE.test_a_deleted_object_is_gone),
        (ArrivalOrder, SUITE.test_parts_make_an_object),
        (ArrivalOrder, SUITE.test_parts_that_make_no_object_are_refused),
        (KeepsUploads, SUITE.test_a_finished_upload_is_gone),
        (TrustsIds, SUITE.test_an_upload_that_never_was_is_gone),
    ],
)
def test_a_broken_store_is_found_out(
    kind: type[MemoryObjectStore], clause: Clause
) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        clause(fresh(kind))


@pytest.mark.parametrize("kind", [FolderOrder, LosesBelow, CaseFolding])
def test_the_machine_finds_broken_stores(kind: type[MemoryObjectStore]) -> None:
    class Broken(ObjectStoreMachine):
        def new_store(self) -> ObjectStore:
            return kind(FixedClock())

    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            Broken,
            settings=settings(
                max_examples=200, deadline=None, database=None, phases=[Phase.generate]
            ),
        )
