"""What the streams are like, and what becomes of jobs whose process ends."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from lms_core.domain.ids import ObjectKey
from lms_core.errors import ConfigurationError
from lms_core.ports.object_store import ObjectStore
from lms_core.ports.transcoder import (
    TranscodeRequest,
    TranscodeResult,
    TranscodeState,
    TranscodeStatus,
)
from lms_core.registry import Registry, Wiring
from lms_core.testing.transcoder import TranscoderConformance
from lms_ffmpeg._faults import MediaFault, Stopped
from lms_ffmpeg._process import Limits, Runner
from lms_ffmpeg.binary import find_ffmpeg, version
from lms_ffmpeg.transcoder import FfmpegTranscoder, open_transcoder
from lms_local.memory.system import CountingIds, CountingTokens, FixedClock

Make = Callable[..., bytes]
SOUND = ("-f", "lavfi", "-i", "sine=440:r=44100:d=2")
ENCODED = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
SOURCE = ObjectKey("source")
OUT = ObjectKey("out")
REQUEST = TranscodeRequest(job="j", source=SOURCE, destination=OUT)
ENDLESS = ("-re", "-f", "lavfi", "-i", "color=s=16x16:r=5", "-f", "null", "-")


@pytest.fixture(scope="session")
def long_source(make: Make) -> bytes:
    return make("long.mp4", *picture("320x180", "25", 120), *ENCODED)


def picture(size: str = "320x180", rate: str = "25", seconds: int = 2) -> list[str]:
    return ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={seconds}"]


def settle(transcoder: FfmpegTranscoder) -> TranscodeStatus:
    return TranscoderConformance().settle(transcoder, "j")


def stream_of(transcoder: FfmpegTranscoder, data: bytes) -> TranscodeResult:
    transcoder.objects.put(SOURCE, data)
    transcoder.submit(REQUEST)
    return TranscoderConformance().made(transcoder, "j")


def read(objects: ObjectStore, path: str) -> bytes:
    with objects.open(OUT / path) as reader:
        return b"".join(reader)


def probe(data: bytes, folder: Path, *arguments: str) -> tuple[str, str]:
    path = folder / "probed"
    path.write_bytes(data)
    told = subprocess.run(  # noqa: S603 - arguments are ours
        [str(find_ffmpeg()), *arguments, "-i", str(path), "-f", "framecrc", "-"],
        check=True,
        capture_output=True,
        text=True,
    )
    return told.stdout, told.stderr


def another(transcoder: FfmpegTranscoder) -> FfmpegTranscoder:
    """Return what a second process would have."""
    return FfmpegTranscoder(
        objects=transcoder.objects,
        clock=transcoder.clock,
        workdir=transcoder.workdir,
        preset="ultrafast",
    )


@contextmanager
def encoding(transcoder: FfmpegTranscoder, long_source: bytes) -> Iterator[None]:
    """Have a job encode something that takes minutes."""
    transcoder.objects.put(SOURCE, long_source)
    transcoder._setup = transcoder._setup.__class__(
        objects=transcoder.objects,
        clock=transcoder.clock,
        workdir=transcoder.workdir,
        limits=transcoder.limits,
        preset="veryslow",
        slots=threading.Semaphore(1),
    )
    transcoder.submit(REQUEST)
    pause = threading.Event()
    while not list(transcoder.workdir.glob("lms-transcode-*/out/*/init*")):
        assert not transcoder._running["j"].ended.is_set(), transcoder.status("j")
        pause.wait(0.02)
    yield


def published(transcoder: FfmpegTranscoder) -> list[str]:
    return [str(info.key) for info in transcoder.objects.list("out/")]


def leftovers(transcoder: FfmpegTranscoder) -> list[Path]:
    return list(transcoder.workdir.glob("lms-transcode-*"))


@pytest.mark.parametrize("rate", ["24000/1001", "10", "120"])
def test_key_frames_come_every_two_seconds_at_any_frame_rate(
    transcoder: FfmpegTranscoder, tmp_path: Path, make: Make, rate: str
) -> None:
    data = make("rate.mp4", *picture("160x90", rate, 7), *ENCODED)

    stream_of(transcoder, data)
    playlist = read(transcoder.objects, "90p/index.m3u8").decode()
    lengths = [float(told) for told in re.findall(r"#EXTINF:([\d.]+)", playlist)]
    told, _ = probe(
        read(transcoder.objects, "progressive.mp4"), tmp_path, "-skip_frame", "nokey"
    )
    ((over, under),) = re.findall(r"#tb 0: (\d+)/(\d+)", told)
    frames = re.findall(r"^0, +\d+, +(\d+),", told, re.MULTILINE)
    times = [int(at) * int(over) / int(under) for at in frames]

    assert lengths == pytest.approx([6, 1], abs=0.11)
    assert times == pytest.approx([0, 2, 4, 6], abs=0.11)


def test_a_source_without_sound_has_no_audio_rendition(
    transcoder: FfmpegTranscoder, make: Make
) -> None:
    result = stream_of(transcoder, make("silent.mp4", *picture(), *ENCODED))

    assert "AUDIO" not in read(transcoder.objects, result.playlist).decode()
    assert not any("audio/" in key for key in published(transcoder))


def test_all_renditions_share_one_audio_rendition(
    transcoder: FfmpegTranscoder, make: Make
) -> None:
    data = make("wide.mp4", *picture("854x480"), *SOUND, *ENCODED)

    result = stream_of(transcoder, data)
    playlist = read(transcoder.objects, result.playlist).decode()

    assert [rung.name for rung in result.renditions] == ["480p", "360p"]
    assert playlist.count("TYPE=AUDIO") == 1
    assert playlist.count('AUDIO="audio"') == 2
    assert playlist.count("mp4a.40.2") == 2


def test_bandwidth_covers_the_heaviest_segment_and_the_sound(
    transcoder: FfmpegTranscoder, good_source: bytes
) -> None:
    result = stream_of(transcoder, good_source)
    playlist = read(transcoder.objects, result.playlist).decode()
    (bandwidth,) = re.findall(r":BANDWIDTH=(\d+)", playlist)
    sizes = [
        transcoder.objects.info(OUT / f"{name}/seg_00000.m4s").size_bytes
        for name in ("180p", "audio")
    ]

    assert int(bandwidth) >= 8 * sum(sizes) / 2.1


def test_a_turned_picture_comes_out_upright(
    transcoder: FfmpegTranscoder, tmp_path: Path, make: Make, good_source: bytes
) -> None:
    level = tmp_path / "level.mp4"
    level.write_bytes(good_source)
    turned = make(
        "turned.mp4", "-display_rotation", "90", "-i", str(level), "-c", "copy"
    )

    result = stream_of(transcoder, turned)
    told, log = probe(read(transcoder.objects, "progressive.mp4"), tmp_path)

    assert (result.renditions[0].width, result.renditions[0].height) == (180, 320)
    assert "#dimensions 0: 180x320" in told
    assert "rotation" not in log


def test_wide_pixels_become_square(transcoder: FfmpegTranscoder, make: Make) -> None:
    data = make("pal.mp4", *picture("360x288"), "-vf", "setsar=64/45", *ENCODED)

    result = stream_of(transcoder, data)

    assert (result.renditions[0].width, result.renditions[0].height) == (426, 240)


def test_a_browser_recording_without_duration_and_with_gaps_is_whole(
    transcoder: FfmpegTranscoder, make: Make
) -> None:
    live = ("-deadline", "realtime", "-cpu-used", "8", "-live", "1")
    gap = ("-vf", "select='lt(t,1)+gt(t,2.5)'", "-fps_mode", "vfr")
    data = make("live.webm", *picture("160x90", "25", 4), *gap, "-c:v", "libvpx", *live)

    result = stream_of(transcoder, data)
    lengths = re.findall(
        r"#EXTINF:([\d.]+)", read(transcoder.objects, "90p/index.m3u8").decode()
    )

    assert abs(result.duration_ms - 4000) < 100
    assert sum(map(float, lengths)) == pytest.approx(4, abs=0.1)


def test_the_progressive_file_starts_at_once_and_has_both_streams(
    transcoder: FfmpegTranscoder, tmp_path: Path, good_source: bytes
) -> None:
    stream_of(transcoder, good_source)
    data = read(transcoder.objects, "progressive.mp4")
    told, _ = probe(data, tmp_path)

    assert data.index(b"moov") < data.index(b"mdat")
    assert "#media_type 0: video" in told
    assert "#media_type 1: audio" in told


def test_thumbnails_tile_the_image_that_they_name(
    transcoder: FfmpegTranscoder, tmp_path: Path, make: Make
) -> None:
    stream_of(transcoder, make("seven.mp4", *picture("320x180", "25", 7), *ENCODED))
    track = read(transcoder.objects, "thumbnails.vtt").decode()
    told, _ = probe(read(transcoder.objects, "thumbnails.jpg"), tmp_path)

    assert re.findall(r"xywh=(.*)", track) == [
        "0,0,160,90",
        "160,0,160,90",
        "320,0,160,90",
        "480,0,160,90",
    ]
    assert "00:00:06.000 --> 00:00:07.000\n" in track
    assert "#dimensions 0: 640x90" in told


def test_where_it_was_filmed_is_not_published(
    transcoder: FfmpegTranscoder, make: Make
) -> None:
    place = ("-metadata", "location=+52.5200+013.4050/", "-metadata", "title=Secret")
    data = make("placed.mp4", *picture(), *SOUND, *ENCODED, *place)

    stream_of(transcoder, data)
    everything = b"".join(
        read(transcoder.objects, key.removeprefix("out/"))
        for key in published(transcoder)
    )

    assert b"Secret" in data
    assert b"Secret" not in everything
    assert b"52.5200" not in everything


def test_streams_of_two_processes_can_be_mixed(
    transcoder: FfmpegTranscoder, good_source: bytes
) -> None:
    def headers() -> dict[str, bytes]:
        names = [key.removeprefix("out/") for key in published(transcoder)]
        return {n: read(transcoder.objects, n) for n in names if "/init" in n}

    stream_of(transcoder, good_source)
    names, first = published(transcoder), headers()
    transcoder.objects.delete(OUT / "result.json")
    stream_of(transcoder, good_source)

    assert published(transcoder) == names
    assert len(first) == 2
    assert headers() == first


def test_another_process_knows_what_is_done(
    transcoder: FfmpegTranscoder, good_source: bytes
) -> None:
    result = stream_of(transcoder, good_source)
    transcoder.objects.delete(SOURCE)  # so that work would fail

    with another(transcoder) as second:
        second.submit(REQUEST)

        assert second.status("j").result == result


def test_a_job_whose_outputs_were_removed_starts_anew(
    transcoder: FfmpegTranscoder, good_source: bytes
) -> None:
    result = stream_of(transcoder, good_source)
    for info in list(transcoder.objects.list("out/")):
        transcoder.objects.delete(info.key)

    assert stream_of(transcoder, good_source) == result
    assert "out/master.m3u8" in published(transcoder)


def test_cancelling_kills_ffmpeg_and_leaves_nothing(
    transcoder: FfmpegTranscoder, long_source: bytes
) -> None:
    with encoding(transcoder, long_source):
        child = transcoder._running["j"].runner._running

        transcoder.cancel("j")

    assert child is not None
    assert child.returncode == -signal.SIGKILL
    assert transcoder.status("j").state is TranscodeState.CANCELLED
    assert not leftovers(transcoder)
    assert not published(transcoder)


def test_closing_ends_the_job_so_that_it_may_start_anew(
    transcoder: FfmpegTranscoder, long_source: bytes
) -> None:
    with encoding(transcoder, long_source):
        transcoder.close()
    with another(transcoder) as second:
        status = second.status("j")

    assert status.state is TranscodeState.FAILED
    assert not status.permanent
    assert not leftovers(transcoder)


def test_another_process_may_cancel(
    transcoder: FfmpegTranscoder, clock: FixedClock, long_source: bytes
) -> None:
    with encoding(transcoder, long_source), another(transcoder) as second:
        second.cancel("j")
        clock.advance(timedelta(seconds=6))

        assert settle(transcoder).state is TranscodeState.CANCELLED
        assert second.status("j").state is TranscodeState.CANCELLED


def test_another_process_sees_it_run(
    transcoder: FfmpegTranscoder, long_source: bytes
) -> None:
    with encoding(transcoder, long_source), another(transcoder) as second:
        assert second.status("j").state in {
            TranscodeState.QUEUED,
            TranscodeState.RUNNING,
        }


def test_jobs_beyond_the_number_allowed_wait(
    transcoder: FfmpegTranscoder, long_source: bytes
) -> None:
    with encoding(transcoder, long_source):
        transcoder.submit(
            TranscodeRequest(job="k", source=SOURCE, destination=ObjectKey("other"))
        )

        assert transcoder.status("k").state is TranscodeState.QUEUED


KILLED = """
import sys, time
from pathlib import Path
from lms_core.domain.ids import ObjectKey
from lms_core.ports.transcoder import TranscodeRequest
from lms_ffmpeg.transcoder import FfmpegTranscoder
from lms_local.files import FileObjectStore
from lms_local.memory.system import FixedClock
root = Path(sys.argv[1])
transcoder = FfmpegTranscoder(
    objects=FileObjectStore.at(root / "objects"),
    clock=FixedClock(), workdir=root / "work", preset="veryslow",
)
transcoder.submit(TranscodeRequest(
    job="j", source=ObjectKey("source"), destination=ObjectKey("out")
))
while not list((root / "work").glob("lms-transcode-*/out/*/init*")):
    time.sleep(0.02)
print(transcoder._running["j"].runner._running.pid, flush=True)
if sys.argv[2] == "wait":
    sys.stdin.read()
"""


@contextmanager
def doomed(tmp_path: Path, how: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Have another process encode, and tell the number of its ffmpeg."""
    with subprocess.Popen(  # noqa: S603 - arguments are ours
        [sys.executable, "-c", KILLED, str(tmp_path), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())


def gone(pid: int) -> bool:
    """Whether that process ends within the patience of a test."""
    pause = threading.Event()
    for _ in range(500):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":  # dead, and waiting for somebody to take notice
            return True
        pause.wait(0.02)
    return False


def test_a_job_whose_process_was_killed_starts_anew(
    tmp_path: Path,
    objects: ObjectStore,
    clock: FixedClock,
    long_source: bytes,
    good_source: bytes,
) -> None:
    objects.put(SOURCE, long_source)
    with doomed(tmp_path, "wait") as (process, ffmpeg):
        process.send_signal(signal.SIGKILL)
    clock.advance(timedelta(seconds=61))

    with FfmpegTranscoder(
        objects=objects, clock=clock, workdir=tmp_path / "work", preset="ultrafast"
    ) as transcoder:
        before = transcoder.status("j")

        assert gone(ffmpeg)
        assert not leftovers(transcoder)
        assert (before.state, before.permanent) == (TranscodeState.FAILED, False)
        assert stream_of(transcoder, good_source).renditions


def test_leaving_the_program_ends_ffmpeg_and_removes_its_files(
    tmp_path: Path, objects: ObjectStore, long_source: bytes
) -> None:
    objects.put(SOURCE, long_source)
    with doomed(tmp_path, "leave") as (process, ffmpeg):
        assert process.wait() == 0

    assert gone(ffmpeg)
    assert not list((tmp_path / "work").glob("lms-transcode-*"))


def test_a_run_that_uses_up_its_processor_time_is_killed_for_good(
    tmp_path: Path,
) -> None:
    runner = Runner(find_ffmpeg(), Limits(), tmp_path)
    busy = ("-f", "lavfi", "-i", "mandelbrot=s=1280x720", "-f", "null", "-")

    with pytest.raises(MediaFault) as caught:
        runner.run(*busy, seconds=1).require()

    assert caught.value.permanent
    assert caught.value.reason.code == "transcoder-failed"


def test_a_run_that_hangs_is_killed(tmp_path: Path) -> None:
    runner = Runner(find_ffmpeg(), Limits(), tmp_path)

    with pytest.raises(MediaFault, match="took too long"):
        runner.run(*ENDLESS, seconds=1)


def test_nothing_starts_after_a_stop(tmp_path: Path) -> None:
    runner = Runner(find_ffmpeg(), Limits(), tmp_path)
    runner.stop()

    with pytest.raises(Stopped):
        runner.run(*ENDLESS, seconds=1)


def test_the_program_can_be_found_and_asked_for_its_version() -> None:
    assert os.access(find_ffmpeg(), os.X_OK)
    assert re.match(r"n?\d+\.\d", version())


def test_a_missing_program_is_named_with_its_remedy(
    transcoder: FfmpegTranscoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/nowhere/ffmpeg")

    with pytest.raises(ConfigurationError, match=r"pip install 'lms-core\[ffmpeg\]'"):
        transcoder.submit(REQUEST)


@pytest.fixture
def wiring(objects: ObjectStore) -> Wiring:
    return Wiring(
        clock=FixedClock(), ids=CountingIds(), tokens=CountingTokens(), objects=objects
    )


def test_the_opener_reads_its_options(wiring: Wiring, tmp_path: Path) -> None:
    opened = Registry.installed("transcoder").open(
        "transcoder", f"ffmpeg://?workdir={tmp_path}&jobs=2&max_seconds=60", wiring
    )

    with opened:
        assert (opened.workdir, opened.jobs) == (tmp_path, 2)
        assert opened.limits.max_seconds == 60


@pytest.mark.parametrize(
    "url", ["ffmpeg://?colour=red", "ffmpeg://host", "ffmpeg://?jobs=many"]
)
def test_the_opener_refuses_what_it_does_not_know(url: str, wiring: Wiring) -> None:
    with pytest.raises(ConfigurationError):
        open_transcoder(url, wiring)


def test_the_opener_needs_an_object_store() -> None:
    wiring = Wiring(clock=FixedClock(), ids=CountingIds(), tokens=CountingTokens())

    with pytest.raises(ConfigurationError, match="object store"):
        open_transcoder("ffmpeg://", wiring)
