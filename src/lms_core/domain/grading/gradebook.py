"""From scores to a course grade that explains itself."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from attrs import frozen

from lms_core.domain.grading.aggregation import Entry
from lms_core.domain.grading.policy import Category, GradingPolicy, Missing
from lms_core.domain.score import Score


@frozen(kw_only=True)
class GradeItem:
    """Graded work: a lesson, its category, and what it is worth."""

    key: str
    title: str
    category: str
    possible: Fraction


@frozen(kw_only=True)
class ItemGrade:
    """What became of one item.

    *status* is ``counted``, ``dropped``, ``excused``, ``missing`` (counted as
    zero) or ``ignored`` (missing, left out). *weight* is the part of the course
    grade that the item makes up.
    """

    key: str
    title: str
    score: Score | None
    status: str
    weight: Fraction


@frozen(kw_only=True)
class CategoryGrade:
    """What became of one category; *share* is `None` where nothing counts."""

    key: str
    title: str
    share: Fraction | None
    weight: Fraction
    items: tuple[ItemGrade, ...] = ()
    categories: tuple["CategoryGrade", ...] = ()


@frozen(kw_only=True)
class CourseGrade:
    """A learner's grade; every number in it is exact."""

    share: Fraction | None
    letter: str | None
    explanation: CategoryGrade

    def reaches(self, mark: Fraction) -> bool:
        """Tell whether there is a grade and it is not below *mark*."""
        return self.share is not None and self.share >= mark


def grade_course(
    policy: GradingPolicy,
    items: Sequence[GradeItem],
    scores: Mapping[str, Score | None],
    *,
    excused: frozenset[str] = frozenset(),
) -> CourseGrade:
    """Compute a course grade exactly, with what counted and what was dropped.

    *scores* are by item key; an absent or `None` score is missing work. Items of
    a category that the policy lacks are left out.
    """
    by_category: dict[str, list[GradeItem]] = {}
    for item in items:
        by_category.setdefault(item.category, []).append(item)
    explanation = _grade(policy.root, by_category, scores, excused, Fraction(1))
    share = explanation.share
    return CourseGrade(
        share=share,
        letter=None if share is None else policy.letter(share),
        explanation=explanation,
    )


def _grade(
    category: Category,
    items: Mapping[str, Sequence[GradeItem]],
    scores: Mapping[str, Score | None],
    excused: frozenset[str],
    weight: Fraction,
) -> CategoryGrade:
    """Grade one category that makes up *weight* of the course."""
    own = items.get(category.key, ())
    entries: list[Entry] = []
    statuses: dict[str, str] = {}
    for item in own:
        score = scores.get(item.key)
        if item.key in excused:
            statuses[item.key] = "excused"
        elif score is None and category.missing is Missing.IGNORED:
            statuses[item.key] = "ignored"
        else:
            statuses[item.key] = "missing" if score is None else "counted"
            entries.append(
                Entry(
                    key=item.key,
                    earned=score.earned if score else Fraction(0),
                    possible=score.possible if score else item.possible,
                )
            )
    kept = _after_drops(category, entries)
    for entry in entries:
        if entry not in kept:
            statuses[entry.key] = "dropped"
    below = [
        _grade(child, items, scores, excused, Fraction(1))
        for child in category.categories
    ]
    groups = [
        Entry(
            key=child.key, earned=grade.share, possible=Fraction(1), weight=child.weight
        )
        for child, grade in zip(category.categories, below, strict=True)
        if grade.share is not None
    ]
    together = [*kept, *groups]
    parts = dict(
        zip(
            [entry.key for entry in together],
            category.aggregation.weights(together),
            strict=True,
        )
    )
    return CategoryGrade(
        key=category.key,
        title=category.title,
        share=category.aggregation.combine(together),
        weight=weight,
        items=tuple(
            ItemGrade(
                key=item.key,
                title=item.title,
                score=scores.get(item.key),
                status=statuses[item.key],
                weight=weight * parts.get(item.key, Fraction(0)),
            )
            for item in own
        ),
        categories=tuple(
            _scaled(grade, weight * parts.get(grade.key, Fraction(0)))
            for grade in below
        ),
    )


def _scaled(grade: CategoryGrade, by: Fraction) -> CategoryGrade:
    """Turn parts of a category into parts of the course."""
    return CategoryGrade(
        key=grade.key,
        title=grade.title,
        share=grade.share,
        weight=grade.weight * by,
        items=tuple(
            ItemGrade(
                key=item.key,
                title=item.title,
                score=item.score,
                status=item.status,
                weight=item.weight * by,
            )
            for item in grade.items
        ),
        categories=tuple(_scaled(child, by) for child in grade.categories),
    )


def _after_drops(category: Category, entries: list[Entry]) -> list[Entry]:
    """Return what stays, in order; at least one entry always does."""
    free = [entry for entry in entries if entry.key not in category.never_drop]
    drop = min(category.drop_lowest, len(free), max(0, len(entries) - 1))
    if not drop:
        return entries
    fixed = [entry for entry in entries if entry.key in category.never_drop]
    kept = {entry.key for entry in category.aggregation.kept(free, drop)}
    kept |= {entry.key for entry in fixed}
    return [entry for entry in entries if entry.key in kept]
