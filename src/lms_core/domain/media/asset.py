"""A lecture from its upload to its stream."""

from datetime import datetime
from enum import StrEnum

from attrs import evolve, frozen

from lms_core.domain.decision import Decision
from lms_core.domain.events import Event, MediaFailed, MediaReady, MediaUploaded
from lms_core.domain.ids import CourseId, MediaId, ObjectKey, UserId
from lms_core.domain.media.rendition import Rendition
from lms_core.domain.percent import ALL, NONE, Percent
from lms_core.errors import InvalidValue

MOST_CAPTIONS = 20


class MediaStatus(StrEnum):
    """Where a lecture stands."""

    UPLOADING = "uploading"
    QUEUED = "queued"
    TRANSCODING = "transcoding"
    READY = "ready"
    FAILED = "failed"


@frozen(kw_only=True)
class CaptionFile:
    """Captions as the author gave them."""

    key: ObjectKey
    language: str
    label: str


@frozen(kw_only=True)
class CaptionTrack:
    """Captions as players read them: WebVTT, below the stream's prefix."""

    path: str
    language: str
    label: str


@frozen(kw_only=True)
class Stream:
    """What a lecture was made into; paths are relative to *prefix*."""

    prefix: ObjectKey
    duration_ms: int
    playlist: str
    progressive: str | None
    poster: str
    thumbnails: str | None
    captions: tuple[CaptionTrack, ...]
    renditions: tuple[Rendition, ...]


Step = tuple["MediaAsset", tuple[Event, ...]]


@frozen(kw_only=True)
class MediaAsset:
    """A lecture's source and the stream made of it.

    Replacing the source starts the next *generation* under new object names, so
    that names never change their content and may be cached for good. Until the
    new stream is ready, learners see the one before.
    """

    id: MediaId
    course: CourseId
    owner: UserId
    filename: str
    size_bytes: int
    content_type: str
    created_at: datetime
    fingerprint: str = ""
    """What tells the file from others of its name and size; only then it resumes."""

    status: MediaStatus = MediaStatus.UPLOADING
    generation: int = 1
    upload_id: str | None = None
    captions: tuple[CaptionFile, ...] = ()
    progress: Percent = NONE
    failure: str | None = None
    stream: Stream | None = None
    version: int = 0

    @property
    def source(self) -> ObjectKey:
        """Where the author's file is kept."""
        return ObjectKey(f"sources/{self.course}/{self.id}/{self.generation}")

    @property
    def destination(self) -> ObjectKey:
        """Where the stream of this generation goes."""
        return ObjectKey(f"media/{self.course}/{self.id}/{self.generation}")

    @property
    def job(self) -> str:
        """The transcoding job of this generation."""
        return f"{self.id}-{self.generation}"

    def uploaded(self, *, at: datetime) -> Step:
        """Note that the source has arrived whole; hearing so twice changes nothing."""
        if self.status is not MediaStatus.UPLOADING:
            return self, ()
        event = MediaUploaded(
            media=self.id, course=self.course, generation=self.generation, at=at
        )
        return evolve(self, status=MediaStatus.QUEUED, upload_id=None), (event,)

    def transcoding(self, generation: int, progress: Percent) -> "MediaAsset":
        """Note how far the work is; late news never undoes what is final."""
        if generation != self.generation or self.status not in {
            MediaStatus.QUEUED,
            MediaStatus.TRANSCODING,
        }:
            return self
        return evolve(
            self,
            status=MediaStatus.TRANSCODING,
            progress=max(self.progress, progress),
        )

    def ready(self, generation: int, stream: Stream, *, at: datetime) -> Step:
        """Note the stream; news of an older generation changes nothing.

        A stream counts even after a failure: what can be played is there.
        """
        if generation != self.generation or self.status in {
            MediaStatus.UPLOADING,
            MediaStatus.READY,
        }:
            return self, ()
        event = MediaReady(
            media=self.id, course=self.course, generation=generation, at=at
        )
        done = evolve(
            self, status=MediaStatus.READY, stream=stream, progress=ALL, failure=None
        )
        return done, (event,)

    def failed(self, generation: int, reason: str, *, at: datetime) -> Step:
        """Note that no stream can be made; *reason* is a stable code."""
        if generation != self.generation or self.status not in {
            MediaStatus.QUEUED,
            MediaStatus.TRANSCODING,
        }:
            return self, ()
        event = MediaFailed(
            media=self.id,
            course=self.course,
            generation=generation,
            reason=reason,
            at=at,
        )
        return evolve(self, status=MediaStatus.FAILED, failure=reason), (event,)

    def retry(self, *, at: datetime) -> Step:
        """Try a failed source again, as a redrive does."""
        if self.status is not MediaStatus.FAILED:
            return self, ()
        event = MediaUploaded(
            media=self.id, course=self.course, generation=self.generation, at=at
        )
        again = evolve(self, status=MediaStatus.QUEUED, failure=None, progress=NONE)
        return again, (event,)

    def replace(
        self,
        *,
        filename: str,
        size_bytes: int,
        content_type: str,
        fingerprint: str = "",
    ) -> "MediaAsset":
        """Expect a new source; the stream before stays until the next is ready."""
        if size_bytes < 1:
            raise InvalidValue("must have at least one byte", place="size_bytes")
        return evolve(
            self,
            filename=filename,
            size_bytes=size_bytes,
            content_type=content_type,
            fingerprint=fingerprint,
            generation=self.generation + 1,
            status=MediaStatus.UPLOADING,
            upload_id=None,
            progress=NONE,
            failure=None,
        )

    def with_captions(self, captions: tuple[CaptionFile, ...]) -> "MediaAsset":
        """Attach captions, one for each language."""
        languages = [caption.language for caption in captions]
        Decision.unless(
            too_many_captions=len(captions) > MOST_CAPTIONS,
            language_twice=len(set(languages)) < len(languages),
        ).require()
        return evolve(self, captions=captions)
