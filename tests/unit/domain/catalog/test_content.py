"""Courses: parts that fit together, and lessons that can be opened."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from attrs import evolve
from hypothesis import given

from lms_core.domain.access.conditions import (
    OPEN,
    AllOf,
    AnyOf,
    Condition,
    Drip,
    EarlierLessons,
    Enrolled,
    LessonDone,
    Not,
)
from lms_core.domain.catalog.content import (
    MOST_CONDITIONS,
    CourseContent,
    Lesson,
    Module,
    Text,
    Video,
    content_faults,
)
from lms_core.domain.catalog.course import Course
from lms_core.domain.ids import CourseId, MediaId, UserId
from lms_core.domain.money import Money
from lms_core.domain.percent import NONE
from lms_core.errors import InvalidDocument, InvalidValue
from lms_core.testing.strategies import course_contents

AT = datetime(2026, 3, 1, tzinfo=UTC)


def done(key: str) -> LessonDone:
    return LessonDone(lesson=key)


def course(access: Mapping[str, Condition], module: Condition = OPEN) -> CourseContent:
    lessons = tuple(
        Lesson(key=key, title=key, content=Text(markdown=""), access=condition)
        for key, condition in access.items()
    )
    return CourseContent(
        title="C",
        modules=(Module(key="m", title="M", lessons=lessons, access=module),),
    )


def faults(content: CourseContent) -> list[tuple[str, str]]:
    return [(fault.place, fault.code) for fault in content_faults(content)]


@given(course_contents())
def test_what_the_strategy_makes_fits_together(content: CourseContent) -> None:
    assert faults(content) == []


@pytest.mark.parametrize(
    ("access", "closed"),
    [
        ({"a": OPEN, "b": done("a"), "c": EarlierLessons()}, []),
        ({"a": done("a")}, [0]),
        ({"a": done("b"), "b": done("a"), "c": OPEN}, [0, 1]),
        ({"a": done("b"), "b": OPEN}, []),
        ({"a": done("b"), "b": EarlierLessons()}, [0, 1]),  # earlier ones include a
        ({"a": AnyOf(of=(done("b"), Drip(days=9))), "b": done("a")}, []),
        ({"a": Not(of=done("a"))}, []),
        ({"a": AllOf(of=(Enrolled(), AnyOf(of=(done("a"),))))}, [0]),
        ({"a": AnyOf()}, []),
    ],
)
def test_a_lesson_that_waits_for_itself_is_found(
    access: Mapping[str, Condition], closed: list[int]
) -> None:
    expected = [(f"modules[0].lessons[{n}].access", "circular-access") for n in closed]

    assert faults(course(access)) == expected


def test_a_module_that_waits_for_its_own_lesson_is_found() -> None:
    assert faults(course({"a": OPEN}, module=done("a"))) == [
        ("modules[0].lessons[0].access", "circular-access")
    ]


def test_what_is_not_there_is_named_once_where_it_stands() -> None:
    content = course({"a": done("y"), "b": OPEN}, module=done("z"))

    assert faults(content) == [
        ("modules[0].access", "unknown-lesson"),
        ("modules[0].lessons[0].access", "unknown-lesson"),
    ]


def test_keys_categories_and_sizes_are_checked_across_parts() -> None:
    wide = AllOf(of=(OPEN,) * MOST_CONDITIONS)
    content = course({"a": wide})
    (module,) = content.modules
    stray = evolve(module.lessons[0], category="nothing", access=OPEN)

    both = evolve(content, modules=(module, evolve(module, lessons=(stray,))))

    assert faults(both) == [
        ("modules[1].key", "duplicate-key"),
        ("modules[1].lessons[0].key", "duplicate-key"),
        ("modules[1].lessons[0].category", "unknown-category"),
        ("modules[0].lessons[0].access", "invalid-value"),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"title": " "}, {"title": "a\nb"}, {"title": "x" * 201},
        {"summary": "x" * 1001},
        {"language": "english please"}, {"version": 2},
        {"prices": (Money(1, "EUR"), Money(2, "EUR"))}, {"prices": (Money(-1, "EUR"),)},
    ],
)  # fmt: skip
def test_a_course_out_of_bounds_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InvalidValue) as caught:
        CourseContent(**({"title": "C"} | fields))  # type: ignore[arg-type]

    assert caught.value.place == next(iter(fields))


def test_a_lecture_needs_some_watching() -> None:
    with pytest.raises(InvalidValue):
        Video(coverage=NONE)


def new_course(draft: CourseContent) -> Course:
    return Course(
        id=CourseId("baking"), owner=UserId("ann"), draft=draft, created_at=AT
    )


def test_publishing_counts_up_and_the_same_draft_is_published_once() -> None:
    first, events = new_course(course({"a": OPEN})).publish(at=AT)
    edited = first.edit(course({"a": OPEN, "b": OPEN}))
    second, _ = edited.publish(at=AT)

    assert len(events) == 1
    assert first.publish(at=AT) == (first, ())
    assert edited.publication == first.publication
    assert second.publication is not None
    assert second.publication.number == 2


def test_a_course_without_lessons_or_with_a_video_missing_is_not_published() -> None:
    video = Lesson(key="v", title="V", content=Video())
    content = CourseContent(title="C", modules=(Module(key="m", title="M"),))
    with_video = evolve(
        content, modules=(evolve(content.modules[0], lessons=(video,)),)
    )

    for draft, place in [
        (content, "modules"),
        (with_video, "modules[0].lessons[0].content.media"),
    ]:
        with pytest.raises(InvalidDocument) as caught:
            new_course(draft).publish(at=AT)
        assert [fault.place for fault in caught.value.faults] == [place]
    with pytest.raises(InvalidDocument):
        new_course(content).edit(course({"a": done("a")}))


def test_a_course_knows_its_lessons() -> None:
    content = course({"a": OPEN, "b": OPEN, "c": OPEN})
    (module,) = content.modules
    optional = evolve(
        module.lessons[1], required=False, content=Video(media=MediaId("v"))
    )
    content = evolve(
        content,
        modules=(
            evolve(module, lessons=(module.lessons[0], optional, module.lessons[2])),
        ),
    )

    assert content.earlier("c") == ("a",)
    assert content.media() == {"v"}
    assert content.find("b") == (content.modules[0], optional)
    assert content.find("z") is None
    assert content.is_free
    assert not evolve(content, prices=(Money(1, "EUR"), Money(0, "JPY"))).is_free


@given(course_contents())
def test_lessons_are_found_where_a_walk_finds_them(content: CourseContent) -> None:
    before: list[str] = []
    for module in content.modules:
        for lesson in module.lessons:
            assert content.find(lesson.key) == (module, lesson)
            assert content.earlier(lesson.key) == tuple(before)
            before += [lesson.key] * lesson.required

    assert content.earlier("never-there") == tuple(before)
    assert evolve(content) == content
    assert evolve(content, modules=()).earlier("never-there") == ()
