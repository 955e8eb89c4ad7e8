import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from lms_core.application.author_course import ReadDraft
from lms_core.application.register_user import RegisterUser
from lms_core.application.upload_media import StartUpload, UploadPart
from lms_core.domain.access.policy import Actor
from lms_core.domain.catalog.content import Video
from lms_core.domain.ids import CourseId, LessonId, MediaId
from lms_core.domain.media.asset import MediaAsset, MediaStatus
from lms_core.errors import InvalidDocument, InvalidValue, NotFound, Refused
from lms_core.ports.object_store import PART_BYTES
from lms_entrypoints.accounts import OPERATOR
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.course_folder.reader import read_course_folder
from lms_entrypoints.export_course import export_course
from lms_entrypoints.import_course import Imported, import_course, opened_course
from lms_entrypoints.sample_courses import LECTURE, STREAMING, copy_sample_course

COURSE = CourseId(STREAMING)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the sample course with something in the place of its lecture."""
    root = tmp_path / "course"
    copy_sample_course(STREAMING, root)
    (root / LECTURE).write_bytes(b"not quite a lecture" * 1000)
    return root


def bring(
    platform: Platform, author: Actor, folder: Path, *, publish: bool = False
) -> Imported:
    with platform.start(read_only=True) as work:
        actor = Actor.of(work.users.get(author.user or pytest.fail("nobody")))
    return import_course(platform, actor, read_course_folder(folder), publish=publish)


def lecture(platform: Platform) -> MediaAsset:
    [asset] = platform.use(ReadDraft)(OPERATOR, COURSE).media.values()
    return asset


def test_a_folder_becomes_a_published_course_with_its_lecture_and_captions(
    platform: Platform, author: Actor, folder: Path
) -> None:
    done = bring(platform, author, folder, publish=True)

    assert (done.created, done.published) == (True, True)
    assert done.uploaded == ("the-idea-in-forty-seconds",)
    asset = lecture(platform)
    assert asset.status is MediaStatus.QUEUED
    assert [file.language for file in asset.captions] == ["en"]
    with platform.objects.open(asset.source) as stored:
        assert b"".join(stored) == (folder / LECTURE).read_bytes()


def test_importing_twice_changes_nothing_the_second_time(
    platform: Platform, author: Actor, folder: Path
) -> None:
    bring(platform, author, folder, publish=True)
    before = platform.use(ReadDraft)(OPERATOR, COURSE)

    done = bring(platform, author, folder, publish=True)

    assert not any((done.created, done.edited, done.published, done.uploaded))
    assert done.unchanged == ("the-idea-in-forty-seconds",)
    assert platform.use(ReadDraft)(OPERATOR, COURSE) == before


def test_a_changed_text_is_edited_and_the_lecture_stays(
    platform: Platform, author: Actor, folder: Path
) -> None:
    bring(platform, author, folder)
    before = lecture(platform)
    (folder / "description.md").write_text("Another description.\n")

    done = bring(platform, author, folder)

    assert (done.edited, done.uploaded) == (True, ())
    draft = platform.use(ReadDraft)(OPERATOR, COURSE).course.draft
    assert draft.description == "Another description."
    assert lecture(platform) == before


@pytest.mark.parametrize("changed", [LECTURE, "01-why-it-exists/lecture.en.vtt"])
def test_a_changed_lecture_or_its_captions_start_the_next_generation(
    platform: Platform, author: Actor, folder: Path, changed: str
) -> None:
    bring(platform, author, folder)
    path = folder / changed
    # Of the same size, so that only looking at the bytes tells.
    path.write_bytes(path.read_bytes().replace(b"e", b"E"))

    done = bring(platform, author, folder)

    assert done.uploaded == ("the-idea-in-forty-seconds",)
    assert lecture(platform).generation == 2


def test_a_lesson_without_a_file_keeps_the_lecture_it_has(
    platform: Platform, author: Actor, folder: Path
) -> None:
    bring(platform, author, folder)
    before = lecture(platform)
    (folder / LECTURE).unlink()
    (folder / "01-why-it-exists/lecture.en.vtt").unlink()
    lesson = folder / "01-why-it-exists/03-the-idea-in-forty-seconds.video.yaml"
    lesson.write_text("title: The idea in forty seconds\n")

    bring(platform, author, folder)

    assert lecture(platform) == before


WHOLE = bytes(PART_BYTES) + b"the last part"


def broken_off(
    platform: Platform, author: Actor, folder: Path, fingerprint: str, part: bytes
) -> tuple[Actor, MediaId]:
    """Begin an upload that stops after its first part."""
    course = read_course_folder(folder)
    import_course(platform, author, evolve(course, media=()))
    with platform.start(read_only=True) as work:
        teacher = Actor.of(work.users.get(author.user or pytest.fail("nobody")))
    state = platform.use(StartUpload)(
        teacher,
        LessonId(COURSE, "the-idea-in-forty-seconds"),
        filename="lecture.mp4",
        size_bytes=len(WHOLE),
        content_type="video/mp4",
        fingerprint=fingerprint,
    )
    platform.use(UploadPart)(teacher, state.media.id, 1, part)
    return teacher, state.media.id


def test_an_interrupted_upload_goes_on_where_it_stopped(
    platform: Platform, author: Actor, folder: Path
) -> None:
    (folder / LECTURE).write_bytes(WHOLE)
    changed_at = str((folder / LECTURE).stat().st_mtime_ns)
    teacher, begun = broken_off(
        platform, author, folder, changed_at, WHOLE[:PART_BYTES]
    )
    told: list[tuple[str, int, int]] = []

    course = read_course_folder(folder)
    import_course(platform, teacher, course, report=lambda *seen: told.append(seen))

    assert told[-1] == ("lecture.mp4", len(WHOLE), len(WHOLE))
    assert (lecture(platform).id, lecture(platform).generation) == (begun, 1)
    with platform.objects.open(lecture(platform).source) as stored:
        assert b"".join(stored) == WHOLE


def test_another_file_of_the_same_name_and_size_starts_anew(
    platform: Platform, author: Actor, folder: Path
) -> None:
    (folder / LECTURE).write_bytes(WHOLE)
    teacher, _ = broken_off(
        platform, author, folder, "of another file", b"x" * PART_BYTES
    )

    import_course(platform, teacher, read_course_folder(folder))

    assert lecture(platform).generation == 2
    with platform.objects.open(lecture(platform).source) as stored:
        assert b"".join(stored) == WHOLE


def test_nothing_is_stored_when_anything_is_wrong(
    platform: Platform, author: Actor, folder: Path
) -> None:
    path = folder / LECTURE
    path.rename(path.with_suffix(".docx"))
    lesson = folder / "01-why-it-exists/03-the-idea-in-forty-seconds.video.yaml"
    lesson.write_text(lesson.read_text().replace("lecture.mp4", "lecture.docx"))

    with pytest.raises(InvalidDocument, match="must end in one of") as refused:
        bring(platform, author, folder)

    assert [fault.code for fault in refused.value.faults] == ["unknown-media-type"]
    with pytest.raises(NotFound):
        platform.use(ReadDraft)(OPERATOR, COURSE)


def test_what_cannot_be_published_is_not_imported_to_be_published(
    platform: Platform, author: Actor, folder: Path
) -> None:
    course = evolve(read_course_folder(folder), media=())

    with pytest.raises(InvalidDocument) as refused:
        import_course(platform, author, course, publish=True)

    assert [fault.code for fault in refused.value.faults] == ["video-is-missing"]
    with pytest.raises(NotFound):
        platform.use(ReadDraft)(OPERATOR, COURSE)


def test_a_course_of_somebody_else_is_left_alone(
    platform: Platform, author: Actor, folder: Path
) -> None:
    bring(platform, author, folder)
    before = platform.use(ReadDraft)(OPERATOR, COURSE)
    stranger = platform.use(RegisterUser)(
        email="eve@example.org", name="Eve", password="violet-otter-ladder"
    )
    (folder / "description.md").write_text("Mine now.\n")

    with pytest.raises(Refused, match="not-permitted"):
        bring(platform, Actor.of(stranger), folder)

    assert platform.use(ReadDraft)(OPERATOR, COURSE) == before


def test_an_export_is_imported_as_it_was(
    platform: Platform, author: Actor, folder: Path, tmp_path: Path
) -> None:
    bring(platform, author, folder)
    target = tmp_path / "exported"

    done = export_course(platform, OPERATOR, COURSE, target)

    assert (done.lectures, done.without_file) == (("the-idea-in-forty-seconds",), ())
    again, original = read_course_folder(target), read_course_folder(folder)
    assert again.content == original.content
    [media], [source] = again.media, original.media
    assert media.path.read_bytes() == source.path.read_bytes()
    assert [each.path.read_bytes() for each in media.captions] == [
        each.path.read_bytes() for each in source.captions
    ]
    assert not bring(platform, author, target).uploaded


def test_an_export_overwrites_nothing_and_leaves_nothing_half_done(
    platform: Platform, author: Actor, folder: Path, tmp_path: Path
) -> None:
    bring(platform, author, folder)
    target = tmp_path / "taken"
    target.mkdir()
    (target / "mine.txt").write_text("mine")

    with pytest.raises(InvalidValue, match="name a new or empty folder"):
        export_course(platform, OPERATOR, COURSE, target)

    assert [path.name for path in target.iterdir()] == ["mine.txt"]
    assert not list(tmp_path.glob(".lms-export-*"))


def test_an_archive_is_a_folder_too(
    platform: Platform, author: Actor, folder: Path, tmp_path: Path
) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "course"), "zip", folder))

    with opened_course(archive) as course:
        done = import_course(platform, author, course, publish=True)

    assert done.published
    assert any(
        isinstance(lesson.content, Video) and lesson.content.media
        for lesson in platform.use(ReadDraft)(OPERATOR, COURSE).course.draft.lessons()
    )


def test_a_hostile_archive_stores_nothing(
    platform: Platform, author: Actor, tmp_path: Path
) -> None:
    archive = tmp_path / "evil.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("course.yaml", "key: evil\ntitle: Evil\n")
        made.writestr("../../escaped.txt", "out")

    with pytest.raises(InvalidDocument, match="escaped"), opened_course(archive) as it:
        import_course(platform, author, it)

    assert not list(tmp_path.rglob("escaped.txt"))


def test_what_is_not_there_is_said() -> None:
    missing: Any = opened_course(Path("/no/such/course"))

    with pytest.raises(NotFound, match="there is no /no/such/course"), missing:
        pass
