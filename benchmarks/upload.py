"""A lecture of 1 GiB through the API: up in parts, and down again as media.

The server is a process of its own, without a worker, so that nothing transcodes.
What counts is how far its memory grows: it must not depend on the size of a file.
The floor of both rates is a plain copy of the same file, synced to the disk.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from threading import Thread
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import httpx
from attrs import frozen
from benchmarks.row import BadWorkload, Row, limited

from lms_core.application.author_course import CreateCourse
from lms_core.domain.access.policy import Actor
from lms_core.domain.catalog.content import CourseContent, Lesson, Module, Video
from lms_core.domain.ids import CourseId, ObjectKey
from lms_core.domain.people.user import Role
from lms_core.ports.object_store import PART_BYTES
from lms_entrypoints.accounts import add_account, find_account, grant
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.preparing import prepare
from lms_entrypoints.settings import Settings

MIB = 1024 * 1024
BYTES = 1024 * MIB
MOST_BYTES = 8 * BYTES
AT_ONCE = 8
GROWTH_MIB = 64.0
AUTHOR = "author@example.org"
COURSE = CourseId("bench")


def run(workload: Path | None, rounds: int) -> list[Row]:
    """Measure; *workload* may hold ``{"bytes": n}``, the size of the file."""
    size = _size_in(workload)
    with tempfile.TemporaryDirectory(prefix="lms-bench-") as name:
        folder = Path(name)
        source = _made(folder / "source", size)
        tiny = _made(folder / "tiny", 1024)
        lessons = ["warm", *(f"l{number}" for number in range(rounds))]
        password = secrets.token_urlsafe(16)
        platform = _prepared(folder / "data", lessons, password)
        with _served(platform.data) as server, server.client(password) as client:
            # What a server needs for its first requests is no growth.
            _Round.of(platform, server, client, tiny, lessons[0])
            measured = [
                _Round.of(platform, server, client, source, lesson)
                for lesson in lessons[1:]
            ]
    return list(_rows(measured, size))


@frozen(kw_only=True)
class _Round:
    """What one file cost: seconds, and MiB that the server grew by."""

    copy_s: float
    up_s: float
    down_s: float
    up_mib: float
    together_mib: float
    down_mib: float

    @classmethod
    def of(
        cls,
        platform: Platform,
        server: "_Server",
        client: httpx.Client,
        source: Path,
        lesson: str,
    ) -> "_Round":
        start = perf_counter()
        _copied(source)
        copy_s = perf_counter() - start

        before = server.start_peak()
        start = perf_counter()
        stored = _uploaded(client, source, lesson, at_once=1)
        up_s = perf_counter() - start
        up_mib = server.peak_mib() - before
        _require_same(platform, stored, source)
        platform.objects.delete(stored)

        before = server.start_peak()
        stored = _uploaded(client, source, f"{lesson}-together", at_once=AT_ONCE)
        together_mib = server.peak_mib() - before
        _require_same(platform, stored, source)

        key = ObjectKey(f"media/{COURSE}/{lesson}/lecture.mp4")
        with platform.objects.open(stored) as reader:
            platform.objects.put(key, reader, content_type="video/mp4")
        platform.objects.delete(stored)
        before = server.start_peak()
        start = perf_counter()
        _download(client, _link(platform, key), source)
        down_s = perf_counter() - start
        down_mib = server.peak_mib() - before
        platform.objects.delete(key)
        return cls(
            copy_s=copy_s,
            up_s=up_s,
            down_s=down_s,
            up_mib=up_mib,
            together_mib=together_mib,
            down_mib=down_mib,
        )


def _rows(measured: list[_Round], size: int) -> Iterator[Row]:
    shown = f"{size / MIB:,.0f} MiB"
    grown = {
        f"growth of the server, {shown} up": [each.up_mib for each in measured],
        f"growth of the server, {shown} up, {AT_ONCE} parts at once": [
            each.together_mib for each in measured
        ],
        f"growth of the server, {shown} down": [each.down_mib for each in measured],
    }
    for case, values in grown.items():
        yield limited(
            benchmark="upload",
            case=case,
            value=max(values),  # one peak is enough to run out of memory
            unit="MiB",
            limit=GROWTH_MIB,
        )
    floor = size / MIB / median(each.copy_s for each in measured)
    rates = {
        f"rate, {shown} up": [each.up_s for each in measured],
        f"rate, {shown} down": [each.down_s for each in measured],
    }
    for case, seconds in rates.items():
        value = size / MIB / median(seconds)
        yield Row(
            benchmark="upload",
            case=case,
            value=value,
            unit="MiB/s",
            floor=floor,
            ratio=floor / value,
        )


def _size_in(workload: Path | None) -> int:
    if workload is None:
        return BYTES
    try:
        said: Any = json.loads(workload.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise BadWorkload(f"{workload}: {exc}") from exc
    size = said.get("bytes") if isinstance(said, dict) else None
    if type(size) is not int or not 1 <= size <= MOST_BYTES:
        example = f'{{"bytes": n}}, n being 1 to {MOST_BYTES}'
        raise BadWorkload(f"{workload}: must hold {example}")
    return size


def _made(path: Path, size: int) -> Path:
    """Write a file that no compression and no sparse file makes smaller."""
    block = secrets.token_bytes(PART_BYTES)
    with path.open("wb") as file:
        for number in range(-(-size // PART_BYTES)):
            part = number.to_bytes(8, "big") + block[8:]
            file.write(part[: size - number * PART_BYTES])
    return path


def _copied(source: Path) -> None:
    target = source.with_name("copy")
    with source.open("rb") as old, target.open("wb") as new:
        shutil.copyfileobj(old, new, MIB)
        new.flush()
        os.fsync(new.fileno())
    target.unlink()


def _prepared(data: Path, lessons: list[str], password: str) -> Platform:
    """Make a platform with an author, and a course with lessons for two uploads."""
    platform = Platform(Settings(data=data))
    prepare(platform)
    add_account(platform, email=AUTHOR, name="Author", password=password)
    grant(platform, AUTHOR, Role.INSTRUCTOR)
    module = Module(
        key="m",
        title="M",
        lessons=tuple(
            Lesson(key=key, title=key, content=Video())
            for lesson in lessons
            for key in (lesson, f"{lesson}-together")
        ),
    )
    author = Actor.of(find_account(platform, AUTHOR))
    content = CourseContent(title="Bench", modules=(module,))
    platform.use(CreateCourse)(author, COURSE, content)
    return platform


@frozen
class _Server:
    """A served platform, and how much memory it uses."""

    address: str
    pid: int

    @contextmanager
    def client(self, password: str) -> Iterator[httpx.Client]:
        """Yield a client that is signed in as the author."""
        login = {"email": AUTHOR, "password": password}
        with httpx.Client(base_url=self.address, timeout=300) as client:
            answer = client.post("/api/v1/auth/token", json=login).raise_for_status()
            token = answer.json()["access_token"]
            client.headers["authorization"] = f"Bearer {token}"
            yield client

    def start_peak(self) -> float:
        """Forget the peak so far; return what is in use now, in MiB."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", "ascii")
        return self._mib("VmRSS")

    def peak_mib(self) -> float:
        """Return the most that was in use at any moment since."""
        return self._mib("VmHWM")

    def _mib(self, name: str) -> float:
        text = Path(f"/proc/{self.pid}/status").read_text("ascii")
        found = re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)
        assert found is not None, name
        return int(found[1]) / 1024


@contextmanager
def _served(data: Path) -> Iterator[_Server]:
    """Serve the platform in *data* in a process of its own, without a worker."""
    command = ["-m", "lms_entrypoints.cli", "serve", "--no-worker", "--port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, *command],
        stderr=subprocess.PIPE,
        text=True,
        cwd=data,  # where no lms.toml is
        env={k: v for k, v in os.environ.items() if not k.startswith("LMS_")}
        | {"LMS_DATA": str(data)},
    ) as process:
        assert process.stderr is not None
        # The log is read to its end, or a full pipe would stop the server.
        reader = Thread(target=process.stderr.read)
        try:
            address = _address_in(process.stderr)
            reader.start()
            yield _Server(address, process.pid)
        finally:
            process.terminate()
            if reader.ident is not None:
                reader.join()


def _address_in(log: Iterable[str]) -> str:
    said = []
    for line in log:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
        said.append(line)
    raise RuntimeError("the server did not start: " + "".join(said))


def _uploaded(
    client: httpx.Client, source: Path, lesson: str, *, at_once: int
) -> ObjectKey:
    """Upload *source* as an author's browser does; return where it is kept."""
    size = source.stat().st_size
    begin = {
        "course": COURSE,
        "lesson": lesson,
        "filename": "lecture.mp4",
        "size_bytes": size,
        "content_type": "video/mp4",
    }
    state = client.post("/api/v1/uploads", json=begin).raise_for_status().json()
    path = f"/api/v1/uploads/{state['upload_id']}"

    def put(number: int) -> None:
        start = (number - 1) * PART_BYTES
        length = min(PART_BYTES, size - start)
        client.put(
            f"{path}/parts/{number}",
            content=_pieces(source, start, length),
            headers={
                "content-length": str(length),
                "content-type": "application/octet-stream",
            },
        ).raise_for_status()

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(put, range(1, state["part_count"] + 1)))
    client.post(f"{path}/complete").raise_for_status()
    media, _, generation = state["upload_id"].rpartition("-")
    return ObjectKey(f"sources/{COURSE}/{media}/{generation}")


def _pieces(source: Path, start: int, length: int) -> Iterator[bytes]:
    with source.open("rb") as file:
        file.seek(start)
        while length:
            piece = file.read(min(256 * 1024, length))
            length -= len(piece)
            yield piece


def _link(platform: Platform, key: ObjectKey) -> str:
    """Return the path of a signed link to *key*, as its lesson would give it."""
    prefix, _, name = str(key).rpartition("/")
    signed = platform.signer.sign_prefix(
        ObjectKey(prefix),
        viewer=find_account(platform, AUTHOR).id,
        expires_at=platform.clock.now() + timedelta(hours=1),
    )
    return urlsplit(signed.url(name)).path


def _download(client: httpx.Client, link: str, source: Path) -> None:
    with client.stream("GET", link) as answer:
        answer.raise_for_status()
        _require_equal(answer.iter_raw(), source)


def _require_same(platform: Platform, key: ObjectKey, source: Path) -> None:
    with platform.objects.open(key) as reader:
        _require_equal(reader, source)


def _require_equal(pieces: Iterable[bytes], source: Path) -> None:
    with source.open("rb") as file:
        for piece in pieces:
            assert piece == file.read(len(piece)), "other bytes came back"
        assert not file.read(1), "some bytes did not come back"


if __name__ == "__main__":
    for row in run(None, 1):
        print(row)
