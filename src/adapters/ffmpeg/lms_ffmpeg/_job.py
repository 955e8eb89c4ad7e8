"""A job that this process is working on."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from attrs import define, evolve, field, frozen

from lms_core.domain.percent import ALL, NONE, Percent
from lms_core.errors import LmsError, PortError, Reason
from lms_core.ports.object_store import ObjectStore
from lms_core.ports.system import Clock
from lms_core.ports.transcoder import (
    TranscodeRequest,
    TranscodeState,
    TranscodeStatus,
)
from lms_ffmpeg._faults import FAILED_INSIDE, MediaFault, Stopped
from lms_ffmpeg._folders import private_folder
from lms_ffmpeg._process import Limits, Runner
from lms_ffmpeg._records import JobRecord, Records
from lms_ffmpeg._work import Work

_BEAT = timedelta(seconds=5)
_WAIT_SECONDS = 1.0
_QUEUED = TranscodeStatus(state=TranscodeState.QUEUED)
_log = logging.getLogger(__name__)


@frozen(kw_only=True)
class Setup:
    """What all jobs of a transcoder share."""

    objects: ObjectStore
    clock: Clock
    workdir: Path
    limits: Limits
    preset: str
    slots: threading.Semaphore

    @property
    def records(self) -> Records:
        """Where records and results are kept."""
        return Records(self.objects)


@define(eq=False)
class Job:
    """One run of one request; call it once, in a thread of its own."""

    request: TranscodeRequest
    setup: Setup
    runner: Runner
    status: TranscodeStatus = _QUEUED
    cancelled: bool = False
    ended: threading.Event = field(factory=threading.Event, init=False)
    _beaten_at: datetime | None = field(default=None, init=False)

    def __call__(self, recorded: Callable[["Job"], None]) -> None:
        """Do the work, leave a record of how it ended, and then call *recorded*."""
        status = self._attempt()
        try:
            self.write_record(status)
        except PortError:
            # The status stays with this process, and a stale record means failure.
            _log.exception("no record of how job %s ended", self.request.job)
            self.status = status
        else:
            self.status = status
            recorded(self)
        finally:
            self.ended.set()

    def stop(self, *, cancelled: bool) -> None:
        """End it and its ffmpeg; it has ended once `ended` is set."""
        self.cancelled = self.cancelled or cancelled
        self.runner.stop()

    def write_record(
        self, status: TranscodeStatus, *, if_match: str | None = None
    ) -> None:
        """Tell other processes that the job stands at *status*."""
        now = self.setup.clock.now()
        self._beaten_at = now
        record = JobRecord(
            destination=self.request.destination,
            state=status.state,
            beat_at=now,
            progress=status.progress,
            failure=status.failure,
            permanent=status.permanent,
        )
        self.setup.records.write(self.request.job, record, if_match=if_match)

    def _attempt(self) -> TranscodeStatus:
        try:
            while not self.setup.slots.acquire(timeout=_WAIT_SECONDS):
                self._report(TranscodeState.QUEUED, NONE)
            try:
                return self._work()
            finally:
                self.setup.slots.release()
        except Stopped:
            if self.cancelled:
                return TranscodeStatus(state=TranscodeState.CANCELLED)
            return _failed(Reason(FAILED_INSIDE, {"why": "the program ended"}))
        except MediaFault as fault:
            return _failed(fault.reason, permanent=fault.permanent)
        except LmsError as exc:
            _log.exception("job %s failed", self.request.job)
            permanent = not (isinstance(exc, PortError) and exc.retryable)
            return _failed(
                Reason(FAILED_INSIDE, {"why": exc.code}), permanent=permanent
            )
        except Exception as exc:  # noqa: BLE001 - a thread has no caller to tell
            _log.exception("job %s failed", self.request.job)
            return _failed(Reason(FAILED_INSIDE, {"why": type(exc).__name__}))

    def _work(self) -> TranscodeStatus:
        request, records = self.request, self.setup.records
        with private_folder(self.setup.workdir) as folder:
            self.runner.folder = folder
            work = Work(
                request=request,
                objects=self.setup.objects,
                runner=self.runner,
                preset=self.setup.preset,
                report=lambda part: self._report(TranscodeState.RUNNING, part),
            )
            made = work.make()
            # Another process may have been quicker; what it published stays as it is.
            result = records.read_result(request.job, request.destination)
            if result is None:
                work.publish()
                records.write_result(request.job, request.destination, made)
        return TranscodeStatus(
            state=TranscodeState.DONE, progress=ALL, result=result or made
        )

    def _report(self, state: TranscodeState, progress: Percent) -> None:
        self.runner.check()
        self.status = evolve(self.status, state=state, progress=progress)
        if self._beaten_at and self.setup.clock.now() - self._beaten_at < _BEAT:
            return
        try:
            found = self.setup.records.read(self.request.job)
            if found and found[0].state is TranscodeState.CANCELLED:
                self.stop(cancelled=True)
                self.runner.check()
            self.write_record(self.status, if_match=found[1] if found else None)
        except PortError as exc:
            # A beat lost is worth less than the hours the work may have taken.
            _log.warning("job %s could not beat: %s", self.request.job, exc)


def _failed(failure: Reason, *, permanent: bool = False) -> TranscodeStatus:
    return TranscodeStatus(
        state=TranscodeState.FAILED, failure=failure, permanent=permanent
    )
