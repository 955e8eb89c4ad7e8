"""Media that is broken, or not media at all, ends the job for good."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from lms_core.domain.ids import ObjectKey
from lms_core.ports.object_store import ObjectStore
from lms_core.ports.transcoder import (
    CaptionSource,
    TranscodeRequest,
    TranscodeState,
    TranscodeStatus,
)
from lms_core.testing.transcoder import TranscoderConformance
from lms_ffmpeg._probe import demuxer_of
from lms_ffmpeg._process import Limits
from lms_ffmpeg.transcoder import FfmpegTranscoder
from lms_local.memory.system import FixedClock

Make = Callable[..., bytes]
PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2")
SOUND = ("-f", "lavfi", "-i", "sine=440:r=44100:d=2")
ENCODED = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
SAMPLES = Path(__file__).parents[2] / "data" / "media"
SOURCE = ObjectKey("source")
REQUEST = TranscodeRequest(job="j", source=SOURCE, destination=ObjectKey("out"))


def outcome(
    transcoder: FfmpegTranscoder, data: bytes, request: TranscodeRequest = REQUEST
) -> TranscodeStatus:
    transcoder.objects.put(SOURCE, data)
    transcoder.submit(request)
    return TranscoderConformance().settle(transcoder, request.job)


def failure(transcoder: FfmpegTranscoder, data: bytes) -> str:
    status = outcome(transcoder, data)
    assert status.state is TranscodeState.FAILED, status
    assert status.permanent
    assert status.failure is not None
    assert not list(transcoder.objects.list("out/"))
    assert not list(transcoder.workdir.glob("lms-transcode-*"))
    return status.failure.code


def limited(transcoder: FfmpegTranscoder, limits: Limits) -> FfmpegTranscoder:
    return FfmpegTranscoder(
        objects=transcoder.objects,
        clock=FixedClock(),
        workdir=transcoder.workdir,
        limits=limits,
    )


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_a_hostile_sample_is_unreadable(
    transcoder: FfmpegTranscoder, path: Path
) -> None:
    assert failure(transcoder, path.read_bytes()) == "unreadable-media"


def test_an_empty_file_is_unreadable(transcoder: FfmpegTranscoder) -> None:
    assert failure(transcoder, b"") == "unreadable-media"


@pytest.mark.parametrize("head", [b"", b"\0\0\0\x14ftypqt  \0\0\0\0qt  "])
def test_a_playlist_in_disguise_fetches_nothing(
    transcoder: FfmpegTranscoder, head: bytes
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/secret.ts"
        playlist = f"#EXTM3U\n#EXTINF:10,\n{url}\n#EXT-X-ENDLIST\n"

        assert failure(transcoder, head + playlist.encode()) == "unreadable-media"
        with pytest.raises(BlockingIOError):
            server.accept()


def test_sound_alone_is_no_video(transcoder: FfmpegTranscoder, make: Make) -> None:
    data = make("sound.m4a", *SOUND, "-c:a", "aac")

    assert failure(transcoder, data) == "no-video-stream"


def test_a_cover_picture_is_no_video(transcoder: FfmpegTranscoder, make: Make) -> None:
    cover = ("-f", "lavfi", "-i", "color=red:s=64x64:d=0.1:r=10")
    kept = ("-c:v", "mjpeg", "-disposition:v:0", "attached_pic", "-frames:v", "1")
    data = make("cover.m4a", *SOUND, *cover, "-map", "0:a", "-map", "1:v", *kept)

    assert failure(transcoder, data) == "no-video-stream"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(max_seconds=1), "media-too-long"),
        (Limits(max_pixels=320 * 180 - 1), "media-too-large"),
        (Limits(max_bytes=1000), "media-too-large"),
    ],
)
def test_what_is_beyond_a_limit_is_refused(
    transcoder: FfmpegTranscoder, good_source: bytes, limits: Limits, code: str
) -> None:
    with limited(transcoder, limits) as strict:
        assert failure(strict, good_source) == code


def test_a_recording_that_breaks_off_is_not_published(
    transcoder: FfmpegTranscoder, make: Make
) -> None:
    whole = make("whole.mkv", *PICTURE, *SOUND, *ENCODED, "-g", "10")

    assert failure(transcoder, whole[: len(whole) // 3]) == "unreadable-media"


@pytest.mark.parametrize("order", [["-movflags", "+faststart"], []])
def test_an_upload_that_lost_its_tail_is_unreadable(
    transcoder: FfmpegTranscoder, make: Make, order: list[str]
) -> None:
    whole = make("whole.mp4", *PICTURE, *SOUND, *ENCODED, *order)

    assert failure(transcoder, whole[:-64]) == "unreadable-media"


def test_a_source_full_of_broken_frames_is_unreadable(
    transcoder: FfmpegTranscoder, make: Make
) -> None:
    data = bytearray(make("whole.ts", *PICTURE, *SOUND, *ENCODED))
    for packet in range(40 * 188, len(data), 5 * 188):
        data[packet + 20 : packet + 180] = bytes(160)

    assert failure(transcoder, bytes(data)) == "unreadable-media"


@pytest.mark.parametrize(
    "captions",
    [
        b"",
        b"WEBVTT\n",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"\xff\xfe1\x00",
        b"WEBVTT\n\n00:01.000 --> 00:02.000\n\0\n",
        b"<script>alert(1)</script>",
    ],
)
def test_captions_that_are_none_fail_the_job(
    transcoder: FfmpegTranscoder, good_source: bytes, captions: bytes
) -> None:
    key = ObjectKey("captions.srt")
    transcoder.objects.put(key, captions)
    track = CaptionSource(key=key, language="en", label="English")
    request = TranscodeRequest(
        job="j", source=SOURCE, destination=ObjectKey("out"), captions=(track,)
    )

    status = outcome(transcoder, good_source, request)

    assert status.permanent
    assert status.failure is not None
    assert status.failure.code == "unreadable-media"
    assert status.failure.about["object"] == "captions.srt"


def test_a_language_cannot_lead_out_of_the_destination(
    transcoder: FfmpegTranscoder, objects: ObjectStore, good_source: bytes
) -> None:
    key = ObjectKey("captions.srt")
    objects.put(key, b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n")
    track = CaptionSource(key=key, language="../../en", label="English")
    request = TranscodeRequest(
        job="j", source=SOURCE, destination=ObjectKey("out"), captions=(track,)
    )

    assert outcome(transcoder, good_source, request).permanent


@pytest.mark.parametrize(
    ("head", "demuxer"),
    [
        (b"\0\0\0\x20ftypisom", "mov"),
        (b"\x1a\x45\xdf\xa3\x01", "matroska"),
        (b"RIFF\0\0\0\0AVI LIST", "avi"),
        ((b"G" + bytes(187)) * 3, "mpegts"),
        ((b"\0\0\0\0G" + bytes(187)) * 3, "mpegts"),
        (b"#EXTM3U\n", None),
        (b"ffconcat version 1.0\n", None),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        (b"<?xml version='1.0'?><MPD>", None),
        (b"G" * 100, None),
    ],
)
def test_the_first_bytes_decide_the_demuxer(head: bytes, demuxer: str | None) -> None:
    assert demuxer_of(head) == demuxer
