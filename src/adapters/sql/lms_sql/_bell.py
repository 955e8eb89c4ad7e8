"""Tell waiting receivers of this process that there may be something to do."""

from threading import Condition, Lock
from weakref import WeakValueDictionary


class Bell:
    """Counts how often it was rung; a waiter says up to where it has heard."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._rung = 0

    @property
    def rung(self) -> int:
        """How often it was rung."""
        return self._rung

    def ring(self) -> None:
        """Wake everybody who waits."""
        with self._condition:
            self._rung += 1
            self._condition.notify_all()

    def wait(self, heard: int, timeout_s: float) -> None:
        """Return when it was rung after *heard*, or when the time is over."""
        with self._condition:
            self._condition.wait_for(lambda: self._rung != heard, timeout_s)


_bells: WeakValueDictionary[tuple[object, str], Bell] = WeakValueDictionary()
_lock = Lock()


def bell_of(place: object, name: str) -> Bell:
    """Return the bell of a queue, the same one for everybody who has it open."""
    with _lock:
        bell = _bells.get((place, name))
        if bell is None:
            bell = _bells[(place, name)] = Bell()
        return bell
