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
    zero) or ``ignored`` (missing and left out, or worth nothing). *weight* is the
    part of the course grade that the item makes up.
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
    result = _compute(policy.root, by_category, scores, excused)
    share = result.share
    return CourseGrade(
        share=share,
        letter=None if share is None else policy.letter(share),
        explanation=_explain(result, Fraction(1)),
    )


@frozen(kw_only=True)
class _Result:
    """A category on its own: *weights* are parts of it, items before categories."""

    category: Category
    share: Fraction | None
    possible: Fraction
    items: Sequence[tuple[GradeItem, Score | None, str, Fraction]]
    below: Sequence[tuple["_Result", Fraction]]


def _compute(
    category: Category,
    items: Mapping[str, Sequence[GradeItem]],
    scores: Mapping[str, Score | None],
    excused: frozenset[str],
) -> _Result:
    own = items.get(category.key, ())
    entries: dict[int, Entry] = {}
    statuses: list[str] = []
    for place, item in enumerate(own):
        score = scores.get(item.key)
        status = _status(category, item, score, excused)
        statuses.append(status)
        if status in {"counted", "missing"}:
            entries[place] = Entry(
                key=item.key,
                earned=score.earned if score else Fraction(0),
                possible=score.possible if score else item.possible,
            )
    for place in _dropped(category, entries):
        statuses[place] = "dropped"
        del entries[place]
    below = [_compute(child, items, scores, excused) for child in category.categories]
    groups = {
        place: Entry(
            key=result.category.key,
            earned=result.share * result.possible,
            possible=result.possible,
            weight=result.category.weight,
        )
        for place, result in enumerate(below)
        if result.share is not None
    }
    together = [*entries.values(), *groups.values()]
    parts = category.aggregation.weights(together)
    of_items = dict(zip(entries, parts, strict=False))
    of_groups = dict(zip(groups, parts[len(entries) :], strict=True))
    none = Fraction(0)
    return _Result(
        category=category,
        share=category.aggregation.combine(together),
        possible=sum((entry.possible for entry in together), none),
        items=[
            (item, scores.get(item.key), statuses[place], of_items.get(place, none))
            for place, item in enumerate(own)
        ],
        below=[
            (result, of_groups.get(place, none)) for place, result in enumerate(below)
        ],
    )


def _status(
    category: Category, item: GradeItem, score: Score | None, excused: frozenset[str]
) -> str:
    if item.key in excused:
        return "excused"
    if score is None:
        ignored = category.missing is Missing.IGNORED or not item.possible
        return "ignored" if ignored else "missing"
    return "counted" if score.possible or score.earned else "ignored"


def _dropped(category: Category, entries: Mapping[int, Entry]) -> list[int]:
    """Return what leaves; at least one entry always stays."""
    free = {
        place: entry
        for place, entry in entries.items()
        if entry.key not in category.never_drop
    }
    drop = min(category.drop_lowest, len(free), len(entries) - 1)
    if drop <= 0:
        return []
    always = [entry for place, entry in entries.items() if place not in free]
    kept = category.aggregation.kept(tuple(free.values()), drop, always=always)
    stays = {id(entry) for entry in kept}
    return [place for place, entry in free.items() if id(entry) not in stays]


def _explain(result: _Result, weight: Fraction) -> CategoryGrade:
    """Turn parts of a category into parts of the course."""
    return CategoryGrade(
        key=result.category.key,
        title=result.category.title,
        share=result.share,
        weight=weight,
        items=tuple(
            ItemGrade(
                key=item.key,
                title=item.title,
                score=score,
                status=status,
                weight=weight * part,
            )
            for item, score, status, part in result.items
        ),
        categories=tuple(
            _explain(child, weight * part) for child, part in result.below
        ),
    )
