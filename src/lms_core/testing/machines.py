"""Stateful tests: an adapter and a model of it see the same random operations."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lms_core.domain.ids import ObjectKey
from lms_core.errors import AlreadyExists, Conflict, NotFound
from lms_core.ports.object_store import ObjectStore
from lms_core.testing.strategies import object_keys

_DATA = st.binary(max_size=4)


class ObjectStoreMachine(RuleBasedStateMachine):
    """Compares a store with a dictionary; a subclass says how to make one."""

    def __init__(self) -> None:
        super().__init__()
        self.store = self.new_store()
        self.model: dict[str, bytes] = {}

    def new_store(self) -> ObjectStore:
        """Return an empty store."""
        raise TypeError(f"{type(self).__name__} must define new_store")

    @rule(key=object_keys(), data=_DATA, if_absent=st.booleans())
    def put(self, key: ObjectKey, data: bytes, *, if_absent: bool) -> None:
        """Write, perhaps only where nothing is."""
        try:
            self.store.put(key, data, if_absent=if_absent)
        except AlreadyExists:
            assert if_absent
            assert str(key) in self.model
        else:
            assert not (if_absent and str(key) in self.model)
            self.model[str(key)] = data

    @rule(key=object_keys(), data=_DATA, stale=st.booleans())
    def replace(self, key: ObjectKey, data: bytes, *, stale: bool) -> None:
        """Write where an etag is right, or wrong."""
        try:
            etag = self.store.info(key).etag
        except NotFound:
            etag = "nothing-there"
        expected = f"{etag}-stale" if stale else etag
        try:
            self.store.put(key, data, if_match=expected)
        except Conflict:
            assert stale or str(key) not in self.model
        else:
            assert not stale
            assert str(key) in self.model
            self.model[str(key)] = data

    @rule(key=object_keys(), data=_DATA.filter(bool))
    def upload(self, key: ObjectKey, data: bytes) -> None:
        """Write in one part."""
        upload = self.store.start_upload(key)
        self.store.complete_upload(upload, [self.store.put_part(upload, 1, data)])
        self.model[str(key)] = data

    @rule(key=object_keys())
    def delete(self, key: ObjectKey) -> None:
        """Remove, whether there or not."""
        self.store.delete(key)
        self.model.pop(str(key), None)

    @rule(key=object_keys())
    def read(self, key: ObjectKey) -> None:
        """Read, whether there or not."""
        try:
            with self.store.open(key) as reader:
                found = b"".join(reader)
        except NotFound:
            assert str(key) not in self.model
        else:
            assert found == self.model[str(key)]

    @rule(prefix=object_keys(), cut=st.integers(0, 3), after=object_keys())
    def list_some(self, prefix: ObjectKey, cut: int, after: ObjectKey) -> None:
        """List below a prefix, behind a key."""
        text = str(prefix)[:cut]
        found = [str(info.key) for info in self.store.list(text, after=after)]
        expected = [
            key for key in self.model if key.startswith(text) and key > str(after)
        ]
        assert found == sorted(expected)

    @invariant()
    def all_keys_in_order(self) -> None:
        """Every key is listed, once, in order, with its size."""
        found = [(str(info.key), info.size_bytes) for info in self.store.list()]
        assert found == [(key, len(self.model[key])) for key in sorted(self.model)]
