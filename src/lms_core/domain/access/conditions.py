"""When something opens: trees of conditions, stored with the course.

A condition is data. Add a variant by subclassing `Condition` under a `variant`
name; nothing else has to change. Time is the only thing that moves by itself,
so the instant from which a tree opens is found among the boundaries that its
conditions name, which stays exact under any combination, negation included.
"""

from collections.abc import Iterator, Set
from datetime import datetime, timedelta

from attrs import frozen

from lms_core.domain.access.facts import Facts
from lms_core.domain.decision import Decision
from lms_core.domain.documents import open_set, variant
from lms_core.domain.ids import CourseId
from lms_core.domain.ids import key as checked_key
from lms_core.domain.percent import Percent
from lms_core.errors import InvalidValue, Reason


@frozen(kw_only=True)
class Verdict:
    """A condition's answer, with those of its children: what `explain` shows."""

    condition: "Condition"
    met: bool
    reasons: tuple[Reason, ...] = ()
    children: tuple["Verdict", ...] = ()


@open_set
@frozen(kw_only=True)
class Condition:
    """Something that must hold before a module or lesson opens.

    A leaf defines `holds` and `objection`, or `objections` where there may be
    several; one that time can change also defines `boundaries`.
    """

    def holds(self, facts: Facts, at: datetime) -> bool:
        """Tell whether it is met at one instant."""
        raise TypeError(f"{type(self).__name__} does not say when it holds")

    def objection(self, facts: Facts) -> Reason:
        """Say what is missing."""
        raise TypeError(f"{type(self).__name__} does not say why it objects")

    def objections(self, facts: Facts, at: datetime) -> tuple[Reason, ...]:
        """Say everything that is missing at one instant."""
        del at
        return (self.objection(facts),)

    def verdict(self, facts: Facts, at: datetime) -> Verdict:
        """Judge the condition at one instant, with reasons."""
        if self.holds(facts, at):
            return Verdict(condition=self, met=True)
        return Verdict(condition=self, met=False, reasons=self.objections(facts, at))

    def boundaries(self, facts: Facts) -> Iterator[datetime]:
        """Yield every instant at which the answer may change by itself."""
        for child in self.children():
            yield from child.boundaries(facts)

    def lessons(self) -> Iterator[str]:
        """Yield the keys of lessons it refers to."""
        for child in self.children():
            yield from child.lessons()

    def children(self) -> tuple["Condition", ...]:
        """Return the conditions that it is made of."""
        return ()

    def size(self) -> int:
        """Count the conditions in the tree."""
        return 1 + sum(child.size() for child in self.children())

    def may_hold(self, reachable: Set[str], *, earlier: bool) -> bool:
        """Tell whether a learner could meet it who can finish *reachable*.

        *earlier* says whether all the required lessons before are reachable. Of
        everything that is not a lesson the best is assumed.
        """
        del earlier
        return all(key in reachable for key in self.lessons())


@variant("all")
@frozen(kw_only=True)
class AllOf(Condition):
    """Every child holds; an empty one is open."""

    of: tuple[Condition, ...] = ()

    def children(self) -> tuple[Condition, ...]:
        """Return what must hold."""
        return self.of

    def holds(self, facts: Facts, at: datetime) -> bool:
        """Ask every child."""
        return all(child.holds(facts, at) for child in self.of)

    def verdict(self, facts: Facts, at: datetime) -> Verdict:
        """Object with every reason of every child that objects."""
        children = tuple(child.verdict(facts, at) for child in self.of)
        return Verdict(
            condition=self,
            met=all(child.met for child in children),
            reasons=tuple(reason for child in children for reason in child.reasons),
            children=children,
        )

    def may_hold(self, reachable: Set[str], *, earlier: bool) -> bool:
        """Ask every child."""
        return all(child.may_hold(reachable, earlier=earlier) for child in self.of)


@variant("any")
@frozen(kw_only=True)
class AnyOf(Condition):
    """At least one child holds; an empty one is open."""

    of: tuple[Condition, ...] = ()

    def children(self) -> tuple[Condition, ...]:
        """Return the alternatives."""
        return self.of

    def holds(self, facts: Facts, at: datetime) -> bool:
        """Ask until one does."""
        return not self.of or any(child.holds(facts, at) for child in self.of)

    def verdict(self, facts: Facts, at: datetime) -> Verdict:
        """Object with the reasons of all children when none holds."""
        children = tuple(child.verdict(facts, at) for child in self.of)
        met = not children or any(child.met for child in children)
        reasons = tuple(reason for child in children for reason in child.reasons)
        return Verdict(
            condition=self, met=met, reasons=() if met else reasons, children=children
        )

    def may_hold(self, reachable: Set[str], *, earlier: bool) -> bool:
        """Ask until one may."""
        return not self.of or any(
            child.may_hold(reachable, earlier=earlier) for child in self.of
        )


@variant("not")
@frozen(kw_only=True)
class Not(Condition):
    """The child does not hold."""

    of: Condition

    def children(self) -> tuple[Condition, ...]:
        """Return what must not hold."""
        return (self.of,)

    def holds(self, facts: Facts, at: datetime) -> bool:
        """Ask the child."""
        return not self.of.holds(facts, at)

    def verdict(self, facts: Facts, at: datetime) -> Verdict:
        """Object when the child holds, and say when it ceases to by itself."""
        child = self.of.verdict(facts, at)
        reasons: tuple[Reason, ...] = ()
        if child.met:
            opens_at = _opens_at(self, facts, at)
            reasons = (Reason("excluded-by-condition", {}, opens_at),)
        return Verdict(
            condition=self, met=not child.met, reasons=reasons, children=(child,)
        )

    def may_hold(self, reachable: Set[str], *, earlier: bool) -> bool:
        """Assume that the learner has not done it yet."""
        del reachable, earlier
        return True


@variant("enrolled")
@frozen(kw_only=True)
class Enrolled(Condition):
    """The learner has an active or completed enrollment."""

    def holds(self, facts: Facts, at: datetime) -> bool:
        """Tell whether the enrollment lets the learner in."""
        del at
        return facts.enrolled_at is not None

    def objection(self, facts: Facts) -> Reason:
        """Ask to enroll."""
        del facts
        return Reason("not-enrolled")


@variant("role")
@frozen(kw_only=True)
class HasRole(Condition):
    """The learner has a role on the course."""

    role: str

    def holds(self, facts: Facts, at: datetime) -> bool:
        """Tell whether the role was given."""
        del at
        return self.role in facts.roles

    def objection(self, facts: Facts) -> Reason:
        """Name the role."""
        del facts
        return Reason("role-required", {"role": self.role})


@variant("lesson-completed")
@frozen(kw_only=True)
class LessonDone(Condition):
    """A lesson of the same course is finished."""

    lesson: str

    def holds(self, facts: Facts, at: datetime) -> bool:
        """Tell whether it is finished."""
        del at
        return self.lesson in facts.completed

    def objection(self, facts: Facts) -> Reason:
        """Name the lesson."""
        del facts
        return Reason("lesson-unfinished", {"lesson": self.lesson})

    def lessons(self) -> Iterator[str]:
        """Yield the lesson."""
        yield self.lesson


@variant("earlier-lessons")
@frozen(kw_only=True)
class EarlierLessons(Condition):
    """Every required lesson before this one is finished."""

    def holds(self, facts: Facts, at: datetime) -> bool:
        """Tell whether none of them is left."""
        del at
        return facts.completed.issuperset(facts.earlier)

    def objections(self, facts: Facts, at: datetime) -> tuple[Reason, ...]:
        """Name every unfinished lesson."""
        del at
        return tuple(
            Reason("lesson-unfinished", {"lesson": key})
            for key in facts.earlier
            if key not in facts.completed
        )

    def may_hold(self, reachable: Set[str], *, earlier: bool) -> bool:
        """Ask for those before."""
        del reachable
        return earlier


@variant("score-at-least")
@frozen(kw_only=True)
class ScoreAtLeast(Condition):
    """The counting score of a lesson reaches a share; no score never does."""

    lesson: str
    share: Percent

    def holds(self, facts: Facts, at: datetime) -> bool:
        """Compare exactly."""
        del at
        score = facts.scores.get(self.lesson)
        return score is not None and score >= self.share.of_one

    def objection(self, facts: Facts) -> Reason:
        """Name the lesson and the percents to reach."""
        percent = self.share.of_one * 100
        shown = str(percent) if percent.denominator == 1 else f"{float(percent):.10g}"
        code = "score-too-low" if self.lesson in facts.scores else "score-missing"
        return Reason(code, {"lesson": self.lesson, "percent": shown})

    def lessons(self) -> Iterator[str]:
        """Yield the lesson."""
        yield self.lesson


@variant("course-completed")
@frozen(kw_only=True)
class CourseDone(Condition):
    """Another course was completed."""

    course: CourseId

    def __attrs_post_init__(self) -> None:
        checked_key(self.course, place="course")

    def holds(self, facts: Facts, at: datetime) -> bool:
        """Tell whether it was completed."""
        del at
        return self.course in facts.completed_courses

    def objection(self, facts: Facts) -> Reason:
        """Name the course."""
        del facts
        return Reason("course-unfinished", {"course": self.course})


@variant("dates")
@frozen(kw_only=True)
class DateWindow(Condition):
    """Now lies from *opens_at* on and before *closes_at*."""

    opens_at: datetime | None = None
    closes_at: datetime | None = None

    def __attrs_post_init__(self) -> None:
        if self.opens_at and self.closes_at and self.opens_at >= self.closes_at:
            raise InvalidValue("must lie after opens_at", place="closes_at")

    def holds(self, facts: Facts, at: datetime) -> bool:
        """Tell whether *at* lies within."""
        del facts
        opened = self.opens_at is None or at >= self.opens_at
        return opened and (self.closes_at is None or at < self.closes_at)

    def objections(self, facts: Facts, at: datetime) -> tuple[Reason, ...]:
        """Say when it opens, or that it has closed."""
        del facts
        if self.opens_at and at < self.opens_at:
            return (Reason("not-open-yet", {}, self.opens_at),)
        return (Reason("closed"),)

    def boundaries(self, facts: Facts) -> Iterator[datetime]:
        """Yield both ends."""
        del facts
        yield from (end for end in (self.opens_at, self.closes_at) if end)


@variant("drip")
@frozen(kw_only=True)
class Drip(Condition):
    """So many days have passed since the enrollment, to the second."""

    days: int

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.days <= 3660:  # noqa: PLR2004
            raise InvalidValue("must be 0 to 3660", place="days")

    def _opens_at(self, facts: Facts) -> datetime | None:
        if facts.enrolled_at is None:
            return None
        return facts.enrolled_at + timedelta(days=self.days)

    def holds(self, facts: Facts, at: datetime) -> bool:
        """Open exactly at the instant."""
        opens = self._opens_at(facts)
        return opens is not None and at >= opens

    def objection(self, facts: Facts) -> Reason:
        """Say when it opens, or that nothing runs before enrolling."""
        opens = self._opens_at(facts)
        if opens is None:
            return Reason("not-enrolled")
        return Reason("not-open-yet", {}, opens)

    def boundaries(self, facts: Facts) -> Iterator[datetime]:
        """Yield the opening, once enrolled."""
        opens = self._opens_at(facts)
        if opens is not None:
            yield opens


OPEN = AllOf()
"""Holds for everybody."""


def judge(condition: Condition, facts: Facts, at: datetime) -> Decision:
    """Decide, with every reason once and the instant from which it opens by itself."""
    if condition.holds(facts, at):
        return Decision()
    reasons = condition.verdict(facts, at).reasons or (Reason("condition-unmet"),)
    once: dict[object, Reason] = {}
    for reason in reasons:
        about = tuple(sorted(reason.about.items()))
        once.setdefault((reason.code, about, reason.opens_at), reason)
    return Decision(tuple(once.values()), _opens_at(condition, facts, at))


def _opens_at(condition: Condition, facts: Facts, at: datetime) -> datetime | None:
    later = {edge for edge in condition.boundaries(facts) if edge > at}
    return next((edge for edge in sorted(later) if condition.holds(facts, edge)), None)
