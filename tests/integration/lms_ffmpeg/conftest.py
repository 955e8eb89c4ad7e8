"""Sources made by ffmpeg, once a session."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lms_core.ports.object_store import ObjectStore
from lms_ffmpeg.binary import find_ffmpeg
from lms_ffmpeg.transcoder import FfmpegTranscoder
from lms_local.files import FileObjectStore
from lms_local.memory.system import FixedClock

Make = Callable[..., bytes]
PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2")
SOUND = ("-f", "lavfi", "-i", "sine=440:r=44100:d=2")
ENCODED = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return a function that runs ffmpeg with its arguments into a named file."""
    ffmpeg = str(find_ffmpeg())
    folder = tmp_path_factory.mktemp("sources")

    def run(name: str, *arguments: str) -> bytes:
        path = folder / name
        command = [ffmpeg, "-v", "error", "-nostdin", "-y", *arguments, str(path)]
        subprocess.run(command, check=True)  # noqa: S603 - arguments are ours
        return path.read_bytes()

    return run


@pytest.fixture(scope="session")
def good_source(make: Make) -> bytes:
    return make("good.mp4", *PICTURE, *SOUND, *ENCODED)


@pytest.fixture(scope="session")
def unreadable_source() -> bytes:
    return b"\0\0\0\x1cftypisom\0\0\2\0isomiso2mp41" + bytes(range(256)) * 16


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return FileObjectStore.at(tmp_path / "objects")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def transcoder(
    tmp_path: Path, objects: ObjectStore, clock: FixedClock
) -> Iterator[FfmpegTranscoder]:
    with FfmpegTranscoder(
        objects=objects, clock=clock, workdir=tmp_path / "work", preset="ultrafast"
    ) as made:
        yield made
