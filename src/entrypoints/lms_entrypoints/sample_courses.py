"""The courses that come with the platform."""

import shutil
from pathlib import Path

_FOLDER = Path(__file__).with_name("sample_course")

STREAMING = "adaptive-streaming"
LEARNING = "learning-from-video"
LECTURE = "01-why-it-exists/lecture.mp4"
"""Where the lecture goes in the folder of `STREAMING`; it is made, not shipped."""


def copy_sample_course(name: str, target: Path) -> None:
    """Write the course folder *name* to *target*, which must not exist yet.

    `STREAMING` is complete once its `LECTURE` is there too.
    """
    shutil.copytree(_FOLDER / name, target)
