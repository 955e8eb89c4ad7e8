"""The contract of `Transcoder`, one test a clause."""

import threading
from posixpath import dirname, join
from typing import ClassVar

import pytest

from lms_core.domain.ids import ObjectKey
from lms_core.errors import NotFound
from lms_core.ports.object_store import ObjectStore
from lms_core.ports.transcoder import (
    CaptionSource,
    Transcoder,
    TranscodeRequest,
    TranscodeResult,
    TranscodeState,
    TranscodeStatus,
)
from lms_core.testing.suite import ConformanceSuite

JOB = "Vidéo 7/../take 2"
SOURCE = ObjectKey("uploads/lecture")
DESTINATION = ObjectKey("media/éclair & co/lecture")
ENGLISH = ObjectKey("uploads/en.srt")
GERMAN = ObjectKey("uploads/de.vtt")
FINAL = {TranscodeState.DONE, TranscodeState.FAILED, TranscodeState.CANCELLED}
REASONS = {
    "unreadable-media",
    "no-video-stream",
    "media-too-long",
    "media-too-large",
    "transcoder-failed",
}
_SRT = "\ufeff1\r\n00:00:00,200 --> 00:00:01,000\r\nGrüße &\r\nso on\r\n".encode()
_VTT = b"WEBVTT\n\nNOTE who wrote this\n\n00:00.200 --> 00:01.000\nHallo\n"
_PLAYLIST = "application/vnd.apple.mpegurl"


class TranscoderConformance(ConformanceSuite):
    """Subclass this and supply fixtures.

    `transcoder` and `objects`, the store that it reads and writes, both empty;
    `good_source`, the bytes of a short lecture with sound; `unreadable_source`,
    bytes that are no media although they begin as if they were.
    """

    good_duration_ms: ClassVar[int] = 2000
    patience_seconds: ClassVar[float] = 60

    @pytest.fixture
    def request_(self, objects: ObjectStore, good_source: bytes) -> TranscodeRequest:
        """Return a request for a source that is there."""
        objects.put(SOURCE, good_source)
        return TranscodeRequest(job=JOB, source=SOURCE, destination=DESTINATION)

    def settle(self, transcoder: Transcoder, job: str) -> TranscodeStatus:
        """Return the status of *job* once it is final."""
        pause = threading.Event()
        for _ in range(round(self.patience_seconds / 0.02)):
            status = transcoder.status(job)
            if status.state in FINAL:
                return status
            pause.wait(0.02)
        raise AssertionError(f"still {status} after {self.patience_seconds} s")

    def made(self, transcoder: Transcoder, job: str) -> TranscodeResult:
        """Return what *job* made, once it is done."""
        status = self.settle(transcoder, job)
        assert status.state is TranscodeState.DONE, status
        assert status.result is not None
        return status.result

    def test_a_job_ends_done_with_a_result(
        self, transcoder: Transcoder, request_: TranscodeRequest
    ) -> None:
        """A job that is done says so, whole, and describes its source."""
        transcoder.submit(request_)
        status = self.settle(transcoder, JOB)

        assert status.state is TranscodeState.DONE, status
        assert status.progress.floor() == 100
        assert status.failure is None
        assert status.result is not None
        assert abs(status.result.duration_ms - self.good_duration_ms) < 500

    def test_renditions_stand_in_the_playlist_largest_first(
        self,
        transcoder: Transcoder,
        objects: ObjectStore,
        request_: TranscodeRequest,
    ) -> None:
        """The multivariant playlist offers the renditions of the result."""
        transcoder.submit(request_)
        result = self.made(transcoder, JOB)
        text = _text(objects, DESTINATION / result.playlist)

        sizes = [(rung.width, rung.height) for rung in result.renditions]
        offered = [f"RESOLUTION={width}x{height}" for width, height in sizes]
        assert sizes
        assert sizes == sorted(sizes, reverse=True)
        assert all(text.count(f"{size},") == 1 for size in offered)
        assert text.startswith("#EXTM3U\n")

    def test_everything_the_playlists_name_is_there(
        self,
        transcoder: Transcoder,
        objects: ObjectStore,
        request_: TranscodeRequest,
    ) -> None:
        """A player that follows any playlist finds every file it is sent to."""
        transcoder.submit(request_)
        result = self.made(transcoder, JOB)
        streams = _named(objects, result.playlist)

        assert streams
        for stream in streams:
            assert objects.info(DESTINATION / stream).content_type == _PLAYLIST
            segments = _named(objects, stream)
            assert segments
            assert all(objects.info(DESTINATION / name).size_bytes for name in segments)
            assert "#EXT-X-ENDLIST" in _text(objects, DESTINATION / stream)

    def test_companions_are_there_with_their_types(
        self,
        transcoder: Transcoder,
        objects: ObjectStore,
        request_: TranscodeRequest,
    ) -> None:
        """Playlist, poster, progressive file and thumbnails are what they claim."""
        transcoder.submit(request_)
        result = self.made(transcoder, JOB)

        def type_of(path: str) -> str:
            return objects.info(DESTINATION / path).content_type

        assert type_of(result.playlist) == _PLAYLIST
        assert type_of(result.poster).startswith("image/")
        if result.progressive:
            assert type_of(result.progressive) == "video/mp4"
        if result.thumbnails:
            track = _text(objects, DESTINATION / result.thumbnails)
            image = track.partition("#xywh=")[0].rpartition("\n")[2]
            beside = join(dirname(result.thumbnails), image)
            assert track.startswith("WEBVTT\n")
            assert type_of(result.thumbnails).startswith("text/vtt")
            assert type_of(beside).startswith("image/")

    def test_captions_become_webvtt(
        self, transcoder: Transcoder, objects: ObjectStore, good_source: bytes
    ) -> None:
        """SubRip and WebVTT captions come out as WebVTT, in the order given."""
        objects.put(SOURCE, good_source)
        objects.put(ENGLISH, _SRT)
        objects.put(GERMAN, _VTT)
        captions = (
            CaptionSource(key=ENGLISH, language="en", label="English"),
            CaptionSource(key=GERMAN, language="de", label="Deutsch"),
        )

        transcoder.submit(
            TranscodeRequest(
                job=JOB, source=SOURCE, destination=DESTINATION, captions=captions
            )
        )
        english, german = self.made(transcoder, JOB).captions

        assert (english.language, english.label) == ("en", "English")
        assert (german.language, german.label) == ("de", "Deutsch")
        for track, line in ((english, "so on"), (german, "Hallo")):
            text = _text(objects, DESTINATION / track.path)
            content_type = objects.info(DESTINATION / track.path).content_type
            assert text.startswith("WEBVTT")
            assert "00:00.200 --> " in text
            assert line in text
            assert content_type.startswith("text/vtt")

    def test_unreadable_media_fails_for_good(
        self, transcoder: Transcoder, objects: ObjectStore, unreadable_source: bytes
    ) -> None:
        """What cannot be read fails with a known reason and publishes no playlist."""
        objects.put(SOURCE, unreadable_source)

        transcoder.submit(
            TranscodeRequest(job=JOB, source=SOURCE, destination=DESTINATION)
        )
        status = self.settle(transcoder, JOB)

        assert status.state is TranscodeState.FAILED
        assert status.permanent
        assert status.result is None
        assert status.failure is not None
        assert status.failure.code == "unreadable-media"
        assert not list(objects.list(f"{DESTINATION}/"))

    def test_a_missing_source_fails(
        self, transcoder: Transcoder, objects: ObjectStore
    ) -> None:
        """A job without a source ends with a known reason, and publishes nothing."""
        transcoder.submit(
            TranscodeRequest(job=JOB, source=SOURCE, destination=DESTINATION)
        )
        status = self.settle(transcoder, JOB)

        assert status.state is TranscodeState.FAILED
        assert status.failure is not None
        assert status.failure.code in REASONS
        assert not list(objects.list(f"{DESTINATION}/"))

    def test_a_failed_job_starts_anew(
        self,
        transcoder: Transcoder,
        objects: ObjectStore,
        good_source: bytes,
        unreadable_source: bytes,
    ) -> None:
        """A failure is not held against the job: submitted again, it runs again."""
        request = TranscodeRequest(job=JOB, source=SOURCE, destination=DESTINATION)
        objects.put(SOURCE, unreadable_source)
        transcoder.submit(request)
        assert self.settle(transcoder, JOB).state is TranscodeState.FAILED
        objects.put(SOURCE, good_source)

        transcoder.submit(request)

        assert self.made(transcoder, JOB).renditions

    def test_a_job_asked_for_twice_is_done_once(
        self,
        transcoder: Transcoder,
        objects: ObjectStore,
        request_: TranscodeRequest,
    ) -> None:
        """A job that runs or is done is left alone."""
        transcoder.submit(request_)
        transcoder.submit(request_)
        first = self.made(transcoder, JOB)
        objects.delete(SOURCE)  # work on it now would fail

        transcoder.submit(request_)

        assert self.made(transcoder, JOB) == first

    def test_a_cancelled_job_ends_and_may_start_anew(
        self, transcoder: Transcoder, request_: TranscodeRequest
    ) -> None:
        """After `cancel` the job is over, unless it was done before."""
        transcoder.submit(request_)
        transcoder.cancel(JOB)
        ended = self.settle(transcoder, JOB)
        transcoder.submit(request_)

        assert ended.state in {TranscodeState.CANCELLED, TranscodeState.DONE}
        assert ended.failure is None
        assert self.made(transcoder, JOB).renditions

    def test_cancelling_a_finished_job_changes_nothing(
        self, transcoder: Transcoder, request_: TranscodeRequest
    ) -> None:
        """What is done stays done."""
        transcoder.submit(request_)
        result = self.made(transcoder, JOB)

        transcoder.cancel(JOB)

        assert self.made(transcoder, JOB) == result

    def test_an_unknown_job_has_no_status_and_can_be_cancelled(
        self, transcoder: Transcoder
    ) -> None:
        """Nobody submitted it, so there is nothing to tell and nothing to stop."""
        transcoder.cancel("unknown")

        with pytest.raises(NotFound):
            transcoder.status("unknown")


def _text(objects: ObjectStore, key: ObjectKey) -> str:
    with objects.open(key) as reader:
        return b"".join(reader).decode()


def _named(objects: ObjectStore, playlist: str) -> set[str]:
    """Return the paths that a playlist names, relative to the destination."""
    names: set[str] = set()
    for line in _text(objects, DESTINATION / playlist).splitlines():
        if line.startswith("#"):
            _, found, rest = line.partition('URI="')
            names |= {rest.partition('"')[0]} if found else set()
        elif line:
            names.add(line)
    return {join(dirname(playlist), name) for name in names}
