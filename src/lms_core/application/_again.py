"""Run a use case again when somebody else was faster."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from lms_core.errors import Conflict

P = ParamSpec("P")
R = TypeVar("R")

MOST_TRIES = 8


def again_on_conflict(use_case: Callable[P, R]) -> Callable[P, R]:
    """Run *use_case* again, from its start, when it ends in `Conflict`.

    Each run loads what is stored by then, so a loser decides on fresh facts. The
    last `Conflict` goes to the caller.
    """

    @wraps(use_case)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(MOST_TRIES - 1):
            try:
                return use_case(*args, **kwargs)
            except Conflict:
                continue
        return use_case(*args, **kwargs)

    return run
