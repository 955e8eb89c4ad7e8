"""Find out what a source is before any real work is done on it.

The demuxer is chosen here, by the first bytes, from a short list: left to guess,
ffmpeg takes playlists for media and goes where they point.
"""

import re
import struct
from fractions import Fraction
from pathlib import Path

from attrs import frozen

from lms_ffmpeg._faults import MediaFault, unreadable
from lms_ffmpeg._process import Outcome, Runner

_HEAD_BYTES = 1024
_TS_PACKETS = ((0, 188), (4, 192))  # first sync byte and distance, plain and Blu-ray
_MOV_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_MOV_CONTENT = {b"mdat", b"moov", b"moof"}
_MAGIC = (
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"FLV\x01", "flv"),
    (b"\x00\x00\x01\xba", "mpeg"),
    (b"OggS", "ogg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
)
_DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d)\.(\d\d),", re.MULTILINE)
_STREAM = re.compile(r"^  Stream #0:\d+.*?: (\w+): (.*)$", re.MULTILINE)
_SIZE = re.compile(r", (\d+)x(\d+)")
_OUT_TIME = re.compile(r"out_time_us=(\d+)")


@frozen(kw_only=True)
class Source:
    """What the ladder needs to know; width and height are those displayed."""

    demuxer: str
    duration_ms: int
    width: int
    height: int
    has_audio: bool


def open_arguments(demuxer: str) -> tuple[str, ...]:
    """Return how to open the source: as this format, and as a local file only."""
    return ("-protocol_whitelist", "file", "-f", demuxer, "-i", "source")


def demuxer_of(head: bytes) -> str | None:
    """Return the demuxer for a file that starts like this, or `None`."""
    if head[4:8] in _MOV_BOXES:
        return "mov"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    for first, distance in _TS_PACKETS:
        marks = head[first : first + 3 * distance : distance]
        if marks == b"GGG":
            return "mpegts"
    return None


def is_cut_off(path: Path) -> bool:
    """Whether a file of MP4 boxes ends inside its media or its index."""
    size = path.stat().st_size
    at = 0
    with path.open("rb") as file:
        while at + 8 <= size:
            file.seek(at)
            header = file.read(16)
            length, kind = struct.unpack(">I4s", header[:8])
            if length == 1 and len(header) == 16:  # noqa: PLR2004 - the long form
                length = struct.unpack(">Q", header[8:])[0]
            if length < 8:  # noqa: PLR2004 - no box, or one up to the end of the file
                return False
            at += length
            if at > size and kind in _MOV_CONTENT:
                return True
    return False


def probe(runner: Runner) -> Source:
    """Describe the file ``source`` in the runner's folder.

    Raises:
        MediaFault: it is no video, cannot be read, or is beyond the limits.
    """
    path = runner.folder / "source"
    with path.open("rb") as file:
        demuxer = demuxer_of(file.read(_HEAD_BYTES))
    if demuxer is None:
        raise unreadable("not a known container")
    if demuxer == "mov" and is_cut_off(path):
        raise unreadable("the file is cut off")
    limits = runner.limits
    # A decoded frame proves that there is something to see, and tells the size
    # after rotation; framecrc writes its facts in a form made for machines.
    seen = runner.run(
        *("-threads", "1", "-max_pixels", str(limits.max_pixels)),
        *open_arguments(demuxer),
        *("-map", "0:V:0", "-map", "0:a:0?", "-frames:v", "1"),
        *("-t", "10", "-f", "framecrc", "pipe:1"),
        seconds=limits.probe_seconds,
    )
    described = seen.log.partition("\nStream mapping:")[0]
    _refuse_other_than_video(described, limits.max_pixels)
    duration_ms = _duration_ms(described) or _measured_ms(runner, demuxer)
    if duration_ms > limits.max_seconds * 1000:
        raise MediaFault("media-too-long", seconds=duration_ms // 1000)
    width, height = _displayed_size(seen)
    if width * height > limits.max_pixels:
        raise MediaFault("media-too-large", width=width, height=height)
    return Source(
        demuxer=demuxer,
        duration_ms=duration_ms,
        width=width,
        height=height,
        has_audio="#media_type 1: audio" in seen.lines,
    )


def _refuse_other_than_video(described: str, max_pixels: int) -> None:
    streams = _STREAM.findall(described)
    if not streams:
        raise unreadable("no stream in it")
    videos = [
        told
        for kind, told in streams
        if kind == "Video" and "(attached pic)" not in told
    ]
    if not videos:
        raise MediaFault("no-video-stream")
    size = _SIZE.search(videos[0])
    if size and int(size[1]) * int(size[2]) > max_pixels:
        raise MediaFault("media-too-large", width=int(size[1]), height=int(size[2]))


def _duration_ms(described: str) -> int | None:
    found = _DURATION.search(described)
    if found is None:
        return None
    hours, minutes, seconds, hundredths = map(int, found.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + hundredths * 10


def _measured_ms(runner: Runner, demuxer: str) -> int:
    # What browsers record declares no duration; reading the packets tells it.
    read = runner.run(
        *("-v", "error", *open_arguments(demuxer), "-map", "0:V:0", "-c", "copy"),
        *("-f", "null", "-nostats", "-progress", "pipe:1", "-"),
        seconds=runner.limits.work_seconds(0),
    )
    read.require()
    times = _OUT_TIME.findall("\n".join(read.lines))
    if not times or int(times[-1]) < 1000:  # noqa: PLR2004 - a millisecond
        raise unreadable("no duration")
    return int(times[-1]) // 1000


def _displayed_size(seen: Outcome) -> tuple[int, int]:
    facts = dict(line.split(" 0: ", 1) for line in seen.lines if " 0: " in line)
    decoded = any(line.startswith("0,") for line in seen.lines)
    if seen.status != 0 or not decoded or "#dimensions" not in facts:
        raise unreadable("no frame can be decoded")
    width, height = map(int, facts["#dimensions"].split("x"))
    over, under = map(int, facts.get("#sar", "1/1").split("/"))
    aspect = Fraction(over, under) if over > 0 and under > 0 else Fraction(1)
    return max(1, round(width * aspect)), height
