"""What a folder adds to the contract: processes, crashes, links, full disks."""

import errno
import os
import resource
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given

from lms_core.domain.ids import ObjectKey
from lms_core.errors import (
    AlreadyExists,
    ConfigurationError,
    Conflict,
    NotFound,
    NotPermitted,
    Rejected,
    Unavailable,
)
from lms_core.ports.object_store import Upload
from lms_core.registry import Wiring
from lms_core.testing.object_store import keys, read
from lms_core.testing.strategies import object_keys
from lms_local._key_names import names_of, text_of
from lms_local.files import FileObjectStore, open_object_store
from lms_local.memory.system import CountingIds, CountingTokens, FixedClock

KEY = ObjectKey("a/b")
WIRING = Wiring(clock=FixedClock(), ids=CountingIds(), tokens=CountingTokens())


@pytest.fixture
def store(tmp_path: Path) -> FileObjectStore:
    return FileObjectStore.at(tmp_path)


def files(root: Path) -> list[str]:
    return sorted(
        str(each.relative_to(root))
        for each in root.rglob("*")
        if each.is_file() and each.parent.name != "locks"
    )


def run(code: str, *arguments: object, status: int = 0) -> str:
    """Run *code* in a process of its own and return what it prints."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own code
    assert done.returncode == status, done.stderr
    return done.stdout


def try_to_take(root: Path, rounds: int, mark: int) -> list[int]:
    """Return the rounds that this process won."""
    store = FileObjectStore.at(root)
    won = []
    for number in range(rounds):
        try:
            store.put(ObjectKey(f"race/{number}"), b"%d" % mark, if_absent=True)
        except AlreadyExists:
            continue
        won.append(number)
    return won


def test_processes_that_race_for_a_key_have_one_winner(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        tries = [pool.submit(try_to_take, tmp_path, 100, mark) for mark in range(4)]
        won = [each.result() for each in tries]
    store = FileObjectStore.at(tmp_path)

    assert sorted(number for each in won for number in each) == list(range(100))
    for mark, numbers in enumerate(won):
        for number in numbers:
            assert read(store, ObjectKey(f"race/{number}")) == b"%d" % mark


def count_up(root: Path, times: int) -> None:
    store = FileObjectStore.at(root)
    done = 0
    while done < times:
        with store.open(KEY) as reader:
            number = int(b"".join(reader))
            etag = reader.info.etag
        try:
            store.put(KEY, b"%d" % (number + 1), if_match=etag)
        except Conflict:
            continue
        done += 1


def test_processes_that_count_lose_no_count(tmp_path: Path) -> None:
    store = FileObjectStore.at(tmp_path)
    store.put(KEY, b"0")
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        for each in [pool.submit(count_up, tmp_path, 30) for _ in range(3)]:
            each.result()

    assert read(store, KEY) == b"90"


def churn(root: Path, mark: int) -> None:
    store = FileObjectStore.at(root)
    for _ in range(100):
        store.put(ObjectKey(f"x/y/z/{mark}"), b"x")
        store.delete(ObjectKey(f"x/y/z/{mark}"))


def test_emptied_folders_vanish_under_nobody(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        for each in [pool.submit(churn, tmp_path, mark) for mark in range(3)]:
            each.result()

    assert list((tmp_path / "objects").iterdir()) == []


def test_another_process_resumes_an_upload(tmp_path: Path) -> None:
    begun = FileObjectStore.at(tmp_path).start_upload(KEY, content_type="video/mp4")
    code = (
        "import sys; from pathlib import Path;"
        "from lms_core.domain.ids import ObjectKey;"
        "from lms_core.ports.object_store import Upload;"
        "from lms_local.files import FileObjectStore;"
        "upload = Upload(key=ObjectKey('a/b'), id=sys.argv[2]);"
        "FileObjectStore.at(Path(sys.argv[1])).put_part(upload, 1, b'from afar')"
    )
    run(code, tmp_path, begun.id)
    store = FileObjectStore.at(tmp_path)
    info = store.complete_upload(begun, store.parts(begun))

    assert info.content_type == "video/mp4"
    assert read(store, KEY) == b"from afar"
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_killed_writer_leaves_nothing_behind(
    store: FileObjectStore, tmp_path: Path
) -> None:
    store.put(KEY, b"old")
    code = (
        "import os, sys, signal; from pathlib import Path;"
        "from lms_core.domain.ids import ObjectKey;"
        "from lms_local.files import FileObjectStore\n"
        "def data():\n"
        "    yield b'new'\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "FileObjectStore.at(Path(sys.argv[1])).put(ObjectKey('a/b'), data())"
    )
    run(code, tmp_path, status=-signal.SIGKILL)
    left = files(tmp_path / "scratch")
    again = FileObjectStore.at(tmp_path)

    assert len(left) == 1
    assert files(tmp_path / "scratch") == []
    assert read(again, KEY) == b"old"


def test_a_store_opened_meanwhile_spares_what_is_being_written(
    store: FileObjectStore, tmp_path: Path
) -> None:
    def data() -> object:
        yield b"first"
        FileObjectStore.at(tmp_path)
        yield b"second"

    store.put(KEY, data())  # type: ignore[arg-type]

    assert read(store, KEY) == b"firstsecond"


def test_a_full_disk_is_told_and_tidied(
    store: FileObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(KEY, b"old")
    before = files(tmp_path)

    def full(_file: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(Unavailable) as refused:
            store.put(KEY, b"new")

    assert (refused.value.code, refused.value.effect) == ("storage-full", "none")
    assert files(tmp_path) == before
    assert read(store, KEY) == b"old"


def test_a_limit_of_the_system_is_a_full_disk(
    store: FileObjectStore, tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(Unavailable) as refused:
            store.put(KEY, b"x" * 200_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert (refused.value.code, refused.value.effect) == ("storage-full", "none")
    assert files(tmp_path) == []


def test_links_inside_the_folder_are_not_followed(
    store: FileObjectStore, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    FileObjectStore.at(outside).put(ObjectKey("secret"), b"secret")
    objects, target = tmp_path / "objects", outside / "objects"
    (objects / "folder.d").symlink_to(target)
    (objects / "file.o").symlink_to(target / "secret.o")

    for text in ("folder/secret", "file"):
        with pytest.raises(NotFound):
            read(store, ObjectKey(text))
        store.delete(ObjectKey(text))
    with pytest.raises(NotPermitted):
        store.put(ObjectKey("folder/secret"), b"overwritten")
    assert keys(store) == []
    store.put(ObjectKey("file"), b"mine")
    assert keys(store) == ["file"]
    assert files(target) == ["secret.o"]
    assert read(FileObjectStore.at(outside), ObjectKey("secret")) == b"secret"


def test_an_upload_folder_that_is_a_link_is_gone(
    store: FileObjectStore, tmp_path: Path
) -> None:
    real = store.start_upload(KEY)
    linked = Upload(key=KEY, id="0" * 32)
    (tmp_path / "uploads" / linked.id).symlink_to(tmp_path / "uploads" / real.id)
    with pytest.raises(NotFound):
        store.put_part(linked, 1, b"x")

    assert store.parts(real) == ()


def test_files_of_others_are_not_seen(store: FileObjectStore, tmp_path: Path) -> None:
    store.put(KEY, b"x")
    for name in ("notes.txt", "a.d/.DS_Store", "%41.O", "A.o", "x" * 80 + ".o"):
        (tmp_path / "objects" / name).write_bytes(b"")
    os.mkfifo(tmp_path / "objects" / "pipe.o")
    (tmp_path / "objects" / "%2e%2e.d").mkdir()

    assert keys(store) == ["a/b"]
    with pytest.raises(NotFound):
        read(store, ObjectKey("pipe"))


@pytest.mark.parametrize("keep", [0, 1, 10, 40, -1])
def test_a_file_cut_short_is_damaged(
    store: FileObjectStore, tmp_path: Path, keep: int
) -> None:
    store.put(KEY, b"x" * 20)
    path = tmp_path / "objects" / "a.d" / "b.o"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(Rejected) as refused:
        store.info(KEY)

    assert refused.value.code == "object-damaged"


@given(object_keys())
def test_names_spell_their_key(key: ObjectKey) -> None:
    folders, name = names_of(key)
    spelt = b"".join(text_of(each) or b"" for each in [*folders, name])

    assert spelt.decode() == str(key)
    assert all(len(each) <= 255 and "/" not in each for each in [*folders, name])


STREAM = """
import resource, sys
from pathlib import Path
from lms_core.domain.ids import ObjectKey
from lms_core.ports.object_store import PART_BYTES
from lms_local.files import FileObjectStore

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

store, key = FileObjectStore.at(Path(sys.argv[1])), ObjectKey("film")
upload = store.start_upload(key)
parts = [store.put_part(upload, n, b"x" * PART_BYTES) for n in range(1, 9)]
before = peak()
chunk = bytes(1024 * 1024)
store.put(key, (chunk for _ in range(64)))
with store.open(key) as reader:
    assert sum(len(piece) for piece in reader) == 64 * 1024 * 1024
store.complete_upload(upload, parts)
print(peak() - before)
"""


def test_sixty_four_mebibytes_stream_through_flat_memory(tmp_path: Path) -> None:
    grown = run(STREAM, tmp_path)

    assert int(grown) < 8 * 1024  # KiB


def test_the_folder_is_named_by_the_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    relative = open_object_store("file://lms%20data/objects", WIRING)
    relative.put(KEY, b"x")
    monkeypatch.chdir("/")
    absolute = open_object_store(f"file://{tmp_path}/lms%20data/objects", WIRING)

    assert keys(absolute) == keys(relative) == ["a/b"]


def test_a_folder_that_cannot_be_made_is_refused_at_start_up(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for url in (f"file://{tmp_path}/file", "file://", "file:///x?mode=1"):
        with pytest.raises(ConfigurationError):
            open_object_store(url, WIRING)
