"""Run ffmpeg so that it can be watched, bounded and stopped."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

from attrs import define, field, frozen

from lms_ffmpeg import _limited
from lms_ffmpeg._faults import FAILED_INSIDE, MediaFault, Stopped

_LOG_BYTES = 256 * 1024
_INVALID_DATA = 183  # how ffmpeg exits when the input makes no sense to it
_TOO_MANY_ERRORS = 69  # how it exits when more frames were broken than allowed


@frozen(kw_only=True)
class Limits:
    """What one source may be, and what working on it may cost."""

    max_bytes: int = 64 * 1024**3
    max_seconds: int = 6 * 3600
    max_pixels: int = 8192 * 4320
    probe_seconds: int = 20
    memory_bytes: int = 8 * 1024**3

    def work_seconds(self, duration_ms: int) -> int:
        """Return how much processor time a source of this length may take."""
        return 300 + 60 * duration_ms // 1000


@frozen(kw_only=True)
class Outcome:
    """How a run ended: its exit status, its lines and the start of its log."""

    status: int
    lines: tuple[str, ...]
    log: str

    def require(self) -> None:
        """Raise the `MediaFault` that a failed run stands for."""
        if self.status == 0:
            return
        told = self.log.strip().rpartition("\n")[2][:300]
        if self.status in {_INVALID_DATA, _TOO_MANY_ERRORS}:
            raise MediaFault("unreadable-media", why=told)
        # Nobody but the limits kills it behind our back, or the kernel for memory.
        used_up = self.status in {-signal.SIGKILL, -signal.SIGXFSZ}
        raise MediaFault(FAILED_INSIDE, permanent=used_up, status=self.status, why=told)


@define
class Runner:
    """Runs ffmpeg in *folder*, one run at a time, until it is stopped."""

    ffmpeg: Path
    limits: Limits
    folder: Path = Path()
    _stopping: bool = field(default=False, init=False)
    _running: subprocess.Popen[str] | None = field(default=None, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def run(
        self,
        *arguments: str,
        seconds: int,
        on_line: Callable[[str], None] | None = None,
    ) -> Outcome:
        """Run to the end; *on_line* gets each line, else the outcome keeps them.

        Raises:
            Stopped: `stop` was called, before or meanwhile.
            MediaFault: it took longer on the wall clock than twice *seconds*.
        """
        log = self.folder / "ffmpeg.log"
        overdue = threading.Event()
        with log.open("wb") as errors, self._start(arguments, seconds, errors) as child:
            clock = threading.Timer(2 * seconds, self._expire, (child, overdue))
            clock.daemon = True
            clock.start()
            lines: list[str] = []
            take = on_line or lines.append
            try:
                for line in child.stdout or ():
                    take(line.strip())
                child.wait()
            finally:
                clock.cancel()
                self._kill(child)
        self.check()
        if overdue.is_set():
            raise MediaFault(FAILED_INSIDE, why="it took too long")
        with log.open("rb") as told:
            text = told.read(_LOG_BYTES).decode(errors="replace")
        return Outcome(status=child.returncode, lines=tuple(lines), log=text)

    def stop(self) -> None:
        """Kill what runs and let nothing start; from any thread, at any time."""
        with self._lock:
            self._stopping = True
            running = self._running
        if running is not None:
            self._kill(running)

    def check(self) -> None:
        """Raise `Stopped` if `stop` was called."""
        if self._stopping:
            raise Stopped

    def _start(
        self, arguments: tuple[str, ...], seconds: int, log: IO[bytes]
    ) -> subprocess.Popen[str]:
        bounds = (seconds, self.limits.memory_bytes, self.limits.max_bytes)
        with self._lock:
            self.check()
            self._running = subprocess.Popen(  # noqa: S603 - arguments are ours
                [
                    *(sys.executable, "-I", "-S", _limited.__file__),
                    *(str(os.getpid()), *map(str, bounds)),
                    *(str(self.ffmpeg), "-hide_banner", "-nostdin", *arguments),
                ],
                cwd=self.folder,
                env={"LC_ALL": "C"},  # nothing of ours, FFREPORT least of all
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            return self._running

    def _expire(self, child: subprocess.Popen[str], overdue: threading.Event) -> None:
        overdue.set()
        self._kill(child)

    def _kill(self, child: subprocess.Popen[str]) -> None:
        # Not killpg(): once the child is reaped, its number may be somebody else's,
        # and only send_signal() holds the lock that tells. ffmpeg starts no others.
        child.send_signal(signal.SIGKILL)
