"""Random operations find queues and stores in agreement with their models."""

import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from lms_core.ports.message_queue import MessageQueue
from lms_core.ports.progress_store import ProgressStore
from lms_core.registry import Wiring
from lms_core.testing.message_queue import AdvanceableClock, MessageQueueMachine
from lms_core.testing.progress_store import ProgressStoreMachine
from lms_local.memory.message_queue import MemoryMessageQueue
from lms_local.memory.progress_store import MemoryProgressStore
from lms_local.memory.system import CountingIds, CountingTokens, FixedClock
from lms_sql.message_queue import open_message_queue
from lms_sql.progress_store import open_progress_store

_SETTINGS = settings(max_examples=15, stateful_step_count=20, deadline=None)


def _wiring() -> Wiring:
    return Wiring(clock=FixedClock(), ids=CountingIds(), tokens=CountingTokens())


class MemoryQueueMachine(MessageQueueMachine):
    def new_queue(self) -> tuple[MessageQueue, AdvanceableClock]:
        clock = FixedClock()
        return MemoryMessageQueue(clock, max_deliveries=3), clock


class MemoryProgressMachine(ProgressStoreMachine):
    def new_store(self) -> ProgressStore:
        return MemoryProgressStore()


@pytest.mark.parametrize("machine", [MemoryQueueMachine, MemoryProgressMachine])
def test_memory_agrees_with_the_model(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(machine, settings=_SETTINGS)


def _fresh(url: str, folder: str) -> str:
    """Return the URL of the same database without any rows."""
    if url.startswith("sqlite"):
        path = Path(folder) / "lms.db"
        shutil.copyfile(url.removeprefix("sqlite://"), path)
        return f"sqlite://{path}"
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM messages; DELETE FROM dead_letters")
        connection.execute("DELETE FROM progress")
    return url


def test_queues_agree_with_the_model(database_url: str) -> None:
    class Machine(MessageQueueMachine):
        def new_queue(self) -> tuple[MessageQueue, AdvanceableClock]:
            self.folder = tempfile.TemporaryDirectory()
            url = _fresh(database_url, self.folder.name)
            mark = "&" if "?" in url else "?"
            wiring = _wiring()
            opened = f"{url}{mark}queue=a&max_deliveries=3"
            self.opened = open_message_queue(opened, wiring)
            assert isinstance(wiring.clock, FixedClock)
            return self.opened, wiring.clock

        def teardown(self) -> None:
            self.opened.close()
            self.folder.cleanup()

    run_state_machine_as_test(Machine, settings=_SETTINGS)


def test_progress_agrees_with_the_model(database_url: str) -> None:
    class Machine(ProgressStoreMachine):
        def new_store(self) -> ProgressStore:
            self.folder = tempfile.TemporaryDirectory()
            url = _fresh(database_url, self.folder.name)
            self.opened = open_progress_store(url, _wiring())
            return self.opened

        def teardown(self) -> None:
            self.opened.close()
            self.folder.cleanup()

    run_state_machine_as_test(Machine, settings=_SETTINGS)
