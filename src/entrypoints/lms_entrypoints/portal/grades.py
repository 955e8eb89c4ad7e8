"""Grades and the rules behind them, as pages show them."""

from collections.abc import Iterator, Mapping

from lms_core.domain.access.conditions import (
    AllOf,
    AnyOf,
    Condition,
    CourseDone,
    DateWindow,
    Drip,
    EarlierLessons,
    Enrolled,
    HasRole,
    LessonDone,
    Not,
    ScoreAtLeast,
)
from lms_core.domain.documents import variant_name
from lms_core.domain.grading.gradebook import CategoryGrade, CourseGrade
from lms_core.domain.grading.override import Override
from lms_core.domain.grading.policy import Category, GradingPolicy, Missing
from lms_entrypoints.portal import show, views

_AGGREGATIONS = {
    "mean": "The mean of all parts; each counts the same.",
    "weighted-mean": "The mean of all parts, each by its weight.",
    "points": "All points earned, out of all points possible.",
}


def grade_groups(
    policy: GradingPolicy, grade: CourseGrade, overrides: Mapping[str, Override]
) -> tuple[views.GradeGroup, ...]:
    """Return a grade as a tree that says how each part was computed."""
    categories = {category.key: category for category in policy.root.all()}
    root = _group(grade.explanation, categories, overrides)
    return (root,) if root.items or root.groups else ()


def _group(
    grade: CategoryGrade,
    categories: Mapping[str, Category],
    overrides: Mapping[str, Override],
) -> views.GradeGroup:
    return views.GradeGroup(
        title=grade.title,
        share=grade.share,
        weight=grade.weight,
        rule=rule_of(categories[grade.key]),
        items=tuple(
            views.GradeRow(
                key=item.key,
                title=item.title,
                status=item.status,
                weight=item.weight,
                score=item.score,
                comment=overrides[item.key].comment if item.key in overrides else "",
                overridden=item.key in overrides
                and not overrides[item.key].is_withdrawn,
            )
            for item in grade.items
        ),
        groups=tuple(_group(each, categories, overrides) for each in grade.categories),
    )


def rule_of(category: Category) -> str:
    """Return how a category is computed, in sentences."""
    said = [_AGGREGATIONS.get(variant_name(category.aggregation), "By its own rule.")]
    if category.drop_lowest:
        dropped = show.count(category.drop_lowest, "result")
        said.append(f"The {dropped} that would lower it most are left out.")
    if category.missing is Missing.ZERO:
        said.append("What is not handed in counts as zero.")
    else:
        said.append("What is not handed in is left out.")
    return " ".join(said)


def statuses(grade: CategoryGrade) -> Iterator[tuple[str, str]]:
    """Yield what became of each item, by its key."""
    for item in grade.items:
        yield item.key, item.status
    for below in grade.categories:
        yield from statuses(below)


def conditions(condition: Condition, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return what has to hold before something opens, one phrase a condition."""
    if isinstance(condition, AllOf):
        return tuple(
            phrase for each in condition.of for phrase in conditions(each, names)
        )
    return (_phrase(condition, names),)


def _phrase(condition: Condition, names: Mapping[str, str]) -> str:
    match condition:
        case AllOf():
            return " and ".join(conditions(condition, names)) or "always"
        case AnyOf():
            return " or ".join(_phrase(each, names) for each in condition.of)
        case Not():
            return f"not: {_phrase(condition.of, names)}"
        case LessonDone():
            return f"after “{names.get(condition.lesson, condition.lesson)}”"
        case ScoreAtLeast():
            title = names.get(condition.lesson, condition.lesson)
            return f"with {show.grade(condition.share)} in “{title}”"
        case DateWindow():
            return _window(condition)
        case _:
            return _short_phrase(condition)


def _short_phrase(condition: Condition) -> str:
    match condition:
        case Enrolled():
            return "on the course"
        case HasRole():
            return f"for the role “{condition.role}”"
        case EarlierLessons():
            return "after every required lesson before it"
        case CourseDone():
            return f"after the course “{condition.course}”"
        case Drip():
            return f"{show.count(condition.days, 'day')} after enrolling"
        case _:
            return variant_name(condition)


def _window(window: DateWindow) -> str:
    parts = []
    if window.opens_at:
        parts.append(f"from {window.opens_at:%Y-%m-%d %H:%M} UTC")
    if window.closes_at:
        parts.append(f"until {window.closes_at:%Y-%m-%d %H:%M} UTC")
    return " ".join(parts) or "at any time"
