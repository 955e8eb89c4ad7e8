"""Archives from strangers are judged by rules before they can do harm."""

import gzip
import io
import stat
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_core.errors import InvalidDocument
from lms_entrypoints.course_folder.archives import open_course_archive
from lms_entrypoints.course_folder.folder import ArchiveLimits
from lms_entrypoints.course_folder.names import path_flaw
from lms_entrypoints.course_folder.reader import read_course_folder

DATA = Path(__file__).parents[3] / "data/archives"
MIB = 1024 * 1024
SMALL = ArchiveLimits(files=10, bytes=MIB, archive_bytes=MIB)

REFUSED = {
    "tar_slip.tar.gz": "archive-path-escape",
    "zip_bad_crc.zip": "archive-corrupt",
    "zip_bomb_nested.zip": "archive-nested",
    "zip_device_names.zip": "archive-unsafe-name",
    "zip_duplicate_names.zip": "archive-duplicate-name",
    "zip_empty.zip": "archive-empty",
    "zip_encrypted_flag.zip": "archive-encrypted",
    "zip_long_name.zip": "archive-long-name",
    "zip_lying_size.zip": "archive-corrupt",
    "zip_slip_absolute.zip": "archive-path-escape",
    "zip_slip_backslash.zip": "archive-path-escape",
    "zip_slip_mixed_encoding.zip": "archive-path-escape",
    "zip_slip_unix.zip": "archive-path-escape",
    "zip_symlink_read.zip": "archive-symlink",
    "zip_truncated.zip": "archive-corrupt",
    "zip_zero_bytes.zip": "archive-corrupt",
}
OTHERS_PACKAGES = [
    "control_scorm12_ok.zip",
    "qti_script.zip",
    "qti_xxe.zip",
    "scorm_manifest_js_href.zip",
    "scorm_manifest_traversal.zip",
    "scorm_xxe.zip",
]


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Unpack below a folder of ours, and hold that nothing is ever left there."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scratch"]


def code_of(archive: bytes | Path, limits: ArchiveLimits = SMALL) -> str:
    source = archive if isinstance(archive, Path) else io.BytesIO(archive)
    with (
        pytest.raises(InvalidDocument) as refused,
        open_course_archive(source, limits),
    ):
        raise AssertionError("it was opened")
    [fault] = refused.value.faults
    assert len(str(fault)) < 500
    return fault.code


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return data.getvalue()


def renamed(name: str) -> bytes:
    """Return an archive whose one member bears *name*, whatever the library thinks."""
    if not name.isascii():
        return zipped((name, b"a"))
    stand_in = "x" * len(name)
    return zipped((stand_in, b"a")).replace(stand_in.encode(), name.encode())


def tarred(*members: tuple[tarfile.TarInfo | str, bytes]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for member, content in members:
            info = member if isinstance(member, tarfile.TarInfo) else None
            info = info or tarfile.TarInfo(str(member))
            if info.type == tarfile.REGTYPE:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_hostile_archives_are_refused(name: str) -> None:
    assert code_of(DATA / name, ArchiveLimits()) == REFUSED[name]


@pytest.mark.parametrize("name", OTHERS_PACKAGES)
def test_packages_of_other_platforms_open_but_are_no_course(name: str) -> None:
    with open_course_archive(DATA / name) as folder:
        assert (folder / "imsmanifest.xml").is_file()
        with pytest.raises(InvalidDocument) as refused:
            read_course_folder(folder)

    assert refused.value.faults[0].code == "not-a-course"


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize("prefix", ["", "my-course/"])
def test_a_course_comes_out_as_it_went_in(make: object, prefix: str) -> None:
    assert callable(make)
    archive = make(
        (f"{prefix}course.yaml", b"key: a\ntitle: A\n"),
        (f"{prefix}01-m/module.yaml", b"title: M\n"),
        (f"{prefix}01-m/01-l.md", b"---\ntitle: L\n---\n"),
    )

    with open_course_archive(io.BytesIO(archive), SMALL) as folder:
        assert read_course_folder(folder).id == "a"


def test_an_archive_of_the_folder_itself_opens() -> None:
    root = special("./", tarfile.DIRTYPE)
    archive = tarred((root, b""), ("./course.yaml", b"key: a\ntitle: A\n"))

    with open_course_archive(io.BytesIO(archive), SMALL) as folder:
        assert read_course_folder(folder).id == "a"


def test_a_stream_that_cannot_go_back_is_read_too() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with open_course_archive(Pipe(zipped(("a.md", b"x"))), SMALL) as folder:
        assert (folder / "a.md").read_bytes() == b"x"


def test_the_folder_is_removed_when_its_reader_fails(scratch: Path) -> None:
    archive = io.BytesIO(zipped(("a.md", b"x")))

    with pytest.raises(KeyError), open_course_archive(archive):
        raise KeyError

    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a/../../b", "archive-path-escape"),
        ("C:/x", "archive-path-escape"),
        ("//server/x", "archive-path-escape"),
        ("a\\b", "archive-path-escape"),
        ("%2e%2e/x", "archive-path-escape"),
        ("\uff0e\uff0e/x", "archive-path-escape"),
        ("a\u2215b", "archive-path-escape"),
        ("a\0.md", "archive-unsafe-name"),
        ("a\n.md", "archive-unsafe-name"),
        ("a\u202egnp.md", "archive-unsafe-name"),
        ("x/nul.md", "archive-unsafe-name"),
        ("COM1", "archive-unsafe-name"),
        ("a.", "archive-unsafe-name"),
        ("a ", "archive-unsafe-name"),
        ("ab:c", "archive-unsafe-name"),
        ("a//b", "archive-unsafe-name"),
        ("./a", "archive-unsafe-name"),
        ("d/" * 20 + "x", "archive-too-deep"),
        ("n" * 250, "archive-long-name"),
        ("x.tar.GZ", "archive-nested"),
    ],
)
def test_names_not_safe_everywhere_are_refused(name: str, code: str) -> None:
    assert code_of(renamed(name)) == code


@pytest.mark.parametrize(
    "names",
    [
        ("a.md", "A.md"),
        ("\u00e9.md", "e\u0301.md"),
        ("stra\u00dfe.md", "strasse.md"),
        ("a", "a/b"),
        ("a/b", "a"),
        ("D/x", "d/y"),
    ],
)
@pytest.mark.parametrize("make", [zipped, tarred])
def test_names_that_some_system_cannot_tell_apart_are_refused(
    names: tuple[str, str], make: object
) -> None:
    assert callable(make)

    assert code_of(make(*[(name, b"x") for name in names])) == "archive-duplicate-name"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (stat.S_IFLNK, "archive-symlink"),
        (stat.S_IFIFO, "archive-special-file"),
        (stat.S_IFCHR, "archive-special-file"),
        (stat.S_IFSOCK, "archive-special-file"),
        (stat.S_IFDIR, "archive-corrupt"),
    ],
)
def test_members_of_a_zip_are_plain_files(kind: int, code: str) -> None:
    member = zipfile.ZipInfo("a.md")
    member.external_attr = (kind | 0o777) << 16

    assert code_of(zipped((member, b"/etc/passwd"))) == code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (tarfile.SYMTYPE, "archive-symlink"),
        (tarfile.LNKTYPE, "archive-symlink"),
        (tarfile.FIFOTYPE, "archive-special-file"),
        (tarfile.CHRTYPE, "archive-special-file"),
        (tarfile.GNUTYPE_SPARSE, "archive-special-file"),
    ],
)
def test_members_of_a_tar_are_plain_files(kind: bytes, code: str) -> None:
    assert code_of(tarred((special("a", kind, "/etc/passwd"), b""))) == code


def test_sparse_files_in_extended_headers_are_refused() -> None:
    info = tarfile.TarInfo("a")
    info.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "a",
        "GNU.sparse.realsize": "1000000000",
    }

    assert code_of(tarred((info, b"1\n0\n0\n"))) in {
        "archive-special-file",
        "archive-corrupt",
    }


def test_a_bomb_is_refused_by_what_it_states() -> None:
    assert code_of(zipped(("a.txt", b"\0" * 5 * MIB))) == "archive-too-large"
    wide = ArchiveLimits(bytes=100 * MIB)
    assert code_of(zipped(("a.txt", b"\0" * 5 * MIB)), wide) == "archive-too-large"


def test_a_bomb_in_a_tar_is_refused_while_it_unpacks() -> None:
    wide = ArchiveLimits(bytes=100 * MIB)

    assert code_of(tarred(("a.txt", b"\0" * 5 * MIB))) == "archive-too-large"
    assert code_of(tarred(("a.txt", b"\0" * 5 * MIB)), wide) == "archive-too-large"


def test_padding_behind_a_tar_is_counted() -> None:
    plain = gzip.decompress(tarred(("a.md", b"x")))

    assert code_of(gzip.compress(plain + b"\0" * 20 * MIB)) == "archive-too-large"


def test_more_members_than_allowed_are_refused() -> None:
    members = [(f"{n}.md", b"") for n in range(11)]

    assert code_of(zipped(*members)) == "archive-too-many-files"
    assert code_of(tarred(*members)) == "archive-too-many-files"


def test_an_archive_larger_than_allowed_is_not_read() -> None:
    assert code_of(b"PK\x03\x04" + b"\0" * MIB) == "archive-too-large"


def test_an_archive_hidden_by_its_name_is_refused() -> None:
    inner = zipped(("a.md", b"x"))

    assert code_of(zipped(("lecture.mp4", inner))) == "archive-nested"
    assert code_of(tarred(("lecture.mp4", inner))) == "archive-nested"


def test_members_that_share_bytes_are_refused() -> None:
    one = zipped(("a.md", b"x" * 100), ("b.md", b"y" * 100))
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        second = archive.getinfo("b.md").header_offset
    entry = one.rindex(b"PK\x01\x02")
    data = bytearray(one)
    assert struct.unpack_from("<I", data, entry + 42)[0] == second
    struct.pack_into("<I", data, entry + 42, 0)

    assert code_of(bytes(data)) == "archive-corrupt"


@pytest.mark.parametrize("offset", [22, 24])
def test_a_size_that_lies_is_found_out(offset: int) -> None:
    data = bytearray(zipped(("a.md", b"x" * 100)))
    entry = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, entry + offset, 300)

    assert code_of(bytes(data)) == "archive-corrupt"


def test_zip64_sizes_that_lie_are_refused() -> None:
    data = bytearray(zipped(("a.md", b"x" * 100)))
    struct.pack_into("<I", data, data.rindex(b"PK\x01\x02") + 24, 0xFFFFFFFF)

    assert code_of(bytes(data)) in {"archive-corrupt", "archive-too-large"}


@pytest.mark.parametrize("around", [(b"MZ junk", b""), (b"", b"more")])
def test_nothing_stands_around_an_archive(around: tuple[bytes, bytes]) -> None:
    assert code_of(around[0] + zipped(("a.md", b"x")) + around[1]) == "archive-corrupt"


def test_unusual_packing_is_refused() -> None:
    member = zipfile.ZipInfo("a.md")
    member.compress_type = zipfile.ZIP_LZMA

    assert code_of(zipped((member, b"x" * 100))) == "archive-unsupported"


def test_headers_of_a_tar_are_bounded() -> None:
    long = special("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    long.size = 900_000
    block = long.tobuf(tarfile.GNU_FORMAT)
    assert code_of(gzip.compress(block + b"n" * 900_096)) == "archive-corrupt"

    short = special("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    short.size = 1
    chain = (short.tobuf(tarfile.GNU_FORMAT) + b"n".ljust(512, b"\0")) * 2_000
    assert code_of(gzip.compress(chain)) in {"archive-corrupt", "archive-too-large"}


def test_a_negative_size_does_not_loop() -> None:
    info = tarfile.TarInfo("a")
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = b"\xff" * 12
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()

    assert code_of(gzip.compress(bytes(block) + b"\0" * 1024)) == "archive-corrupt"


def test_a_tar_cut_off_is_refused() -> None:
    whole = tarred(("a.md", bytes(range(256)) * 100))

    assert code_of(whole[: len(whole) // 2]) == "archive-corrupt"
    assert code_of(whole[:-8] + b"\0" * 8) == "archive-corrupt"


@given(st.binary(max_size=300), st.sampled_from([b"PK\x03\x04", b"PK\x05\x06"]))
def test_noise_is_refused_as_noise(noise: bytes, magic: bytes) -> None:
    packed = gzip.compress(noise * 10)
    for archive in (magic + noise, packed, b"\x1f\x8b" + noise):
        with (
            pytest.raises(InvalidDocument),
            open_course_archive(io.BytesIO(archive), SMALL),
        ):
            raise AssertionError("it was opened")


@given(st.text(max_size=40))
def test_a_name_that_passes_stays_in_its_folder(name: str) -> None:
    if path_flaw(name) is None:
        inside = Path("/root/course", name)

        assert inside.is_relative_to("/root/course")
        assert ".." not in inside.parts
