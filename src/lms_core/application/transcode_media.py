"""Use case: turn an uploaded lecture into a stream, as a worker does it."""

from collections.abc import Callable

from attrs import frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._events import sealed
from lms_core.application.upload_media import may_upload
from lms_core.domain.access.policy import Actor
from lms_core.domain.ids import MediaId
from lms_core.domain.media.asset import (
    CaptionTrack,
    MediaAsset,
    MediaStatus,
    Stream,
)
from lms_core.domain.percent import Percent
from lms_core.errors import LmsError
from lms_core.ports.system import Clock, IdSource
from lms_core.ports.transcoder import (
    CaptionSource,
    Transcoder,
    TranscodeRequest,
    TranscodeResult,
    TranscodeState,
    TranscodeStatus,
)
from lms_core.ports.unit_of_work import StartWork


class TranscodeFailed(LmsError):
    """A lecture cannot be made into a stream; `reason` is a stable code."""

    code = "transcode-failed"

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


@frozen(kw_only=True)
class TranscodeMedia:
    """Make the stream of one generation of a lecture."""

    start: StartWork
    clock: Clock
    ids: IdSource
    transcoder: Transcoder

    def __call__(
        self, media: MediaId, generation: int, *, pause: Callable[[], bool]
    ) -> MediaAsset:
        """Start the work or join it, and return the lecture once it is ready.

        Repeating it is harmless: the job is named by lecture and generation,
        and a finished or outdated one returns at once. *pause* waits a moment
        between two looks, keeps the message's lease, and says whether to go on;
        `False` leaves the job to whoever gets the message next.

        Raises:
            TranscodeFailed: no stream came of it; the lecture is marked as
                failed where trying again will not help.
            NotFound: there is no such lecture.
            Unavailable: try again later.
        """
        with self.start(read_only=True) as work:
            asset = work.media.get(media)
        if asset.generation != generation or asset.status in {
            MediaStatus.READY,
            MediaStatus.UPLOADING,
        }:
            return asset
        if asset.status is MediaStatus.FAILED:
            # The message was redriven: somebody wants another try.
            asset = self._again(media)
        self.transcoder.submit(_request(asset))
        while True:
            status = self.transcoder.status(asset.job)
            if status.state is TranscodeState.DONE and status.result is not None:
                return self._ready(media, generation, status.result)
            if status.state in {TranscodeState.FAILED, TranscodeState.CANCELLED}:
                self._fail(media, generation, status)
            self._note(media, generation, status.progress)
            if not pause():
                return asset

    @again_on_conflict
    def _again(self, media: MediaId) -> MediaAsset:
        with self.start() as work:
            after, _ = work.media.get(media).retry(at=self.clock.now())
            work.media.save(after)
            work.commit()
            return after

    @again_on_conflict
    def _note(self, media: MediaId, generation: int, progress: Percent) -> None:
        with self.start() as work:
            before = work.media.get(media)
            after = before.transcoding(generation, progress)
            if after != before:
                work.media.save(after)
                work.commit()

    @again_on_conflict
    def _ready(
        self, media: MediaId, generation: int, result: TranscodeResult
    ) -> MediaAsset:
        with self.start() as work:
            before = work.media.get(media)
            stream = _stream(before, result)
            after, events = before.ready(generation, stream, at=self.clock.now())
            if events:
                work.media.save(after)
                work.outbox.extend(sealed(events, self.ids))
                work.commit()
        return after

    def _fail(self, media: MediaId, generation: int, status: TranscodeStatus) -> None:
        reason = status.failure.code if status.failure else status.state.value
        if status.permanent:
            self.give_up(media, generation, reason)
        raise TranscodeFailed(reason, permanent=status.permanent)

    @again_on_conflict
    def give_up(self, media: MediaId, generation: int, reason: str) -> None:
        """Mark the lecture as failed, so that its author learns why."""
        with self.start() as work:
            before = work.media.get(media)
            after, events = before.failed(generation, reason, at=self.clock.now())
            if events:
                work.media.save(after)
                work.outbox.extend(sealed(events, self.ids))
                work.commit()


def _request(asset: MediaAsset) -> TranscodeRequest:
    return TranscodeRequest(
        job=asset.job,
        source=asset.source,
        destination=asset.destination,
        captions=tuple(
            CaptionSource(key=file.key, language=file.language, label=file.label)
            for file in asset.captions
        ),
    )


def _stream(asset: MediaAsset, result: TranscodeResult) -> Stream:
    return Stream(
        prefix=asset.destination,
        duration_ms=result.duration_ms,
        playlist=result.playlist,
        progressive=result.progressive,
        poster=result.poster,
        thumbnails=result.thumbnails,
        captions=tuple(
            CaptionTrack(path=track.path, language=track.language, label=track.label)
            for track in result.captions
        ),
        renditions=result.renditions,
    )


@frozen(kw_only=True)
class RetryMedia:
    """Put a failed lecture back into the queue."""

    start: StartWork
    clock: Clock
    ids: IdSource

    @again_on_conflict
    def __call__(self, actor: Actor, media: MediaId) -> MediaAsset:
        """Return the lecture, queued again if it had failed.

        Raises:
            NotFound: there is no such lecture of the actor's courses.
        """
        with self.start() as work:
            before = work.media.get(media)
            may_upload(actor, before, self.clock)
            after, events = before.retry(at=self.clock.now())
            if events:
                work.media.save(after)
                work.outbox.extend(sealed(events, self.ids))
                work.commit()
        return after
