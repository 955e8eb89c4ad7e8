"""Transcoding by an ffmpeg on this machine."""

import atexit
import tempfile
import threading
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl, urlsplit

from attrs import define, evolve, field

from lms_core.domain.percent import ALL
from lms_core.errors import ConfigurationError, Conflict, NotFound, Reason
from lms_core.ports.object_store import ObjectStore
from lms_core.ports.system import Clock
from lms_core.ports.transcoder import (
    Transcoder,
    TranscodeRequest,
    TranscodeState,
    TranscodeStatus,
)
from lms_core.registry import Wiring
from lms_ffmpeg._faults import FAILED_INSIDE
from lms_ffmpeg._folders import remove_abandoned
from lms_ffmpeg._job import Job, Setup
from lms_ffmpeg._process import Limits, Runner
from lms_ffmpeg._records import JobRecord, Records
from lms_ffmpeg.binary import find_ffmpeg

_SILENCE = timedelta(seconds=60)
_PATIENCE_SECONDS = 30
_ACTIVE = {TranscodeState.QUEUED, TranscodeState.RUNNING}


@define(kw_only=True)
class FfmpegTranscoder:
    """A `Transcoder` that works in threads of this process; close it, or use `with`.

    Jobs and results are recorded in *objects*, so that every process tells the
    same. At most *jobs* run at a time. Closing kills what runs; it may be submitted
    again. A job whose process has been silent for a minute counts as failed.
    """

    objects: ObjectStore
    clock: Clock
    workdir: Path
    limits: Limits = field(factory=Limits)
    preset: str = "veryfast"
    jobs: int = 1
    _setup: Setup = field(init=False)
    _running: dict[str, Job] = field(factory=dict, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def __attrs_post_init__(self) -> None:
        self._setup = Setup(
            objects=self.objects,
            clock=self.clock,
            workdir=self.workdir,
            limits=self.limits,
            preset=self.preset,
            slots=threading.Semaphore(self.jobs),
        )
        remove_abandoned(self.workdir)
        atexit.register(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill what runs and wait until its folders are gone."""
        atexit.unregister(self.close)
        with self._lock:
            jobs = tuple(self._running.values())
        for job in jobs:
            job.stop(cancelled=False)
        for job in jobs:
            job.ended.wait(_PATIENCE_SECONDS)

    def submit(self, request: TranscodeRequest) -> None:
        ffmpeg = find_ffmpeg()
        with self._lock:
            running = self._running.get(request.job)
            if running is not None and running.status.state in _ACTIVE:
                return
            found = self._records.read(request.job)
            destination = found[0].destination if found else request.destination
            if self._records.read_result(request.job, destination):
                return
            job = Job(request, self._setup, Runner(ffmpeg, self.limits))
            job.write_record(job.status)
            self._running[request.job] = job
            # A daemon, so that leaving the program ends the job and not the reverse.
            threading.Thread(
                target=job, args=(self._forget,), name="transcode", daemon=True
            ).start()

    def status(self, job: str) -> TranscodeStatus:
        with self._lock:
            running = self._running.get(job)
        if running is not None:
            return running.status
        found = self._records.read(job)
        if found is None:
            raise NotFound("no such job", resource=job)
        record, _ = found
        result = self._records.read_result(job, record.destination)
        if result is not None:
            return TranscodeStatus(
                state=TranscodeState.DONE, progress=ALL, result=result
            )
        if record.state is TranscodeState.DONE:
            raise NotFound("what the job made was removed", resource=job)
        return self._recorded(record)

    def cancel(self, job: str) -> None:
        with self._lock:
            running = self._running.get(job)
        if running is not None:
            running.stop(cancelled=True)
            running.ended.wait(_PATIENCE_SECONDS)
            return
        # Another process may be at it; it looks at the record with every beat, and
        # may change it between our reading and writing.
        while (found := self._records.read(job)) and found[0].state in _ACTIVE:
            if self._records.read_result(job, found[0].destination):
                return
            record = evolve(found[0], state=TranscodeState.CANCELLED)
            try:
                self._records.write(job, record, if_match=found[1])
            except Conflict:
                continue

    def _recorded(self, record: JobRecord) -> TranscodeStatus:
        silent = self.clock.now() - record.beat_at
        if record.state in _ACTIVE and silent > _SILENCE:
            return TranscodeStatus(
                state=TranscodeState.FAILED,
                failure=Reason(FAILED_INSIDE, {"why": "its process ended"}),
            )
        return TranscodeStatus(
            state=record.state,
            progress=record.progress,
            failure=record.failure,
            permanent=record.permanent,
        )

    def _forget(self, job: Job) -> None:
        with self._lock:
            if self._running.get(job.request.job) is job:
                del self._running[job.request.job]

    @property
    def _records(self) -> Records:
        return self._setup.records


def open_transcoder(url: str, wiring: Wiring) -> FfmpegTranscoder:
    """Open ``ffmpeg://``; every option may be left out.

    ``workdir`` is the folder for temporary files, ``jobs`` how many run at a time,
    ``preset`` the x264 preset, ``max_seconds`` the longest source.

    Raises:
        ConfigurationError: an option is unknown or wrong, ffmpeg is missing, or
            there is no object store.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    unknown = options.keys() - {"workdir", "jobs", "preset", "max_seconds"}
    if unknown or parts.netloc or parts.path:
        wrong = ", ".join(sorted(unknown)) or f"{parts.netloc}{parts.path}"
        raise ConfigurationError(f"ffmpeg:// does not know {wrong!r}")
    if wiring.objects is None:
        raise ConfigurationError("ffmpeg:// needs an object store")
    find_ffmpeg()
    try:
        jobs = int(options.get("jobs", "1"))
        limits = Limits(max_seconds=int(options.get("max_seconds", "21600")))
    except ValueError as exc:
        raise ConfigurationError(f"ffmpeg://: not a number: {exc}") from exc
    return FfmpegTranscoder(
        objects=wiring.objects,
        clock=wiring.clock,
        workdir=Path(options.get("workdir", tempfile.gettempdir())),
        limits=limits,
        preset=options.get("preset", "veryfast"),
        jobs=max(1, jobs),
    )


if TYPE_CHECKING:
    _conforms: type[Transcoder] = FfmpegTranscoder
