"""The suite of UnitOfWork tells broken databases from good ones."""

import threading
from collections.abc import Callable
from threading import Barrier, BrokenBarrierError

import pytest

from lms_core.ports.unit_of_work import StartWork
from lms_core.testing.unit_of_work import UnitOfWorkConformance
from lms_local.memory._tables import Table
from lms_local.memory.system import FixedClock
from lms_local.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork

SUITE = UnitOfWorkConformance()
Clause = Callable[[StartWork], None]


class LooksFirst(MemoryDatabase):
    """Trusts what a transaction saw at its start; a gate makes racers meet."""

    def __init__(self, racers: int = 4) -> None:
        super().__init__(FixedClock())
        self.gate = Barrier(racers)

    def apply(self, work: MemoryUnitOfWork) -> None:
        if threading.current_thread() is not threading.main_thread():
            try:
                self.gate.wait(timeout=1)
            except BrokenBarrierError:
                self.gate.reset()
        for name, view in work.views.items():
            for key in view.changed:
                self._tables[name].rows.pop(key, None)
                if key in view.rows:
                    self._tables[name].rows[key] = view.rows[key]


class NeverUndoes(MemoryDatabase):
    """Writes at once, commit or not."""

    def snapshot(self):  # type: ignore[no-untyped-def]  # noqa: ANN201 - as its parent
        views, changed_at = super().snapshot()
        for name, view in views.items():
            table: Table[object] = self._tables[name]
            object.__setattr__(view, "rows", table.rows)
        return views, changed_at

    def apply(self, work: MemoryUnitOfWork) -> None:
        pass


class NoConstraints(MemoryDatabase):
    """Knows keys, and nothing else that must differ."""

    def __init__(self) -> None:
        super().__init__(FixedClock())
        self._tables = {
            name: Table(table.noun, table.key) for name, table in self._tables.items()
        }


def looks_first(racers: int = 4) -> Callable[[], MemoryDatabase]:
    return lambda: LooksFirst(racers)


def never_undoes() -> MemoryDatabase:
    return NeverUndoes(FixedClock())


@pytest.mark.parametrize(
    ("make", "clause"),
    [
        (looks_first(), SUITE.test_no_update_is_lost),
        (looks_first(), SUITE.test_an_address_is_taken_once),
        (looks_first(), SUITE.test_a_place_is_held_once),
        (looks_first(SUITE.racers + 1), SUITE.test_the_last_seat_goes_once),
        (looks_first(), SUITE.test_an_attempt_is_begun_once),
        (looks_first(), SUITE.test_an_event_is_accepted_once),
        (looks_first(), SUITE.test_numbers_have_no_gaps),
        (never_undoes, SUITE.test_what_is_not_committed_never_was),
        (never_undoes, SUITE.test_others_do_not_see_it_before_the_commit),
        (never_undoes, SUITE.test_what_was_undone_is_not_remembered),
        (never_undoes, SUITE.test_accepting_is_undone_with_the_work),
        (NoConstraints, SUITE.test_one_attempt_is_open_at_a_time),
        (NoConstraints, SUITE.test_a_taken_name_leaves_the_rest_intact),
    ],
)
def test_a_broken_database_is_found_out(
    make: Callable[[], MemoryDatabase], clause: Clause
) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        clause(make().start)


@pytest.mark.parametrize("field", ["enrollment", "number", "code", "status_index"])
def test_a_certificate_twice_is_found_out(field: str) -> None:
    with pytest.raises(pytest.fail.Exception):
        SUITE.test_certificates_differ(NoConstraints().start, field)
