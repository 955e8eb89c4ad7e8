"""What is not loaded for one lesson changes nothing about that lesson."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve, frozen

from lms_core.application._learning import find_lesson, standing_of
from lms_core.application.record_progress import ProgressReport, RecordProgress
from lms_core.domain.access.conditions import (
    AllOf,
    AnyOf,
    Condition,
    CourseDone,
    Drip,
    EarlierLessons,
    HasRole,
    LessonDone,
    Not,
    ScoreAtLeast,
)
from lms_core.domain.access.facts import Facts
from lms_core.domain.access.policy import Action, decide
from lms_core.domain.catalog.content import CourseContent
from lms_core.domain.ids import CourseId
from lms_core.domain.percent import ALL
from lms_core.errors import Reason

ELSEWHERE = CourseDone(course=CourseId("another"))


@frozen(kw_only=True)
class FinishedAndStudent(Condition):
    """A condition that somebody else has added."""

    def holds(self, facts: Facts, at: Any) -> bool:
        del at
        return "intro" in facts.completed and "student" in facts.roles

    def objection(self, facts: Facts) -> Reason:
        del facts
        return Reason("not-finished-and-student")


@pytest.mark.parametrize("done", ["intro", "nothing"])
@pytest.mark.parametrize(
    "condition",
    [
        AllOf(),
        Drip(days=0),
        Drip(days=3),
        LessonDone(lesson="intro"),
        Not(of=LessonDone(lesson="intro")),
        EarlierLessons(),
        HasRole(role="student"),
        HasRole(role="admin"),
        ScoreAtLeast(lesson="intro", share=ALL),
        ELSEWHERE,
        Not(of=ELSEWHERE),
        AnyOf(of=(ELSEWHERE, LessonDone(lesson="intro"))),
        AllOf(of=(Not(of=ELSEWHERE), HasRole(role="student"), EarlierLessons())),
        FinishedAndStudent(),
    ],
    ids=repr,
)
def test_a_decision_is_the_same_whether_all_is_loaded_or_what_it_asks_for(
    world: Any, content: Callable[..., Any], condition: Condition, done: str
) -> None:
    lecture = world.lecture(10_000)
    world.publish(_behind(content(video=lecture.id), condition))
    ada, now = world.learner(), world.clock.now()
    if done == "intro":
        world.use(RecordProgress)(ada, world.INTRO, ProgressReport(read=True))

    decisions, known = [], []
    for only_for in (None, world.LECTURE):
        with world.start(read_only=True) as work:
            standing = standing_of(
                work, world.progress, ada.user, world.COURSE, only_for=only_for
            )
        module, lesson = find_lesson(standing.content, world.LECTURE)
        resource = standing.resource(module, lesson)
        decisions.append(decide(ada, Action.RECORD_PROGRESS, resource, at=now))
        known.append(standing.progress)

    assert decisions[0] == decisions[1]
    assert "intro" not in known[1] or known[0]["intro"] == known[1]["intro"]


def _behind(content: CourseContent, condition: Condition) -> CourseContent:
    """Return *content* with its lecture behind *condition*."""
    modules = tuple(
        evolve(
            module,
            lessons=tuple(
                evolve(each, access=condition) if each.key == "lecture" else each
                for each in module.lessons
            ),
        )
        for module in content.modules
    )
    return evolve(content, modules=modules)
