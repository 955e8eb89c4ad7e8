"""Make the lecture of the sample course: titled slides with moving diagrams.

Typst draws the frames, because it carries its own fonts; ffmpeg encodes them and
makes the sound.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typst

from lms_ffmpeg.binary import find_ffmpeg

TITLE = "How adaptive streaming works"
FRAME_RATE = 8
_SLIDES = Path(__file__).with_name("sample_lecture.typ")
_BATCH = 50  # frames drawn at once: more gain nothing, and stay in memory
_SPOKEN = (
    "Welcome. In the next seconds you will see how adaptive streaming works.",
    "One lecture is encoded several times: the same pictures, at different rates.",
    "Every rendition is cut at the same instants, so that a player can change over.",
    "The player measures how fast segments arrive, and picks what fits.",
    "What has arrived early waits in a buffer, and hides the slow moments.",
)
# A pentatonic melody over two low voices; each note swells and fades, which keeps
# it gentle and free of clicks.
_MELODY = "220*pow(2,(floor(mod(floor(t)*7,5))*2.4)/12)"
_SOUND = (
    f"0.16*sin(2*PI*{_MELODY}*mod(t,1))*pow(sin(PI*mod(t,1)),2)"
    "+0.07*sin(2*PI*110*t)*(0.7+0.3*sin(2*PI*t/4))"
    "+0.05*sin(2*PI*164.8*t)*(0.7+0.3*cos(2*PI*t/8))"
)


def make_sample_lecture(target: Path, *, seconds: int = 40) -> None:
    """Write an MP4 of 1280x720 pixels with sound to *target*.

    The same length always gives the same pictures and the same sound.

    Raises:
        ConfigurationError: ffmpeg is missing.
        RuntimeError: ffmpeg could not write it.
    """
    command = [
        *(str(find_ffmpeg()), "-v", "error", "-y"),
        *("-f", "image2pipe", "-c:v", "png", "-framerate", str(FRAME_RATE), "-i", "-"),
        *("-f", "lavfi", "-i", f"aevalsrc='{_SOUND}':s=48000:d={seconds}"),
        *(
            "-af",
            "aecho=0.8:0.7:180:0.25,lowpass=f=2400,volume=1.6,pan=stereo|c0=c0|c1=c0",
        ),
        *("-c:v", "libx264", "-preset", "superfast", "-crf", "20"),
        *("-pix_fmt", "yuv420p", "-g", str(2 * FRAME_RATE), "-c:a", "aac"),
        *("-b:a", "96k", "-t", str(seconds), "-metadata", f"title={TITLE}"),
        *("-fflags", "+bitexact", "-movflags", "+faststart", str(target)),
    ]
    with subprocess.Popen(  # noqa: S603 - arguments are ours
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as ffmpeg:
        assert ffmpeg.stdin is not None  # noqa: S101 - it was asked for
        for frame in _frames(seconds):
            ffmpeg.stdin.write(frame)
        ffmpeg.stdin.close()
    if ffmpeg.returncode != 0:
        raise RuntimeError(f"ffmpeg could not write {target}")


def sample_captions(*, seconds: int = 40) -> str:
    """Return the WebVTT captions of a sample lecture of that length.

    >>> print(sample_captions(seconds=40).splitlines()[2])
    00:00.000 --> 00:08.000
    """
    share = 1000 * seconds // len(_SPOKEN)
    cues = ["WEBVTT\n"]
    for number, text in enumerate(_SPOKEN):
        start, end = _timestamp(number * share), _timestamp((number + 1) * share)
        cues.append(f"{start} --> {end}\n{text}\n")
    return "\n".join(cues)


def _timestamp(milliseconds: int) -> str:
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"


def _frames(seconds: int) -> Iterator[bytes]:
    last = seconds * FRAME_RATE
    for first in range(0, last, _BATCH):
        pages: Any = typst.compile(  # its stub forgets that one page comes alone
            str(_SLIDES),
            format="png",
            ppi=72,
            ignore_system_fonts=True,
            sys_inputs={
                "rate": str(FRAME_RATE),
                "seconds": str(seconds),
                "first": str(first),
                "end": str(min(last, first + _BATCH)),
            },
        )
        yield from pages if isinstance(pages, list) else [pages]
