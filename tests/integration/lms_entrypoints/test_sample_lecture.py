"""The lecture of the sample course is a real video."""

import subprocess
from itertools import pairwise
from pathlib import Path

from lms_entrypoints.sample_lecture import make_sample_lecture, sample_captions
from lms_ffmpeg.binary import find_ffmpeg


def facts(path: Path) -> list[str]:
    return subprocess.run(  # noqa: S603 - arguments are ours
        [str(find_ffmpeg()), "-v", "error", "-i", str(path), "-f", "framehash", "-"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()


def test_it_has_moving_pictures_and_sound(tmp_path: Path) -> None:
    target = tmp_path / "lecture.mp4"

    make_sample_lecture(target, seconds=5)
    told = facts(target)
    frames = [line.rpartition(",")[2] for line in told if line.startswith("0,")]

    assert "#dimensions 0: 1280x720" in told
    assert "#channel_layout_name 1: stereo" in told
    assert len(frames) == 40
    assert len(set(frames)) > 35


def test_the_same_length_gives_the_same_lecture(tmp_path: Path) -> None:
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"

    make_sample_lecture(first, seconds=1)
    make_sample_lecture(second, seconds=1)

    assert facts(first) == facts(second)


def test_captions_cover_it_from_beginning_to_end() -> None:
    cues = [line for line in sample_captions(seconds=40).splitlines() if "-->" in line]

    assert cues[0].startswith("00:00.000 --> ")
    assert cues[-1].endswith(" --> 00:40.000")
    for earlier, later in pairwise(cues):
        assert earlier.partition(" --> ")[2] == later.partition(" --> ")[0]
