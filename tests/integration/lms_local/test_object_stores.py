"""Both stores of the package keep the contract of ObjectStore."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from lms_core.ports.object_store import ObjectStore
from lms_core.testing.machines import ObjectStoreMachine
from lms_core.testing.object_store import ObjectStoreConformance
from lms_local.files import FileObjectStore
from lms_local.memory.object_store import MemoryObjectStore
from lms_local.memory.system import FixedClock


class TestFileObjectStore(ObjectStoreConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ObjectStore:
        return FileObjectStore.at(tmp_path)


class TestMemoryObjectStore(ObjectStoreConformance):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return MemoryObjectStore(FixedClock())


class FileMachine(ObjectStoreMachine):
    def new_store(self) -> ObjectStore:
        self.folder = tempfile.TemporaryDirectory()
        return FileObjectStore.at(Path(self.folder.name))

    def teardown(self) -> None:
        self.folder.cleanup()


class MemoryMachine(ObjectStoreMachine):
    def new_store(self) -> ObjectStore:
        return MemoryObjectStore(FixedClock())


@pytest.mark.parametrize("machine", [FileMachine, MemoryMachine])
def test_random_operations_agree_with_a_dictionary(
    machine: type[ObjectStoreMachine],
) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=25, stateful_step_count=25, deadline=None),
    )
