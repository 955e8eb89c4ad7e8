"""Turn a lecture into an adaptive stream."""

from enum import StrEnum
from typing import Protocol

from attrs import frozen

from lms_core.domain.ids import ObjectKey
from lms_core.domain.media.rendition import Rendition
from lms_core.domain.percent import NONE, Percent
from lms_core.errors import Reason


@frozen(kw_only=True)
class CaptionSource:
    """A captions file, WebVTT or SubRip; *language* is a BCP 47 tag."""

    key: ObjectKey
    language: str
    label: str


@frozen(kw_only=True)
class TranscodeRequest:
    """What to make and where to put it.

    *job* names the work: the same job asked for twice is done once. Outputs go
    below *destination*, under names that `TranscodeResult` gives.
    """

    job: str
    source: ObjectKey
    destination: ObjectKey
    captions: tuple[CaptionSource, ...] = ()


@frozen(kw_only=True)
class CaptionTrack:
    """A WebVTT file below the destination."""

    path: str
    language: str
    label: str


@frozen(kw_only=True)
class TranscodeResult:
    """What was made; every path is relative to the destination.

    *playlist* is an HLS multivariant playlist over CMAF segments, *progressive*
    one MP4 for players without HLS, *thumbnails* a WebVTT file that maps times
    to regions of an image. *duration_ms* is that of the source.
    """

    duration_ms: int
    playlist: str
    progressive: str | None
    poster: str
    thumbnails: str | None
    captions: tuple[CaptionTrack, ...]
    renditions: tuple[Rendition, ...]


class TranscodeState(StrEnum):
    """Where a job stands; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@frozen(kw_only=True)
class TranscodeStatus:
    """Where a job stands, how far it is, and what came of it.

    *failure* is given with `FAILED` only: its code is ``unreadable-media``,
    ``no-video-stream``, ``media-too-long``, ``media-too-large`` or
    ``transcoder-failed``. *permanent* says that trying again will not help.
    """

    state: TranscodeState
    progress: Percent = NONE
    result: TranscodeResult | None = None
    failure: Reason | None = None
    permanent: bool = False


class Transcoder(Protocol):
    """Make streams from lectures, in the background."""

    def submit(self, request: TranscodeRequest) -> None:
        """Start the job, and return before it is done.

        A job that runs or is done is left alone. One that failed, was cancelled
        or died with its process starts anew.

        Raises:
            Unavailable: it may have started; submit the same request again.
            ConfigurationError: the program that does the work is missing.
        """
        ...

    def status(self, job: str) -> TranscodeStatus:
        """Tell where *job* stands, or raise `NotFound`.

        Nothing below the destination is complete before `DONE` is told.
        """
        ...

    def cancel(self, job: str) -> None:
        """Stop *job* and whatever it runs; a finished or unknown one is fine."""
        ...
