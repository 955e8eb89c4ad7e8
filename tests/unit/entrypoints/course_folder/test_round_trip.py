"""Writing a course and reading it back gives the same course."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attrs import evolve
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lms_core.domain.access.conditions import OPEN, AllOf, Condition
from lms_core.domain.assessment.questions import (
    MultipleChoice,
    Option,
    Question,
    ShortAnswer,
    SingleChoice,
)
from lms_core.domain.assessment.quiz import Quiz
from lms_core.domain.catalog.content import (
    CourseContent,
    Lesson,
    LessonContent,
    Module,
    QuizContent,
    Text,
    Video,
)
from lms_core.domain.documents import load
from lms_core.domain.ids import CourseId
from lms_core.domain.money import Money
from lms_core.errors import InvalidValue
from lms_core.testing import strategies
from lms_entrypoints.course_folder._conditions import read_condition, write_condition
from lms_entrypoints.course_folder._keys import (
    key_for,
    read_duration,
    write_duration,
)
from lms_entrypoints.course_folder._nodes import Places
from lms_entrypoints.course_folder._yaml_in import read_yaml
from lms_entrypoints.course_folder._yaml_out import to_yaml
from lms_entrypoints.course_folder.folder import CaptionSource, MediaSource
from lms_entrypoints.course_folder.reader import read_course_folder
from lms_entrypoints.course_folder.writer import write_course_folder

COURSE = CourseId("a-course")

# What YAML, Markdown files and text files each have their own mind about.
TRICKY = [
    "yes", "no", "null", "~", "", "1", "1.0", "1e3", "0x1f", "2026-01-01", "- a",
    "a: b", "# a", "a #b", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a`", "'",
    '"', "[", "{", "?", "---", "...", "---\na: b\n---\n", "a\n", "a\n\n", "\na",
    " a", "a ", "a\n b", "a \nb", "\ta", "a\tb", "a\r\nb", "a\rb", "\x85",
    "\u2028a", "\ufeffa", "\x01", "\x7f", "😀", "\uffff", "\u00e4", "<<", "=",
    "a" * 200 + " b", "word " * 40, "\n", "\n\n", "1_000", "0o7", "a  b" * 30, "-",
    "- ", ":", "a:", ",", "\\n", "%2f", "key: |\n  x",
]  # fmt: skip


def hard_texts() -> SearchStrategy[str]:
    anything = st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40
    )
    pieces = st.lists(st.sampled_from([*TRICKY, "\n", " ", "a"]), max_size=4)
    return st.sampled_from(TRICKY) | pieces.map("".join) | anything


def bytes_of(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def read_back(content: CourseContent) -> CourseContent:
    """Write and read, and hold that writing again changes no byte."""
    with TemporaryDirectory() as folder:
        first, second = Path(folder, "first"), Path(folder, "second")
        write_course_folder(COURSE, content, first)
        read = read_course_folder(first)
        write_course_folder(read.id, read.content, second)

        assert read.id == COURSE
        assert bytes_of(first) == bytes_of(second)
        return read.content


def course_of(*contents: LessonContent, title: str = "A title") -> CourseContent:
    lessons = tuple(
        Lesson(key=f"lesson-{n}", title=title, content=each)
        for n, each in enumerate(contents)
    )
    return CourseContent(
        title=title, modules=(Module(key="one", title=title, lessons=lessons),)
    )


def without_media(content: CourseContent) -> CourseContent:
    def bare(lesson: Lesson) -> Lesson:
        if isinstance(lesson.content, Video):
            return evolve(lesson, content=evolve(lesson.content, media=None))
        return lesson

    modules = tuple(
        evolve(module, lessons=tuple(map(bare, module.lessons)))
        for module in content.modules
    )
    return evolve(content, modules=modules)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.course_contents())
def test_a_course_survives_its_folder(content: CourseContent) -> None:
    assert read_back(content) == without_media(content)


@settings(max_examples=100, deadline=None)
@given(hard_texts(), hard_texts(), hard_texts())
@example("---\na: b\n---\n", "\n", "x\r\n")
def test_any_text_survives(markdown: str, notes: str, description: str) -> None:
    content = course_of(Text(markdown=markdown), Video(markdown=notes))
    content = evolve(content, description=description, summary=notes)

    assert read_back(content) == content


@settings(max_examples=100, deadline=None)
@given(hard_texts(), hard_texts())
def test_any_prompt_option_and_explanation_survives(one: str, two: str) -> None:
    options = (Option(key="a", text=one or "-"), Option(key="b", text=two or "-"))
    question = SingleChoice(
        key="q", prompt=f"?{one}", explanation=two, options=options, correct="b"
    )
    content = course_of(QuizContent(quiz=Quiz(questions=(question,))))

    assert read_back(content) == content


@settings(max_examples=100, deadline=None)
@given(strategies.conditions())
@example(OPEN)
@example(AllOf(of=(OPEN,)))
def test_a_condition_has_one_readable_form(condition: Condition) -> None:
    node = read_yaml(to_yaml({"access": write_condition(condition)}), "x.yaml")

    document = Places({}).plain(read_condition(node.fields["access"], []), "")

    assert load(Condition, document) == condition


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        hard_texts()
        | st.none()
        | st.booleans()
        | st.integers(-(10**17), 10**17)
        | st.decimals(-(10**6), 10**6, places=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(hard_texts(), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_yaml_gives_back_what_was_written(data: object) -> None:
    node = read_yaml(to_yaml({"data": data}), "x.yaml")

    read = Places({}).plain(node.fields["data"], "")

    assert read == data
    assert repr(read) == repr(data)


@given(st.integers(0, 10**7))
def test_durations_are_exact(seconds: int) -> None:
    assert read_duration(write_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("money", "written"),
    [
        (Money(2900, "EUR"), "EUR: 29.00"),
        (Money(500, "JPY"), "JPY: 500"),
        (Money(1, "KWD"), "KWD: 0.001"),
    ],
)
def test_prices_are_written_as_shops_write_them(
    money: Money, written: str, tmp_path: Path
) -> None:
    content = evolve(course_of(), prices=(money,))

    write_course_folder(COURSE, content, tmp_path)

    assert f"prices:\n  {written}\n" in (tmp_path / "course.yaml").read_text()
    assert read_course_folder(tmp_path).content == content


def test_generated_keys_need_not_be_written(tmp_path: Path) -> None:
    prompt, right, wrong = "Why?", "Because.", "Why not?"
    question: Question = SingleChoice(
        key=key_for(prompt),
        prompt=prompt,
        options=tuple(Option(key=key_for(text), text=text) for text in (right, wrong)),
        correct=key_for(right),
    )
    content = course_of(QuizContent(quiz=Quiz(questions=(question,))))

    write_course_folder(COURSE, content, tmp_path)

    written = (tmp_path / "01-one/01-lesson-0.quiz.yaml").read_text()
    assert "key:" not in written
    assert "      - text: Because.\n        correct: true\n      - Why not?" in written
    assert read_course_folder(tmp_path).content == content


def test_the_order_of_right_options_is_kept() -> None:
    options = (Option(key="a", text="A"), Option(key="b", text="B"))
    question = MultipleChoice(key="q", prompt="?", options=options, correct=("b", "a"))
    content = course_of(QuizContent(quiz=Quiz(questions=(question,))))

    assert read_back(content) == content


def test_accepted_texts_stand_alone_where_they_earn_everything(tmp_path: Path) -> None:
    document = {
        "type": "short-answer",
        "key": "q",
        "prompt": "?",
        "accepted": [{"text": "yes"}, {"text": "y*", "share": "50%"}],
    }
    question = load(Question, document)
    assert isinstance(question, ShortAnswer)
    content = course_of(QuizContent(quiz=Quiz(questions=(question,))))

    write_course_folder(COURSE, content, tmp_path)

    written = (tmp_path / "01-one/01-lesson-0.quiz.yaml").read_text()
    assert "      - yes\n      - text: y*\n        share: 50%\n" in written
    assert read_course_folder(tmp_path).content == content


def test_lectures_and_captions_are_written_beside_their_lesson(tmp_path: Path) -> None:
    lesson = Lesson(key="how", title="How", content=Video())
    content = CourseContent(
        title="A course", modules=(Module(key="one", title="One", lessons=(lesson,)),)
    )
    caption = CaptionSource(
        filename="x.vtt",
        language="en",
        label="English",
        chunks=lambda: [b"WEBVTT\n"],
    )
    source = MediaSource(
        filename="../../My Lecture.MKV",
        chunks=lambda: iter([b"one", b"two"]),
        captions=(caption,),
    )

    write_course_folder(COURSE, content, tmp_path / "out", {"how": source})
    read = read_course_folder(tmp_path / "out")

    [media] = read.media
    assert media.lesson == "how"
    assert media.path == tmp_path / "out/01-one/01-how.mkv"
    assert media.path.read_bytes() == b"onetwo"
    [captions] = media.captions
    assert (captions.language, captions.label) == ("en", "English")
    assert captions.path.read_bytes() == b"WEBVTT\n"
    assert read.content == content


@pytest.mark.parametrize("language", ["../../x", "a/b", "", "en\n"])
def test_a_language_cannot_lead_out_of_the_folder(
    language: str, tmp_path: Path
) -> None:
    caption = CaptionSource(
        filename="x.vtt", language=language, label="X", chunks=lambda: [b"WEBVTT\n"]
    )
    source = MediaSource(filename="a.mp4", chunks=lambda: [b"one"], captions=(caption,))

    with pytest.raises(InvalidValue, match="language"):
        write_course_folder(
            COURSE, course_of(Video()), tmp_path / "out", {"lesson-0": source}
        )
