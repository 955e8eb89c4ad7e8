"""A course folder is read strictly, and every fault says where it is."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve

from lms_core.domain.access.conditions import (
    AllOf,
    AnyOf,
    Condition,
    DateWindow,
    Drip,
    EarlierLessons,
    LessonDone,
    Not,
    ScoreAtLeast,
)
from lms_core.domain.catalog.content import QuizContent, Video
from lms_core.domain.catalog.course import Course
from lms_core.domain.ids import CourseId, MediaId, UserId
from lms_core.errors import InvalidDocument
from lms_entrypoints.course_folder.folder import FolderLimits
from lms_entrypoints.course_folder.reader import read_course_folder
from lms_entrypoints.sample_courses import (
    LEARNING,
    LECTURE,
    STREAMING,
    copy_sample_course,
)

COURSE = "key: a\ntitle: A course\n"
AT = datetime(2026, 3, 1, tzinfo=UTC)
LESSON = "---\ntitle: Hello\n---\n\nText.\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "01-one").mkdir()
    (tmp_path / "course.yaml").write_text(COURSE)
    (tmp_path / "01-one/module.yaml").write_text("title: One\n")
    (tmp_path / "01-one/01-hello.md").write_text(LESSON)
    return tmp_path


def faults(root: Path, limits: FolderLimits | None = None) -> list[tuple[str, str]]:
    """Return the codes of what is wrong, each with its file and line."""
    with pytest.raises(InvalidDocument) as refused:
        read_course_folder(root, limits)
    return [
        (fault.code, f"{fault.place}:{fault.line}" if fault.line else fault.place)
        for fault in refused.value.faults
    ]


def access(root: Path, text: str) -> Condition:
    (root / "01-one/02-next.md").write_text(f"---\ntitle: Next\naccess:{text}\n---\n")
    return read_course_folder(root).content.modules[0].lessons[1].access


def test_a_small_course_is_read(root: Path) -> None:
    folder = read_course_folder(root)

    assert folder.id == "a"
    assert folder.media == ()
    [module] = folder.content.modules
    assert (module.key, module.title) == ("one", "One")
    assert [lesson.key for lesson in module.lessons] == ["hello"]


def test_files_from_windows_are_read_alike(root: Path) -> None:
    expected = read_course_folder(root)
    for path in root.rglob("*.*"):
        text = path.read_text().replace("\n", "\r\n")
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())

    assert read_course_folder(root) == expected


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        (" earlier-lessons", EarlierLessons()),
        (" {lesson-completed: hello}", LessonDone(lesson="hello")),
        (" {drip: 7}", Drip(days=7)),
        (" [earlier-lessons, drip: 7]", AllOf(of=(EarlierLessons(), Drip(days=7)))),
        ("\n  any: [drip: 7, {all: []}]", AnyOf(of=(Drip(days=7), AllOf()))),
        ("\n  not: {drip: 1}", Not(of=Drip(days=1))),
    ],
)
def test_conditions_read_as_they_sound(
    root: Path, text: str, condition: Condition
) -> None:
    assert access(root, text) == condition


def test_conditions_with_several_fields_name_them(root: Path) -> None:
    scored = access(root, " {score-at-least: {lesson: hello, share: 62.5%}}")
    dated = access(root, " {dates: {opens_at: 2026-03-01T12:00:00+01:00}}")

    assert isinstance(scored, ScoreAtLeast)
    assert scored.share.of_one * 8 == 5
    assert isinstance(dated, DateWindow)
    assert dated.opens_at is not None
    assert dated.opens_at.hour == 11


def test_numbers_stay_exact_and_words_stay_words(root: Path) -> None:
    (root / "01-one/02-quiz.quiz.yaml").write_text(
        "title: on\n"
        "questions:\n"
        "  - {type: numeric, prompt: off, value: 0.1, tolerance: 1/3}\n"
    )

    lesson = read_course_folder(root).content.modules[0].lessons[1]

    assert lesson.title == "on"
    assert isinstance(lesson.content, QuizContent)
    document = str(lesson.content.quiz.questions[0])
    assert "Fraction(1, 10)" in document
    assert "Fraction(1, 3)" in document


def test_every_fault_is_reported_at_once_with_its_line(root: Path) -> None:
    (root / "course.yaml").write_text("key: A b\ntitle: A\nprices:\n  EUR: 1.005\n")
    (root / "01-one/02-quiz.quiz.yaml").write_text(
        "title: Quiz\n"  # 1
        "questions:\n"  # 2
        "  - type: single-choice\n"  # 3
        "    prompt: Why?\n"
        "    points: many\n"  # 5
        "    options:\n"  # 6
        "      - One\n"
        "      - Two\n"
        "  - type: numeric\n"  # 9
        "    prompt: How much?\n"
        "    colour: red\n"  # 11
        "    value: 3\n"
        "category: unknown\n"
        "minutes: 3\n"
        "time_limit: soon\n"  # 15
    )
    (root / "01-one/notes.docx").write_text("x")
    (root / "01-one/03-bad.md").write_text("---\ntitle: [\n---\nx\n")

    assert faults(root) == [
        ("invalid-value", "01-one/02-quiz.quiz.yaml:5"),
        ("correct-option", "01-one/02-quiz.quiz.yaml:6"),
        ("unknown-field", "01-one/02-quiz.quiz.yaml:11"),
        ("invalid-value", "01-one/02-quiz.quiz.yaml:15"),
        ("yaml-syntax", "01-one/03-bad.md:3"),
        ("unknown-file", "01-one/notes.docx"),
        ("invalid-value", "course.yaml:1"),
        ("invalid-value", "course.yaml:4"),
    ]


def test_references_between_files_are_checked(root: Path) -> None:
    (root / "01-one/module.yaml").write_text(
        "title: One\naccess:\n  lesson-completed: nobody\n"
    )
    (root / "01-one/02-next.md").write_text("---\ntitle: B\ncategory: x\n---\n")

    assert faults(root) == [
        ("unknown-category", "01-one/02-next.md:3"),
        ("unknown-lesson", "01-one/module.yaml:2"),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("title: &a x\n", "yaml-alias"),
        ("title: *a\n", "yaml-alias"),
        ("title: !!str x\n", "yaml-tag"),
        ("!!python/object/apply:os.mkdir [/tmp/x]\n", "yaml-tag"),
        ("title: x\ntitle: y\n", "duplicate-field"),
        ("title: x\n---\ntitle: y\n", "yaml-several-documents"),
        ("title: " + "[" * 100 + "]" * 100 + "\n", "too-deep"),
        ("title: " + "[" * 100_000 + "\n", "too-deep"),
        ("title: x\x01\n", "yaml-syntax"),
        ("- title\n", "invalid-value"),
    ],
)
def test_yaml_hides_nothing(root: Path, text: str, code: str) -> None:
    (root / "01-one/module.yaml").write_text(text)

    assert (code, "01-one/module.yaml") in [
        (found, place.split(":")[0]) for found, place in faults(root)
    ]


def test_links_and_special_files_are_refused(root: Path) -> None:
    (root / "01-one/02-link.md").symlink_to("/etc/hostname")
    os.mkfifo(root / "01-one/03-pipe.md")

    assert faults(root) == [
        ("symlink", "01-one/02-link.md"),
        ("special-file", "01-one/03-pipe.md"),
    ]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../secret.mp4", "unsafe-path"),
        ("/etc/passwd", "unsafe-path"),
        ("C:\\\\x.mp4", "unsafe-path"),
        ("gone.mp4", "missing-file"),
        ("empty.mp4", "empty-file"),
    ],
)
def test_a_lecture_is_a_file_beside_its_lesson(
    root: Path, name: str, code: str
) -> None:
    (root / "01-one/empty.mp4").touch()
    (root / "01-one/02-v.video.yaml").write_text(f'title: V\nfile: "{name}"\n')

    assert (code, "01-one/02-v.video.yaml:2") in faults(root)


def test_hidden_files_and_readmes_are_left_alone(root: Path) -> None:
    (root / ".git").mkdir()
    (root / ".git/config").write_text("x")
    (root / "README.md").write_text("x")
    (root / "01-one/.DS_Store").write_text("x")

    assert read_course_folder(root).id == "a"


def test_two_lessons_have_no_number_in_common(root: Path) -> None:
    (root / "01-one/1-again.md").write_text(LESSON)

    assert faults(root) == [("duplicate-number", "01-one/1-again.md")]


def test_limits_hold(root: Path) -> None:
    assert ("too-large", "01-one/01-hello.md") in faults(
        root, FolderLimits(text_bytes=24)
    )
    assert faults(root, FolderLimits(files=2)) == [("too-many-files", "")]
    assert faults(root, FolderLimits(all_bytes=20)) == [("too-large", "")]
    assert faults(root, FolderLimits(all_text_bytes=30))[0][0] == "too-large"


def test_text_that_is_no_text_is_refused(root: Path) -> None:
    (root / "01-one/01-hello.md").write_bytes(b"---\ntitle: x\n---\n\xff\n")

    assert faults(root) == [("not-utf-8", "01-one/01-hello.md:4")]


def test_another_folder_is_not_a_course(tmp_path: Path) -> None:
    assert faults(tmp_path) == [("not-a-course", "course.yaml")]
    assert faults(tmp_path / "gone")[0][0] == "not-a-course"


def test_the_sample_course_is_complete_and_can_be_published(tmp_path: Path) -> None:
    copy_sample_course(STREAMING, tmp_path / "s")
    (tmp_path / "s" / LECTURE).write_bytes(b"a lecture")

    folder = read_course_folder(tmp_path / "s")

    lessons = list(folder.content.lessons())
    assert len(folder.content.modules) == 3
    assert {type(lesson.content).__name__ for lesson in lessons} == {
        "Text",
        "Video",
        "QuizContent",
    }
    [quiz] = [each.content for each in lessons if isinstance(each.content, QuizContent)]
    assert len({type(question) for question in quiz.quiz.questions}) == 5
    assert quiz.quiz.time_limit_s == 600
    assert all(question.explanation for question in quiz.quiz.questions)
    assert [price.minor for price in folder.content.prices] == [2900]
    assert [media.path.name for media in folder.media] == ["lecture.mp4"]
    modules = tuple(
        evolve(
            module,
            lessons=tuple(
                evolve(each, content=evolve(each.content, media=MediaId("m")))
                if isinstance(each.content, Video)
                else each
                for each in module.lessons
            ),
        )
        for module in folder.content.modules
    )
    course = Course(
        id=CourseId(folder.id),
        owner=UserId("u"),
        draft=evolve(folder.content, modules=modules),
        created_at=AT,
    )
    published, events = course.publish(at=AT)
    assert published.publication is not None
    assert len(events) == 1


def test_the_free_sample_course_is_free(tmp_path: Path) -> None:
    copy_sample_course(LEARNING, tmp_path / "l")

    folder = read_course_folder(tmp_path / "l")

    assert folder.content.is_free
    assert len(list(folder.content.lessons())) == 2
