"""What transcoding costs: our adapter, the best bare command, one run a rendition.

Processor time of this process and its children counts, not time on the clock: the
machine may be busy. Every measurement has a process of its own, because a process
cannot forget how much memory its greatest child has used.
"""

import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from benchmarks.row import BadWorkload, Row

from lms_core.domain.ids import ObjectKey
from lms_core.ports.transcoder import TranscodeRequest, TranscodeState
from lms_ffmpeg.binary import find_ffmpeg
from lms_ffmpeg.transcoder import FfmpegTranscoder
from lms_local.files import FileObjectStore
from lms_local.memory.system import FixedClock

# height, width, average, peak and buffer in kbit/s: what the adapter makes of 1080p.
LADDER = (
    (1080, 1920, 5000, 5350, 7500),
    (720, 1280, 2800, 2996, 4200),
    (480, 854, 1400, 1498, 2100),
    (360, 640, 800, 856, 1200),
)
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high")
GOP = (
    "-sc_threshold",
    "0",
    "-g",
    "9999",
    "-force_key_frames",
    "expr:gte(t,n_forced*2)",
)
AUDIO = ("-c:a", "aac", "-b:a", "128k", "-ac", "2")
HLS = ("-f", "hls", "-hls_time", "6", "-hls_playlist_type", "vod")
FMP4 = ("-hls_segment_type", "fmp4", "-hls_flags", "independent_segments")
CAMERA = "noise=alls=12:allf=t+u"  # a clean source would be too cheap to decode
WAYS = ("adapter", "one pass", "one run a rendition")
MIB = 1024 * 1024


def run(workload: Path | None, rounds: int) -> list[Row]:
    """Measure; *workload* may name a 1080p source to use instead of a made one."""
    if workload is not None:
        _require_lecture(workload)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large = workload or _make(folder / "large.mp4", "1920x1080", 8)
        short = _make(folder / "short.mp4", "640x360", 10)
        long = _make(folder / "long.mp4", "640x360", 40)
        seconds: dict[str, list[float]] = {way: [] for way in WAYS}
        memory: dict[str, list[int]] = {"10 s": [], "40 s": []}
        for _ in range(rounds):
            for way in WAYS:
                seconds[way].append(_apart(way, large)[0])
            memory["10 s"].append(_apart("adapter", short)[1])
            memory["40 s"].append(_apart("adapter", long)[1])
    adapter, one_pass, separate = (median(seconds[way]) for way in WAYS)
    peak_short, peak_long = (median(memory[case]) / MIB for case in ("10 s", "40 s"))
    return [
        _row("processor time over one bare pass", adapter, "s", one_pass, 1.10),
        _row("processor time over one run a rendition", adapter, "s", separate, 0.65),
        _row("memory for 40 s over 10 s", peak_long, "MiB", peak_short, 1.10),
    ]


def _require_lecture(workload: Path) -> None:
    try:
        _ffmpeg(
            *("-i", str(workload), "-map", "0:v:0", "-map", "0:a:0"),
            *("-t", "0.1", "-f", "null", "-"),
        )
    except subprocess.CalledProcessError as exc:
        raise BadWorkload(f"{workload}: is no file with picture and sound") from exc


def _row(case: str, value: float, unit: str, floor: float, goal: float) -> Row:
    ratio = value / floor
    return Row(
        benchmark="transcode",
        case=case,
        value=round(value, 2),
        unit=unit,
        floor=round(floor, 2),
        ratio=round(ratio, 3),
        goal=goal,
        met=ratio <= goal,
    )


def _apart(way: str, source: Path) -> tuple[float, int]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure, way, source).result()


def _measure(way: str, source: Path) -> tuple[float, int]:
    """Return processor seconds, and the peak memory in bytes of one child."""
    ways: dict[str, Callable[[Path, Path], None]] = dict(
        zip(WAYS, (_by_adapter, _in_one_pass, _one_run_a_rendition), strict=True)
    )
    with tempfile.TemporaryDirectory() as folder:
        before = _processor_seconds()
        ways[way](source, Path(folder))
        spent = _processor_seconds() - before
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return spent, peak if sys.platform == "darwin" else peak * 1024


def _processor_seconds() -> float:
    used = [
        resource.getrusage(who)
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _by_adapter(source: Path, folder: Path) -> None:
    objects = FileObjectStore.at(folder / "objects")
    key = ObjectKey("source")
    with source.open("rb") as file:
        objects.put(key, iter(lambda: file.read(MIB), b""))
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    pause = threading.Event()
    with FfmpegTranscoder(
        objects=objects, clock=clock, workdir=folder / "work"
    ) as transcoder:
        transcoder.submit(
            TranscodeRequest(job="job", source=key, destination=ObjectKey("out"))
        )
        while (status := transcoder.status("job")).progress.of_one < 1:
            assert status.state is not TranscodeState.FAILED, status
            pause.wait(0.1)


def _in_one_pass(source: Path, folder: Path) -> None:
    chain = "[0:v]split=2[v0][c0]"
    for number, (height, width, *_) in enumerate(LADDER[1:], 1):
        onward = f",split=2[v{number}][c{number}]"
        last = number == len(LADDER) - 1
        chain += f";[c{number - 1}]scale={width}:{height}"
        chain += f"[v{number}]" if last else onward
    rates: list[str] = []
    for number, (_, _, *kbps) in enumerate(LADDER):
        rates += ["-map", f"[v{number}]", *_rates(*kbps, stream=f":{number}")]
    names = [f"v:{n},agroup:aud,name:{height}" for n, (height, *_) in enumerate(LADDER)]
    _ffmpeg(
        *("-i", str(source), "-filter_complex", chain, *rates, "-map", "0:a:0"),
        *(*X264, *GOP, *AUDIO, *HLS, *FMP4, "-master_pl_name", "master.m3u8"),
        *("-var_stream_map", " ".join([*names, "a:0,agroup:aud,name:audio"])),
        *("-hls_segment_filename", f"{folder}/%v/%05d.m4s", f"{folder}/%v/i.m3u8"),
    )


def _one_run_a_rendition(source: Path, folder: Path) -> None:
    for height, width, *kbps in LADDER:
        _ffmpeg(
            *("-i", str(source), "-vf", f"scale={width}:{height}"),
            *(*_rates(*kbps), *X264, *GOP, *AUDIO, *HLS, *FMP4),
            *("-hls_fmp4_init_filename", f"{height}.mp4", "-hls_segment_filename"),
            *(f"{folder}/{height}-%05d.m4s", f"{folder}/{height}.m3u8"),
        )


def _rates(average: int, peak: int, buffer: int, *, stream: str = "") -> list[str]:
    wanted = {"b": average, "maxrate": peak, "bufsize": buffer}
    return [
        part
        for name, kilo in wanted.items()
        for part in (f"-{name}:v{stream}", f"{kilo}k")
    ]


def _make(path: Path, size: str, seconds: int) -> Path:
    _ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s={size}:r=30:d={seconds},{CAMERA}"),
        *("-f", "lavfi", "-i", f"sine=440:r=48000:d={seconds}"),
        *("-c:v", "libx264", "-preset", "veryfast", "-b:v", "20M"),
        *("-pix_fmt", "yuv420p", str(path)),
    )
    return path


def _ffmpeg(*arguments: str) -> None:
    command = [str(find_ffmpeg()), "-v", "error", "-nostdin", "-y", *arguments]
    subprocess.run(command, check=True)  # noqa: S603 - arguments are ours


if __name__ == "__main__":
    for row in run(Path(sys.argv[1]) if sys.argv[1:] else None, 1):
        print(row)
