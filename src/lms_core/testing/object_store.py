"""The contract of `ObjectStore`, one test a clause."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import ClassVar

import pytest

from lms_core.domain.ids import ObjectKey
from lms_core.errors import (
    AlreadyExists,
    Conflict,
    InvalidValue,
    NotFound,
    PortError,
    Rejected,
)
from lms_core.ports.object_store import PART_BYTES, ObjectStore, Part, Upload
from lms_core.testing.suite import ConformanceSuite

KEY = ObjectKey("courses/éclair & co/lesson 1.txt")
MIB = 1024 * 1024


def read(
    store: ObjectStore, key: ObjectKey, start: int = 0, stop: int | None = None
) -> bytes:
    """Return the bytes of an object, or of one range of it."""
    with store.open(key, start=start, stop=stop) as reader:
        return b"".join(reader)


def keys(
    store: ObjectStore, prefix: str = "", *, after: ObjectKey | None = None
) -> list[str]:
    """Return the keys that a listing yields."""
    return [str(info.key) for info in store.list(prefix, after=after)]


class ObjectStoreConformance(ConformanceSuite):
    """Subclass this and supply a fixture named `store`: an empty store."""

    keys_per_page: ClassVar[int] = 1000  # an adapter with other pages says so
    racers: ClassVar[int] = 8

    def test_what_was_put_is_read(self, store: ObjectStore) -> None:
        """An object holds the bytes that were put, the last ones if twice."""
        store.put(KEY, b"first")
        store.put(KEY, b"second")

        assert read(store, KEY) == b"second"

    def test_an_empty_object_is_an_object(self, store: ObjectStore) -> None:
        """No bytes is a content like any other."""
        store.put(KEY, b"")

        assert store.info(KEY).size_bytes == 0
        assert read(store, KEY) == b""

    def test_an_iterable_is_joined(self, store: ObjectStore) -> None:
        """Chunks of any size, empty ones too, make one object."""
        info = store.put(KEY, iter([b"a", b"", b"bc", b"d" * MIB]))

        assert info.size_bytes == 3 + MIB
        assert read(store, KEY) == b"abc" + b"d" * MIB

    def test_info_tells_what_put_told(self, store: ObjectStore) -> None:
        """Size, etag, type and metadata are known from the put on."""
        put = store.put(KEY, b"text", content_type="text/plain", metadata={"a-b": "C"})
        info = store.info(KEY)

        assert (info.key, info.size_bytes) == (KEY, 4)
        assert (info.content_type, dict(info.metadata)) == ("text/plain", {"a-b": "C"})
        assert info.etag == put.etag
        assert info.modified_at.utcoffset() == timedelta(0)
        assert info.modified_at > datetime(2020, 1, 1, tzinfo=UTC)

    def test_type_and_metadata_have_defaults(self, store: ObjectStore) -> None:
        """Nothing said means bytes without metadata, also over an older object."""
        store.put(KEY, b"x", content_type="text/plain", metadata={"a": "b"})
        store.put(KEY, b"y")
        info = store.info(KEY)

        assert info.content_type == "application/octet-stream"
        assert dict(info.metadata) == {}

    def test_the_etag_changes_with_the_bytes(self, store: ObjectStore) -> None:
        """Two contents of the same size have two etags."""
        first = store.put(KEY, b"aaaa")
        second = store.put(KEY, b"bbbb")

        assert first.etag != second.etag
        assert store.info(KEY).etag == second.etag

    def test_a_reader_describes_the_whole_object(self, store: ObjectStore) -> None:
        """A range does not change what the reader says of the object."""
        put = store.put(KEY, b"0123456789", content_type="text/plain")
        with store.open(KEY, start=2, stop=4) as reader:
            info = reader.info

        assert (info.size_bytes, info.etag) == (10, put.etag)
        assert info.content_type == "text/plain"

    @pytest.mark.parametrize(
        ("start", "stop"), [(0, None), (0, 1), (3, 7), (9, None), (9, 10), (4, 1000)]
    )
    def test_a_range_is_what_a_slice_is(
        self, store: ObjectStore, start: int, stop: int | None
    ) -> None:
        """Start counts, stop does not; a stop beyond the end means the end."""
        store.put(KEY, b"0123456789")

        assert read(store, KEY, start, stop) == b"0123456789"[start:stop]

    @pytest.mark.parametrize(
        ("start", "stop"), [(10, None), (11, 12), (5, 5), (5, 4), (0, 0)]
    )
    def test_an_impossible_range_is_refused(
        self, store: ObjectStore, start: int, stop: int | None
    ) -> None:
        """A range that holds no byte is ``bad-range``."""
        store.put(KEY, b"0123456789")
        with pytest.raises(Rejected) as refusal:
            read(store, KEY, start, stop)

        assert refusal.value.code == "bad-range"

    def test_chunks_are_at_most_a_mebibyte(self, store: ObjectStore) -> None:
        """A large object is read in pieces."""
        store.put(KEY, b"x" * (2 * MIB + 1))
        with store.open(KEY) as reader:
            sizes = [len(chunk) for chunk in reader]

        assert max(sizes) <= MIB
        assert sum(sizes) == 2 * MIB + 1

    def test_a_reader_may_be_closed_early_and_twice(self, store: ObjectStore) -> None:
        """Nobody has to read to the end."""
        store.put(KEY, b"x" * (2 * MIB))
        reader = store.open(KEY)
        next(iter(reader))
        reader.close()
        reader.close()

    def test_what_is_not_there_is_not_found(self, store: ObjectStore) -> None:
        """Neither described nor opened, also when a longer key exists."""
        store.put(ObjectKey("a/b"), b"")
        for key in (ObjectKey("a"), ObjectKey("a/b/c"), ObjectKey("b")):
            with pytest.raises(NotFound):
                store.info(key)
            with pytest.raises(NotFound):
                read(store, key)

    def test_a_deleted_object_is_gone(self, store: ObjectStore) -> None:
        """Deleting removes the object and nothing else; twice is fine."""
        for key in ("a", "a/b", "a/b/c"):
            store.put(ObjectKey(key), b"x")
        store.delete(ObjectKey("a/b"))
        store.delete(ObjectKey("a/b"))
        store.delete(ObjectKey("never/there"))

        assert keys(store) == ["a", "a/b/c"]

    @pytest.mark.parametrize(
        "text",
        [
            "a",
            "A",
            "é",
            "e\u0301",
            "x" * 1000,
            "é" * 500,
            "/".join("x" * 500),
            "a b+c%2fd?e#f&g=h",
            "%2e%2e/%2e",
            ".hidden/..a/b..",
            "CON/aux.txt",
            "a:b*c|d\"e<f>g'h;i,j",
            "\U0001f600/日本語",
        ],
    )
    def test_every_key_is_taken_as_it_stands(
        self, store: ObjectStore, text: str
    ) -> None:
        """No key is folded, normalised, unescaped, cut or taken for a path."""
        key = ObjectKey(text)
        store.put(key, b"mine")

        assert keys(store) == [text]
        assert read(store, key) == b"mine"
        store.delete(key)
        assert keys(store) == []

    def test_similar_keys_are_different_keys(self, store: ObjectStore) -> None:
        """Case and normal form count; a key may continue another."""
        similar = ["a", "A", "é", "e\u0301", "a/b", "a%2fb", "a/b/c", "a b", "a+b"]
        for text in similar:
            store.put(ObjectKey(text), text.encode())

        for text in similar:
            assert read(store, ObjectKey(text)) == text.encode()

    def test_keys_are_listed_in_code_point_order(self, store: ObjectStore) -> None:
        """Whole keys are compared, slashes like any other character."""
        texts = ["a", "a-b", "a/", "a/b", "a/b-c", "a/b/c", "a0", "a/a", "B", "b"]
        texts += ["\uffee", "\U00010000", "é", "a!/z", "a/!", "x" * 80, "x" * 79]
        texts += ["x" * 80 + "-", "x" * 80 + "/-", "x" * 80 + "0", "x" * 79 + "/a"]
        texts.remove("a/")
        for text in reversed(texts):
            store.put(ObjectKey(text), b"")

        assert keys(store) == sorted(texts)

    def test_a_prefix_need_not_end_at_a_slash(self, store: ObjectStore) -> None:
        """Every key that starts with the text is listed, and no other."""
        texts = ["a", "ab", "ab/c", "ab/d", "abc", "b/ab", "Ab"]
        for text in texts:
            store.put(ObjectKey(text), b"")

        for prefix in ("", "a", "ab", "ab/", "ab/c", "ab/cc", "z", "/"):
            expected = sorted(text for text in texts if text.startswith(prefix))
            assert keys(store, prefix) == expected

    def test_a_listing_starts_behind_a_key(self, store: ObjectStore) -> None:
        """*after* need not exist, and need not have the prefix."""
        texts = ["a", "a-b", "a/b", "a/c", "a/c/d", "a0", "b"]
        for text in texts:
            store.put(ObjectKey(text), b"")

        for after in [*texts, "a/bb", "A", "c", "a/c/c", "a.a"]:
            for prefix in ("", "a", "a/"):
                assert keys(store, prefix, after=ObjectKey(after)) == [
                    text for text in texts if text.startswith(prefix) and text > after
                ]

    def test_listings_cross_pages_in_order(self, store: ObjectStore) -> None:
        """A listing is complete and ordered however many pages it takes."""
        expected = [f"a/{n:05}" for n in range(self.keys_per_page + 1)]
        for text in reversed(expected):
            store.put(ObjectKey(text), b"")

        assert keys(store, "a/") == expected

    def test_a_listing_tells_size_and_etag(self, store: ObjectStore) -> None:
        """An entry agrees with what `info` says."""
        store.put(KEY, b"four")
        (entry,) = store.list()
        info = store.info(KEY)

        assert (entry.size_bytes, entry.etag) == (4, info.etag)
        assert entry.modified_at.utcoffset() == timedelta(0)

    def test_put_if_absent_keeps_the_first_write(self, store: ObjectStore) -> None:
        """A key that is taken stays as it was."""
        store.put(KEY, b"first", if_absent=True)
        with pytest.raises(AlreadyExists):
            store.put(KEY, b"second", if_absent=True)

        assert read(store, KEY) == b"first"
        store.delete(KEY)
        store.put(KEY, b"third", if_absent=True)
        assert read(store, KEY) == b"third"

    def test_one_of_many_racing_writers_wins(self, store: ObjectStore) -> None:
        """Of writers that race with *if_absent*, exactly one wins."""
        results = self._race(
            lambda number: store.put(KEY, [b"%d" % number], if_absent=True)
        )

        assert results.count(None) == 1
        assert sum(isinstance(each, AlreadyExists) for each in results) == (
            self.racers - 1
        )
        assert read(store, KEY) == b"%d" % results.index(None)

    def test_a_put_may_demand_an_etag(self, store: ObjectStore) -> None:
        """What changed meanwhile, or is not there, is a conflict."""
        with pytest.raises(Conflict):
            store.put(KEY, b"none there", if_match="never")
        first = store.put(KEY, b"first")
        second = store.put(KEY, b"second", if_match=first.etag)
        with pytest.raises(Conflict):
            store.put(KEY, b"third", if_match=first.etag)

        assert store.info(KEY).etag == second.etag
        assert read(store, KEY) == b"second"

    def test_one_of_many_racing_changes_wins(self, store: ObjectStore) -> None:
        """Of writers that demand the same etag, exactly one wins."""
        etag = store.put(KEY, b"start").etag
        results = self._race(lambda n: store.put(KEY, [b"%d" % n], if_match=etag))

        assert results.count(None) == 1
        assert sum(isinstance(each, Conflict) for each in results) == self.racers - 1
        assert read(store, KEY) == b"%d" % results.index(None)

    def test_a_failed_write_changes_nothing(self, store: ObjectStore) -> None:
        """A source that breaks leaves what was there before."""

        def breaking() -> Iterator[bytes]:
            yield b"x" * MIB
            raise OSError("the source broke")

        store.put(KEY, b"old")
        for key in (KEY, ObjectKey("new")):
            with pytest.raises(OSError, match="the source broke"):
                store.put(key, breaking())

        assert read(store, KEY) == b"old"
        assert keys(store) == [str(KEY)]

    def test_readers_never_see_a_mixture(self, store: ObjectStore) -> None:
        """Bytes, size, etag and type belong to one write, whatever goes on."""
        contents = [(b"a" * (MIB + 1), "text/a"), (b"b" * 5, "text/b")]
        etags = [
            store.put(KEY, [data], content_type=kind).etag for data, kind in contents
        ]

        def write(number: int) -> None:
            for _ in range(5):
                data, kind = contents[number % 2]
                store.put(KEY, [data[:2], data[2:]], content_type=kind)

        def check(_: int) -> None:
            for _ in range(20):
                with store.open(KEY) as reader:
                    which = etags.index(reader.info.etag)
                    data, kind = contents[which]
                    assert reader.info.content_type == kind
                    assert reader.info.size_bytes == len(data)
                    assert b"".join(reader) == data

        results = self._race(lambda n: write(n) if n < 4 else check(n))

        assert results == [None] * self.racers

    def test_a_reader_keeps_its_version(self, store: ObjectStore) -> None:
        """What was opened is read whole or fails; it never becomes another."""
        store.put(KEY, b"a" * (3 * MIB))
        with store.open(KEY) as reader:
            chunks = iter(reader)
            got = next(chunks)
            store.put(KEY, b"b" * (3 * MIB))
            try:
                got += b"".join(chunks)
            except PortError:
                return

        assert got == b"a" * (3 * MIB)

    def test_parts_make_an_object(self, store: ObjectStore) -> None:
        """Parts may arrive in any order; the object has them by number."""
        upload = store.start_upload(KEY, content_type="video/mp4", metadata={"a": "b"})
        last = store.put_part(upload, 2, b"end")
        first = store.put_part(upload, 1, b"x" * PART_BYTES)
        assert keys(store) == []
        info = store.complete_upload(upload, [last, first])

        assert info.size_bytes == PART_BYTES + 3
        assert (info.content_type, dict(info.metadata)) == ("video/mp4", {"a": "b"})
        assert store.info(KEY).etag == info.etag
        assert read(store, KEY, PART_BYTES - 1) == b"xend"

    def test_an_upload_is_resumed_by_its_name(self, store: ObjectStore) -> None:
        """Key and id are all one has to remember."""
        begun = store.start_upload(KEY)
        arrived = store.put_part(begun, 1, b"data")
        resumed = Upload(key=ObjectKey(str(begun.key)), id=str(begun.id))

        assert store.parts(resumed) == (arrived,)
        assert (arrived.number, arrived.size_bytes) == (1, 4)
        store.complete_upload(resumed, store.parts(resumed))
        assert read(store, KEY) == b"data"

    def test_a_part_is_replaced(self, store: ObjectStore) -> None:
        """A later try of a part counts; the earlier one makes no object."""
        upload = store.start_upload(KEY)
        old = store.put_part(upload, 1, b"old")
        new = store.put_part(upload, 1, b"new")

        assert store.parts(upload) == (new,)
        self._refuses(store, upload, [old])
        store.complete_upload(upload, [new])
        assert read(store, KEY) == b"new"

    def test_parts_that_make_no_object_are_refused(self, store: ObjectStore) -> None:
        """None, one missing, one before the last too short: ``bad-parts``."""
        upload = store.start_upload(KEY)
        short = store.put_part(upload, 1, b"short")
        third = store.put_part(upload, 3, b"third")
        never = Part(number=2, etag=third.etag, size_bytes=third.size_bytes)

        self._refuses(store, upload, [])
        self._refuses(store, upload, [short, never])
        self._refuses(store, upload, [short, third])
        second = store.put_part(upload, 2, b"second")
        self._refuses(store, upload, [short, second])
        assert store.parts(upload) == (short, second, third)
        assert keys(store) == []

    def test_a_part_has_a_possible_number_and_size(self, store: ObjectStore) -> None:
        """Numbers are 1 to 10,000, sizes up to `PART_BYTES`."""
        upload = store.start_upload(KEY)
        for number, data in ((0, b"x"), (10_001, b"x"), (1, b"x" * (PART_BYTES + 1))):
            with pytest.raises(InvalidValue):
                store.put_part(upload, number, data)
        store.put_part(upload, 10_000, b"x")

        assert [part.number for part in store.parts(upload)] == [10_000]

    def test_a_finished_upload_is_gone(self, store: ObjectStore) -> None:
        """Nothing can be done with it, except abort it once more."""
        completed, aborted = store.start_upload(KEY), store.start_upload(KEY)
        part = store.put_part(completed, 1, b"data")
        store.put_part(aborted, 1, b"other")
        store.complete_upload(completed, [part])
        store.abort_upload(aborted)

        for upload in (completed, aborted):
            self._is_gone(store, upload, part)
            store.abort_upload(upload)
        assert read(store, KEY) == b"data"

    def test_an_upload_that_never_was_is_gone(self, store: ObjectStore) -> None:
        """An id from nowhere, or of another key, opens nothing."""
        real = store.start_upload(KEY)
        part = store.put_part(real, 1, b"data")
        self._is_gone(store, Upload(key=ObjectKey("other"), id=real.id), part)
        for id_ in ("", "nowhere", "../objects", "a/b", "0" * 32):
            self._is_gone(store, Upload(key=KEY, id=id_), part)

        assert store.parts(real) == (part,)

    def test_uploads_to_one_key_are_apart(self, store: ObjectStore) -> None:
        """Two people may upload to one key; the last to complete wins."""
        one, two = store.start_upload(KEY), store.start_upload(KEY)
        of_one, of_two = store.put_part(one, 1, b"one"), store.put_part(two, 1, b"two")
        store.complete_upload(two, [of_two])
        store.complete_upload(one, [of_one])

        assert read(store, KEY) == b"one"

    def test_completing_may_demand_absence(self, store: ObjectStore) -> None:
        """An object that is there is not replaced."""
        upload = store.start_upload(KEY)
        part = store.put_part(upload, 1, b"upload")
        store.put(KEY, b"first")
        with pytest.raises(AlreadyExists):
            store.complete_upload(upload, [part], if_absent=True)

        assert read(store, KEY) == b"first"

    def _race(self, act: Callable[[int], object]) -> list[Exception | None]:
        """Run *act* in all racers at once; return what each one raised."""
        start = Barrier(self.racers)

        def racer(number: int) -> Exception | None:
            start.wait()
            try:
                act(number)
            except PortError as exc:
                return exc
            return None

        with ThreadPoolExecutor(self.racers) as pool:
            return list(pool.map(racer, range(self.racers)))

    @staticmethod
    def _refuses(store: ObjectStore, upload: Upload, parts: list[Part]) -> None:
        with pytest.raises(Rejected) as refusal:
            store.complete_upload(upload, parts)
        assert refusal.value.code == "bad-parts"

    @staticmethod
    def _is_gone(store: ObjectStore, upload: Upload, part: Part) -> None:
        attempts: list[Callable[[], object]] = [
            lambda: store.put_part(upload, 1, b"late"),
            lambda: store.parts(upload),
            lambda: store.complete_upload(upload, [part]),
        ]
        for attempt in attempts:
            with pytest.raises(NotFound) as missing:
                attempt()
            assert missing.value.code == "upload-gone"
