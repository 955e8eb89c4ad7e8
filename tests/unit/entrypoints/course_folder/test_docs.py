"""The page about course folders shows what really works."""

import re
from pathlib import Path

from lms_core.domain.access.conditions import AllOf
from lms_core.domain.catalog.content import QuizContent
from lms_entrypoints.course_folder.reader import read_course_folder

PAGE = Path(__file__).parents[4] / "docs/course-folders.md"


def test_the_examples_make_a_course(tmp_path: Path) -> None:
    page = PAGE.read_text()
    course, video, quiz, access = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    [text] = re.findall(r"```markdown\n(.*?)```", page, re.DOTALL)
    (tmp_path / "course.yaml").write_text(course)
    module = tmp_path / "01-one"
    module.mkdir()
    (module / "module.yaml").write_text("title: One\n")
    (module / "01-welcome.md").write_text(text)
    (module / "02-idea.video.yaml").write_text(video)
    (module / "lecture.mp4").write_bytes(b"x")
    (module / "lecture.en.vtt").write_text("WEBVTT\n")
    (module / "03-check-yourself.quiz.yaml").write_text(quiz.replace("quizzes", "exam"))
    (module / "04-end.md").write_text(f"---\ntitle: End\n{access}---\n")

    folder = read_course_folder(tmp_path)

    lessons = list(folder.content.lessons())
    assert len(lessons) == 4
    assert len(folder.media) == 1
    assert isinstance(lessons[2].content, QuizContent)
    assert len(lessons[2].content.quiz.questions) == 5
    assert isinstance(lessons[3].access, AllOf)


def test_every_condition_in_the_table_is_read(tmp_path: Path) -> None:
    rows = re.findall(
        r"^\| `([a-z-]+: .+?|earlier-lessons)` \|", PAGE.read_text(), re.MULTILINE
    )
    forms = [row.replace("welcome", "quiz") for row in rows if "…" not in row]
    (tmp_path / "course.yaml").write_text("key: a\ntitle: A\n")
    (tmp_path / "01-one").mkdir()
    (tmp_path / "01-one/module.yaml").write_text("title: One\n")
    (tmp_path / "01-one/01-quiz.md").write_text("---\ntitle: Quiz\n---\n")
    for number, form in enumerate(forms, 2):
        path = tmp_path / f"01-one/{number:02}-x{number}.md"
        path.write_text(f"---\ntitle: X\naccess:\n  - {form}\n---\n")

    lessons = list(read_course_folder(tmp_path).content.lessons())

    assert len(forms) == 7
    assert all(
        isinstance(lesson.access, AllOf) and len(lesson.access.of) == 1
        for lesson in lessons[1:]
    )
