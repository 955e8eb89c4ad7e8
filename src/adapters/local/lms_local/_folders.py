"""Walk, lock and replace inside one folder without ever following a link."""

import errno
import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


@contextmanager
def opened(
    root: Path, names: Iterable[str] = (), *, create: bool = False
) -> Iterator[int]:
    """Open the folder *names* below *root*; every step refuses links.

    Names are taken one at a time, so the length of the whole path is unlimited.
    """
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in names:
            if create:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o750, dir_fd=here)
                    os.fsync(here)
            inner = _inner(name, here)
            os.close(here)
            here = inner
        yield here
    finally:
        os.close(here)


def _inner(name: str, folder: int) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except OSError as exc:
        # Systems differ in what they call a link that was not followed.
        if exc.errno == errno.ELOOP:
            raise NotADirectoryError(errno.ENOTDIR, "not a folder", name) from exc
        raise


@contextmanager
def locked(folder: int, name: str) -> Iterator[None]:
    """Hold the lock file *name* in *folder* against all threads and processes.

    `flock` belongs to the open file, not to the process, so threads that open it
    each for themselves exclude one another too.
    """
    lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o640, dir_fd=folder)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def scratch_file(scratch: Path) -> Iterator[tuple[int, int, str]]:
    """Give a new file that vanishes unless the body moves it elsewhere.

    Yields the open file, its folder and its name there. While any exist, the
    folder is held with a shared lock, which is how `sweep` knows.
    """
    with opened(scratch) as folder:
        fcntl.flock(folder, fcntl.LOCK_SH)
        name = secrets.token_hex(16)
        file = os.open(name, _NEW, 0o640, dir_fd=folder)
        try:
            yield file, folder, name
        finally:
            os.close(file)
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)


def sweep(scratch: Path) -> None:
    """Remove what killed writers left, if nobody is writing now."""
    with opened(scratch) as folder:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for name in os.listdir(folder):  # noqa: PTH208  a path follows links
            os.unlink(name, dir_fd=folder)


def write_all(file: int, data: bytes) -> None:
    """Write *data* whole; the system may take it in pieces."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def write_once(folder: Path, name: str, data: bytes) -> bool:
    """Make the file *name*, whole and on disk; tell whether it is new."""
    with scratch_file(folder / ".scratch") as (file, scratch, draft):
        write_all(file, data)
        os.fsync(file)
        with opened(folder) as target:
            try:
                os.link(draft, name, src_dir_fd=scratch, dst_dir_fd=target)
            except FileExistsError:
                return False
            os.fsync(target)
    return True
