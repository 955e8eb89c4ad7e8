"""Temporary folders that are gone after their job, and after a crash at the next start.

A folder in use has its lock file locked; the lock dies with the process.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "lms-transcode-"


@contextmanager
def private_folder(parent: Path) -> Iterator[Path]:
    """Yield a new folder below *parent*, and remove it in the end."""
    with _alone(parent):
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        held = (folder / "lock").open("w")
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        held.close()
        shutil.rmtree(folder)


def remove_abandoned(parent: Path) -> None:
    """Remove the folders that dead processes left below *parent*."""
    with _alone(parent):
        for lock in parent.glob(f"{_PREFIX}*/lock"):
            with lock.open("r+") as held:
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                shutil.rmtree(lock.parent)


@contextmanager
def _alone(parent: Path) -> Iterator[None]:
    # Between the making of a folder and its locking, nobody may look.
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (parent / f".{_PREFIX}lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
