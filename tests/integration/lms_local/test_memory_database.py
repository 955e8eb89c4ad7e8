"""What is kept in memory keeps the contracts of what is kept in databases."""

import pytest

from lms_core.ports.message_queue import MessageQueue
from lms_core.ports.progress_store import ProgressStore
from lms_core.ports.unit_of_work import StartWork
from lms_core.testing.message_queue import MessageQueueConformance
from lms_core.testing.progress_store import ProgressStoreConformance
from lms_core.testing.unit_of_work import UnitOfWorkConformance
from lms_local.memory.message_queue import MemoryMessageQueue
from lms_local.memory.progress_store import MemoryProgressStore
from lms_local.memory.system import FixedClock
from lms_local.memory.unit_of_work import MemoryDatabase


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


class TestMemoryQueue(MessageQueueConformance):
    @pytest.fixture
    def queue(self, clock: FixedClock) -> MessageQueue:
        return MemoryMessageQueue(clock, max_deliveries=3)


class TestMemoryProgress(ProgressStoreConformance):
    @pytest.fixture
    def store(self) -> ProgressStore:
        return MemoryProgressStore()


class TestMemoryWork(UnitOfWorkConformance):
    @pytest.fixture
    def start(self, clock: FixedClock) -> StartWork:
        return MemoryDatabase(clock).start
