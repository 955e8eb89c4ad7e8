"""The transcoder in memory keeps the contract of Transcoder."""

import pytest

from lms_core.ports.object_store import ObjectStore
from lms_core.testing.transcoder import TranscoderConformance
from lms_local.memory.object_store import MemoryObjectStore
from lms_local.memory.system import FixedClock
from lms_local.memory.transcoder import MemoryTranscoder


class TestMemoryTranscoder(TranscoderConformance):
    @pytest.fixture
    def objects(self) -> ObjectStore:
        return MemoryObjectStore(FixedClock())

    @pytest.fixture
    def transcoder(self, objects: ObjectStore) -> MemoryTranscoder:
        return MemoryTranscoder(objects)

    @pytest.fixture
    def good_source(self) -> bytes:
        return b"video:1280x720:2000"

    @pytest.fixture
    def unreadable_source(self) -> bytes:
        return b"video:eternity"
